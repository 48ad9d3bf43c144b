package hooks_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"s3-sign-srv/internal/hooks"
	"s3-sign-srv/internal/sign"
)

// This file has the Go code of docs/hooks.md; TestGuideIsThisCode compares them. These names let the code compile
// outside package hooks.
type (
	Challenge = hooks.Challenge
	Upload    = hooks.Upload
	Deletion  = hooks.Deletion
	Reply     = hooks.Reply
	Config    = hooks.Config
	Funcs     = hooks.Funcs
)

var (
	Deny        = hooks.Deny
	NotLoggedIn = hooks.NotLoggedIn
)

// sessionCookie reads the cookie "session" that the application sets at login. Its value is USER.EXPIRY.MAC,
// where EXPIRY is in seconds since 1970 and MAC is base64url(HMAC-SHA256(secret, "USER.EXPIRY")).
type sessionCookie struct{ secret []byte }

func (s sessionCookie) owner(r *http.Request) (string, error) {
	cookie, err := r.Cookie("session")
	if err != nil {
		return "", NotLoggedIn("Please log in.")
	}
	i := max(strings.LastIndexByte(cookie.Value, '.'), 0)
	signed, mac := cookie.Value[:i], strings.TrimPrefix(cookie.Value[i:], ".")
	if !hmac.Equal([]byte(mac), []byte(s.mac(signed))) { // in constant time
		return "", NotLoggedIn("Please log in.")
	}
	user, expiry, _ := strings.Cut(signed, ".")
	if seconds, err := strconv.ParseInt(expiry, 10, 64); err != nil || time.Now().Unix() >= seconds {
		return "", NotLoggedIn("Your session has ended; please log in again.")
	}
	return "user/" + user, nil
}

