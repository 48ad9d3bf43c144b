//go:build e2e

package e2e

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// Whenever Cancel comes, and whoever is away then, the store keeps nothing of the upload.
func TestCancelLeavesNothing(t *testing.T) {
	t.Parallel()
	for name, cancel := range map[string]func(c *cancellation){
		"before a part is stored": (*cancellation).early,
		"while it begins":         (*cancellation).whileItBegins,
		"after a reload":          (*cancellation).afterReload,
		"without a network":       (*cancellation).withoutNetwork,
		"without the server":      (*cancellation).withoutServer,
		"while the store is ill":  (*cancellation).whileStoreIsIll,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := beginUpload(t)
			cancel(c)
			c.wantUnfinished(0)
			if keys, err := c.bucket.keys(t.Context()); err != nil || len(keys) != 0 {
				t.Errorf("the store holds %q, %v", keys, err)
			}
		})
	}
}

// A store that refuses to abort is not asked again, and the next file's upload is aborted all the same.
func TestCancelRefused(t *testing.T) {
	t.Parallel()
	c := beginUpload(t)
	c.wantUnfinished(1)
	var refused atomic.Int32
	c.line.answer(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodDelete {
			c.line.forward(w, r)
			return
		}
		refused.Add(1)
		allowOrigin(w, r)
		w.WriteHeader(http.StatusForbidden)
	})
	c.cancel(0)
	eventually(t, 30*time.Second, "the store has refused", func() bool { return refused.Load() > 0 })
	c.line.mend()

	c.choose(secondSurveyFile)
	c.wantUnfinished(2)
	c.cancel(1)
	c.wantUnfinished(1)
	c.command(`dispatchEvent(new Event("online"))`)
	c.choose(thirdSurveyFile)
	c.wantUnfinished(2)
	c.cancel(2)
	c.wantUnfinished(1)
	if n := refused.Load(); n != 1 {
		t.Errorf("the store refused %d times", n)
	}
}

// When the store does not want the parts that it has, the file begins a new upload, and nothing stays of the old one.
func TestReplacedUploadIsAborted(t *testing.T) {
	t.Parallel()
	c := beginUpload(t)
	var refused atomic.Bool
	c.line.answer(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || !r.URL.Query().Has("uploadId") || refused.Swap(true) {
			c.line.forward(w, r)
			return
		}
		allowOrigin(w, r)
		w.WriteHeader(http.StatusBadRequest)
		w.Write([]byte(`<Error><Code>InvalidPart</Code><Message>One or more of the specified parts could not be found.</Message></Error>`))
	})
	c.line.open()
	u := c.await(60*time.Second, 1, done)[0]
	c.bucket.holds(t, u.Key, longFile, eval[string](c.tab, `fine_u_conf.request.params.dataset`))
	if !refused.Load() {
		t.Error("the store took the parts the first time")
	}
	c.wantUnfinished(0)
}

func allowOrigin(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
}

// A cancellation is that of an upload whose parts are held up on the way to the store.
type cancellation struct {
	*tab
	bucket *bucket
	line   *line
	server *server
}

func beginUpload(t *testing.T) *cancellation {
	t.Helper()
	b := newBucket(t, shared.radosgw)
	c := &cancellation{bucket: b, line: startLine(t, b.port, mib)}
	c.server = startServer(t, newWorkDir(t), c.settings())
	c.tab = openTab(t, c.server.url, expectedOfBreaks...)
	c.choose(longFile)
	return c
}

func (c *cancellation) settings() settings {
	return settingsFor(c.bucket, pathStyle.endpoint(c.line.port)).with(ownUploadsOnly)
}

func (c *cancellation) cancel(id int) {
	c.t.Helper()
	c.press(id, "cancel")
	c.await(30*time.Second, id+1, canceled)
}

func (c *cancellation) wantUnfinished(n int) {
	c.t.Helper()
	eventually(c.t, 30*time.Second, "as many unfinished uploads in the store as there should be", func() bool {
		left, err := c.bucket.unfinished(c.t.Context())
		return err == nil && len(left) == n
	})
}

func (c *cancellation) early() {
	c.wantUnfinished(1)
	c.cancel(0)
}

// whileItBegins cancels before the browser has heard of the upload that the store has begun.
func (c *cancellation) whileItBegins() {
	answer := make(chan struct{})
	c.line.answer(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && r.URL.Query().Has("uploads") {
			defer func() { <-answer }()
		}
		c.line.forward(w, r)
	})
	c.wantUnfinished(1)
	c.cancel(0)
	close(answer)
}

// afterReload cancels what an earlier visit began.
func (c *cancellation) afterReload() {
	c.line.allow(partSize)
	eventually(c.t, 30*time.Second, "a record of a part", func() bool {
		return eval[bool](c.tab, `Object.keys(localStorage).some((key) => key.startsWith("qqs3resume"))`)
	})
	c.do(chromedp.Reload())
	c.sees(30*time.Second, longFile.name+" stopped at")
	c.choose(longFile)
	c.sees(30*time.Second, "Resuming at")
	c.cancel(0)
}

func (c *cancellation) withoutNetwork() {
	c.wantUnfinished(1)
	c.emulateNetwork(true)
	c.line.cut()
	c.cancel(0)
	c.line.mend()
	c.emulateNetwork(false)
}

func (c *cancellation) withoutServer() {
	c.wantUnfinished(1)
	c.server.process.stop()
	c.cancel(0)
	startServer(c.t, newWorkDir(c.t), c.settings().with(settings{"P3S3F_HOST_PORT": c.server.port()}))
}

// whileStoreIsIll cancels while the store answers 503, and ends that when it has.
func (c *cancellation) whileStoreIsIll() {
	c.wantUnfinished(1)
	var asked atomic.Int32
	c.line.answer(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodDelete {
			asked.Add(1)
			allowOrigin(w, r)
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		c.line.forward(w, r)
	})
	c.cancel(0)
	eventually(c.t, 30*time.Second, "the store was asked", func() bool { return asked.Load() > 0 })
	c.line.mend()
}
