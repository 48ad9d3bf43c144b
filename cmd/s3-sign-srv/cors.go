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
func readCORS(file string, pages origins, getenv func(string) string) ([]byte, error) {
	document, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("cannot read the CORS rules: %w", err)
	}
	if pages != nil {
		headers := doctor.Headers(doctor.Config{Getenv: getenv, Dir: ".", Now: time.Now})
		document, err = bucket.NarrowCORS(document, pages, headers)
	}
	if err == nil {
		document, err = bucket.FormatCORS(document)
	}
	if err != nil {
		return nil, fmt.Errorf("%s is not a CORSConfiguration: %w", file, err)
	}
	return document, nil
}

// putCORS shows the rules before and after, and sets them unless it is a dry run.
func putCORS(ctx context.Context, b *bucket.Bucket, name string, rules []byte, dryRun bool, stdout io.Writer) error {
	before, err := b.CORS(ctx)
	switch {
	case err != nil && !bucket.IsForbidden(err):
		return err
	case err != nil:
		fmt.Fprintf(stdout, "The rules of %s before cannot be shown: the key may not do s3:GetBucketCORS.\n", name)
	case before == nil:
		fmt.Fprintf(stdout, "%s had no CORS rules.\n", name)
	case bucket.SameCORS(before, rules):
		fmt.Fprintf(stdout, "%s has these rules already:\n\n%s", name, rules)
		return nil
	default:
		fmt.Fprintf(stdout, "The rules of %s before:\n\n%s\n", name, before)
	}
	if dryRun {
		fmt.Fprintf(stdout, "They would become:\n\n%s", rules)
		return nil
	}
	err = b.PutCORS(ctx, rules)
	if bucket.Status(err) == http.StatusNotImplemented {
		return errors.New("the store keeps no CORS rules for single buckets; set them in its own configuration (MinIO: MINIO_API_CORS_ALLOW_ORIGIN)")
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "They are now:\n\n%s", rules)
	return nil
}
