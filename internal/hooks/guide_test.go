package hooks_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"database/sql/driver"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"s3-sign-srv/internal/apierror"
	"s3-sign-srv/internal/cookie"
	"s3-sign-srv/internal/hooks"
	"s3-sign-srv/internal/sign"
)

// The first part of this file is the code of docs/hooks.md, as it stands there; TestGuideIsThisCode
// compares. These names let it be written here as it is written in package hooks.
type (
	Challenge = hooks.Challenge
	Upload    = hooks.Upload
	Deletion  = hooks.Deletion
	Reply     = hooks.Reply
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

// record marks the file of u as complete. Calling it again changes nothing.
func (e expectedFiles) record(ctx context.Context, u *Upload) error {
	_, err := e.db.ExecContext(ctx, `UPDATE expected SET etag = ? WHERE s3key = ?`, u.ETag, u.Key)
	return err
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

// checkUpload rejects an upload by its real size and its type. It does not delete the object, because the key may
// have held a valid file before.
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
func New(getenv func(string) string, codec *cookie.Codec, log *slog.Logger) (*Hooks, error) {
	db, err := sql.Open("sqlite", getenv("APP_DATABASE")) // import the package of your driver
	if err != nil {
		return nil, err
	}
	return &Hooks{
		log:      log,
		app:      newApplication(getenv("APP_WHOAMI")),
		expected: expectedFiles{db},
		types:    fileTypes{".txt": {10_000_000, "text/plain"}, ".bam": {200_000_000_000, ""}},
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
		return nil, err
	}
	if err := h.expected.record(ctx, u); err != nil {
		return nil, err
	}
	h.log.InfoContext(ctx, "success", "owner", u.Owner, "key", u.Key, "size", u.Size)
	return Reply{"dataset": u.Metadata["dataset"]}, nil
}

// From here on, the tests.

// guideBlocks returns the Go blocks of docs/hooks.md.
func guideBlocks(t *testing.T) (blocks []string) {
	t.Helper()
	guide, err := os.ReadFile("../../docs/hooks.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(guide), -1) {
		blocks = append(blocks, block[1])
	}
	if len(blocks) < 5 {
		t.Fatalf("docs/hooks.md has %d blocks of Go", len(blocks))
	}
	return blocks
}

// TestGuideIsThisCode wants each of them in this file, to the letter.
func TestGuideIsThisCode(t *testing.T) {
	code, err := os.ReadFile("guide_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range guideBlocks(t) {
		if !strings.Contains(string(code), "\n"+block) {
			t.Errorf("docs/hooks.md has a block that is not in this file:\n%s", block)
		}
	}
}

// TestGuideReplacesHooks has the compiler take them for hooks.go, and hooks_test.go for gone.
func TestGuideReplacesHooks(t *testing.T) {
	const head = `package hooks
import ("context"; "crypto/hmac"; "crypto/sha256"; "database/sql"; "encoding/base64"; "encoding/json"; "fmt"; "io"
	"log/slog"; "net/http"; "path"; "strconv"; "strings"; "time"
	"s3-sign-srv/internal/sign"; "s3-sign-srv/internal/cookie")
`
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	code, overlay := filepath.Join(t.TempDir(), "hooks.go"), filepath.Join(t.TempDir(), "overlay.json")
	replace, err := json.Marshal(map[string]any{"Replace": map[string]string{
		filepath.Join(here, "hooks.go"): code, filepath.Join(here, "hooks_test.go"): ""}})
	if err != nil {
		t.Fatal(err)
	}
	for file, text := range map[string]string{code: head + strings.Join(guideBlocks(t), "\n"), overlay: string(replace)} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command("go", "vet", "-overlay", overlay, ".",
		"../../cmd/s3-sign-srv").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// guide returns the hooks put together, in front of a database with two expected files and of an
// application with one session.
func guide(t *testing.T) (hooks.Funcs, *table) {
	t.Helper()
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch session, _ := r.Cookie("session"); {
		case session == nil:
			w.WriteHeader(http.StatusUnauthorized)
		case session.Value == "of-42":
			fmt.Fprint(w, `{"id":42}`)
		case session.Value == "redirected":
			http.Redirect(w, r, "/login", http.StatusFound)
		default:
			fmt.Fprint(w, `{}`)
		}
	}))
	t.Cleanup(app.Close)
	expected := &table{rows: []map[string]driver.Value{
		{"dataset": "D1", "name": "reads.bam", "s3key": nil, "etag": nil},
		{"dataset": "D1", "name": "notes.txt", "s3key": nil, "etag": nil},
	}}
	getenv := map[string]string{"APP_DATABASE": databases.add(expected), "APP_WHOAMI": app.URL}
	h, err := New(func(name string) string { return getenv[name] }, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.expected.db.Close() })
	return hooks.Funcs{
		Identify:        h.Identify,
		ChallengeIsGood: h.ChallengeIsGood,
		Success:         h.Success,
		Delete:          h.Delete,
	}, expected
}

