// Package doctor finds out what is wrong with a set-up, by doing against the real store what the
// server and the page would do. Each check asks one question and answers with what it saw and, where
// that is a fault, with the one thing to change. What browsers send is built as Fine Uploader builds
// it and signed by the server's own sign.Signer, so that a green report means a working upload.
//
// Checks run in order; one that stands on a failed one is skipped. Each question to the store ends within
// Limit, a check within checkLimit, all within Total; those that ask no store come first. Nothing stays in
// the bucket: keys begin with Prefix, and are removed whatever happens; where they could not be, nothing is
// written. No finding holds the secret key.
package doctor

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"s3-sign-srv/internal/config"
)

// Limits in time: of one question to the store, of all checks, and of the clean-up after them.
const (
	Limit      = 10 * time.Second
	Total      = time.Minute
	checkLimit = 30 * time.Second
	cleanUp    = 10 * time.Second
)

// Prefix begins every key that an examination writes.
const Prefix = "s3-sign-srv-doctor-"

// Status is how a check came out.
type Status string

// The four ways a check can come out.
const (
	OK      Status = "ok"
	Failed  Status = "failed"
	Warning Status = "warning" // works, but should be otherwise
	Skipped Status = "skipped" // was not asked; Text says why
)

// Result is the answer to a check's question.
type Result struct {
	Status    Status `json:"status"`
	Text      string `json:"text"`               // one line
	Fix       string `json:"fix,omitzero"`       // one sentence: what to change
	Document  string `json:"document,omitempty"` // what Fix refers to, to be copied
	BlockedBy string `json:"blockedBy,omitzero"` // of Skipped: the check that has to come out well first

	late bool // the store was waited for in vain
}

// Finding is a result and the check that it comes from.
type Finding struct {
	Check string `json:"check"`
	Result
}

// Config says what to examine. Getenv, Files and Now are required.
type Config struct {
	Getenv  func(string) string                       // nil: the environment cannot be read
	Fault   error                                     // what is wrong with the environment beside the settings, a line each; nil: nothing
	Files   fs.FS                                     // static/ and client_conf.js, as the server has them
	Origins []string                                  // of the page, scheme://host[:port]; empty: as the settings say
	Page    func(config.Config) (http.Handler, error) // the server's handler; nil: the page is not examined
	Now     func() time.Time                          // the server's clock

	Certificate func(config.Config) (*tls.Config, error) // the server's reader of it; required with HTTPS

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

// blockedBy says which check has to come out well first.
func blockedBy(root string) []Result {
	return []Result{{Status: Skipped, Text: "waits for: " + root, BlockedBy: root}}
}

// Run runs every check, tells each finding as it comes, and reports whether none failed. When ctx
// ends, the rest is skipped, and what was written is removed all the same.
func Run(ctx context.Context, cfg Config, tell func(Finding)) (healthy bool) {
	e := newRun(cfg)
	defer e.close()
	healthy = true
	limited, cancel := context.WithTimeout(ctx, Total)
	defer cancel()
	report := func(name string, results []Result) {
		for _, r := range results {
			healthy = healthy && r.Status != Failed
			tell(Finding{name, e.withoutSecret(r)})
		}
	}
	stuck := map[string]string{}
	for _, c := range e.checks() {
		report(c.Name, runCheck(limited, c, stuck))
	}
	after, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanUp)
	defer cancel()
	report(cleaning.Name, e.cleanUp(after))
	return healthy && ctx.Err() == nil
}

// runCheck runs c, or says why not. stuck names, for each check that gave nothing to stand on, the one
// at the root of that.
func runCheck(ctx context.Context, c check, stuck map[string]string) []Result {
	for _, need := range c.needs {
		if root := stuck[need]; root != "" {
			stuck[c.Name] = root
			return blockedBy(root)
		}
	}
	results := runInTime(ctx, c)
	for _, r := range results {
		if r.Status == Failed || r.Status == Skipped {
			stuck[c.Name] = c.Name
		}
		if r.late {
			stuck[storeAnswers] = storeAnswers
		}
	}
	return results
}

// runInTime runs c if there is time left.
func runInTime(ctx context.Context, c check) []Result {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return tooSlow("not begun within " + spell(Total))
	}
	limited, cancel := context.WithTimeout(ctx, checkLimit)
	defer cancel()
	results := c.run(limited)
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return skipped("interrupted")
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return tooSlow("not done when " + spell(Total) + " were over")
	case limited.Err() != nil:
		return tooSlow("not done within " + spell(checkLimit))
	}
	return results
}

func tooSlow(text string) []Result {
	return []Result{{Status: Failed, Text: text + ", although each question was answered: the store is too slow", Fix: "Look at the load of the store and at the network, then run doctor again.", late: true}}
}

func spell(d time.Duration) string { return fmt.Sprintf("%.0f seconds", d.Seconds()) }

// withoutSecret makes sure that nothing a store echoes carries the secret key out.
func (e *run) withoutSecret(r Result) Result {
	secret := e.set.Sign.SecretKey.Reveal()
	if len(secret) < 8 { // a placeholder, or too short to be more than a coincidence
		return r
	}
	for _, text := range []*string{&r.Text, &r.Fix, &r.Document} {
		*text = strings.ReplaceAll(*text, secret, "[secret]")
	}
	return r
}
