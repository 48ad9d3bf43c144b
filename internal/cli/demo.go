package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"s3-sign-srv/internal/hooks"
	"s3-sign-srv/internal/s3admin"
)

const (
	demoBucket = "demo"
	demoData   = "demo-data" // demo-data/demo/OWNER/FILE holds an upload
)

// runDemo runs the server with a versitygw of its own, which verifies every signature as S3 does.
func runDemo(
	ctx context.Context, getenv func(string) string, newHooks hooks.NewFunc, stdout, stderr io.Writer,
) error {
	store, err := newDemoStore()
	if err != nil {
		return err
	}
	if getenv("P3S3F_USE_HTTPS") == "1" {
		fmt.Fprintln(stderr, "P3S3F_USE_HTTPS=1 has no effect on the demo: its store has no certificate, "+
			"and browsers do not let an HTTPS page send to it")
	}
	getenv = store.settings(getenv)
	l, err := newListener(getenv) // a wrong setting or a taken port is reported before the store starts
	if err != nil {
		return err
	}
	defer l.Close()
	stop, err := store.start(stderr)
	if err != nil {
		return err
	}
	defer stop()
	if err := store.prepare(ctx, s3admin.New(bucketConfig(l.cfg))); err != nil {
		if ctx.Err() != nil {
			return nil // a signal came first
		}
		return err
	}
	uploads := filepath.Join(demoData, demoBucket)
	fmt.Fprintf(stdout, "demo store at http://%s, uploads appear in %s\n", store.Address, uploads)

	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	errEnded := errors.New("the demo store has ended unexpectedly")
	go func() {
		<-store.ended
		cancel(errEnded)
	}()
	err = l.serve(ctx, newHooks, stdout, stderr)
	if err == nil && context.Cause(ctx) == errEnded {
		return errEnded
	}
	return err
}
