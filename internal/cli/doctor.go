package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	assets "s3-sign-srv"
	"s3-sign-srv/internal/doctor"
)

// errUnhealthy ends the process with 1 after a report that says why.
type errUnhealthy struct{}

func (errUnhealthy) Error() string { return "doctor found something wrong" }

// runDoctor checks the set-up in the working directory.
func runDoctor(ctx context.Context, args []string, env environ, stdout io.Writer) error {
	o, err := parseFlags("doctor", args, 0, stdout)
	if err != nil {
		return err
	}
	getenv, err := readEnviron(o.envFile, env)
	cfg := doctor.Config{
		Getenv: getenv, EnvError: err, Files: assets.FS("."), Origins: o.origins, Now: time.Now,
		CORSCommand: corsCommand(os.Args[0], o.envFile), Warnings: assets.Warnings("."),
	}
	report := reportText
	if o.json {
		report = reportJSON
	}
	healthy, err := report(ctx, cfg, stdout, env)
	if err == nil && !healthy {
		err = errUnhealthy{}
	}
	return err
}

// corsCommand is the shell command that runs cors with the same settings.
func corsCommand(program, envFile string) string {
	command := shellQuote(program) + " cors"
	if envFile != "" {
		command += " -env " + shellQuote(envFile)
	}
	return command
}

func shellQuote(arg string) string {
	if strings.ContainsAny(arg, " '\"$`\\*?&;()<>|#~") {
		return "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
	}
	return arg
}

// reportText prints each finding as it comes, then a summary. It ends early if stdout cannot be written.
func reportText(ctx context.Context, cfg doctor.Config, stdout io.Writer, env environ) (healthy bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	out := bufio.NewWriter(stdout) // which keeps the first error
	p := newPrinter(out, stdout, env)
	start, count := time.Now(), map[doctor.Status]int{}
	healthy = doctor.Run(ctx, cfg, func(f doctor.Finding) {
		count[f.Status]++
		p.print(f)
		if out.Flush() != nil {
			cancel()
		}
	})
	p.printBlocked()
	fmt.Fprintf(out, "\n%d ok, %d failed, %d warnings, %d skipped, in %.1f s\n", count[doctor.OK], count[doctor.Failed],
		count[doctor.Warning], count[doctor.Skipped], time.Since(start).Seconds())
	return healthy, out.Flush()
}

// reportJSON prints all findings as one object.
func reportJSON(ctx context.Context, cfg doctor.Config, stdout io.Writer, _ environ) (healthy bool, err error) {
	var report struct {
		Healthy bool             `json:"healthy"`
		Seconds float64          `json:"seconds"`
		Checks  []doctor.Finding `json:"checks"`
	}
	start := time.Now()
	report.Healthy = doctor.Run(ctx, cfg, func(f doctor.Finding) { report.Checks = append(report.Checks, f) })
	report.Seconds = time.Since(start).Round(time.Millisecond).Seconds()
	if err := json.MarshalWrite(stdout, report, jsontext.WithIndent("  ")); err != nil {
		return false, err
	}
	_, err = fmt.Fprintln(stdout)
	return report.Healthy, err
}
