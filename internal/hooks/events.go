package hooks

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"time"

	"s3-sign-srv/internal/apierror"
	"s3-sign-srv/internal/sign"
)

// Funcs are the hooks as the server calls them. All must be set.
type Funcs struct {
	Identify        func(ctx context.Context, r *http.Request) (owner string, err error)
	ChallengeIsGood func(ctx context.Context, c *Challenge) error
	Success         func(ctx context.Context, u *Upload) (Reply, error)
	Delete          func(ctx context.Context, d *Deletion) error
}

// Funcs returns the methods of h.
func (h *Hooks) Funcs() Funcs {
	return Funcs{Identify: h.Identify, ChallengeIsGood: h.ChallengeIsGood, Success: h.Success, Delete: h.Delete}
}

// Challenge is a request that a browser wants signed. The embedded Request is checked: it is for the
// configured bucket and inside the time window, and each member is what docs/protocol.md allows.
type Challenge struct {
	*sign.Request
	Owner string        // who asks, by Identify; empty for a stranger, where strangers may ask
	HTTP  *http.Request // headers, cookies, address; its body has been read
}

// IsInitiate reports whether c is the first request of an upload, the one that carries its metadata.
func (c *Challenge) IsInitiate() bool {
	return c.Operation == sign.PostObject || c.Operation == sign.CreateMultipartUpload
}

// Upload is an object that has reached the bucket. Bucket and Key are checked; UUID, Name and Form are
// what the browser says; the rest is what the store says.
type Upload struct {
	Owner string
	HTTP  *http.Request

	Bucket, Key string
	UUID, Name  string            // Fine Uploader's ID of the file, and its name on the user's computer
	Form        map[string]string // what uploadSuccess.params and request.params added

	// Where P3S3F_VERIFY_SUCCESS=0 keeps the server from asking the store, ETag is what the browser says,
	// empty for a chunked upload, and the rest is zero.

	ETag         string // with its quotes
	Size         int64  // bytes
	ContentType  string
	Metadata     map[string]string // x-amz-meta-* without the prefix, lower-case; values percent-decoded
	LastModified time.Time
}

// Deletion is an object that a browser wants deleted. Bucket and Key are checked, UUID is what the
// browser says.
type Deletion struct {
	Owner string
	HTTP  *http.Request

	Bucket, Key string
	UUID        string
	Form        map[string]string // what deleteFile.params added
}

// Reply is added to the answer that the page's onComplete gets. Its values must be fit for JSON; the
// members "success" and "error" are the server's.
type Reply map[string]any

// Deny returns an error that rejects the request with 403 and shows text to the user.
func Deny(text string) error { return apierror.New(apierror.Forbidden, text) }

// NotLoggedIn returns an error that rejects the request with 401 and shows text to the user, who may log in and
// try again.
func NotLoggedIn(text string) error { return apierror.New(apierror.Unauthenticated, text) }

// group spells m for the log, name by name.
func group(name string, m map[string]string) slog.Attr {
	attrs := make([]slog.Attr, 0, len(m))
	for _, name := range slices.Sorted(maps.Keys(m)) {
		attrs = append(attrs, slog.String(name, m[name]))
	}
	return slog.GroupAttrs(name, attrs...)
}