func (s sessionCookie) mac(signed string) string {
	h := hmac.New(sha256.New, s.secret)
	h.Write([]byte(signed))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// application knows the users. It answers GET url with {"id":42} for the session in the request's cookies, or with
// status 401 if there is none.
type application struct {
	url    string
	client *http.Client
}

func newApplication(url string) application {
	return application{url, &http.Client{
		Timeout:       3 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

func (a application) owner(ctx context.Context, r *http.Request) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, a.url, nil)
	if err != nil {
		return "", err
	}
	request.Header["Cookie"] = r.Header["Cookie"]
	response, err := a.client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusUnauthorized {
		return "", NotLoggedIn("Please log in.")
	}
	var user struct {
		ID int64 `json:"id"`
	}
	err = json.NewDecoder(io.LimitReader(response.Body, 4096)).Decode(&user)
	if err != nil || response.StatusCode != http.StatusOK || user.ID <= 0 {
		return "", fmt.Errorf("the application did not identify the caller: %s %v", response.Status, err)
	}
	return fmt.Sprintf("user/%d", user.ID), nil
}

// expectedFiles is the table of expected files in the application's database.
type expectedFiles struct{ db *sql.DB }

// check claims the row of the file for the first request of an upload. It allows the other requests as long as no
// other upload has claimed the row.
func (e expectedFiles) check(ctx context.Context, c *Challenge) error {
	if c.IsInitiate() {
		return e.claim(ctx, c)
	}
	if c.Operation == sign.AbortMultipartUpload {
		return nil // an abort only frees space
	}
	var rows int
	err := e.db.QueryRowContext(ctx, `SELECT COUNT(*) FROM expected WHERE s3key = ?`, c.Key).Scan(&rows)
	if err == nil && rows == 0 {
		return Deny("Another upload of this file has taken over.")
	}
	return err
}

func (e expectedFiles) claim(ctx context.Context, c *Challenge) error {
	result, err := e.db.ExecContext(ctx,
		`UPDATE expected SET s3key = ? WHERE dataset = ? AND name = ? AND etag IS NULL`,
		c.Key, c.Metadata["dataset"], c.Metadata["qqfilename"])
	if err != nil {
		return err
	}
	rows, err := result.RowsAffected() // on MySQL, set clientFoundRows=true: else a repeated claim affects no row
	if err == nil && rows == 0 {
		return Deny("This file is not expected, or it is there already; check the data set.")
	}
	return err
}

// record marks the file of u as complete. isNew is false if it was complete already, because the browser repeats its
// report.
func (e expectedFiles) record(ctx context.Context, u *Upload) (isNew bool, err error) {
	result, err := e.db.ExecContext(ctx,
		`UPDATE expected SET etag = ? WHERE s3key = ? AND etag IS NULL`, u.ETag, u.Key)
	if err != nil {
		return false, err
	}
	rows, err := result.RowsAffected()
	return rows == 1, err
}

// fileType has the limits for files of one extension.
type fileType struct {
	maxBytes  int64
	mediaType string // as browsers name it; empty: any
}

// fileTypes has the accepted file types by their extensions, in lower case.
type fileTypes map[string]fileType

func (f fileTypes) find(key string) (fileType, bool) {
	found, ok := f[strings.ToLower(path.Ext(key))]
	return found, ok
}

// checkRequest rejects what is known to be wrong before the upload. The number of a part gives the least number of
// bytes before it.
func (f fileTypes) checkRequest(c *Challenge) error {
	limit, ok := f.find(c.Key)
	switch {
	case !ok:
		return Deny("Files of this kind are not accepted.")
	case c.Operation == sign.UploadPart && int64(c.PartNumber-1)*sign.MinPartBytes >= limit.maxBytes:
		return Deny(fmt.Sprintf("A file of this kind may have at most %d bytes.", limit.maxBytes))
	}
	return nil
}

// checkUpload rejects an upload by its real size and its type.
func (f fileTypes) checkUpload(u *Upload) error {
	limit, ok := f.find(u.Key)
	switch {
	case !ok:
		return Deny("Files of this kind are not accepted.")
	case u.Size > limit.maxBytes:
		return Deny(fmt.Sprintf("The file has %d bytes; a file of this kind may have at most %d.", u.Size, limit.maxBytes))
	case limit.mediaType != "" && u.ContentType != limit.mediaType:
		return Deny(fmt.Sprintf("The file has the type %q; expected %q.", u.ContentType, limit.mediaType))
	}
	return nil
}

// deleteRejected deletes the upload that reason rejects, and returns reason. The user sees reason, and the log also has
// the error of the deletion if there is one.
func deleteRejected(ctx context.Context, u *Upload, reason error) error {
	return errors.Join(reason, u.Delete(ctx))
}

// Delete is called before an object is deleted.
func (h *Hooks) Delete(ctx context.Context, d *Deletion) error {
	return Deny("Files are deleted on the data set's own page.")
}

// Hooks has what the hooks need.
type Hooks struct {
	log      *slog.Logger
	app      application
	expected expectedFiles
	types    fileTypes
}

// New is called once at startup.
func New(ctx context.Context, cfg Config) (Funcs, error) {
	db, err := sql.Open("sqlite", cfg.Getenv("APP_DATABASE")) // import the package of your driver
	if err != nil {
		return Funcs{}, err
	}
	if err := db.PingContext(ctx); err != nil {
		return Funcs{}, fmt.Errorf("APP_DATABASE: %w", err)
	}
	h := &Hooks{
		log:      cfg.Log,
		app:      newApplication(cfg.Getenv("APP_WHOAMI")),
		expected: expectedFiles{db},
		types:    fileTypes{".txt": {10_000_000, "text/plain"}, ".bam": {200_000_000_000, ""}},
	}
	return Funcs{
		Identify:        h.Identify,
		ChallengeIsGood: h.ChallengeIsGood,
		Success:         h.Success,
		Delete:          h.Delete,
		Deleted:         func(context.Context, *Deletion) error { return nil },
		List:            h.List,
		Close:           func(context.Context) error { return db.Close() },
	}, nil
}

// Identify returns the owner of the caller's uploads. It is called before every other hook.
func (h *Hooks) Identify(ctx context.Context, r *http.Request) (owner string, err error) {
	return h.app.owner(ctx, r)
}

// ChallengeIsGood decides whether the server signs the request that c describes.
func (h *Hooks) ChallengeIsGood(ctx context.Context, c *Challenge) error {
	if err := h.types.checkRequest(c); err != nil {
		return err
	}
	return h.expected.check(ctx, c)
}

// Success is called for an upload that is in the bucket.
func (h *Hooks) Success(ctx context.Context, u *Upload) (Reply, error) {
	if err := h.types.checkUpload(u); err != nil {
		return nil, deleteRejected(ctx, u, err)
	}
	isNew, err := h.expected.record(ctx, u)
	if err != nil {
		return nil, err
	}
	if isNew { // what must happen once for each upload
		h.log.InfoContext(ctx, "success", "owner", u.Owner, "key", u.Key, "size", u.Size)
	}
	return Reply{"dataset": u.Metadata["dataset"]}, nil
}

// List leaves out what Success would reject.
func (h *Hooks) List(ctx context.Context, uploads []*Upload) ([]*Upload, error) {
	return slices.DeleteFunc(uploads, func(u *Upload) bool { return h.types.checkUpload(u) != nil }), nil
}
