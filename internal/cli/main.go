// Package cli is the program s3-sign-srv: flags, environment, signals, exit codes and commands. The files in help
// describe them. A program with other hooks calls Main with its own.
package cli

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
	"s3-sign-srv/internal/hooks"
)

// Main runs the program with the hooks that newHooks returns. newHooks is called once, when the server starts.
func Main(newHooks hooks.NewFunc) {
	signal.Ignore(syscall.SIGPIPE) // a reader that went away is an error of the write
	ctx := cancelOnSignal()
	err := run(ctx, os.Args[1:], parseEnviron(os.Environ()), newHooks, os.Stdout, os.Stderr)
	switch {
	case errors.Is(err, errHangup), err == nil && errors.Is(context.Cause(ctx), errHangup):
		os.Exit(128 + int(syscall.SIGHUP)) // as a shell says it
	case err == nil, errors.Is(err, flag.ErrHelp):
		return
	case !errors.Is(err, errUnhealthy{}) && !errors.Is(err, syscall.EPIPE):
		fmt.Fprintln(os.Stderr, "s3-sign-srv:", err)
	}
	os.Exit(1)
}

// signalError is the signal that ended a context.
type signalError struct{ os.Signal }

func (e signalError) Error() string { return e.String() + " signal received" }

// errHangup ends a command, or a server whose terminal has closed.
var errHangup = signalError{syscall.SIGHUP}

// cancelOnSignal returns a context that ends with a signal that asks for an orderly end. A second one ends the process
// at once. A terminal that closes sends SIGHUP, which nohup ignores; the server handles SIGHUP itself, see reloader.
func cancelOnSignal() context.Context {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) {
		signal.Notify(signals, syscall.SIGHUP)
	}
	go func() {
		received := <-signals
		signal.Stop(signals)
		cancel(signalError{received})
	}()
	return ctx
}

// run returns when ctx ends and everything that it started has ended. Only the variables of the env file that are no
// settings reach the process, see export.
func run(
	ctx context.Context, args []string, env environ, newHooks hooks.NewFunc, stdout, stderr io.Writer,
) error {
	if len(args) > 0 && args[0] != "" && args[0][0] != '-' {
		return runCommand(ctx, args[0], args[1:], env, stdout)
	}
	o, err := parseFlags("", args, 0, stdout)
	if err != nil {
		return err
	}
	environ := func() (func(string) string, error) { return readEnviron(o.envFile, env) }
	getenv, err := environ()
	switch {
	case err != nil && (getenv == nil || o.demo):
		return err
	case err != nil:
		_, others := config.Load(getenv)
		return invalidConfig(err, others)
	case o.demo:
		return runDemo(ctx, getenv, newHooks, stdout, stderr)
	}
	return runServer(ctx, getenv, environ, newHooks, stdout, stderr)
}

// invalidConfig joins errors of which each line names a setting; nil if there are none.
func invalidConfig(errs ...error) error {
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("invalid configuration:\n%w", err)
	}
	return nil
}

// runCommand runs every command but the server.
func runCommand(ctx context.Context, name string, args []string, env environ, stdout io.Writer) error {
	switch name {
	case "doctor":
		return runDoctor(ctx, args, env, stdout)
	case "cors":
		return runCORS(ctx, args, env, stdout)
	case "expect":
		return runExpect(ctx, args, env, stdout)
	case "events":
		return runEvents(ctx, args, env, stdout)
	case "help":
		return runHelp(args, stdout)
	case "version":
		return runVersion(args, stdout)
	}
	return unknownCommand(name)
}
