package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"s3-sign-srv/internal/bucket"
	"s3-sign-srv/internal/doctor"
	"s3-sign-srv/internal/settings"
)

// runCORS replaces the bucket's CORS rules by those of a file.
func runCORS(ctx context.Context, args []string, lookup func(string) (string, bool), stdout io.Writer) error {
	flags := newFlags("cors")
	envFile := flags.String("env", "", "")
	dryRun := flags.Bool("dry-run", false, "")
	var pages origins
	flags.Var(&pages, "origin", "")
	if err := parse(flags, args, stdout); err != nil {
		return err
	}
	if flags.NArg() > 1 {
		return fmt.Errorf("unknown argument %q; flags come before the file, see s3-sign-srv help cors", flags.Arg(1))
	}
	file := "basic_cors.xml"
	if flags.NArg() == 1 {
		file = flags.Arg(0)
	}
	getenv, err := environment(*envFile, lookup)
	if err != nil {
		return err
	}
	rules, err := readCORS(file, pages, getenv)
	if err != nil {
		return err
	}
	set, err := settings.Read(getenv)
	if err != nil {
		return fmt.Errorf("the settings need mending:\n%w", err)
	}
	return putCORS(ctx, newBucket(set), set.Sign.Bucket, rules, *dryRun, stdout)
}

// readCORS returns the rules of file, with origins narrowed to these and to the headers that they need.
func readCORS(file string, pages origins, getenv func(string) string) (bucket.CORS, error) {
	document, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("cannot read the CORS rules: %w", err)
	}
	rules, err := bucket.ParseCORS(document)
	if err != nil {
		return nil, fmt.Errorf("%s is not a CORSConfiguration that stores take: %w; compare it with basic_cors.xml", file, err)
	}
	if pages == nil {
		return rules, nil
	}
	return rules.Narrow(pages, doctor.Headers(doctor.Config{Getenv: getenv, Dir: ".", Now: time.Now})), nil
}

// putCORS shows the rules before and after, and sets them unless it is a dry run.
func putCORS(ctx context.Context, b *bucket.Bucket, name string, rules bucket.CORS, dryRun bool, stdout io.Writer) error {
	before, err := b.CORS(ctx)
	switch {
	case err != nil && !bucket.IsForbidden(err):
		return err
	case err != nil:
		fmt.Fprintf(stdout, "The rules of %s before cannot be shown: the key may not do s3:GetBucketCORS.\n", name)
	case before == nil:
		fmt.Fprintf(stdout, "%s had no CORS rules.\n", name)
	case before.Equal(rules):
		fmt.Fprintf(stdout, "%s has these rules already:\n\n%s", name, rules.Document())
		return nil
	default:
		fmt.Fprintf(stdout, "The rules of %s before:\n\n%s\n", name, before.Document())
	}
	if dryRun {
		fmt.Fprintf(stdout, "They would become:\n\n%s", rules.Document())
		return nil
	}
	err = b.PutCORS(ctx, rules.Document())
	if bucket.Status(err) == http.StatusNotImplemented {
		return errors.New("the store keeps no CORS rules for single buckets; set them in its own configuration (MinIO: MINIO_API_CORS_ALLOW_ORIGIN)")
	}
	if err != nil {
		return err
	}
	return showCORS(ctx, b, rules, stdout)
}

// showCORS shows the rules that the store has kept, which may be others than it was sent.
func showCORS(ctx context.Context, b *bucket.Bucket, sent bucket.CORS, stdout io.Writer) error {
	now, err := b.CORS(ctx)
	switch {
	case bucket.IsForbidden(err):
		fmt.Fprintf(stdout, "The store has taken:\n\n%s", sent.Document())
		return nil
	case err != nil:
		return err
	}
	fmt.Fprintf(stdout, "They are now:\n\n%s", now.Document())
	if !now.Equal(sent) {
		return errors.New("the store has not kept the rules as they were sent; look at what it shows, and at its documentation of CORS")
	}
	return nil
}
