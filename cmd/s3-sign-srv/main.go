// Command s3-sign-srv signs the requests with which a browser uploads files to S3.
//
// Usage:
//
//	s3-sign-srv [-env FILE]            sign for the bucket that the environment names
//	s3-sign-srv -demo                  try it: with a store of its own, in ./demo-data
//	s3-sign-srv doctor [flags]         find out what is wrong with a set-up, and what to change
//	s3-sign-srv cors [flags] [FILE]    put the CORS rules of FILE on the bucket
//	s3-sign-srv help [COMMAND]         tell more of a command
//	s3-sign-srv version                tell what was built
//
// The settings are environment variables, listed in p3s3f.env and in the README; -env reads them
// from such a file, and the process environment goes before the file. The page is served from
// ./static and ./client_conf.js; without ./static the server is an API alone.
// SIGINT and SIGTERM let what is running finish, then exit 0. A wrong setting exits 1.
//
// # doctor
//
// The command does against the store what the server and the page would do, and prints a line for each
// check: ✓ good, ✗ wrong with the one thing to change, ! works but should be otherwise, – not asked and
// why. It writes a few objects, which it removes, whatever happens. It exits 0 if nothing is wrong, else 1.
//
//	-env FILE       as for the server
//	-origin URL     the page's site as in the address bar, if it is not the server's own; may be repeated
//	-json           print one JSON object
//
// # cors
//
// The command replaces the bucket's CORS rules by those of FILE, by default basic_cors.xml, as s3cmd
// setcors would, and shows what was there before.
//
//	-env FILE       as for the server
//	-origin URL     allow pages of this site alone, and only the headers that they send; may be repeated
//	-dry-run        show it, change nothing
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	signal.Ignore(syscall.SIGPIPE) // what a reader does not want to read is an error of the write
	ctx, stop := signal.NotifyContext(context.Background(), endings()...)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	err := run(ctx, os.Args[1:], os.LookupEnv, os.Stdout, os.Stderr)
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return
	case !errors.Is(err, errUnhealthy{}) && !errors.Is(err, syscall.EPIPE):
		fmt.Fprintln(os.Stderr, "s3-sign-srv:", err)
	}
	os.Exit(1)
}

// endings are the signals that ask for an orderly end. A terminal that closes sends SIGHUP, which nohup ignores.
func endings() []os.Signal {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	return signals
}

// run is the process without its globals; it returns when ctx ends and everything it started has ended.
func run(ctx context.Context, args []string, lookup func(string) (string, bool), stdout, stderr io.Writer) error {
	if len(args) > 0 && args[0] != "" && args[0][0] != '-' {
		return runCommand(ctx, args[0], args[1:], lookup, stdout)
	}
	flags := newFlags("")
	envFile := flags.String("env", "", "")
	demo := flags.Bool("demo", false, "")
	if err := parse(flags, args, stdout); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unknown argument %q; see s3-sign-srv help", flags.Arg(0))
	}
	getenv, err := environment(*envFile, lookup)
	if err != nil {
		return err
	}
	if *demo {
		return serveDemo(ctx, getenv, stdout, stderr)
	}
	return serve(ctx, getenv, stdout, stderr)
}

// runCommand runs what is not the server.
func runCommand(ctx context.Context, name string, args []string, lookup func(string) (string, bool), stdout io.Writer) error {
	switch name {
	case "doctor":
		return runDoctor(ctx, args, lookup, stdout)
	case "cors":
		return runCORS(ctx, args, lookup, stdout)
	case "help":
		return runHelp(args, stdout)
	case "version":
		return runVersion(args, stdout)
	}
	return fmt.Errorf("unknown command %q%s", name, didYouMean(name, "", commands()))
}

// environment returns a reader of the process environment, and below it of the file.
func environment(file string, lookup func(string) (string, bool)) (func(string) string, error) {
	below := map[string]string{}
	if file != "" {
		var err error
		if below, err = readEnvFile(file, lookup); err != nil {
			return nil, err
		}
	}
	return func(name string) string {
		if value, set := lookup(name); set {
			return value
		}
		return below[name]
	}, nil
}
