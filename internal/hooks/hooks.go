// Package hooks is where the house decides: who may upload what, and what happens afterwards.
// Edit the bodies in this file; they are asked, in the order of an upload, before a request is
// signed, after an object has reached the bucket, and before one is deleted. Whatever the hooks say,
// internal/sign lets nothing through but the five requests of an upload to the configured bucket.
// A hook returns nil for yes, Deny("text for the browser") for no, and any other error for a fault of
// its own, whose text goes to the log alone. docs/hooks.md shows real bodies.
package hooks

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"s3-sign-srv/internal/sign"
	"s3-sign-srv/internal/visitor"
)

// Hooks holds what the functions below need beside the event they are told of. Add fields of your own,
// a *sql.DB say, and fill them in New. The functions are called concurrently.
type Hooks struct {
	log          *slog.Logger
	visitors     *visitor.Keeper
	small, large string // P3S3F_EXAMPLE_ALLOW_SMALL and _LARGE: "bucket/dataset/filename"
}

// New runs once at the start, with the settings; an error stops the server.
func New(getenv func(string) string, visitors *visitor.Keeper, log *slog.Logger) (*Hooks, error) {
	h := &Hooks{
		log:      log,
		visitors: visitors,
		small:    getenv("P3S3F_EXAMPLE_ALLOW_SMALL"),
		large:    getenv("P3S3F_EXAMPLE_ALLOW_LARGE"),
	}
	return h, checkExample(getenv("AWS_DEST_BUCKET"), h.small, h.large)
}

// checkExample refuses settings of the example that could let no file pass, or would have no effect.
func checkExample(bucket, small, large string) error {
	for _, e := range []struct{ name, file string }{{"P3S3F_EXAMPLE_ALLOW_SMALL", small}, {"P3S3F_EXAMPLE_ALLOW_LARGE", large}} {
		if e.file != "" && (strings.Count(e.file, "/") < 2 || !strings.HasPrefix(e.file, bucket+"/")) {
			return fmt.Errorf("%s is %q; set it to a file of this server's bucket, as %s/DATASET/FILENAME, or unset it", e.name, e.file, bucket)
		}
	}
	if small == "" && large != "" {
		return errors.New("P3S3F_EXAMPLE_ALLOW_LARGE has no effect without P3S3F_EXAMPLE_ALLOW_SMALL; set both, or none")
	}
	return nil
}

// Identify says who is calling, before any other hook is asked. With P3S3F_OWN_UPLOADS_ONLY=1 the
// caller may touch only keys below the owner that it returns, "owner/…". As shipped, that is the
// browser, by the cookie that the server gave it with client_conf.js. Where users log in, return the login
// instead, "user/42" say, or NotLoggedIn("Please log in.") for a stranger.
func (h *Hooks) Identify(ctx context.Context, r *http.Request) (owner string, err error) {
	return CookieOwner(h.visitors, r, time.Now())
}

// ChallengeIsGood decides whether the server signs the request that c describes. It is asked for every
// request; c.Operation says which step of an upload this is. Only the first step, PostObject or
// CreateMultipartUpload, carries metadata, and an upload that is resumed does not repeat it, so a rule
// about who may upload looks at c.Key or c.HTTP in every step.
func (h *Hooks) ChallengeIsGood(ctx context.Context, c *Challenge) error {
	if !c.First() {
		return nil
	}
	h.log.InfoContext(ctx, "challenge", "operation", string(c.Operation), "bucket", c.Bucket, "key", c.Key, group("metadata", c.Metadata))
	if h.small == "" {
		return nil
	}
	expected := c.Bucket + "/" + c.Metadata["dataset"] + "/" + c.Metadata["qqfilename"]
	if expected != h.small && expected != h.large {
		return Deny("This file has not been approved for transfer, check upload is to correct dataset.")
	}
	return nil
}

// Success is told of an upload that is in the bucket. The client repeats it when the answer was lost,
// so it must bear being called again for the same upload. The reply's members reach the page's
// onComplete; Fine Uploader shows "thumbnailUrl" as the file's picture.
func (h *Hooks) Success(ctx context.Context, u *Upload) (Reply, error) {
	h.log.InfoContext(ctx, "success", "bucket", u.Bucket, "key", u.Key, "uuid", u.UUID, "name", u.Name, "size", u.Size, "etag", u.ETag, group("form", u.Form))
	return nil, nil
}

// Delete is asked before an object is deleted.
func (h *Hooks) Delete(ctx context.Context, d *Deletion) error {
	h.log.InfoContext(ctx, "delete", "bucket", d.Bucket, "key", d.Key, "uuid", d.UUID)
	return nil
}

// First reports whether c is the first request of an upload, the one that carries its metadata.
func (c *Challenge) First() bool {
	return c.Operation == sign.PostObject || c.Operation == sign.CreateMultipartUpload
}

// group spells m for the log, name by name.
func group(name string, m map[string]string) slog.Attr {
	attrs := make([]slog.Attr, 0, len(m))
	for _, name := range slices.Sorted(maps.Keys(m)) {
		attrs = append(attrs, slog.String(name, m[name]))
	}
	return slog.GroupAttrs(name, attrs...)
}
