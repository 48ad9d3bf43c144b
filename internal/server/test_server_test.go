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
	"s3-sign-srv/internal/metrics"
	"s3-sign-srv/internal/s3"
	"s3-sign-srv/internal/server"
	"s3-sign-srv/internal/sign"
)

// now is the time at every test server, unless a test sets another. The captured requests were sent then.
var now = time.Date(2026, 11, 23, 11, 56, 8, 0, time.UTC)

const (
	accessKey = "AKIAIOSFODNN7EXAMPLE"
	secretKey = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
)

// setup names a server configuration.
type setup string

const (
	pathStyle        setup = "path-style endpoint"             // http://127.0.0.1:9312/mybucket
	virtualHosted    setup = "virtual-hosted endpoint"         // http://mybucket.localhost:9312
	pathByName       setup = "path-style endpoint with a name" // http://localhost:9312/mybucket
	virtualByAddress setup = "virtual-hosted endpoint with an address"
	aws              setup = "AWS"
	limitedSize      setup = "size limit of 15000000 bytes"
	limitedTypes     setup = "only text/plain and image/*"
	deleteDisabled   setup = "delete disabled"
	onlyV2           setup = "only version 2"
	withACL          setup = "public-read allowed"
	virtualWithACL   setup = "virtual-hosted endpoint, public-read allowed"
	noForms          setup = "a store without forms"
	limitedPut       setup = "a store without forms, size limit of 15000000 bytes"
	unsignedPayload  setup = "unsigned payload allowed, HTTPS"
	unsignedNoTLS    setup = "unsigned payload allowed, HTTP"
)

// setups has the difference of each setup from a path-style endpoint with default settings.
var setups = map[setup]func(*config){
	pathStyle: func(*config) {},
	virtualHosted: func(c *config) {
		c.sign.Endpoint, c.sign.VirtualHosted = mustParse("http://localhost:9312"), true
	},
	pathByName:       func(c *config) { c.sign.Endpoint = mustParse("http://localhost:9312") },
	virtualByAddress: func(c *config) { c.sign.VirtualHosted = true },
	aws:              func(c *config) { c.sign.Endpoint = mustParse("https://s3.amazonaws.com") },
	limitedSize:      func(c *config) { c.sign.MaxBytes = 15000000 },
	limitedTypes:     func(c *config) { c.sign.ContentTypes = []string{"text/plain", "image/*"} },
	deleteDisabled:   func(c *config) { c.server.AllowDelete = false },
	onlyV2:           func(c *config) { c.sign.OnlyV2 = true },
	withACL:          func(c *config) { c.sign.ACLs = []string{"public-read"} },
	unsignedPayload: func(c *config) {
		c.sign.Endpoint, c.sign.UnsignedPayload = mustParse("https://127.0.0.1:9312"), true
	},
	unsignedNoTLS: func(c *config) { c.sign.UnsignedPayload = true },
	virtualWithACL: func(c *config) {
		c.sign.Endpoint, c.sign.VirtualHosted, c.sign.ACLs = mustParse("http://localhost:9312"), true, []string{"public-read"}
	},
	noForms:    func(c *config) { c.sign.NoForms = true },
	limitedPut: func(c *config) { c.sign.NoForms, c.sign.MaxBytes = true, 15000000 },
}

// config is what a setup can change.
type config struct {
	sign   sign.Config
	server server.Config
}

// testServer is a real server with a fake S3 and hooks that record their arguments.
type testServer struct {
	url      string
	clock    *atomic.Pointer[time.Time]
	store    *fakeS3
	log      *logBuffer
	recorder *hookRecorder
	metrics  *metrics.Metrics
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
	s := &testServer{
		clock:    new(atomic.Pointer[time.Time]),
		store:    startFakeS3(t),
		log:      new(logBuffer),
		recorder: new(hookRecorder),
		metrics:  metrics.New("test"),
	}
	s.clock.Store(&now)
	web := httptest.NewServer(s.handler(t, change))
	t.Cleanup(web.Close)
	s.url = web.URL
	return s
}

// handler builds the server as internal/cli does.
func (s *testServer) handler(t testing.TB, change func(*config)) http.Handler {
	t.Helper()
	c := config{
		sign: sign.Config{
			AccessKey: accessKey, SecretKey: sign.NewSecret(secretKey),
			Bucket: "mybucket", Endpoint: mustParse("http://127.0.0.1:9312"), Region: "us-east-1",
		},
		server: server.Config{
			Bucket:        observedBucket(s.store.url, s.metrics.ObserveStore),
			Hooks:         s.recorder.hooks(),
			HookTimeout:   5 * time.Second,
			Log:           slog.New(slog.NewJSONHandler(s.log, nil)),
			Metrics:       s.metrics,
			Now:           func() time.Time { return *s.clock.Load() },
			VerifySuccess: true,
			AllowDelete:   true,
		},
	}
	site := newSite(t)
	c.server.Files = site.files
	change(&c)
	c.server.Hooks = s.metrics.Hooks(c.server.Hooks)
	c.server.Signer = sign.New(c.sign)
	return server.New(c.server)
}

// bucketAt returns the bucket at the store with that address.
func bucketAt(address string) *s3.Bucket { return observedBucket(address, nil) }

func observedBucket(address string, observe func(string, time.Duration, error)) *s3.Bucket {
	return s3.New(s3.Config{
		AccessKey: accessKey, SecretKey: sign.NewSecret(secretKey),
		Endpoint: mustParse(address), Region: "us-east-1", Name: "mybucket",
		Observe: observe,
	})
}

func mustParse(address string) *url.URL {
	u, err := url.Parse(address)
	if err != nil {
		panic(err)
	}
	return u
}

// site is a working directory with a page. In it and beside it are files that must not be served.
type site struct {
	dir   string
	files fs.FS
}

// hidden is the content of every file that must not be served.
const hidden = "AWS_CLIENT_SECRET_KEY=hidden"

func newSite(t testing.TB) site {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"p3s3f.env":             hidden,
		"server.key":            hidden,
		"client_conf.js":        "var fine_u_conf = {};",
		"static/index.html":     "<!doctype html><title>page</title>",
		"static/uppy.html":      "<!doctype html><title>Uppy</title>",
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

// secrets must not appear in a log: the server's key, and the keys and tokens that attacks send.
var secrets = []string{secretKey, sseKey, sessionToken}

const (
	sseKey       = "MzJieXRlc2xvbmdzZWNyZXRrZXltdXN0YmVwcm92aWQ="
	sessionToken = "IQoJb3JpZ2luX2VjEXAMPLETOKEN"
)
