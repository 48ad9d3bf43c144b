package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"
)

// The help texts, which the command comment in main.go repeats.
const (
	helpServer = `s3-sign-srv signs the requests with which a browser uploads files to S3.

  s3-sign-srv [-env FILE]            sign for the bucket that the environment names
  s3-sign-srv -demo                  try it: with a store of its own, in ./demo-data
  s3-sign-srv doctor [flags]         find out what is wrong with a set-up, and what to change
  s3-sign-srv cors [flags] [FILE]    put the CORS rules of FILE on the bucket
  s3-sign-srv help [COMMAND]         tell more of a command
  s3-sign-srv version                tell what was built

The settings are environment variables, listed in p3s3f.env and in the README.

  -env FILE       read settings from lines of export NAME=value; the process environment goes before it
  -demo           run with versitygw in ./demo-data; no settings needed

The page is served from ./static and ./client_conf.js; without ./static the server is an API alone.
SIGINT and SIGTERM let what is running finish, then exit 0. A wrong setting exits 1.
`
	helpDoctor = `s3-sign-srv doctor [-env FILE] [-origin URL]... [-json]

Does against the store what the server and the page would do, and prints a line for each check:
✓ good, ✗ wrong with the one thing to change, ! works but should be otherwise, – not asked and why.
Run it where the server is started, with the same environment. It needs no server running, and at most
a minute. It writes a few objects whose keys begin with s3-sign-srv-doctor-, and removes them, whatever
happens. It exits 0 if nothing is wrong, else 1. The secret key is never shown.

  -env FILE       read settings from lines of export NAME=value; the process environment goes before it
  -origin URL     the page's site as in the address bar, such as https://uploads.example.org, if it is
                  not the server's own (behind a proxy); may be repeated
  -json           print one JSON object: healthy, seconds, and checks with check, status (ok, failed,
                  warning or skipped), text, fix and document

Colours are used on a terminal only, and not where NO_COLOR is set.
`
	helpCORS = `s3-sign-srv cors [-env FILE] [-origin URL]... [-dry-run] [FILE]

Replaces the bucket's CORS rules by those of FILE, by default basic_cors.xml, as s3cmd setcors would,
and shows what was there before. The key needs s3:PutBucketCORS, and s3:GetBucketCORS to show.

  -env FILE       read settings from lines of export NAME=value; the process environment goes before it
  -origin URL     allow pages of this site alone, such as https://uploads.example.org, and only the
                  headers that a page with this client_conf.js sends; may be repeated
  -dry-run        show it, change nothing
`
	helpHelp = `s3-sign-srv help [COMMAND]

Tells more of a command: doctor, cors, help or version. Without one, of the server.
`
	helpVersion = `s3-sign-srv version

Prints the module's version, the revision it was built from, and the Go version.
`
)

// commands are the words that can follow the program's name.
func commands() []string { return []string{"doctor", "cors", "help", "version"} }

// helpOf returns the help text of a command; the server's has no name.
func helpOf(command string) string {
	return map[string]string{"": helpServer, "doctor": helpDoctor, "cors": helpCORS, "help": helpHelp, "version": helpVersion}[command]
}

func runHelp(args []string, stdout io.Writer) error {
	flags := newFlags("help")
	if err := parse(flags, args, stdout); err != nil {
		return err
	}
	command := flags.Arg(0)
	text := helpOf(command)
	if text == "" {
		return fmt.Errorf("unknown command %q%s", command, didYouMean(command, "", commands()))
	}
	_, err := io.WriteString(stdout, text)
	return err
}

func runVersion(args []string, stdout io.Writer) error {
	flags := newFlags("version")
	if err := parse(flags, args, stdout); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unknown argument %q; see s3-sign-srv help version", flags.Arg(0))
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

// parse parses args. It answers -help itself, with flag.ErrHelp, and an unknown flag with a hint.
func parse(flags *flag.FlagSet, args []string, stdout io.Writer) error {
	err := flags.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		io.WriteString(stdout, helpOf(flags.Name()))
		return err
	}
	if err == nil {
		return nil
	}
	if _, name, ok := strings.Cut(err.Error(), "not defined: -"); ok {
		var known []string
		flags.VisitAll(func(f *flag.Flag) { known = append(known, f.Name) })
		return fmt.Errorf("unknown flag -%s%s", name, didYouMean(strings.TrimLeft(name, "-"), "-", known))
	}
	return fmt.Errorf("%w; see s3-sign-srv %s", err, strings.TrimSpace("help "+flags.Name()))
}

// didYouMean hints at the closest known word, or at help.
func didYouMean(word, dash string, known []string) string {
	best, least := "", 3 // more than two edits are another word
	for _, k := range known {
		n := distance(word, k)
		if strings.HasPrefix(k, word) && word != "" {
			n = min(n, 1)
		}
		if n < least {
			best, least = k, n
		}
	}
	if best == "" {
		return "; see s3-sign-srv help"
	}
	return fmt.Sprintf("; did you mean %s%s?", dash, best)
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
