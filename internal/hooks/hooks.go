// Package hooks decides who may upload what, and what happens then.
//
// The functions in this file are the shipped hooks. A program of your own replaces some of them, as docs/hooks.md
// shows. A hook returns nil to allow a request, Deny("text") or NotLoggedIn("text") to reject it with a message for the
// user, and any other error if it fails: its text goes only to the log, and the user gets a general message with the id
// of the log line.
//
// Hooks can only forbid. The server never signs anything except the requests of an upload to the configured bucket.
package hooks

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"s3-sign-srv/internal/cookie"
)

// Hooks has what the functions below need.
type Hooks struct {
	log       *slog.Logger
	cookies   *cookie.Codec
	allowList exampleAllowList
}

// New returns the shipped hooks.
func New(_ context.Context, cfg Config) (Funcs, error) {
	allowList, err := readExampleAllowList(cfg.Getenv)
	h := &Hooks{log: cfg.Log, cookies: cfg.Cookies, allowList: allowList}
	return Funcs{
		Identify:        h.Identify,
		ChallengeIsGood: h.ChallengeIsGood,
		Success:         h.Success,
		Delete:          h.Delete,
		Deleted:         h.Deleted,
		List:            h.List,
		Close:           h.Close,
	}, err
}

// Identify returns who is calling. It is called before every other hook. With P3S3F_OWN_UPLOADS_ONLY=1 the caller may
// use only keys that begin with the owner and a slash.
//
// As shipped, the owner is the browser, which the server recognizes by a cookie. If users log in, the hook returns the
// user instead, such as "user/42", or NotLoggedIn("Please log in.").
func (h *Hooks) Identify(ctx context.Context, r *http.Request) (owner string, err error) {
	return CookieOwner(h.cookies, r, time.Now())
}

// ChallengeIsGood decides whether the server signs the request c. It is called for every request of an upload;
// c.Operation is the step. Only the first one, for which c.IsInitiate() is true, has metadata, and a resumed upload
// does not repeat it. So a rule about the user or the key must check c.Owner, c.Key or c.HTTP in every step.
func (h *Hooks) ChallengeIsGood(ctx context.Context, c *Challenge) error {
	if !c.IsInitiate() {
		return nil
	}
	h.log.InfoContext(ctx, "challenge", "operation", string(c.Operation), "bucket", c.Bucket, "key", c.Key,
		group("metadata", c.Metadata))
	return h.allowList.check(c)
}

// Success is called when an upload is complete and in the bucket. It may be called more than once for the same upload,
// with the same u.Key and u.ETag, because the page repeats its report if it gets no response or an error. If it returns
// an error, the object stays in the bucket; u.Delete(ctx) deletes it. The page's onComplete receives the reply; Fine
// Uploader shows "thumbnailUrl" as the picture of the file.
func (h *Hooks) Success(ctx context.Context, u *Upload) (Reply, error) {
	h.log.InfoContext(ctx, "success", "bucket", u.Bucket, "key", u.Key, "uuid", cut(u.UUID), "name", cut(u.Name),
		"size", u.Size, "etag", u.ETag, group("form", u.Form))
	return nil, nil
}

// Delete decides whether an object may be deleted.
func (h *Hooks) Delete(ctx context.Context, d *Deletion) error {
	h.log.InfoContext(ctx, "delete", "bucket", d.Bucket, "key", d.Key, "uuid", d.UUID)
	return nil
}

// Deleted is called after an object was deleted. If it returns an error, the page says that the deletion failed; the
// user can repeat it, and Delete and Deleted are called again. ctx does not end when the browser disconnects.
func (h *Hooks) Deleted(ctx context.Context, d *Deletion) error { return nil }

// List returns those of the caller's objects that the page lists when it is opened. If Success rejects objects that
// stay in the bucket, leave them out here. A page reports again what it has uploaded, also if it is not listed.
func (h *Hooks) List(ctx context.Context, uploads []*Upload) ([]*Upload, error) {
	return uploads, nil
}

// Close is called when the server stops, after the last request. ctx ends after 10 seconds.
func (h *Hooks) Close(ctx context.Context) error { return nil }
