// Command s3-sign-srv signs the requests with which a browser uploads files to S3.
//
// Usage:
//
//	s3-sign-srv [-env FILE]   sign for the bucket that the environment names
//	s3-sign-srv -demo         try it: with a store of its own, in ./demo-data
//
// The settings are environment variables, listed in p3s3f.env and in the README; -env reads them
// from such a file, and the process environment goes before the file. The page is served from
// ./static and ./client_conf.js; without ./static the server is an API alone.
// SIGINT and SIGTERM let what is running finish, then exit 0. A wrong setting exits 1.
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
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	err := run(ctx, os.Args[1:], os.LookupEnv, os.Stdout, os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "s3-sign-srv:", err)
		os.Exit(1)
	}
}

// run is the process without its globals; it returns when ctx ends and everything it started has ended.
func run(ctx context.Context, args []string, lookup func(string) (string, bool), stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("s3-sign-srv", flag.ContinueOnError)
	flags.SetOutput(stderr)
	envFile := flags.String("env", "", "read settings from `FILE`, lines of export NAME=value; the process environment goes before it")
	demo := flags.Bool("demo", false, "run with a store of its own, in ./demo-data; no settings needed")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unknown argument %q; see s3-sign-srv -help", flags.Arg(0))
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
