package cli

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"s3-sign-srv/internal/config"
)

// options are the flags of all commands, and the argument behind them.
type options struct {
	envFile            string
	demo, json, dryRun bool
	origins            []string
	format             string
	argument           string
}

// flags returns the flags of a command. The server's name is empty.
func (o *options) flags(command string) *flag.FlagSet {
	flags := flag.NewFlagSet(command, flag.ContinueOnError)
	flags.SetOutput(io.Discard) // parseFlags says more
	switch command {
	case "":
		flags.BoolVar(&o.demo, "demo", false, "")
	case "doctor":
		flags.BoolVar(&o.json, "json", false, "")
		flags.Func("origin", "", o.addOrigin)
	case "cors":
		flags.BoolVar(&o.dryRun, "dry-run", false, "")
		flags.Func("origin", "", o.addOrigin)
	case "expect":
		flags.StringVar(&o.format, "format", "", "")
	case "events":
		flags.BoolVar(&o.json, "json", false, "")
	default:
		return flags
	}
	flags.StringVar(&o.envFile, "env", "", "")
	return flags
}

func (o *options) addOrigin(value string) error {
	origin, err := config.ParseOrigin(value)
	o.origins = append(o.origins, origin)
	return err
}

// parseFlags parses a command's flags and at most maxArgs arguments behind them. To -help it prints the command's help
// and returns flag.ErrHelp.
func parseFlags(command string, args []string, maxArgs int, stdout io.Writer) (o options, err error) {
	flags := o.flags(command)
	err = flags.Parse(args)
	o.argument = flags.Arg(0)
	help := strings.TrimSpace("s3-sign-srv help " + command)
	switch {
	case errors.Is(err, flag.ErrHelp):
		io.WriteString(stdout, helpOf(command))
	case err == nil && flags.NArg() > maxArgs:
		err = fmt.Errorf("unknown argument %q; flags come before other words, see %s", flags.Arg(maxArgs), help)
	case err != nil:
		text := strings.Replace(err.Error(), "flag provided but not defined:", "unknown flag", 1)
		err = fmt.Errorf("%s; see %s", text, help)
	}
	return o, err
}
