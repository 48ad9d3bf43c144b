//go:build e2e

package e2e

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"
)

// Without the store the server still signs, as signing needs no store. Requests that need the store fail within
// seconds, and work again as soon as the store does.
func TestStoreAway(t *testing.T) {
	t.Parallel()
	for _, outage := range []struct {
		name  string
		start func(*httpProxy)
	}{
		{"disconnected", (*httpProxy).disconnect},
		{"stalled", (*httpProxy).stall},
	} {
		t.Run(outage.name, func(t *testing.T) {
			t.Parallel()
			b := newBucket(t, shared.radosgw)
			proxy := startHTTPProxy(t, b.port, -1)
			srv := startServer(t, newWorkDir(t), settingsFor(b, pathStyle.endpoint(proxy.port)).with(ownUploadsOnly))
			c := newFormClient(t, srv.url)
			key := c.owner + "/file.txt"
			b.put(t, key, "text")
			success := url.Values{"key": {key}, "uuid": {"u"}, "name": {"file.txt"}, "bucket": {b.name}}
			remove := url.Values{"key": {key}, "bucket": {b.name}, "qquuid": {"u"}, "_method": {"DELETE"}}

			outage.start(proxy)
			c.checkStatus(http.StatusBadGateway, "/s3/success", success)
			c.checkStatus(http.StatusBadGateway, "/s3/delete", remove)
			signing := startLoad(srv, srv.partSignRequest(t, proxy.port), 1, 0)
			eventually(t, 30*time.Second, "the server signs", func() bool { return signing.completed.Load() > 0 })
			signing.stop()

			proxy.unstall()
			proxy.restore()
			c.checkStatus(http.StatusOK, "/s3/success", success)
			c.checkStatus(http.StatusOK, "/s3/delete", remove)
		})
	}
}

// A formClient posts forms as the page does, with the page's cookie.
type formClient struct {
	t      *testing.T
	client *http.Client
	page   string
	owner  string
}

func newFormClient(t *testing.T, page string) *formClient {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &formClient{t: t, client: &http.Client{Jar: jar}, page: page}
	res, err := c.client.Get(page + "/s3/owner")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	c.owner, _, _ = strings.Cut(res.Cookies()[0].Value, ".")
	return c
}

// checkStatus posts a form. The server waits 10 s for the store; a busy machine may take twice as long.
func (c *formClient) checkStatus(want int, path string, form url.Values) {
	c.t.Helper()
	begin := time.Now()
	res, err := c.client.PostForm(c.page+path, form)
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body)
	if res.StatusCode != want {
		c.t.Errorf("%s: got status %d, want %d: %s", path, res.StatusCode, want, text)
	}
	if took := time.Since(begin); took > 20*time.Second {
		c.t.Errorf("%s took %v, want at most 20s", path, took)
	}
}
