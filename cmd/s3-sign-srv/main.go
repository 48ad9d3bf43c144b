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

	"s3-sign-srv/internal/config"
)

func main() {
	signal.Ignore(syscall.SIGPIPE) // what a reader does not want to read is an error of the write
	ctx, stop := signal.NotifyContext(context.Background(), endings()...)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	err := run(ctx, os.Args[1:], readVariables(os.Environ()), os.Stdout, os.Stderr)
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
func run(ctx context.Context, args []string, vars variables, stdout, stderr io.Writer) error {
	if len(args) > 0 && args[0] != "" && args[0][0] != '-' {
		return runCommand(ctx, args[0], args[1:], vars, stdout)
	}
	var o serverOptions
	if err := parse(o.flags(), args, 0, stdout); err != nil {
		return err
	}
	getenv, err := environment(o.envFile, vars)
	switch {
	case err != nil && (getenv == nil || o.demo):
		return err
	case err != nil:
		_, others := config.Load(getenv)
		return fmt.Errorf("invalid configuration:\n%w", errors.Join(err, others))
	case o.demo:
		return serveDemo(ctx, getenv, stdout, stderr)
	}
	return serve(ctx, getenv, stdout, stderr)
}

// serverOptions are those of the server itself.
type serverOptions struct {
	envFile string
	demo    bool
}

func (o *serverOptions) flags() *flag.FlagSet {
	flags := newFlags("")
	flags.StringVar(&o.envFile, "env", "", "")
	flags.BoolVar(&o.demo, "demo", false, "")
	return flags
}

// runCommand runs what is not the server.
func runCommand(ctx context.Context, name string, args []string, vars variables, stdout io.Writer) error {
	switch name {
	case "doctor":
		return runDoctor(ctx, args, vars, stdout)
	case "cors":
		return runCORS(ctx, args, vars, stdout)
	case "help":
		return runHelp(args, stdout)
	case "version":
		return runVersion(args, stdout)
	}
	return fmt.Errorf("unknown command %q%s", name, didYouMean(name, "", commands()))
}
