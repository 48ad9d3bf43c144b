package server_test

import (
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	assets "s3-sign-srv"
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

// A testServer is a server under attack. All of it is real but S3, which only counts and says yes.
type testServer struct {
	url      string
	clock    *atomic.Pointer[time.Time]
	store    *store
	log      *logBuffer
	recorder *hookRecorder
}

func startAllSetups(t testing.TB) map[setup]*testServer {
	t.Helper()
	servers := map[setup]*testServer{}
	for name, change := range setups {
		servers[name] = startTestServer(t, change)
	}
	servers[""] = servers[pathStyle]
	return servers
}

func startTestServer(t testing.TB, change func(*config)) *testServer {
	t.Helper()
	w := &testServer{
		clock:    new(atomic.Pointer[time.Time]),
		store:    startFakeS3(t),
		log:      new(logBuffer),
		recorder: new(hookRecorder),
	}
	w.clock.Store(&now)
	web := httptest.NewServer(w.handler(t, change))
	t.Cleanup(web.Close)
	w.url = web.URL
	return w
}

// handler puts the server together as cmd/s3-sign-srv does.
func (w *testServer) handler(t testing.TB, change func(*config)) http.Handler {
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
			Hooks:         w.recorder.hooks(),
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

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// secrets are values that no log may hold: our key, and what attacks send as keys and tokens.
var secrets = []string{secretKey, sseKey, sessionToken}

const (
	sseKey       = "MzJieXRlc2xvbmdzZWNyZXRrZXltdXN0YmVwcm92aWQ="
	sessionToken = "IQoJb3JpZ2luX2VjEXAMPLETOKEN"
)
