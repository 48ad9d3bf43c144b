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
)

// examAt prepares an examination of the store at address.
func examAt(t *testing.T, address string) *run {
	t.Helper()
	return examOf(t, "", "", "AWS_ENDPOINT="+address)
}

// TestEndpoint asks servers that are no store, or not this one. What real stores do is in e2e.
func TestEndpoint(t *testing.T) {
	for _, test := range []struct {
		name      string
		status    int
		headers   map[string]string
		body      string
		text, fix string
	}{
		{"a store", 403, nil, "<Error><Code>AccessDenied</Code></Error>", "answers as an S3 store does", ""},
		{"a store without a body", 403, map[string]string{"x-amz-request-id": "1"}, "", "answers as an S3 store does", ""},
		{"a web page", 200, map[string]string{"Content-Type": "text/html"}, "<!doctype html><p>MinIO Console", "is not an S3 store (status 200, text/html)", "web console"},
		{"another region", 301, map[string]string{"x-amz-bucket-region": "eu-west-2"}, "<Error><Code>PermanentRedirect</Code></Error>", "the region eu-west-2", "Set AWS_REGION=eu-west-2"},
		{"another region, in the body", 301, nil, "<Error><Code>PermanentRedirect</Code><Region>eu-west-3</Region></Error>", "the region eu-west-3", "Set AWS_REGION=eu-west-3"},
		{"another address", 307, map[string]string{"Location": "https://elsewhere.example.org/"}, "", "sends calls on to https://elsewhere.example.org/", "AWS_ENDPOINT"},
		{"https on the same host", 301, map[string]string{"Location": "https://127.0.0.1/mybucket"}, "", "sends http on to https", "Set AWS_ENDPOINT=https://127.0.0.1."},
		{"a proxy without its store", 502, map[string]string{"Content-Type": "text/html"}, "<h1>502 Bad Gateway</h1>", "does not reach it (status 502)", "log of the proxy"},
		{"a store that reads another bucket from a changed host", 404, nil, "<Error><Code>NoSuchBucket</Code><BucketName>store.internal</BucketName></Error>", `reads the bucket "store.internal"`, "proxy_set_header Host"},
		{"http to an https port", 400, nil, "Client sent an HTTP request to an HTTPS server.\n", "speaks https", "Set AWS_ENDPOINT to https://"},
		{"a sick store", 503, nil, "<Error><Code>ServiceUnavailable</Code></Error>", "a fault of its own (status 503 ServiceUnavailable)", "log"},
	} {
		store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for name, value := range test.headers {
				w.Header().Set(name, value)
			}
			w.WriteHeader(test.status)
			fmt.Fprint(w, test.body)
		}))
		got := examAt(t, store.URL).checkEndpoint(t.Context())
		store.Close()
		if len(got) != 1 || !strings.Contains(got[0].Text, test.text) || !strings.Contains(got[0].Fix, test.fix) || (got[0].Status == OK) != (test.fix == "") {
			t.Errorf("%s: %+v", test.name, got)
		}
	}
}

// TestSlowEndpoint has each look at the clock come two seconds after the one before.
func TestSlowEndpoint(t *testing.T) {
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Header().Set("x-amz-request-id", "1") }))
	defer store.Close()
	e, now := examAt(t, store.URL), time.Now()
	e.cfg.Now = func() time.Time {
		now = now.Add(2 * time.Second)
		return now
	}
	if got := e.checkEndpoint(t.Context()); got[0].Status != Warning || !strings.Contains(got[0].Text, "took 2s to answer") {
		t.Errorf("%+v", got)
	}
}

