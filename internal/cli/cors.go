package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"time"

	assets "s3-sign-srv"
	"s3-sign-srv/internal/config"
	"s3-sign-srv/internal/doctor"
	"s3-sign-srv/internal/s3"
	"s3-sign-srv/internal/s3admin"
)

// runCORS replaces the bucket's CORS rules with those of a file.
func runCORS(ctx context.Context, args []string, env environ, stdout io.Writer) error {
	o, err := parseFlags("cors", args, 1, stdout)
	if err != nil {
		return err
	}
	getenv, err := readEnviron(o.envFile, env)
	if err != nil {
		return err
	}
	rules, err := readCORS(o.argument, o.origins, getenv)
	if err != nil {
		return err
	}
	cfg, err := config.Load(getenv)
	if err != nil {
		return invalidConfig(err)
	}
	return putCORS(ctx, s3admin.New(bucketConfig(cfg)), cfg.Sign.Bucket, rules, o.dryRun, stdout)
}

// readCORS returns the rules in a file. If there are origins, it narrows the rules to them and to the headers that
// their pages send.
func readCORS(file string, pages []string, getenv func(string) string) (s3admin.CORS, error) {
	var document []byte
	var err error
	if file == "" {
		file = "basic_cors.xml"
		document, err = fs.ReadFile(assets.FS("."), file)
	} else {
		document, err = os.ReadFile(file)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read the CORS rules: %w; name another file", err)
	}
	rules, err := s3admin.ParseCORS(document)
	if err != nil {
		const text = "%s is not a CORSConfiguration that stores take: %w; compare it with basic_cors.xml"
		return nil, fmt.Errorf(text, file, err)
	}
	if pages == nil {
		return rules, nil
	}
	headers := doctor.Headers(doctor.Config{Getenv: getenv, Files: assets.FS("."), Now: time.Now})
	return rules.Narrow(pages, headers), nil
}

// putCORS shows the rules before and after, and sets them unless it is a dry run.
func putCORS(ctx context.Context, b *s3admin.Bucket, name string, rules s3admin.CORS, dryRun bool, w io.Writer) error {
	before, err := b.CORS(ctx)
	switch {
	case err != nil && !s3.IsForbidden(err):
		return err
	case err != nil:
		fmt.Fprintf(w, "The rules of %s cannot be shown: the key may not do s3:GetBucketCORS.\n", name)
	case before == nil:
		fmt.Fprintf(w, "%s had no CORS rules.\n", name)
	default:
		fmt.Fprintf(w, "The rules of %s before:\n\n%s\n", name, before.Document())
	}
	if dryRun {
		fmt.Fprintf(w, "They would become:\n\n%s", rules.Document())
		return nil
	}
	err = b.PutCORS(ctx, rules)
	if s3admin.Status(err) == http.StatusNotImplemented {
		return errors.New("the store keeps no CORS rules for single buckets; " +
			"set them in its own configuration (MinIO: MINIO_API_CORS_ALLOW_ORIGIN)")
	}
	if err != nil {
		return err
	}
	if now, err := b.CORS(ctx); err == nil { // otherwise the key may not read them
		rules = now
	}
	fmt.Fprintf(w, "They are now:\n\n%s", rules.Document())
	return nil
}
