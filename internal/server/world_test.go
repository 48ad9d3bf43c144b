package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	assets "s3-sign-srv"
	"s3-sign-srv/internal/hooks"
	"s3-sign-srv/internal/s3"
	"s3-sign-srv/internal/server"
	"s3-sign-srv/internal/sign"
)

// now is the clock of every server here, unless a test sets another: that of the captured requests.
var now = time.Date(2026, 11, 23, 11, 56, 8, 0, time.UTC)

const (
	accessKey = "AKIAIOSFODNN7EXAMPLE"
	secretKey = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
)

// A setup names a server's configuration.
type setup string

const (
	pathStyle        setup = "path-style endpoint"             // http://127.0.0.1:9312/mybucket
	virtualHosted    setup = "virtual-hosted endpoint"         // http://mybucket.localhost:9312
	pathByName       setup = "path-style endpoint with a name" // http://localhost:9312/mybucket
	virtualByAddress setup = "virtual-hosted endpoint with an address"
	aws              setup = "AWS"
	limited          setup = "at most 15000000 bytes"
	typed            setup = "text/plain and image/* alone"
	noDelete         setup = "delete switched off"
	onlyV2           setup = "version 2 alone"
	withACL          setup = "public-read allowed"
	virtualWithACL   setup = "virtual-hosted endpoint, public-read allowed"
)

// setups says how each differs from a path-style endpoint with the default settings.
var setups = map[setup]func(*config){
	pathStyle: func(*config) {},
	virtualHosted: func(c *config) {
		c.sign.Endpoint, c.sign.VirtualHosted = mustParse("http://localhost:9312"), true
	},
	pathByName:       func(c *config) { c.sign.Endpoint = mustParse("http://localhost:9312") },
	virtualByAddress: func(c *config) { c.sign.VirtualHosted = true },
	aws:              func(c *config) { c.sign.Endpoint = mustParse("https://s3.amazonaws.com") },
	limited:          func(c *config) { c.sign.MaxBytes = 15000000 },
	typed:            func(c *config) { c.sign.ContentTypes = []string{"text/plain", "image/*"} },
	noDelete:         func(c *config) { c.server.AllowDelete = false },
	onlyV2:           func(c *config) { c.sign.OnlyV2 = true },
	withACL:          func(c *config) { c.sign.ACLs = []string{"public-read"} },
	virtualWithACL: func(c *config) {
		c.sign.Endpoint, c.sign.VirtualHosted, c.sign.ACLs = mustParse("http://localhost:9312"), true, []string{"public-read"}
	},
}

// config is what a setup may change.
type config struct {
	sign   sign.Config
	server server.Config
}

// A world is a server under attack. All of it is real but S3, which only counts and says yes.
type world struct {
	url   string
	clock *atomic.Pointer[time.Time]
	store *store
	log   *logBuffer
	told  *witness
}

func startSetups(t testing.TB) map[setup]*world {
	t.Helper()
	servers := map[setup]*world{}
	for name, change := range setups {
		servers[name] = startWorld(t, change)
	}
	servers[""] = servers[pathStyle]
	return servers
}

func startWorld(t testing.TB, change func(*config)) *world {
	t.Helper()
	w := &world{clock: new(atomic.Pointer[time.Time]), store: startStore(t), log: new(logBuffer), told: new(witness)}
	w.clock.Store(&now)
	web := httptest.NewServer(w.handler(t, change))
	t.Cleanup(web.Close)
	w.url = web.URL
	return w
}

// handler puts the server together as cmd/s3-sign-srv does.
func (w *world) handler(t testing.TB, change func(*config)) http.Handler {
	t.Helper()
	c := config{
		sign: sign.Config{
			AccessKey: accessKey, SecretKey: sign.NewSecret(secretKey),
			Bucket: "mybucket", Endpoint: mustParse("http://127.0.0.1:9312"), Region: "us-east-1",
		},
		server: server.Config{
			Bucket: s3.New(s3.Config{
				AccessKey: accessKey, SecretKey: sign.NewSecret(secretKey),
				Endpoint: mustParse(w.store.url), Region: "us-east-1", Name: "mybucket",
			}),
			Hooks:         w.told.hooks(),
			HookTimeout:   5 * time.Second,
			Log:           slog.New(slog.NewJSONHandler(w.log, nil)),
			Now:           func() time.Time { return *w.clock.Load() },
			VerifySuccess: true,
			AllowDelete:   true,
		},
	}
	site := newSite(t)
	c.server.Files = site.files
	change(&c)
	signer, err := sign.New(c.sign)
	if err != nil {
		t.Fatal(err)
	}
	c.server.Signer = signer
	return server.New(c.server)
}