// TestWrongRegion names AWS's endpoint of the region too; other stores' are not known.
func TestWrongRegion(t *testing.T) {
	for endpoint, want := range map[string]string{
		"https://s3.us-east-1.amazonaws.com": "Set AWS_REGION=eu-west-2 and AWS_ENDPOINT=https://s3.eu-west-2.amazonaws.com.",
		"https://s3.example.org":             "Set AWS_REGION=eu-west-2.",
	} {
		if got := examAt(t, endpoint).wrongRegion("eu-west-2"); got[0].Fix != want {
			t.Errorf("%s: %+v", endpoint, got)
		}
	}
}

// mute is a TLS port that does not explain itself to http, as Ceph's.
func mute(t *testing.T) (address string) {
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

// TestNoAnswer asks where nobody answers.
func TestNoAnswer(t *testing.T) {
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
		{strings.Replace(plain.URL, "http:", "https:", 1), "speaks http, and was asked by https"},
		{secure.URL, "nobody that this computer trusts"},
		{strings.Replace(secure.URL, "https:", "http:", 1), "speaks https, and was asked by http"},
		{"http://" + mute(t), "speaks https, and was asked by http"},
		{"http://nowhere.invalid", "the name nowhere.invalid cannot be found"},
	} {
		e := examAt(t, test.endpoint)
		if got := e.checkEndpoint(t.Context()); len(got) != 1 || got[0].Status != Failed || !strings.Contains(got[0].Text, test.want) {
			t.Errorf("%s: %+v, want %q", test.endpoint, got, test.want)
		}
	}
}

// TestClock compares the Date of an answer with ours.
func TestClock(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		date   string
		status Status
		want   string
	}{
		{now.Format(http.TimeFormat), OK, "within 1s"},
		{now.Add(2 * time.Minute).Format(http.TimeFormat), Warning, "2m0s behind"},
		{now.Add(-16 * time.Minute).Format(http.TimeFormat), Failed, "16m0s ahead of"},
		{now.Add(24 * time.Hour).Format(http.TimeFormat), Failed, "24h0m0s behind"},
		{now.Add(-24 * 365 * time.Hour).Format(http.TimeFormat), Failed, "365 days ahead of"},
		{"", OK, "no date"},
	} {
		e := examAt(t, "http://s3.example.org")
		e.cfg.Now = func() time.Time { return now }
		e.unsignedResponse = answer{header: http.Header{"Date": {test.date}}}
		if got := e.checkClock(t.Context()); got[0].Status != test.status || !strings.Contains(got[0].Text, test.want) {
			t.Errorf("%q: %+v", test.date, got)
		}
	}
}

// TestOwnOrigin is what a browser's address bar says of the page.
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
		e := examOf(t, "", "", test.env, "P3S3F_SRV_CRT=a", "P3S3F_SRV_KEY=b")
		if got := e.origins(); len(got) != 1 || got[0] != test.want {
			t.Errorf("%s: %q, want %s", test.env, got, test.want)
		}
	}
}

// TestBrowserAddress leaves out the port that browsers leave out.
func TestBrowserAddress(t *testing.T) {
	for _, test := range []struct{ env, endpoint, host string }{
		{"AWS_ENDPOINT=https://s3.example.org:443", "https://s3.example.org/mybucket", "s3.example.org"},
		{"AWS_ENDPOINT=http://s3.example.org:443", "http://s3.example.org:443/mybucket", "s3.example.org:443"},
		{"AWS_ENDPOINT=http://s3.example.org:8080", "http://s3.example.org:8080/mybucket", "s3.example.org:8080"},
	} {
		if endpoint, host := browserAddress(examOf(t, "", "", test.env).set); endpoint != test.endpoint || host != test.host {
			t.Errorf("%s: %s %s", test.env, endpoint, host)
		}
	}
}

// TestSecret has a store that repeats what it should not know.
func TestSecret(t *testing.T) {
	e := examAt(t, "http://s3.example.org")
	r := e.withoutSecret(failed("the store says s3cret/that/nobody/may/see", "s3cret/that/nobody/may/see")[0])
	if strings.Contains(r.Text+r.Fix, "nobody") {
		t.Errorf("%+v", r)
	}
}
