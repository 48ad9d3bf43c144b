//go:build e2e

package e2e

import (
	"net/http"
	"testing"
	"time"
)

// A file that is retried while another one is uploaded waits in the queue. It cannot be retried a second time there.
// When it is cancelled, the files after it are uploaded as usual.
func TestRetryWhileQueued(t *testing.T) {
	t.Parallel()
	p := openProxiedPage(t, firstParts)
	p.choose(longFile)
	p.awaitBlocked()
	p.proxy.respondTo(hasMethod(http.MethodPut), func(w http.ResponseWriter, r *http.Request) {
		respondAsStore(w, http.StatusForbidden, "")
	})
	p.proxy.reset()
	p.awaitStatus(30*time.Second, 1, failed)
	p.proxy.restore()
	p.choose(surveyFile)
	p.awaitAllConnectionsUsed()
	p.clickByScript(0, "retry")
	p.awaitText(30*time.Second, "Waiting for its turn")
	if p.hasButton(0, "retry") {
		t.Error("the page offers Retry once more")
	}
	for range 4 {
		p.exec(`uploader.retry(0)`)
	}
	p.clickByScript(0, "cancel")
	p.proxy.unblock()
	p.awaitStatus(60*time.Second, 1, done)
	p.choose(readsFile, untypedLongFile, untypedFile, smallFile)
	p.awaitStatus(60*time.Second, 5, done)
	p.checkObjects(surveyFile, readsFile, untypedLongFile, untypedFile, smallFile)
}

// A file that is continued while another one is uploaded can be paused again.
func TestPauseWhileQueued(t *testing.T) {
	t.Parallel()
	p := openProxiedPage(t, firstParts)
	p.choose(longFile)
	p.awaitBlocked()
	p.clickByScript(0, "pause")
	p.awaitStatus(30*time.Second, 1, paused)
	p.proxy.reset() // ends the requests that Pause has aborted
	p.choose(surveyFile)
	p.awaitAllConnectionsUsed()
	p.clickByScript(0, "continue")
	p.awaitText(30*time.Second, "Waiting for its turn")
	p.clickByScript(0, "pause")
	p.awaitStatus(30*time.Second, 1, paused)
	p.proxy.unblock()
	p.awaitStatus(60*time.Second, 1, done)
	if got := p.awaitStatus(30*time.Second, 1, paused); got[0].Name != longFile.name {
		t.Errorf("paused: got %+v, want %s", got, longFile.name)
	}
	p.clickByScript(0, "continue")
	p.awaitStatus(60*time.Second, 2, done)
	p.checkObjects(longFile, surveyFile)
}
