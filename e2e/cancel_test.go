//go:build e2e

package e2e

import (
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// Whenever Cancel comes, and whoever is away then, the store keeps nothing of the upload.
func TestCancelLeavesNothing(t *testing.T) {
	t.Parallel()
	for name, cancel := range map[string]func(c *cancellation){
		"before a part is stored":         (*cancellation).early,
		"while it begins":                 (*cancellation).whileItBegins,
		"while it fails to begin":         (*cancellation).inVain,
		"after a reload":                  (*cancellation).afterReload,
		"after a reload, before its turn": (*cancellation).beforeItsTurn,
		"without a network":               (*cancellation).withoutNetwork,
		"without the server":              (*cancellation).withoutServer,
		"while the server is a stranger":  (*cancellation).withStranger,
		"while the store is ill":          (*cancellation).whileStoreIsIll,
		"while a part arrives":            (*cancellation).whilePartArrives,
		"after the end has failed":        (*cancellation).afterFailedEnd,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := openCancellation(t)
			cancel(c)
			c.wantUnfinished(0)
			if keys, err := c.bucket.keys(t.Context()); err != nil || len(keys) != 0 {
				t.Errorf("the store holds %q, %v", keys, err)
			}
		})
	}
}

// A store that refuses to abort an upload is not asked again, one that is ill is, and neither holds up the next.
func TestCancelOneByOne(t *testing.T) {
	t.Parallel()
	c := openCancellation(t)
	c.command(`(() => {
		const { setTimeout } = globalThis;
		globalThis.setTimeout = (tell, ms, ...rest) => ms >= 5000 ? 0 : setTimeout(tell, ms, ...rest); // no pause ends by itself
	})()`)
	statuses := []int{http.StatusForbidden, http.StatusServiceUnavailable} // of the first upload, the second and the rest
	var mu sync.Mutex
	var uploads []string // in the order in which they are to be aborted
	asked := map[string]int{}
	c.line.answerTo(abortsUpload, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		id := r.URL.Query().Get("uploadId")
		if asked[id]++; asked[id] == 1 {
			uploads = append(uploads, id)
		}
		i, times := slices.Index(uploads, id), asked[id]
		mu.Unlock()
		if i < len(statuses) && times == 1 {
			answerAs(w, statuses[i], "")
			return
		}
		c.line.forward(w, r)
	})
	count := func() int { mu.Lock(); defer mu.Unlock(); return len(uploads) }

	c.begin()
	c.cancel(0)
	eventually(t, 30*time.Second, "the store has refused", func() bool { return count() == 1 })
	c.choose(secondSurveyFile)
	c.wantUnfinished(2)
	c.cancel(1)
	eventually(t, 30*time.Second, "the store was ill", func() bool { return count() == 2 })
	c.choose(thirdSurveyFile)
	c.wantUnfinished(3)
	c.cancel(2)
	c.wantUnfinished(1)
	mu.Lock()
	defer mu.Unlock()
	if got := []int{asked[uploads[0]], asked[uploads[1]], asked[uploads[2]]}; !slices.Equal(got, []int{1, 2, 1}) {
		t.Errorf("the store was asked %v times to abort the three", got)
	}
}

// After a reset Fine Uploader's ids begin anew, and a new file has nothing to do with one that was cancelled.
func TestCancelAndReset(t *testing.T) {
	t.Parallel()
	c := openCancellation(t)
	c.begin()
	c.cancel(0)
	c.wantUnfinished(0)
	c.command(`uploader.reset()`)
	c.line.open()
	c.choose(secondSurveyFile)
	u := c.await(60*time.Second, 1, done)[0]
	c.bucket.holds(t, u.Key, secondSurveyFile, eval[string](c.tab, `fine_u_conf.request.params.dataset`))
	c.wantUnfinished(0)
}

