// Package doctor finds out what is wrong with a setup: it does against the real store what the server and the page
// would do. Each check asks one question and reports its result and, if it failed, what to change. The package
// internal/fineuploader builds the requests of browsers, and the server's own sign.Signer signs them, so that a report
// without faults means a working upload.
//
// Checks run in order; a check is skipped if one that it needs has failed. Every request to the store ends within
// Limit, and all checks within Total. Checks that send nothing to the store come first. Nothing stays in the bucket:
// all keys begin with Prefix and are removed in any case; if the keys could not be removed, nothing is written. No
// finding contains the secret key.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"
)

// Limits in time: of one request to the store, of all checks, and of the cleanup after them.
const (
	Limit        = 10 * time.Second
	Total        = time.Minute
	cleanupLimit = 10 * time.Second
)

// Prefix begins every key that a run writes.
const Prefix = "s3-sign-srv-doctor-"

// Status is the outcome of a check.
type Status string

// The outcomes of a check.
const (
	OK      Status = "ok"
	Failed  Status = "failed"
	Warning Status = "warning" // works, but should be changed
	Skipped Status = "skipped" // was not run; Text says why
)

// Result is what a check reports.
type Result struct {
	Status    Status `json:"status"`
	Text      string `json:"text"`               // one line
	Fix       string `json:"fix,omitzero"`       // one sentence: what to change
	Document  string `json:"document,omitempty"` // what Fix refers to, to be copied
	BlockedBy string `json:"blockedBy,omitzero"` // of Skipped: the check that has to pass first

	timedOut bool // the store did not respond in time
}

// Finding is a result and the check that it comes from.
type Finding struct {
	Check string `json:"check"`
	Result
}

// Config says what to check. Getenv, Files and Now are required.
type Config struct {
	Getenv      func(string) string // nil: the environment cannot be read
	EnvError    error               // what is wrong with the environment besides the settings, one line each; may be nil
	Files       fs.FS               // static/ and client_conf.js, as the server has them
	Warnings    []string            // of the server's start besides those of the settings, one sentence each
	Origins     []string            // of the page, scheme://host[:port]; empty: as the settings say
	Now         func() time.Time
	CORSCommand string // runs s3-sign-srv cors with these settings; -origin is added to it
}

func ok(format string, args ...any) []Result {
	return []Result{{Status: OK, Text: fmt.Sprintf(format, args...)}}
}

func failed(text, fix string) []Result { return []Result{{Status: Failed, Text: text, Fix: fix}} }

func warning(text, fix string) []Result { return []Result{{Status: Warning, Text: text, Fix: fix}} }

func skipped(format string, args ...any) []Result {
	return []Result{{Status: Skipped, Text: fmt.Sprintf(format, args...)}}
}

// blockedBy is the result of a check that needs another one to pass first.
func blockedBy(check string) []Result {
	return []Result{{Status: Skipped, Text: "blocked by: " + check, BlockedBy: check}}
}

// Run runs every check, reports each finding as it comes, and returns whether none failed. When ctx ends, the
// remaining checks are skipped; what was written is removed all the same.
func Run(ctx context.Context, cfg Config, report func(Finding)) (healthy bool) {
	r := newRun(cfg)
	defer r.http.CloseIdleConnections()
	healthy = true
	limited, cancel := context.WithTimeout(ctx, Total)
	defer cancel()
	add := func(name string, results []Result) {
		for _, result := range results {
			healthy = healthy && result.Status != Failed
			report(Finding{name, r.redact(result)})
		}
	}
	blocked := map[string]string{}
	for _, c := range r.checks() {
		add(c.Name, runCheck(limited, c, blocked))
	}
	after, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupLimit)
	defer cancel()
	add(cleanupCheck.Name, r.cleanup(after))
	return healthy && ctx.Err() == nil
}

// runCheck runs c unless a check that it needs is blocked. blocked maps each check that did not pass to the one that
// is the cause.
func runCheck(ctx context.Context, c check, blocked map[string]string) []Result {
	for _, need := range c.needs {
		if cause := blocked[need]; cause != "" {
			blocked[c.Name] = cause
			return blockedBy(cause)
		}
	}
	results := runInTime(ctx, c)
	for _, result := range results {
		if result.Status == Failed || result.Status == Skipped {
			blocked[c.Name] = c.Name
		}
		if result.timedOut {
			blocked[storeResponds] = storeResponds
		}
	}
	return results
}

// runInTime runs c unless the time is up.
func runInTime(ctx context.Context, c check) []Result {
	if ctx.Err() == nil {
		results := c.run(ctx)
		if ctx.Err() == nil {
			return results
		}
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return skipped("interrupted")
	}
	results := failed(fmt.Sprintf("not finished when all checks had taken %v, although the store responded to each "+
		"request: it is too slow", Total), "Check the load of the store and the network, then run doctor again.")
	results[0].timedOut = true
	return results
}

// redact removes the secret key from a result, in case a store echoes it.
func (r *run) redact(result Result) Result {
	secret := r.set.Sign.SecretKey.Reveal()
	if len(secret) < 8 { // a placeholder, or so short that a match would be a coincidence
		return result
	}
	for _, text := range []*string{&result.Text, &result.Fix, &result.Document} {
		*text = strings.ReplaceAll(*text, secret, "[secret]")
	}
	return result
}
