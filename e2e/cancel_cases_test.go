//go:build e2e

package e2e

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// A cancelTest cancels a file whose parts are blocked on their way to the store.
type cancelTest struct{ proxiedPage }

func newCancelTest(t *testing.T) *cancelTest {
	t.Helper()
	return &cancelTest{openProxiedPage(t, mib)}
}

func (c *cancelTest) cancel(id int) {
	c.t.Helper()
	c.clickByScript(id, "cancel")
	c.awaitStatus(30*time.Second, id+1, canceled)
}

func (c *cancelTest) awaitUnfinished(n int) {
	c.t.Helper()
	c.bucket.awaitUnfinished(c.t, n)
}

// startParts waits until the page sends parts: then it knows the upload ID.
func (c *cancelTest) startParts() {
	c.t.Helper()
	c.choose(longFile)
	eventually(c.t, 30*time.Second, "three parts on their way", func() bool { return c.proxy.partsInFlight() == 3 })
}

func (c *cancelTest) beforeFirstPart() {
	c.choose(longFile)
	c.awaitUnfinished(1)
	c.cancel(0)
}

// duringInitiate cancels after the store has initiated the upload, and before the page knows.
func (c *cancelTest) duringInitiate() {
	cancelled := make(chan struct{})
	c.proxy.respondTo(isInitiate, func(w http.ResponseWriter, r *http.Request) {
		c.proxy.forward(w, r)
		<-cancelled
	})
	c.choose(longFile)
	c.awaitUnfinished(1)
	c.cancel(0)
	close(cancelled)
}

func (c *cancelTest) duringFailedInitiate() {
	var requested atomic.Bool
	cancelled := make(chan struct{})
	c.proxy.respondTo(isInitiate, func(w http.ResponseWriter, r *http.Request) {
		requested.Store(true)
		<-cancelled
		panic(http.ErrAbortHandler)
	})
	c.choose(longFile)
	eventually(c.t, 30*time.Second, "the initiate", requested.Load)
	c.cancel(0)
	close(cancelled)
}

func (c *cancelTest) afterReload() {
	c.reloadAndResume()
	c.cancel(0)
}

// reloadAndResume starts an upload in one visit and resumes it in the next.
func (c *cancelTest) reloadAndResume() {
	c.storeOnePartAndReload()
	c.choose(longFile)
	c.awaitText(30*time.Second, "Resuming at")
}

func (c *cancelTest) storeOnePartAndReload() {
	c.choose(longFile)
	c.proxy.allow(partSize)
	c.awaitStoredPart()
	c.do(chromedp.Reload())
	c.awaitText(30*time.Second, longFile.name+" stopped at")
}

// whileQueuedAfterReload cancels a file of an earlier visit while another file is uploaded.
func (c *cancelTest) whileQueuedAfterReload() {
	c.storeOnePartAndReload()
	c.choose(secondSurveyFile)
	c.awaitUnfinished(2)
	c.choose(longFile)
	c.awaitText(30*time.Second, "Waiting for its turn")
	c.clickByScript(1, "cancel")
	c.awaitStatus(30*time.Second, 1, canceled)
	c.awaitUnfinished(1)
	c.clickByScript(0, "cancel")
}

func (c *cancelTest) offline() {
	c.startParts()
	c.emulateNetwork(true)
	c.proxy.disconnect()
	c.cancel(0)
	c.proxy.restore()
	c.emulateNetwork(false)
}

func (c *cancelTest) serverDown() {
	c.startParts()
	c.server.process.stop()
	c.cancel(0)
	c.restartServer()
}

func (c *cancelTest) restartServer() {
	c.t.Helper()
	startServer(c.t, newWorkDir(c.t), c.settings.with(settings{"P3S3F_HOST_PORT": c.server.port()}))
}

// otherServer cancels while another HTTP server has the signing server's address.
func (c *cancelTest) otherServer() {
	c.startParts()
	c.server.process.stop()
	var requests atomic.Int32
	statuses := []int{http.StatusOK, http.StatusNotFound}
	respond := func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(statuses[min(requests.Add(1), 2)-1])
		w.Write([]byte("<h1>Down for maintenance</h1>"))
	}
	other := &http.Server{Addr: c.server.host(), Handler: http.HandlerFunc(respond)}
	go other.ListenAndServe()
	c.t.Cleanup(func() { other.Close() })
	c.cancel(0)
	eventually(c.t, 30*time.Second, "two requests to the other server", func() bool { return requests.Load() > 1 })
	other.Close()
	c.restartServer()
}

// storeUnavailable cancels while the store answers 503, until it has done so once.
func (c *cancelTest) storeUnavailable() {
	c.startParts()
	var aborts atomic.Int32
	c.proxy.respondTo(isAbort, func(w http.ResponseWriter, r *http.Request) {
		aborts.Add(1)
		respondAsStore(w, http.StatusServiceUnavailable, "")
	})
	c.cancel(0)
	eventually(c.t, 30*time.Second, "the abort", func() bool { return aborts.Load() > 0 })
	c.proxy.restore()
}

// latePart cancels while a part is on its way that makes the store keep the upload, although it confirms the abort.
func (c *cancelTest) latePart() {
	c.startParts()
	var aborted atomic.Bool
	isFirstAbort := func(r *http.Request) bool { return isAbort(r) && !aborted.Swap(true) }
	c.proxy.respondTo(isFirstAbort, func(w http.ResponseWriter, r *http.Request) {
		respondAsStore(w, http.StatusNoContent, "")
	})
	c.cancel(0)
}

// afterFailedComplete cancels when all parts are sent and the store has failed to complete the upload.
func (c *cancelTest) afterFailedComplete() {
	c.proxy.respondTo(isComplete, func(w http.ResponseWriter, r *http.Request) {
		respondAsStore(w, http.StatusServiceUnavailable, "")
	})
	c.proxy.unblock()
	c.choose(longFile)
	c.awaitText(60*time.Second, "Retrying in")
	c.cancel(0)
}
