package doctor

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"s3-sign-srv/internal/fineuploader"
)

// testRunAt returns a run against the store at address.
func testRunAt(t *testing.T, address string) *run {
	t.Helper()
	return testRun(t, "", "", "AWS_ENDPOINT="+address)
}

// TestEndpoint sends requests to servers that are not a store, or not this one. The tests in e2e use real stores.
func TestEndpoint(t *testing.T) {
	const html = "Content-Type: text/html"
	for _, test := range []struct {
		name      string
		status    int
		header    string
		body      string
		text, fix string
	}{
		{"a store", 403, "", "<Error><Code>AccessDenied</Code></Error>", "responds as an S3 store does", ""},
		{"a store without a body", 403, "x-amz-request-id: 1", "", "responds as an S3 store does", ""},
		{"a web page", 200, html, "<!doctype html><p>MinIO Console",
			"is not an S3 store (status 200, text/html)", "web console"},
		{"another region", 301, "x-amz-bucket-region: eu-west-2", "<Error><Code>PermanentRedirect</Code></Error>",
			"the region eu-west-2", "Set AWS_REGION=eu-west-2"},
		{"another region, in the body", 301, "",
			"<Error><Code>PermanentRedirect</Code><Region>eu-west-3</Region></Error>",
			"the region eu-west-3", "Set AWS_REGION=eu-west-3"},
		{"another address", 307, "Location: https://elsewhere.example.org/", "",
			"redirects to https://elsewhere.example.org/, which browsers do not follow", "AWS_ENDPOINT"},
		{"a proxy without its store", 502, html, "<h1>502 Bad Gateway</h1>",
			"cannot reach it (status 502)", "log of the proxy"},
		{"a store that reads another bucket from a changed host", 404, "",
			"<Error><Code>NoSuchBucket</Code><BucketName>store.internal</BucketName></Error>",
			`reads the bucket "store.internal"`, "proxy_set_header Host"},
		{"http to an https port", 400, "", "Client sent an HTTP request to an HTTPS server.\n",
			"speaks https", "Set AWS_ENDPOINT to https://"},
		{"a store with an internal error", 503, "", "<Error><Code>ServiceUnavailable</Code></Error>",
			"internal error (status 503 ServiceUnavailable)", "log"},
	} {
		store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if name, value, ok := strings.Cut(test.header, ": "); ok {
				w.Header().Set(name, value)
			}
			w.WriteHeader(test.status)
			fmt.Fprint(w, test.body)
		}))
		results := testRunAt(t, store.URL).checkEndpoint(t.Context())
		store.Close()
		if len(results) != 1 || !strings.Contains(results[0].Text, test.text) ||
			!strings.Contains(results[0].Fix, test.fix) || (results[0].Status == OK) != (test.fix == "") {
			t.Errorf("%s: %+v", test.name, results)
		}
	}
}

// TestWrongRegion checks that AWS's endpoint of the region is named; those of other stores are not known.
func TestWrongRegion(t *testing.T) {
	for endpoint, want := range map[string]string{
		"https://s3.us-east-1.amazonaws.com": "Set AWS_REGION=eu-west-2 and AWS_ENDPOINT=https://s3.eu-west-2.amazonaws.com.",
		"https://s3.example.org":             "Set AWS_REGION=eu-west-2.",
	} {
		if results := testRunAt(t, endpoint).wrongRegion("eu-west-2"); results[0].Fix != want {
			t.Errorf("%s: %+v", endpoint, results)
		}
	}
}

// listenTLS starts a TLS server that closes plain HTTP connections without a response, as Ceph does.
func listenTLS(t *testing.T) (address string) {
	t.Helper()
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.StartTLS()
	t.Cleanup(secure.Close)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	serve := func(conn net.Conn) {
		defer conn.Close()
		if tls.Server(conn, secure.TLS).Handshake() == nil {
			io.Copy(io.Discard, conn)
		}
	}
	go func() {
		for conn, err := l.Accept(); err == nil; conn, err = l.Accept() {
			go serve(conn)
		}
	}()
	return l.Addr().String()
}

// TestNoResponse sends requests to addresses where no HTTP server responds as expected.
func TestNoResponse(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	defer secure.Close()
	for _, test := range []struct{ endpoint, want string }{
		{"http://" + closed.Addr().String(), "nothing listens at"},
		{strings.Replace(plain.URL, "http:", "https:", 1), "speaks http, but AWS_ENDPOINT says https"},
		{secure.URL, "signed by unknown authority"},
		{strings.Replace(secure.URL, "https:", "http:", 1), "speaks https, but AWS_ENDPOINT says http"},
		{"http://" + listenTLS(t), "closes the connection without a response"},
		{"http://nowhere.invalid", "the name nowhere.invalid cannot be resolved"},
	} {
		results := testRunAt(t, test.endpoint).checkEndpoint(t.Context())
		if len(results) != 1 || results[0].Status != Failed || !strings.Contains(results[0].Text, test.want) {
			t.Errorf("%s: %+v, want %q", test.endpoint, results, test.want)
		}
	}
}

// TestClock compares the Date of a response with this computer's clock.
func TestClock(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	date := func(offset time.Duration) string { return now.Add(offset).Format(http.TimeFormat) }
	for _, test := range []struct {
		date   string
		status Status
		want   string
	}{
		{date(0), OK, "within 1s"},
		{date(2 * time.Minute), Warning, "2m0s behind"},
		{date(-16 * time.Minute), Failed, "16m0s ahead of"},
		{date(24 * time.Hour), Failed, "24h0m0s behind"},
		{date(-24 * 365 * time.Hour), Failed, "8760h0m0s ahead of"},
		{"", OK, "no date"},
	} {
		r := testRunAt(t, "http://s3.example.org")
		r.cfg.Now = func() time.Time { return now }
		r.unsignedResponse = fineuploader.Response{Header: http.Header{"Date": {test.date}}}
		result := r.checkClock(t.Context())[0]
		if result.Status != test.status || !strings.Contains(result.Text, test.want) {
			t.Errorf("%q: %+v", test.date, result)
		}
	}
}

// TestOwnOrigin checks the origin of the server's page.
func TestOwnOrigin(t *testing.T) {
	for _, test := range []struct{ env, want string }{
		{"", "http://localhost:5000"},
		{"P3S3F_HOST_PORT=80", "http://localhost"},
		{"P3S3F_HOST_PORT=8080", "http://localhost:8080"},
		{"P3S3F_HOST_NAME=::1", "http://localhost:5000"},
		{"P3S3F_HOST_NAME=192.0.2.1", "http://192.0.2.1:5000"},
		{"P3S3F_HOST_NAME=uploads.example.org", "http://uploads.example.org:5000"},
		{"P3S3F_USE_HTTPS=1", "https://localhost:5000"},
	} {
		r := testRun(t, "", "", test.env, "P3S3F_SRV_CRT=a", "P3S3F_SRV_KEY=b")
		if got := r.origins(); len(got) != 1 || got[0] != test.want {
			t.Errorf("%s: %q, want %s", test.env, got, test.want)
		}
	}
}

// TestRedact uses a store that echoes the secret key.
func TestRedact(t *testing.T) {
	const echo = "the store says s3cret/that/nobody/may/see"
	result := testRunAt(t, "http://s3.example.org").redact(failed(echo, echo)[0])
	if strings.Contains(result.Text+result.Fix, "nobody") {
		t.Errorf("%+v", result)
	}
}
