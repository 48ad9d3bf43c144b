//go:build e2e

package e2e

import (
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Whenever a user cancels an upload, and whoever is unreachable then, nothing of it stays in the store.
func TestCancelLeavesNothing(t *testing.T) {
	t.Parallel()
	for name, cancel := range map[string]func(c *cancelTest){
		"before a part is stored":            (*cancelTest).beforeFirstPart,
		"during the initiate":                (*cancelTest).duringInitiate,
		"during an initiate that fails":      (*cancelTest).duringFailedInitiate,
		"after a reload":                     (*cancelTest).afterReload,
		"after a reload, while queued":       (*cancelTest).whileQueuedAfterReload,
		"without a network":                  (*cancelTest).offline,
		"without the server":                 (*cancelTest).serverDown,
		"with another server at its address": (*cancelTest).otherServer,
		"while the store answers 503":        (*cancelTest).storeUnavailable,
		"while a part is on its way":         (*cancelTest).latePart,
		"after a failed complete":            (*cancelTest).afterFailedComplete,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCancelTest(t)
			cancel(c)
			c.awaitUnfinished(0)
			c.bucket.checkObjectCount(t, 0)
		})
	}
}

// The page repeats an abort that failed with 503, but not one that the store rejected. Neither delays the next abort.
func TestCancelSequence(t *testing.T) {
	t.Parallel()
	c := newCancelTest(t)
	// no wait for a retry ends by itself
	c.exec(`(() => {
		const { setTimeout } = globalThis;
		globalThis.setTimeout = (callback, ms, ...rest) => ms >= 5000 ? 0 : setTimeout(callback, ms, ...rest);
	})()`)
	firstStatuses := []int{http.StatusForbidden, http.StatusServiceUnavailable} // of the first and the second upload
	var mu sync.Mutex
	var uploads []string // IDs, in the order of their first aborts
	aborts := map[string]int{}
	c.proxy.respondTo(isAbort, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		id := r.URL.Query().Get("uploadId")
		if aborts[id]++; aborts[id] == 1 {
			uploads = append(uploads, id)
		}
		i, n := slices.Index(uploads, id), aborts[id]
		mu.Unlock()
		if i < len(firstStatuses) && n == 1 {
			respondAsStore(w, firstStatuses[i], "")
			return
		}
		c.proxy.forward(w, r)
	})
	count := func() int { mu.Lock(); defer mu.Unlock(); return len(uploads) }

	c.startParts()
	c.cancel(0)
	eventually(t, 30*time.Second, "the store rejects the first abort", func() bool { return count() == 1 })
	c.choose(secondSurveyFile)
	c.awaitUnfinished(2)
	c.cancel(1)
	eventually(t, 30*time.Second, "the second abort fails", func() bool { return count() == 2 })
	c.choose(thirdSurveyFile)
	c.awaitUnfinished(3)
	c.cancel(2)
	c.awaitUnfinished(1)
	mu.Lock()
	defer mu.Unlock()
	got := []int{aborts[uploads[0]], aborts[uploads[1]], aborts[uploads[2]]}
	if want := []int{1, 2, 1}; !slices.Equal(got, want) {
		t.Errorf("aborts of the three uploads: got %v, want %v", got, want)
	}
}

// After a reset Fine Uploader counts its IDs from 0 again. A new file is not confused with a cancelled one.
func TestCancelAndReset(t *testing.T) {
	t.Parallel()
	c := newCancelTest(t)
	c.startParts()
	c.cancel(0)
	c.awaitUnfinished(0)
	c.exec(`uploader.reset()`)
	c.proxy.unblock()
	c.choose(secondSurveyFile)
	u := c.awaitStatus(60*time.Second, 1, done)[0]
	c.bucket.checkObject(t, u.Key, secondSurveyFile, c.dataset())
	c.awaitUnfinished(0)
}

// While the store completes an upload it is too late to cancel, and the page does not offer Cancel.
func TestNoCancelDuringComplete(t *testing.T) {
	t.Parallel()
	c := newCancelTest(t)
	checked := make(chan struct{})
	var completes atomic.Int32
	c.proxy.respondTo(isComplete, func(w http.ResponseWriter, r *http.Request) {
		if completes.Add(1) == 1 {
			respondAsStore(w, http.StatusServiceUnavailable, "")
			return
		}
		c.proxy.forward(w, r)
		<-checked
	})
	c.proxy.unblock()
	c.choose(longFile)
	eventually(t, 60*time.Second, "the second complete", func() bool { return completes.Load() == 2 })
	if eval[bool](c.tab, `document.querySelector(".qq-upload-cancel-selector").checkVisibility()`) {
		t.Error("the page offers Cancel")
	}
	c.exec(`uploader.cancel(0)`)
	close(checked)
	u := c.awaitStatus(30*time.Second, 1, done)[0]
	c.bucket.checkObject(t, u.Key, longFile, c.dataset())
}

// When the store rejects the parts of an upload, the file starts a new upload, and the old one is aborted, even if an
// earlier visit initiated it.
func TestReplacedUploadIsAborted(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(*cancelTest){
		"in one visit":  (*cancelTest).startParts,
		"in two visits": (*cancelTest).reloadAndResume,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCancelTest(t)
			start(c)
			c.checkReplacedUpload()
		})
	}
}

func (c *cancelTest) checkReplacedUpload() {
	c.t.Helper()
	var rejected atomic.Bool
	isFirstComplete := func(r *http.Request) bool { return isComplete(r) && !rejected.Swap(true) }
	c.proxy.respondTo(isFirstComplete, func(w http.ResponseWriter, r *http.Request) {
		const message = "One or more of the specified parts could not be found."
		const invalidPart = `<Error><Code>InvalidPart</Code><Message>` + message + `</Message></Error>`
		respondAsStore(w, http.StatusBadRequest, invalidPart)
	})
	c.proxy.unblock()
	u := c.awaitStatus(60*time.Second, 1, done)[0]
	c.bucket.checkObject(c.t, u.Key, longFile, c.dataset())
	if !rejected.Load() {
		c.t.Error("there was no complete to reject")
	}
	c.awaitUnfinished(0)
}
