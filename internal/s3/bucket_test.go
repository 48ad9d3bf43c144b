package s3

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"s3-sign-srv/internal/apierror"
	"s3-sign-srv/internal/sign"
)

// at returns a bucket at address, which need not be a store: e2e has the real ones.
func at(t *testing.T, address string) *Bucket {
	t.Helper()
	endpoint, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return New(
		Config{
			AccessKey: "AKIAIOSFODNN7EXAMPLE",
			SecretKey: sign.NewSecret("s3cret"),
			Endpoint:  endpoint,
			Region:    "us-east-1",
			Name:      "mybucket",
		},
	)
}

// TestPaths records what goes out for keys that other ways of building a URL lose.
func TestPaths(t *testing.T) {
	var seen string
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = r.Method + " " + r.RequestURI
		w.WriteHeader(http.StatusNoContent)
	}))
	defer store.Close()
	for key, want := range map[string]string{
		"uuid.txt":            "/mybucket/uuid.txt",
		"x?versionId=null":    "/mybucket/x%3FversionId%3Dnull",
		"x#frag":              "/mybucket/x%23frag",
		"a%2F..%2Fb":          "/mybucket/a%252F..%252Fb",
		"../other/x":          "/mybucket/../other/x", // sign.CheckKey refuses it before it gets here
		"dir one/é+(1)*!'~&=": "/mybucket/dir%20one/%C3%A9%2B%281%29%2A%21%27~%26%3D",
		"a//b":                "/mybucket/a//b",
	} {
		if err := at(t, store.URL).Delete(context.Background(), key); err != nil {
			t.Errorf("%q: %v", key, err)
		}
		if got, _, _ := strings.Cut(strings.TrimPrefix(seen, "DELETE "), "?x-id="); got != want {
			t.Errorf("%q went out as %s, want %s", key, got, want)
		}
	}
}

// TestDeleteIfMatch deletes an object only while it is the one with the ETag.
func TestDeleteIfMatch(t *testing.T) {
	stored := `"e1"`
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if condition := r.Header.Get("If-Match"); condition != "" && condition != stored {
			w.WriteHeader(http.StatusPreconditionFailed)
			fmt.Fprint(w, "<Error><Code>PreconditionFailed</Code></Error>")
			return
		}
		stored = ""
		w.WriteHeader(http.StatusNoContent)
	}))
	defer store.Close()
	for _, test := range []struct {
		etag    string
		deleted bool
	}{{`"e1"`, true}, {`"e2"`, false}, {"", true}} {
		stored = `"e1"`
		if err := at(t, store.URL).DeleteIfMatch(t.Context(), "k", test.etag); err != nil || (stored == "") != test.deleted {
			t.Errorf("ETag %s: %v, the store now has %q", test.etag, err, stored)
		}
	}
}

// TestErrors checks that each error of a store says what to check.
func TestErrors(t *testing.T) {
	var status int
	var body string
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(status)
		if r.Method != http.MethodHead {
			fmt.Fprint(w, body)
		}
	}))
	defer store.Close()
	head := func(b *Bucket) error { _, err := b.Head(context.Background(), "k"); return err }
	get := func(b *Bucket) error { _, err := b.Get(context.Background(), "k"); return err }
	remove := func(b *Bucket) error { return b.Delete(context.Background(), "k") }
	for _, test := range []struct {
		name    string
		call    func(*Bucket) error
		status  int
		code    string
		want    string
		missing bool
	}{
		{"not there", head, 404, "", "no object under this key", true},
		{"not there, and no right to list", head, 403, "", "s3:GetObject", true},
		{"nothing to read", get, 404, "NoSuchKey", "no object under this key", true},
		{"no right to read", get, 403, "AccessDenied", "s3:GetObject", true},
		{"no bucket", remove, 404, "NoSuchBucket", "AWS_DEST_BUCKET", false},
		{"unknown key", remove, 403, "InvalidAccessKeyId", "AWS_CLIENT_ACCESS_KEY", false},
		{"wrong secret", remove, 403, "SignatureDoesNotMatch", "AWS_CLIENT_SECRET_KEY", false},
		{"no right", remove, 403, "AccessDenied", "s3:DeleteObject", false},
		{"clock", remove, 403, "RequestTimeTooSkewed", "clock", false},
		{"region", remove, 400, "AuthorizationHeaderMalformed", "AWS_REGION", false},
		{"redirect", remove, 301, "PermanentRedirect", "AWS_REGION", false},
	} {
		status, body = test.status, "<Error><Code>"+test.code+"</Code><Message>s3cret</Message></Error>"
		err := test.call(at(t, store.URL))
		var e *apierror.Error
		if !errors.As(err, &e) || !strings.Contains(e.Message, test.want) || (e.Code == apierror.NotFound) != test.missing ||
			strings.Contains(e.Message, "s3cret") {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}
}

// TestRedirects has a store that sends every call on to another listener, which must see none: a redirect would
// let whoever answers for the store choose where the server calls (D19 of internal/server's tests).
func TestRedirects(t *testing.T) {
	var seen atomic.Int32
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { seen.Add(1) }))
	defer elsewhere.Close()
	calls := map[string]func(*Bucket) error{
		"HEAD":   func(b *Bucket) error { _, err := b.Head(t.Context(), "k"); return err },
		"GET":    func(b *Bucket) error { _, err := b.Get(t.Context(), "k"); return err },
		"DELETE": func(b *Bucket) error { return b.Delete(t.Context(), "k") },
		"LIST":   func(b *Bucket) error { _, err := b.List(t.Context(), "owner/"); return err },
	}
	for name, call := range calls {
		for _, status := range []int{http.StatusMovedPermanently, http.StatusFound, http.StatusTemporaryRedirect,
			http.StatusPermanentRedirect} {
			var calls atomic.Int32
			store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				calls.Add(1)
				http.Redirect(w, r, elsewhere.URL+r.URL.Path, status)
			}))
			err := call(at(t, store.URL))
			store.Close()
			var e *apierror.Error
			if !errors.As(err, &e) || e.Code != apierror.StoreFailed ||
				!strings.Contains(e.Message, "check AWS_REGION and AWS_ENDPOINT") ||
				calls.Load() != 1 || seen.Load() != 0 {
				t.Errorf("%s, redirected with %d: %v; the store got %d requests, the other listener %d",
					name, status, err, calls.Load(), seen.Load())
			}
			seen.Store(0)
		}
	}
}

// TestUnreachable sends a request to a port where nothing listens.
func TestUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	start := time.Now()
	_, err = at(t, "http://"+l.Addr().String()).Head(context.Background(), "k")
	var e *apierror.Error
	if !errors.As(err, &e) || e.Code != apierror.StoreFailed || !strings.Contains(e.Message, "check AWS_ENDPOINT") ||
		time.Since(start) > 2*Timeout {
		t.Errorf("%v after %v", err, time.Since(start))
	}
}

// TestConnectionsAreReused makes 16 calls at a time, twice, as session lists do.
func TestConnectionsAreReused(t *testing.T) {
	var opened atomic.Int32
	var group sync.WaitGroup
	all := make(chan struct{})
	store := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { <-all }))
	store.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew && opened.Add(1) == 16 {
			close(all)
		}
	}
	store.Start()
	defer store.Close()
	b := at(t, store.URL)
	for range 2 {
		for range 16 {
			group.Go(func() {
				if _, err := b.Head(t.Context(), "k"); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
	}
	if n := opened.Load(); n != 16 {
		t.Errorf("32 calls opened %d connections, want 16", n)
	}
}
