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

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// While the store is away, signatures are given, since they need no store; what needs it says so within
// seconds, and works again as soon as the store does.
func TestStoreAway(t *testing.T) {
	t.Parallel()
	for _, away := range []struct {
		name  string
		cause func(*line)
	}{
		{"not there", func(l *line) { l.cut() }},
		{"mute", func(l *line) { l.hush() }},
	} {
		t.Run(away.name, func(t *testing.T) {
			t.Parallel()
			b := newBucket(t, shared.radosgw)
			l := startLine(t, b.port, -1)
			srv := startServer(t, newWorkDir(t), settingsFor(b, pathStyle.endpoint(l.port)).with(settings{"P3S3F_OWN_UPLOADS_ONLY": "1"}))
			c := newCaller(t, srv.url)
			key := c.owner + "/file.txt"
			if _, err := b.client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &b.name, Key: &key, Body: strings.NewReader("text")}); err != nil {
				t.Fatal(err)
			}
			form := url.Values{"key": {key}, "uuid": {"u"}, "name": {"file.txt"}, "bucket": {b.name}}
			remove := url.Values{"key": {key}, "bucket": {b.name}, "qquuid": {"u"}, "_method": {"DELETE"}}

			away.cause(l)
			c.expects(http.StatusBadGateway, "/s3/success", form)
			c.expects(http.StatusBadGateway, "/s3/delete", remove)
			signing := startLoad(srv.url, signRequest(t, srv.url, l.port), 1, 0)
			eventually(t, 30*time.Second, "the server signs", func() bool { return signing.whole.Load() > 0 })
			signing.stop()

			l.speak()
			l.mend()
			c.expects(http.StatusOK, "/s3/success", form)
			c.expects(http.StatusOK, "/s3/delete", remove)
		})
	}
}

// A caller sends forms as the page does, with the page's cookie.
type caller struct {
	t      *testing.T
	client *http.Client
	page   string
	owner  string
}

func newCaller(t *testing.T, page string) *caller {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &caller{t: t, client: &http.Client{Jar: jar}, page: page}
	answer, err := c.client.Get(page + "/s3/owner")
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	c.owner, _, _ = strings.Cut(answer.Cookies()[0].Value, ".")
	return c
}

// expects an answer with the status, within the 10 s that the server waits for the store, or as much again on a busy machine.
func (c *caller) expects(status int, path string, form url.Values) {
	c.t.Helper()
	begin := time.Now()
	answer, err := c.client.PostForm(c.page+path, form)
	if err != nil {
		c.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(answer.Body)
	took := time.Since(begin)
	if answer.StatusCode != status || took > 20*time.Second {
		c.t.Errorf("%s: %s after %v, want %d: %s", path, answer.Status, took, status, text)
	}
}