func mustParse(address string) *url.URL {
	u, err := url.Parse(address)
	if err != nil {
		panic(err)
	}
	return u
}

// A site is a working directory with a page, and beside and in it what must not be served.
type site struct {
	dir   string
	files fs.FS
}

// hidden is in every file that must not be served.
const hidden = "AWS_CLIENT_SECRET_KEY=hidden"

func newSite(t testing.TB) site {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"p3s3f.env":             hidden,
		"server.key":            hidden,
		"client_conf.js":        "var fine_u_conf = {};",
		"static/index.html":     "<!doctype html><title>page</title>",
		"static/success.html":   "<!doctype html><title>blank</title>",
		"static/.env":           hidden,
		"static/.git/config":    hidden,
		"static/sub/page.js":    "1",
		"static/hash-worker.js": "2",
		"static/sub/.hidden":    hidden,
		"static-not/page.js":    hidden,
	} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for link, target := range map[string]string{"out.env": "../p3s3f.env", "sub/out.env": "../../p3s3f.env", "up": "..",
		"away": filepath.Join(dir, "static-not")} {
		if err := os.Symlink(target, filepath.Join(dir, "static", link)); err != nil {
			t.Fatal(err)
		}
	}
	return site{dir, assets.FS(dir)}
}

// A store stands in for S3: it notes the calls, has every object but lists none, and obeys.
type store struct {
	url  string
	etag atomic.Pointer[string]

	mu    sync.Mutex
	calls []string // "METHOD request-target"
}

func startStore(t testing.TB) *store {
	t.Helper()
	s := new(store)
	etag := `"simple-etag"`
	s.etag.Store(&etag)
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	s.url = web.URL
	return s
}

func (s *store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.calls = append(s.calls, r.Method+" "+r.RequestURI)
	s.mu.Unlock()
	switch r.Method {
	case http.MethodDelete:
		w.WriteHeader(http.StatusNoContent)
		return
	case http.MethodGet:
		io.WriteString(w, "<ListBucketResult/>")
		return
	}
	w.Header().Set("ETag", *s.etag.Load())
	w.Header().Set("Content-Length", "11")
}

// taken returns the calls since it was last asked.
func (s *store) taken() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := s.calls
	s.calls = nil
	return calls
}

// A logBuffer keeps log lines.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

// taken returns the text since it was last asked.
func (b *logBuffer) taken() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	text := b.text.String()
	b.text.Reset()
	return text
}

// A witness stands in the hooks' place, notes what they are told, and agrees.
type witness struct {
	mu         sync.Mutex
	challenges []*hooks.Challenge
	uploads    []*hooks.Upload
	deletions  []*hooks.Deletion
}

func (w *witness) hooks() hooks.Funcs {
	return hooks.Funcs{
		Identify: func(context.Context, *http.Request) (string, error) { return "", hooks.ErrUnauthenticated },
		ChallengeIsGood: func(_ context.Context, c *hooks.Challenge) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.challenges = append(w.challenges, c)
			return nil
		},
		Success: func(_ context.Context, u *hooks.Upload) (hooks.Reply, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.uploads = append(w.uploads, u)
			return hooks.Reply{"size": u.Size}, nil
		},
		Delete: func(_ context.Context, d *hooks.Deletion) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.deletions = append(w.deletions, d)
			return nil
		},
	}
}

// taken returns what was told since it was last asked.
func (w *witness) taken() (challenges []*hooks.Challenge, uploads []*hooks.Upload, deletions []*hooks.Deletion) {
	w.mu.Lock()
	defer w.mu.Unlock()
	challenges, uploads, deletions = w.challenges, w.uploads, w.deletions
	w.challenges, w.uploads, w.deletions = nil, nil, nil
	return
}

// An answer is what came back for a request.
type answer struct {
	status int
	header http.Header
	body   string
}

// send sends the request byte for byte: the target is not cleaned, no redirect followed.
func (w *world) send(t testing.TB, a attack) answer {
	t.Helper()
	var body io.Reader = strings.NewReader(a.body)
	if a.stream > 0 {
		body = io.LimitReader(endless{}, a.stream)
	}
	r, err := http.NewRequest(a.method, w.url, body)
	if err != nil {
		t.Fatal(err)
	}
	r.URL.Opaque = a.target
	if strings.HasPrefix(a.target, "//") {
		r.URL.Opaque = "//" + r.URL.Host + a.target // or it would be taken for the host
	}
	for name, values := range a.header {
		r.Header[name] = values
	}
	r.Host = a.header.Get("Host")
	r.Header.Del("Host")
	got, err := exchange(r)
	if err != nil {
		t.Fatalf("%s %s: %v", a.method, a.target, err)
	}
	return got
}

