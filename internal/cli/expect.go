package cli

import (
	"bufio"
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"s3-sign-srv/internal/config"
	"s3-sign-srv/internal/ledger"
)

// runExpect imports or lists the expected files of the ledger.
func runExpect(ctx context.Context, args []string, env environ, stdout io.Writer) error {
	action := ""
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		action, args = args[0], args[1:]
	}
	o, err := parseFlags("expect", args, 1, stdout)
	if err != nil {
		return err
	}
	const usage = "; see s3-sign-srv help expect"
	list := listFunc(o.format)
	switch {
	case action == "import" && o.argument == "":
		return errors.New("expect import needs the name of a manifest" + usage)
	case action == "import" && o.format == "":
		return withLedger(ctx, o.envFile, env, func(l *ledger.Ledger) error {
			return importManifest(ctx, l, o.argument, stdout)
		})
	case action == "list" && o.argument == "" && list != nil:
		return withLedger(ctx, o.envFile, env, func(l *ledger.Ledger) error {
			out := bufio.NewWriter(stdout)
			return errors.Join(list(out, l.Expected(ctx)), out.Flush())
		})
	case action == "list" && list == nil:
		return fmt.Errorf("unknown format %q; the formats are text, csv and json"+usage, o.format)
	}
	return errors.New("expect is followed by import MANIFEST or by list" + usage)
}

// withLedger calls f with the ledger that the settings name.
func withLedger(ctx context.Context, envFile string, env environ, f func(*ledger.Ledger) error) error {
	getenv, err := readEnviron(envFile, env)
	if err != nil {
		return err
	}
	cfg, err := config.Load(getenv)
	if err != nil {
		return invalidConfig(err)
	}
	if cfg.Database.Reveal() == "" {
		return errors.New("P3S3F_DATABASE is not set; set it to the database of the server's ledger")
	}
	l, closeLedger, err := openLedger(ctx, cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	return errors.Join(f(l), closeLedger())
}

func importManifest(ctx context.Context, l *ledger.Ledger, name string, stdout io.Writer) error {
	file, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("cannot read the manifest: %w", err)
	}
	defer file.Close()
	files, err := ledger.ReadManifest(file)
	if err != nil {
		return fmt.Errorf("%s has mistakes, and nothing was imported:\n%w", name, err)
	}
	added, err := l.Import(ctx, files)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "%d expected files imported, %d of them new\n", len(files), added)
	return err
}

// listFunc returns the function that lists expected files in a format; nil if there is no such format.
func listFunc(format string) func(io.Writer, iter.Seq2[ledger.ExpectedFile, error]) error {
	switch format {
	case "", "text":
		return listText
	case "csv":
		return listCSV
	case "json":
		return listJSON
	}
	return nil
}

// listText writes a table for people.
func listText(w io.Writer, files iter.Seq2[ledger.ExpectedFile, error]) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "STATE\tDATASET\tNAME\tCHANGED\tKEY\tREASON")
	for f, err := range files {
		if err != nil {
			return err
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", f.State, f.Dataset, f.Name, f.Changed.Format(time.DateTime),
			cmp.Or(f.Key, "-"), cmp.Or(f.Reason, "-"))
	}
	return table.Flush()
}

// listCSV writes the columns of a manifest and those of the state.
func listCSV(w io.Writer, files iter.Seq2[ledger.ExpectedFile, error]) error {
	out := csv.NewWriter(w)
	out.Write([]string{"dataset", "name", "size", "sha256", "owner", "state", "key", "changed", "reason"})
	for f, err := range files {
		if err != nil {
			return err
		}
		size := ""
		if f.Size != nil {
			size = strconv.FormatInt(*f.Size, 10)
		}
		out.Write([]string{f.Dataset, f.Name, size, f.SHA256, f.Owner,
			f.State, f.Key, f.Changed.Format(time.RFC3339), f.Reason})
	}
	out.Flush()
	return out.Error()
}

// listJSON writes an array.
func listJSON(w io.Writer, files iter.Seq2[ledger.ExpectedFile, error]) error {
	out := jsontext.NewEncoder(w, jsontext.WithIndent("  "))
	if err := out.WriteToken(jsontext.BeginArray); err != nil {
		return err
	}
	for f, err := range files {
		if err == nil {
			err = json.MarshalEncode(out, f)
		}
		if err != nil {
			return err
		}
	}
	if err := out.WriteToken(jsontext.EndArray); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w)
	return err
}
