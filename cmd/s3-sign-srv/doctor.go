package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"s3-sign-srv/internal/doctor"
	"s3-sign-srv/internal/settings"
)

// errUnhealthy ends the process with 1; what is wrong has been said.
type errUnhealthy struct{}

func (errUnhealthy) Error() string { return "doctor found something wrong" }

// runDoctor examines the set-up in the working directory.
func runDoctor(ctx context.Context, args []string, lookup func(string) (string, bool), stdout io.Writer) error {
	flags := newFlags("doctor")
	envFile := flags.String("env", "", "")
	asJSON := flags.Bool("json", false, "")
	var pages origins
	flags.Var(&pages, "origin", "")
	if err := parse(flags, args, stdout); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unknown argument %q; see s3-sign-srv help doctor", flags.Arg(0))
	}
	getenv, err := environment(*envFile, lookup)
	if err != nil {
		return err
	}
	cfg := doctor.Config{Getenv: getenv, Dir: ".", Origins: pages, Now: time.Now, CORSCommand: corsCommand(*envFile), Page: func(set settings.Settings) (http.Handler, error) {
		return newHandler(set, getenv, slog.New(slog.DiscardHandler))
	}}
	if *asJSON {
		return examineJSON(ctx, cfg, stdout)
	}
	return examine(ctx, cfg, newPaint(stdout, lookup), stdout)
}

// corsCommand runs s3-sign-srv cors with the same settings.
func corsCommand(envFile string) string {
	if envFile == "" {
		return "s3-sign-srv cors"
	}
	return "s3-sign-srv cors -env " + envFile
}

// examine prints each finding as it comes, then a summary. It ends early when nobody reads on.
func examine(ctx context.Context, cfg doctor.Config, p paint, stdout io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	out := &watched{Writer: stdout, broken: cancel}
	start, count := time.Now(), map[doctor.Status]int{}
	healthy := doctor.Examine(ctx, cfg, func(f doctor.Finding) {
		count[f.Status]++
		p.print(out, f)
	})
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
	report.Healthy = doctor.Examine(ctx, cfg, func(f doctor.Finding) { report.Checks = append(report.Checks, f) })
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

// paint says whether lines are coloured.
type paint bool

// newPaint colours terminals, unless NO_COLOR is set (no-color.org) or TERM is dumb.
func newPaint(w io.Writer, lookup func(string) (string, bool)) paint {
	if off, _ := lookup("NO_COLOR"); off != "" {
		return false
	}
	if term, _ := lookup("TERM"); term == "dumb" {
		return false
	}
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return paint(err == nil && info.Mode()&os.ModeCharDevice != 0)
}

// print writes one finding: a line, and below it what to change.
func (p paint) print(w io.Writer, f doctor.Finding) {
	const green, red, yellow, grey = 32, 31, 33, 90
	mark, colour := "✓", green
	switch f.Status {
	case doctor.Failed:
		mark, colour = "✗", red
	case doctor.Warning:
		mark, colour = "!", yellow
	case doctor.Skipped:
		mark, colour = "–", grey
	}
	fmt.Fprintf(w, "%s %-18s %s\n", p.colour(colour, mark), f.Check, f.Text)
	if f.Fix != "" {
		fmt.Fprintf(w, "%21s%s\n", "", p.colour(colour, f.Fix))
	}
	for line := range strings.Lines(f.Document) {
		fmt.Fprintf(w, "%21s%s\n", "", strings.TrimRight(line, "\n"))
	}
}

func (p paint) colour(code int, text string) string {
	if !p {
		return text
	}
	return fmt.Sprintf("\x1b[%dm%s\x1b[0m", code, text)
}

// origins gathers -origin flags, each spelt as a browser spells it in Origin.
type origins []string

// String makes origins a flag.Value.
func (o *origins) String() string { return strings.Join(*o, " ") }

// Set takes one.
func (o *origins) Set(value string) error {
	if !settings.IsOrigin(value) {
		return errors.New("name the site by scheme, host and port as in the address bar, such as https://uploads.example.org, without a slash at the end and without the scheme's own port")
	}
	*o = append(*o, value)
	return nil
}