// endless is a body of spaces, which JSON may begin with.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// refuses sends a hostile request and checks all that a refusal is.
func (w *world) refuses(t *testing.T, r row, a attack) {
	t.Helper()
	w.store.taken()
	w.log.taken()
	got := w.send(t, a)
	var faults []string
	fail := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	if got.status < 400 || got.status > 499 || r.code != 0 && got.status != r.code {
		fail("the status is %d", got.status)
	}
	id, sentence := w.readFailure(got, a, fail)
	if !strings.Contains(sentence, r.says) {
		fail("the sentence does not say %q", r.says)
	}
	w.wantOneLine(id, fail)
	if calls := w.store.taken(); len(calls) > 0 {
		fail("S3 was called: %q", calls)
	}
	if c, u, d := w.told.taken(); len(c)+len(u)+len(d) > 0 {
		fail("a hook was asked: %v %v %v", c, u, d)
	}
	if len(faults) > 0 {
		t.Errorf(
			"%s\nrequest %s %.200s %v to the server with %s\n%.700q\nanswer %d %.300s",
			strings.Join(faults, "\n"),
			a.method,
			a.target,
			a.header,
			a.in,
			a.body,
			got.status,
			got.body,
		)
	}
}

// maxSentence bounds what a person is asked to read, in bytes: a name of 100 characters may be quoted in it,
// each as \U0010ffff at most.
const maxSentence = 1500

// readFailure reads {"error":"sentence.","id":"…"}, which is all that a refusal may be.
func (w *world) readFailure(got answer, a attack, fail func(string, ...any)) (id, sentence string) {
	if a.method == http.MethodHead {
		return "", "" // has no body
	}
	var members map[string]string
	if err := json.Unmarshal([]byte(got.body), &members); err != nil {
		fail("the answer is not JSON: %v", err)
		return "", ""
	}
	id, sentence = members["id"], members["error"]
	if delete(members, "kind"); len(members) != 2 || id == "" || !strings.HasSuffix(sentence, ".") ||
		strings.ContainsAny(sentence, "\r\n\x1b\x00") ||
		len(sentence) > maxSentence {
		fail("the answer is not one sentence and an id")
	}
	if kind := got.header.Get("Content-Type"); kind != "application/json; charset=utf-8" ||
		got.header.Get("X-Content-Type-Options") != "nosniff" {
		fail("the answer is sent as %q", kind)
	}
	for name := range got.header {
		if strings.HasPrefix(name, "Access-Control-") || name == "Set-Cookie" || name == "Location" {
			fail("the answer has a header %s", name)
		}
	}
	return id, sentence
}

// maxLine bounds a log line: a request of 64 KiB must not become a line of many times that.
const maxLine = 8 << 10

// wantOneLine wants one log line, whole and with the answer's id, and none of the secrets in it.
func (w *world) wantOneLine(id string, fail func(string, ...any)) {
	text := w.log.taken()
	var line map[string]any
	if err := json.Unmarshal([]byte(text), &line); err != nil || strings.Count(text, "\n") != 1 ||
		!strings.HasSuffix(text, "\n") {
		fail("want one log line, got %d: %.500q", strings.Count(text, "\n"), text)
		return
	}
	if id != "" && line["error_id"] != id {
		fail("the log line has another id: %.500s", text)
	}
	if line["level"] != "WARN" || len(text) > maxLine {
		fail("the log line has level %v and %d bytes", line["level"], len(text))
	}
	for _, secret := range secrets {
		if strings.Contains(text, secret) {
			fail("the log line has a secret in it: %.700s", text)
		}
	}
}

// secrets are values that no log may hold: our key, and what attacks send as keys and tokens.
var secrets = []string{secretKey, sseKey, sessionToken}

const (
	sseKey       = "MzJieXRlc2xvbmdzZWNyZXRrZXltdXN0YmVwcm92aWQ="
	sessionToken = "IQoJb3JpZ2luX2VjEXAMPLETOKEN"
)

func quoteJSON(text string) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(text); err != nil {
		panic(err)
	}
	return strings.TrimSuffix(b.String(), "\n")
}
