// Package hooks is where the house decides: who may upload what, and what happens afterwards.
// Edit the bodies in this file; they are asked, in the order of an upload, before a request is
// signed, after an object has reached the bucket, and before one is deleted. Whatever the hooks say,
// internal/sign lets nothing through but the five requests of an upload to the configured bucket.
// A hook returns nil for yes, Deny("text for the browser") for no, and any other error for a fault of
// its own, whose text goes to the log alone. docs/hooks.md shows real bodies.
package hooks

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"s3-sign-srv/internal/cookie"
)

// Hooks holds what the functions below need beside the event they are told of. Add fields of your own,
// a *sql.DB say, and fill them in New. The functions are called concurrently.
type Hooks struct {
	log       *slog.Logger
	codec     *cookie.Codec
	allowList exampleAllowList
}

// New runs once at the start, with the settings; an error stops the server.
func New(getenv func(string) string, codec *cookie.Codec, log *slog.Logger) (*Hooks, error) {
	allowList, err := readExampleAllowList(getenv)
	return &Hooks{log: log, codec: codec, allowList: allowList}, err
}

// Identify says who is calling, before any other hook is asked. With P3S3F_OWN_UPLOADS_ONLY=1 the
// caller may touch only keys below the owner that it returns, "owner/…". As shipped, that is the
// browser, by the cookie that the server gave it with client_conf.js. Where users log in, return the login
// instead, "user/42" say, or NotLoggedIn("Please log in.") for a stranger.
func (h *Hooks) Identify(ctx context.Context, r *http.Request) (owner string, err error) {
	return CookieOwner(h.codec, r, time.Now())
}

// ChallengeIsGood decides whether the server signs the request that c describes. It is asked for every
// request; c.Operation says which step of an upload this is. Only the first step, PostObject or
// CreateMultipartUpload, carries metadata, and an upload that is resumed does not repeat it, so a rule
// about who may upload looks at c.Key or c.HTTP in every step.
func (h *Hooks) ChallengeIsGood(ctx context.Context, c *Challenge) error {
	if !c.IsInitiate() {
		return nil
	}
	h.log.InfoContext(
		ctx,
		"challenge",
		"operation",
		string(c.Operation),
		"bucket",
		c.Bucket,
		"key",
		c.Key,
		group("metadata", c.Metadata),
	)
	return h.allowList.check(c)
}

// Success is told of an upload that is in the bucket. The client repeats it when the answer was lost,
// so it must bear being called again for the same upload. The reply's members reach the page's
// onComplete; Fine Uploader shows "thumbnailUrl" as the file's picture.
func (h *Hooks) Success(ctx context.Context, u *Upload) (Reply, error) {
	h.log.InfoContext(
		ctx,
		"success",
		"bucket",
		u.Bucket,
		"key",
		u.Key,
		"uuid",
		u.UUID,
		"name",
		u.Name,
		"size",
		u.Size,
		"etag",
		u.ETag,
		group("form", u.Form),
	)
	return nil, nil
}

// Delete is asked before an object is deleted.
func (h *Hooks) Delete(ctx context.Context, d *Deletion) error {
	h.log.InfoContext(ctx, "delete", "bucket", d.Bucket, "key", d.Key, "uuid", d.UUID)
	return nil
}