// While the store puts the parts together it is too late for Cancel, and the page does not offer it.
func TestNoCancelAtTheEnd(t *testing.T) {
	t.Parallel()
	c := openCancellation(t)
	seen := make(chan struct{})
	var asked atomic.Int32
	c.line.answerTo(endsUpload, func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) == 1 {
			answerAs(w, http.StatusServiceUnavailable, "")
			return
		}
		c.line.forward(w, r)
		<-seen
	})
	c.line.open()
	c.choose(longFile)
	eventually(t, 60*time.Second, "the store is asked for the second time", func() bool { return asked.Load() == 2 })
	if eval[bool](c.tab, `document.querySelector(".qq-upload-cancel-selector").checkVisibility()`) {
		t.Error("the page offers Cancel")
	}
	c.command(`uploader.cancel(0)`)
	close(seen)
	u := c.await(30*time.Second, 1, done)[0]
	c.bucket.holds(t, u.Key, longFile, eval[string](c.tab, `fine_u_conf.request.params.dataset`))
}

// When the store does not want the parts that it has, the file begins a new upload, and nothing stays of the old one,
// though an earlier visit began it.
func TestReplacedUploadIsAborted(t *testing.T) {
	t.Parallel()
	for name, arrive := range map[string]func(*cancellation){"in one visit": (*cancellation).begin, "in two": (*cancellation).reload} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := openCancellation(t)
			arrive(c)
			c.replace()
		})
	}
}

func (c *cancellation) replace() {
	c.t.Helper()
	var refused atomic.Bool
	isFirstEnd := func(r *http.Request) bool { return endsUpload(r) && !refused.Swap(true) }
	c.line.answerTo(isFirstEnd, func(w http.ResponseWriter, r *http.Request) {
		answerAs(w, http.StatusBadRequest, `<Error><Code>InvalidPart</Code><Message>One or more of the specified parts could not be found.</Message></Error>`)
	})
	c.line.open()
	u := c.await(60*time.Second, 1, done)[0]
	c.bucket.holds(c.t, u.Key, longFile, eval[string](c.tab, `fine_u_conf.request.params.dataset`))
	if !refused.Load() {
		c.t.Error("the store took the parts the first time")
	}
	c.wantUnfinished(0)
}

// A cancellation is that of a file whose parts are held up on the way to the store.
type cancellation struct{ visit }

func openCancellation(t *testing.T) *cancellation {
	t.Helper()
	return &cancellation{openVisit(t, mib)}
}

func (c *cancellation) cancel(id int) {
	c.t.Helper()
	c.pressMoving(id, "cancel")
	c.await(30*time.Second, id+1, canceled)
}

func (c *cancellation) wantUnfinished(n int) {
	c.t.Helper()
	c.bucket.awaitUnfinished(c.t, n)
}

// begin waits until the browser sends parts: it knows the upload then.
func (c *cancellation) begin() {
	c.t.Helper()
	c.choose(longFile)
	eventually(c.t, 30*time.Second, "parts on their way", func() bool { return c.line.underWay() == 3 })
}

func (c *cancellation) early() {
	c.choose(longFile)
	c.wantUnfinished(1)
	c.cancel(0)
}

// whileItBegins cancels before the browser has heard of the upload that the store has begun.
func (c *cancellation) whileItBegins() {
	cancelled := make(chan struct{})
	c.line.answerTo(beginsUpload, func(w http.ResponseWriter, r *http.Request) {
		c.line.forward(w, r)
		<-cancelled
	})
	c.choose(longFile)
	c.wantUnfinished(1)
	c.cancel(0)
	close(cancelled)
}

// inVain cancels before the store fails to begin the upload.
func (c *cancellation) inVain() {
	var asked atomic.Bool
	cancelled := make(chan struct{})
	c.line.answerTo(beginsUpload, func(w http.ResponseWriter, r *http.Request) {
		asked.Store(true)
		<-cancelled
		panic(http.ErrAbortHandler)
	})
	c.choose(longFile)
	eventually(c.t, 30*time.Second, "the store is asked to begin", asked.Load)
	c.cancel(0)
	close(cancelled)
}