// TestGuideUploads follows uploads through the hooks, step by step.
func TestGuideUploads(t *testing.T) {
	const notExpected, taken, tooLarge = "not expected", "taken over", "bytes"
	const k1, k2, k3 = "user/42/k1.bam", "user/42/k2.bam", "user/42/k3.txt"
	h, expected := guide(t)
	for i, step := range []struct {
		do            sign.Operation // or "success"
		key           string
		dataset, name string
		part          int
		size          int64
		kind          string
		refused       string // part of the sentence
	}{
		{do: sign.CreateMultipartUpload, key: k1, dataset: "D2", name: "reads.bam", refused: notExpected},
		{do: sign.CreateMultipartUpload, key: k1, dataset: "D1", name: "other.bam", refused: notExpected},
		{do: sign.CreateMultipartUpload, key: k1, dataset: "D1", name: "reads.bam"},
		{do: sign.CreateMultipartUpload, key: k1, dataset: "D1", name: "reads.bam"}, // the answer was lost
		{do: sign.UploadPart, key: k1, part: 1},
		{do: sign.UploadPart, key: k2, part: 1, refused: taken},
		{do: sign.CreateMultipartUpload, key: k2, dataset: "D1", name: "reads.bam"}, // chosen again, in another browser
		{do: sign.UploadPart, key: k1, part: 2, refused: taken},
		{do: sign.AbortMultipartUpload, key: k1},
		{do: sign.UploadPart, key: k2, part: 2}, // resumed: no new first request
		{do: sign.CompleteMultipartUpload, key: k2},
		{do: "success", key: k2, dataset: "D1", size: 1e9},
		{do: "success", key: k2, dataset: "D1", size: 1e9}, // the answer was lost
		{do: sign.PostObject, key: k2, dataset: "D1", name: "reads.bam", refused: "there already"},

		{do: sign.PostObject, key: k3, dataset: "D1", name: "notes.txt"},
		{do: sign.PostObject, key: "user/42/k4.exe", dataset: "D1", name: "notes.txt", refused: "of this kind"},
		{do: sign.UploadPart, key: k3, part: 2},
		{do: sign.UploadPart, key: k3, part: 3, refused: tooLarge}, // 10 MiB are in front of it
		{do: "success", key: k3, size: 10_000_001, kind: "text/plain", refused: tooLarge},
		{do: "success", key: k3, size: 10_000_000, kind: "text/html", refused: "text/html"},
		{do: "success", key: k3, size: 10_000_000, kind: "text/plain"},
	} {
		var err error
		metadata := map[string]string{"dataset": step.dataset, "qqfilename": step.name}
		if step.do == "success" {
			var reply Reply
			reply, err = h.Success(
				t.Context(),
				&Upload{Key: step.key, ETag: `"e"`, Size: step.size, ContentType: step.kind, Metadata: metadata},
			)
			if err == nil && reply["dataset"] != step.dataset {
				t.Errorf("step %d: the page is told %v", i, reply)
			}
		} else {
			err = h.ChallengeIsGood(t.Context(), &Challenge{Request: &sign.Request{Operation: step.do, Key: step.key,
				PartNumber: step.part, Metadata: metadata}})
		}
		var denial *apierror.Error
		if err != nil && !errors.As(err, &denial) {
			t.Errorf("step %d, %s %s: the hook has failed: %v", i, step.do, step.key, err)
		} else if (denial != nil) != (step.refused != "") || denial != nil && !strings.Contains(denial.Message,
			step.refused) {
			t.Errorf("step %d, %s %s: %v, want %q", i, step.do, step.key, err, step.refused)
		}
	}
	for _, row := range expected.rows {
		if row["etag"] != `"e"` {
			t.Errorf("not noted as done: %v", row)
		}
	}
	if h.Delete(t.Context(), &Deletion{Key: k1}) == nil {
		t.Error("a file may be deleted")
	}
}

