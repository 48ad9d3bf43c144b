//go:build e2e

package e2e

import (
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// Servers with the same settings accept each other's cookies: an upload that started with one continues with another
// when the first one stops, and the page does not notice. A new cookie secret hides no earlier upload.
func TestReplicas(t *testing.T) {
	t.Parallel()
	b := newBucket(t, shared.radosgw)
	proxy := startTCPProxy(t, b.port, inFlight+2*mib)
	env := settingsFor(b, pathStyle.endpoint(proxy.port)).with(ownUploadsOnly)
	dir := newWorkDir(t)
	appendFile(t, filepath.Join(dir, "client_conf.js"), threeEqualParts)
	first, second := startServer(t, dir, env), startServer(t, dir, env)
	balancer := startBalancer(t)
	balancer.to(first)
	page := openTab(t, balancer.URL, `net::ERR_.*partNumber=`, `beforeunload`) // without user input there is no dialog
	page.choose(longFile)
	eventually(t, 30*time.Second, "the upload is blocked", proxy.limitReached)
	page.awaitStoredPart()
	key := page.uploadOf(longFile).Key

	balancer.to(second) // before the first one stops, as a part may still need a signature
	first.shutdown(t, func() { first.signal(syscall.SIGTERM) })
	page.do(chromedp.Reload())
	proxy.reset()
	proxy.unblock()
	page.choose(longFile)
	u := page.awaitStatus(30*time.Second, 1, done)[0]
	if u.Key != key {
		t.Errorf("key after the switch: got %s, want %s", u.Key, key)
	}
	b.checkObject(t, u.Key, longFile, page.dataset())
	logs := first.output.String() + second.output.String()
	if n := strings.Count(logs, "operation=CreateMultipartUpload"); n != 1 {
		t.Errorf("initiated uploads: got %d, want 1", n)
	}

	third := startServer(t, dir, env)
	for _, srv := range []*server{third, second, third} { // in turn
		balancer.to(srv)
		page.do(chromedp.Reload())
		page.awaitStatus(30*time.Second, 1, done)
	}
	secret, next := strings.Repeat("1", 32), strings.Repeat("2", 32)
	for _, list := range []string{secret, next + "," + secret, next} {
		balancer.to(startServer(t, dir, env.with(settings{"P3S3F_COOKIE_SECRET": list})))
		page.do(chromedp.Reload())
		page.awaitStatus(30*time.Second, 1, done)
	}
	page.delete(page.uploadOf(longFile).ID)
	if b.has(t, key) {
		t.Errorf("%s was not deleted", key)
	}
}

// A balancer is a reverse proxy for several servers.
type balancer struct {
	*httptest.Server
	replica atomic.Pointer[url.URL]
}

func startBalancer(t *testing.T) *balancer {
	b := &balancer{}
	b.Server = httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(b.replica.Load())
		r.Out.Host = r.In.Host // the server compares it with Origin
	}})
	t.Cleanup(b.Close)
	return b
}

// to sends the requests that follow to srv.
func (b *balancer) to(srv *server) {
	u, err := url.Parse(srv.url)
	if err != nil {
		panic(err) // the server has written this URL
	}
	b.replica.Store(u)
}
