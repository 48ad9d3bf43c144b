package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"s3-sign-srv/internal/config"
)

// serveOptions are the flags of the server itself.
type serveOptions struct {
	envFile string
	demo    bool
}

func (o *serveOptions) flags() *flag.FlagSet {
	flags := newFlags("")
	flags.StringVar(&o.envFile, "env", "", "")
	flags.BoolVar(&o.demo, "demo", false, "")
	return flags
}

// commonFlags are the flags of doctor and cors.
type commonFlags struct {
	envFile string
	origins origins
}

func (c *commonFlags) flags(command string) *flag.FlagSet {
	flags := newFlags(command)
	flags.StringVar(&c.envFile, "env", "", "")
	flags.Var(&c.origins, "origin", "")
	return flags
}

// origins collects -origin flags.
type origins []string

// String makes origins a flag.Value.
func (o *origins) String() string { return strings.Join(*o, " ") }

// Set adds an origin.
func (o *origins) Set(value string) error {
	if !config.IsOrigin(value) {
		return errors.New("name the site by scheme, host and port as in the address bar, such as " +
			"https://uploads.example.org, without a slash at the end and without the scheme's own port")
	}
	*o = append(*o, value)
	return nil
}

// newFlags returns a flag set that leaves help and hints to parseFlags.
func newFlags(command string) *flag.FlagSet {
	flags := flag.NewFlagSet(command, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	return flags
}

// parseFlags parses flags and at most maxArgs arguments behind them. To -help it prints the command's help and returns
// flag.ErrHelp.
func parseFlags(flags *flag.FlagSet, args []string, maxArgs int, stdout io.Writer) error {
	err := flags.Parse(args)
	help := strings.TrimSpace("help " + flags.Name())
	switch {
	case errors.Is(err, flag.ErrHelp):
		io.WriteString(stdout, helpOf(flags.Name()))
		return err
	case err == nil && flags.NArg() > maxArgs:
		const text = "unknown argument %q; flags come before other words, see s3-sign-srv %s"
		return fmt.Errorf(text, flags.Arg(maxArgs), help)
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