// TestGuideIdentifies shows both ways to know the caller.
func TestGuideIdentifies(t *testing.T) {
	h, _ := guide(t)
	cookie := sessionCookie{[]byte("shared with the application")}
	other := sessionCookie{[]byte("guessed")}
	seal := func(by sessionCookie, signed string) string { return signed + "." + by.mac(signed) }
	byApplication := func(r *http.Request) (string, error) { return h.Identify(r.Context(), r) }
	for _, test := range []struct {
		name  string
		by    func(*http.Request) (string, error)
		value string
		owner string
		login bool // asked to log in; else, without an owner, a fault
	}{
		{"application: no cookie", byApplication, "", "", true},
		{"application: logged in", byApplication, "of-42", "user/42", false},
		{"application: answers nonsense", byApplication, "of-nobody", "", false},
		{"application: redirects", byApplication, "redirected", "", false},
		{"cookie: none", cookie.owner, "", "", true},
		{"cookie: good", cookie.owner, seal(cookie, "42.99999999999"), "user/42", false},
		{"cookie: ended", cookie.owner, seal(cookie, "42.1700000000"), "", true},
		{"cookie: no end", cookie.owner, seal(cookie, "42"), "", true},
		{"cookie: by another key", cookie.owner, seal(other, "42.99999999999"), "", true},
		{"cookie: no MAC", cookie.owner, "42.99999999999", "", true},
		{"cookie: nonsense", cookie.owner, "42", "", true},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		if test.value != "" {
			r.AddCookie(&http.Cookie{Name: "session", Value: test.value})
		}
		owner, err := test.by(r)
		var denial *apierror.Error
		if errors.As(err, &denial); owner != test.owner ||
			(denial != nil && denial.Code == apierror.Unauthenticated) != test.login ||
			(err == nil) != (owner != "") {
			t.Errorf("%s: %q %v", test.name, owner, err)
		}
	}
}

// A table is a database of one table. It understands as much SQL as docs/hooks.md uses:
// SELECT COUNT(*) and UPDATE, with conditions "column = ?" and "column IS NULL" joined by AND.
type table struct {
	mu   sync.Mutex
	rows []map[string]driver.Value
}

var (
	selectSQL = regexp.MustCompile(`^SELECT COUNT\(\*\) FROM expected WHERE (.+)$`)
	updateSQL = regexp.MustCompile(`^UPDATE expected SET (\w+) = \? WHERE (.+)$`)
	condition = regexp.MustCompile(`^(\w+) (= \?|IS NULL)$`)
)

// matching returns the rows that fulfil where.
func (tb *table) matching(where string, args []driver.Value) ([]map[string]driver.Value, error) {
	rows := slices.Clone(tb.rows)
	for _, text := range strings.Split(where, " AND ") {
		m := condition.FindStringSubmatch(text)
		if m == nil {
			return nil, fmt.Errorf("not understood: %s", text)
		}
		var want driver.Value
		if m[2] == "= ?" {
			want, args = args[0], args[1:]
		}
		rows = slices.DeleteFunc(rows, func(row map[string]driver.Value) bool { return row[m[1]] != want })
	}
	return rows, nil
}

// The rest makes a table a driver of database/sql.

// databases are the tables by the name that sql.Open is given.
var databases = func() *driverOfTables {
	d := &driverOfTables{tables: map[string]*table{}}
	sql.Register("sqlite", d)
	return d
}()

type driverOfTables struct {
	mu     sync.Mutex
	tables map[string]*table
}

func (d *driverOfTables) add(tb *table) (name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	name = fmt.Sprint(len(d.tables))
	d.tables[name] = tb
	return name
}

func (d *driverOfTables) Open(name string) (driver.Conn, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return connection{d.tables[name]}, nil
}

type connection struct{ *table }

func (c connection) Prepare(query string) (driver.Stmt, error) { return statement{c.table, query}, nil }
func (c connection) Close() error                              { return nil }
func (c connection) Begin() (driver.Tx, error)                 { return nil, errors.ErrUnsupported }

type statement struct {
	*table
	query string
}

func (s statement) Close() error  { return nil }
func (s statement) NumInput() int { return strings.Count(s.query, "?") }

func (s statement) Exec(args []driver.Value) (driver.Result, error) {
	m := updateSQL.FindStringSubmatch(s.query)
	if m == nil {
		return nil, fmt.Errorf("not understood: %s", s.query)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	rows, err := s.matching(m[2], args[1:])
	for _, row := range rows {
		row[m[1]] = args[0]
	}
	return driver.RowsAffected(len(rows)), err
}

func (s statement) Query(args []driver.Value) (driver.Rows, error) {
	m := selectSQL.FindStringSubmatch(s.query)
	if m == nil {
		return nil, fmt.Errorf("not understood: %s", s.query)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	rows, err := s.matching(m[1], args)
	count := count(len(rows))
	return &count, err
}

// count is a result of one row with one number, -1 once it is read.
type count int64

func (*count) Columns() []string { return []string{"COUNT(*)"} }
func (*count) Close() error      { return nil }

func (n *count) Next(row []driver.Value) error {
	if *n < 0 {
		return io.EOF
	}
	row[0], *n = int64(*n), -1
	return nil
}
