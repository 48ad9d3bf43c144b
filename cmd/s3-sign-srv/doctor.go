package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	assets "s3-sign-srv"
	"s3-sign-srv/internal/config"
	"s3-sign-srv/internal/doctor"
)

// errUnhealthy ends the process with 1; what is wrong has been said.
type errUnhealthy struct{}

func (errUnhealthy) Error() string { return "doctor found something wrong" }

// setUp is what doctor and cors are told alike of the set-up.
type setUp struct {
	envFile string
	pages   origins
}

func (s *setUp) flags(command string) *flag.FlagSet {
	flags := newFlags(command)
	flags.StringVar(&s.envFile, "env", "", "")
	flags.Var(&s.pages, "origin", "")
	return flags
}

// doctorOptions are those of doctor.
type doctorOptions struct {
	setUp
	json bool
}

func (o *doctorOptions) flags() *flag.FlagSet {
	flags := o.setUp.flags("doctor")
	flags.BoolVar(&o.json, "json", false, "")
	return flags
}

// runDoctor examines the set-up in the working directory.
func runDoctor(ctx context.Context, args []string, vars variables, stdout io.Writer) error {
	var o doctorOptions
	if err := parse(o.flags(), args, 0, stdout); err != nil {
		return err
	}
	getenv, err := environment(o.envFile, vars)
	cfg := doctor.Config{Getenv: getenv, Fault: err, Files: assets.FS("."), Origins: o.pages, Now: time.Now, Certificate: loadCertificate, CORSCommand: corsCommand(os.Args[0], o.envFile)}
	cfg.Page = func(set config.Config) (http.Handler, error) {
		return newHandler(set, getenv, slog.New(slog.DiscardHandler))
	}
	if o.json {
		return examineJSON(ctx, cfg, stdout)
	}
	return examine(ctx, cfg, stdout, vars)
}

// corsCommand runs the program's cors with the same settings, as a shell reads it.
func corsCommand(program, envFile string) string {
	command := quoted(program) + " cors"
	if envFile != "" {
		command += " -env " + quoted(envFile)
	}
	return command
}

// quoted spells a word for a shell.
func quoted(word string) string {
	if strings.ContainsAny(word, " '\"$`\\*?&;()<>|#~") {
		return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	}
	return word
}

// examine prints each finding as it comes, then a summary. It ends early when nobody reads on.
func examine(ctx context.Context, cfg doctor.Config, stdout io.Writer, vars variables) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	out := &watched{Writer: stdout, broken: cancel}
	p := newPrinter(out, stdout, vars)
	start, count := time.Now(), map[doctor.Status]int{}
	healthy := doctor.Run(ctx, cfg, func(f doctor.Finding) {
		count[f.Status]++
		p.print(f)
	})
	p.printWaiting()
	fmt.Fprintf(out, "\n%d good, %d wrong, %d to look at, %d not asked, in %.1f s\n",
		count[doctor.OK], count[doctor.Failed], count[doctor.Warning], count[doctor.Skipped], time.Since(start).Seconds())
	switch {
	case out.err != nil:
		return out.err
	case !healthy:
		return errUnhealthy{}
	}
	return nil
}

// watched keeps the first error of a writer, and tells of it.
type watched struct {
	io.Writer
	broken func()
	err    error
}

// Write writes, or tells that it cannot.
func (w *watched) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	if err != nil && w.err == nil {
		w.err = err
		w.broken()
	}
	return n, err
}

// examineJSON prints everything as one object.
func examineJSON(ctx context.Context, cfg doctor.Config, stdout io.Writer) error {
	var report struct {
		Healthy bool             `json:"healthy"`
		Seconds float64          `json:"seconds"`
		Checks  []doctor.Finding `json:"checks"`
	}
	start := time.Now()
	report.Healthy = doctor.Run(ctx, cfg, func(f doctor.Finding) { report.Checks = append(report.Checks, f) })
	report.Seconds = time.Since(start).Round(time.Millisecond).Seconds()
	if err := json.MarshalWrite(stdout, report, jsontext.WithIndent("  ")); err != nil {
		return err
	}
	fmt.Fprintln(stdout)
	if !report.Healthy {
		return errUnhealthy{}
	}
	return nil
}

// origins gathers -origin flags, each spelt as a browser spells it in Origin.
type origins []string

// String makes origins a flag.Value.
func (o *origins) String() string { return strings.Join(*o, " ") }

// Set takes one.
func (o *origins) Set(value string) error {
	if !config.IsOrigin(value) {
		return errors.New("name the site by scheme, host and port as in the address bar, such as https://uploads.example.org, without a slash at the end and without the scheme's own port")
	}
	*o = append(*o, value)
	return nil
}
