package hooks

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"s3-sign-srv/internal/apierror"
	"s3-sign-srv/internal/cookie"
	"s3-sign-srv/internal/s3"
	"s3-sign-srv/internal/sign"
)

// Funcs are the hooks as the server calls them, concurrently. All must be set; New sets them, and a program of its own
// replaces some.
type Funcs struct {
	Identify        func(ctx context.Context, r *http.Request) (owner string, err error)
	ChallengeIsGood func(ctx context.Context, c *Challenge) error
	Success         func(ctx context.Context, u *Upload) (Reply, error)
	Delete          func(ctx context.Context, d *Deletion) error
	Deleted         func(ctx context.Context, d *Deletion) error
	List            func(ctx context.Context, uploads []*Upload) ([]*Upload, error)
	Close           func(ctx context.Context) error
}

// NewFunc returns the hooks of a program. It is called once, at startup; ctx is only for the call. An error stops the
// server.
type NewFunc func(ctx context.Context, cfg Config) (Funcs, error)

// Config has what hooks can use.
type Config struct {
	Getenv  func(string) string // environment variables, and the settings in the file given with -env
	Cookies *cookie.Codec       // verifies the cookies of owners
	Bucket  *s3.Bucket          // the configured bucket, to read and delete objects
	Log     *slog.Logger
}

// Challenge is a request that a browser wants to have signed. The embedded Request is checked: it is for the configured
// bucket and inside the time window, and has only what docs/protocol.md allows.
type Challenge struct {
	*sign.Request
	Owner string        // from Identify; empty if the caller is not authenticated and need not be
	HTTP  *http.Request // for headers, cookies and the address; its body has been read

	Client string // FineUploader or Uppy: the protocol of the request
}

// The clients of a Challenge.
const (
	FineUploader = "fine-uploader"
	Uppy         = "uppy"
)

// Upload is an object that is in the bucket. Bucket, Key and the form of UUID are checked. Name and Form are
// untrusted text, together at most 64 KiB. The other fields come from the store.
type Upload struct {
	Owner string
	HTTP  *http.Request

	Bucket, Key string
	UUID, Name  string            // Fine Uploader's id of the file, or empty; its name on the user's computer
	Form        map[string]string // what uploadSuccess.params and request.params have added

	// With P3S3F_VERIFY_SUCCESS=0 the server does not ask the store: ETag comes from the browser, is empty for a
	// chunked upload, and the fields after it are zero.

	ETag         string // with its quotes
	Size         int64  // bytes
	ContentType  string
	Metadata     map[string]string // x-amz-meta-* without the prefix, lower-case; values percent-decoded
	LastModified time.Time

	// Delete deletes the object, for a Success that rejects it. Another object that has replaced it stays, if the store
	// supports If-Match. With P3S3F_VERIFY_SUCCESS=0 it deletes nothing and returns an error. It is nil in List.
	Delete func(ctx context.Context) error
}

// Deletion is an object that a browser wants to delete, or has deleted. Bucket, Key and the form of UUID are checked.
type Deletion struct {
	Owner string
	HTTP  *http.Request

	Bucket, Key string
	UUID        string
	Form        map[string]string // what deleteFile.params has added: untrusted text, at most 64 KiB
}

// Reply is added to the response that the page's onComplete receives. Its values must be encodable as JSON. The server
// sets the members "success" and "error" itself.
type Reply map[string]any

// Deny returns an error that rejects the request with 403 and shows text to the user.
func Deny(text string) error { return apierror.New(apierror.Forbidden, text) }

// NotLoggedIn returns an error that rejects the request with 401 and shows text to the user, who may log in and try
// again.
func NotLoggedIn(text string) error { return apierror.New(apierror.Unauthenticated, text) }

// Limits for what a client decides in a log line.
const (
	maxLogMembers = 20
	maxLogBytes   = 256 // of a name or value
)

// group returns a log attribute with the first members of m, each cut to maxLogBytes.
func group(name string, m map[string]string) slog.Attr {
	names := slices.Sorted(maps.Keys(m))
	var attrs []slog.Attr
	for _, name := range names[:min(len(names), maxLogMembers)] {
		attrs = append(attrs, slog.String(cut(name), cut(m[name])))
	}
	if more := len(names) - len(attrs); more > 0 {
		attrs = append(attrs, slog.Int("more", more))
	}
	return slog.GroupAttrs(name, attrs...)
}

// cut returns at most the first maxLogBytes of text.
func cut(text string) string { return strings.ToValidUTF8(text[:min(len(text), maxLogBytes)], "") }