// afterReload cancels what an earlier visit began.
func (c *cancellation) afterReload() {
	c.reload()
	c.cancel(0)
}

// reload leaves the page, and goes on in the next visit.
func (c *cancellation) reload() {
	c.leave()
	c.choose(longFile)
	c.sees(30*time.Second, "Resuming at")
}

// leave lets one part be stored, and reloads the page.
func (c *cancellation) leave() {
	c.choose(longFile)
	c.line.allow(partSize)
	c.awaitStoredPart()
	c.do(chromedp.Reload())
	c.sees(30*time.Second, longFile.name+" stopped at")
}

// beforeItsTurn cancels what an earlier visit began while another file goes up.
func (c *cancellation) beforeItsTurn() {
	c.leave()
	c.choose(secondSurveyFile)
	c.wantUnfinished(2)
	c.choose(longFile)
	c.sees(30*time.Second, "Waiting for its turn")
	c.pressMoving(1, "cancel")
	c.await(30*time.Second, 1, canceled)
	c.wantUnfinished(1)
	c.pressMoving(0, "cancel")
}

func (c *cancellation) withoutNetwork() {
	c.begin()
	c.emulateNetwork(true)
	c.line.cut()
	c.cancel(0)
	c.line.mend()
	c.emulateNetwork(false)
}

func (c *cancellation) withoutServer() {
	c.begin()
	c.server.process.stop()
	c.cancel(0)
	startServer(c.t, newWorkDir(c.t), c.settings.with(settings{"P3S3F_HOST_PORT": c.server.port()}))
}

// withStranger cancels while something else is at the server's address.
func (c *cancellation) withStranger() {
	c.begin()
	c.server.process.stop()
	var asked atomic.Int32
	answers := []int{http.StatusOK, http.StatusNotFound}
	stranger := &http.Server{Addr: hostOf(c.server.url), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(answers[min(asked.Add(1), 2)-1])
		w.Write([]byte("<h1>Down for maintenance</h1>"))
	})}
	go stranger.ListenAndServe()
	c.t.Cleanup(func() { stranger.Close() })
	c.cancel(0)
	eventually(c.t, 30*time.Second, "the stranger was asked twice", func() bool { return asked.Load() > 1 })
	stranger.Close()
	startServer(c.t, newWorkDir(c.t), c.settings.with(settings{"P3S3F_HOST_PORT": c.server.port()}))
}

// whileStoreIsIll cancels while the store answers 503, and ends that when it has.
func (c *cancellation) whileStoreIsIll() {
	c.begin()
	var asked atomic.Int32
	c.line.answerTo(abortsUpload, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		answerAs(w, http.StatusServiceUnavailable, "")
	})
	c.cancel(0)
	eventually(c.t, 30*time.Second, "the store was asked", func() bool { return asked.Load() > 0 })
	c.line.mend()
}

// whilePartArrives cancels while a part is on its way that brings the upload back to life.
func (c *cancellation) whilePartArrives() {
	c.begin()
	var aborted atomic.Bool
	isFirstAbort := func(r *http.Request) bool { return abortsUpload(r) && !aborted.Swap(true) }
	c.line.answerTo(isFirstAbort, func(w http.ResponseWriter, r *http.Request) { answerAs(w, http.StatusNoContent, "") })
	c.cancel(0)
}

// afterFailedEnd cancels when all is sent and the store would not put it together.
func (c *cancellation) afterFailedEnd() {
	c.line.answerTo(endsUpload, func(w http.ResponseWriter, r *http.Request) { answerAs(w, http.StatusServiceUnavailable, "") })
	c.line.open()
	c.choose(longFile)
	c.sees(60*time.Second, "Retrying in")
	c.cancel(0)
}
