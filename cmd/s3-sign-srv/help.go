package main

import (
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"s3-sign-srv/internal/doctor"
)

// manual is the command comment, of which help prints a section.
//
//go:embed doc.go
var manual string

// commands are the words that can follow the program's name.
func commands() []string { return []string{"doctor", "cors", "help", "version"} }

// helpOf returns the manual's section on a command, empty if there is none; the server's has no name.
func helpOf(command string) string {
	section, _, _ := strings.Cut(manual, "\n// # ")
	if command != "" {
		_, rest, found := strings.Cut(manual, "\n// # "+command+"\n")
		if !found {
			return ""
		}
		section, _, _ = strings.Cut(rest, "\n// # ")
	}
	section, _, _ = strings.Cut(section, "\npackage ")
	var text strings.Builder
	for line := range strings.Lines(section) {
		text.WriteString(strings.Replace(strings.TrimPrefix(strings.TrimPrefix(line, "//"), " "), "\t", "  ", 1))
	}
	if command == "doctor" {
		text.WriteString(listOfChecks())
	}
	return strings.TrimPrefix(strings.Trim(text.String(), "\n")+"\n", "Command ")
}

// listOfChecks says what doctor asks.
func listOfChecks() string {
	var list strings.Builder
	list.WriteString("\nChecks, in their order:\n\n")
	for _, c := range doctor.Checks() {
		fmt.Fprintf(&list, "  %-18s %s\n", c.Name, c.Question)
	}
	return list.String()
}

func runHelp(args []string, stdout io.Writer) error {
	flags := newFlags("help")
	if err := parse(flags, args, 1, stdout); err != nil {
		return err
	}
	command := flags.Arg(0)
	if command != "" && !slices.Contains(commands(), command) {
		return fmt.Errorf("unknown command %q%s", command, didYouMean(command, "", commands()))
	}
	_, err := io.WriteString(stdout, helpOf(command))
	return err
}

func runVersion(args []string, stdout io.Writer) error {
	if err := parse(newFlags("version"), args, 0, stdout); err != nil {
		return err
	}
	_, err := fmt.Fprintln(stdout, "s3-sign-srv", buildVersion())
	return err
}

// buildVersion says what go build has noted.
func buildVersion() string {
	words := []string{"of unknown origin"}
	if info, ok := debug.ReadBuildInfo(); ok {
		words[0] = info.Main.Version
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision":
				words = append(words, "revision "+s.Value[:min(12, len(s.Value))])
			case s.Key == "vcs.modified" && s.Value == "true":
				words = append(words, "with changes")
			}
		}
	}
	return strings.Join(append(words, runtime.Version(), runtime.GOOS+"/"+runtime.GOARCH), ", ")
}

// newFlags returns a flag set that leaves help and hints to parse.
func newFlags(command string) *flag.FlagSet {
	flags := flag.NewFlagSet(command, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	return flags
}

// parse parses args, which may hold so many words beside flags. It answers -help itself, with flag.ErrHelp, and
// what it does not know with a hint.
func parse(flags *flag.FlagSet, args []string, words int, stdout io.Writer) error {
	err := flags.Parse(args)
	help := strings.TrimSpace("help " + flags.Name())
	switch {
	case errors.Is(err, flag.ErrHelp):
		io.WriteString(stdout, helpOf(flags.Name()))
		return err
	case err == nil && flags.NArg() > words:
		return fmt.Errorf("unknown argument %q; flags come before other words, see s3-sign-srv %s", flags.Arg(words), help)
	case err == nil:
		return nil
	}
	if _, name, ok := strings.Cut(err.Error(), "not defined: -"); ok {
		var known []string
		flags.VisitAll(func(f *flag.Flag) { known = append(known, f.Name) })
		return fmt.Errorf("unknown flag -%s%s", name, didYouMean(strings.TrimLeft(name, "-"), "-", known))
	}
	return fmt.Errorf("%w; see s3-sign-srv %s", err, help)
}

// didYouMean hints at the known word that word begins, or at the closest, or at help.
func didYouMean(word, dash string, known []string) string {
	best := nearest(word, known)
	if i := slices.IndexFunc(known, func(k string) bool { return strings.HasPrefix(k, word) }); i >= 0 && word != "" {
		best = known[i]
	}
	if best == "" {
		return "; see s3-sign-srv help"
	}
	return fmt.Sprintf("; did you mean %s%s?", dash, best)
}

// nearest returns the closest known word, or nothing if none is close.
func nearest(word string, known []string) (best string) {
	least := 3 // more than two edits are another word
	for _, k := range known {
		if n := distance(word, k); n < least {
			best, least = k, n
		}
	}
	return best
}

// distance counts the insertions, deletions and replacements between a and b (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
