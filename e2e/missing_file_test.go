//go:build e2e

package e2e

import (
	"net/http"
	"os"
	"testing"
	"time"
)

// A file that was moved away and put back can be uploaded like any other.
func TestFileIsBack(t *testing.T) {
	t.Parallel()
	p := openProxiedPage(t, firstParts)
	path := ownFile(t, longFile.name, longFile.content())
	p.chooseFile(path)
	p.awaitBlocked()
	p.clickByScript(0, "pause")
	p.awaitStatus(30*time.Second, 1, paused)
	if err := os.Rename(path, path+".away"); err != nil {
		t.Fatal(err)
	}
	p.clickByScript(0, "continue")
	p.awaitText(30*time.Second, "The file cannot be read any more")
	p.awaitStatus(30*time.Second, 1, failed)
	if err := os.Rename(path+".away", path); err != nil {
		t.Fatal(err)
	}
	p.proxy.respondTo(isComplete, func(w http.ResponseWriter, r *http.Request) {
		respondAsStore(w, http.StatusServiceUnavailable, "")
	})
	p.proxy.unblock()
	p.clickByScript(0, "retry")
	p.awaitText(60*time.Second, "all of it is sent")
	p.proxy.restore()
	p.awaitStatus(60*time.Second, 1, done)
	p.checkObjects(longFile)
}

// A missing file is not reported as a setup error, even if it is the first file.
func TestFirstFileMissing(t *testing.T) {
	t.Parallel()
	p := openProxiedPage(t, -1)
	path := ownFile(t, "gone.txt", []byte("gone"))
	p.proxy.respondTo(hasMethod(http.MethodPost), func(w http.ResponseWriter, r *http.Request) {
		respondAsStore(w, http.StatusServiceUnavailable, "")
	})
	p.chooseFile(path)
	p.awaitText(30*time.Second, "Retrying in")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	p.proxy.restore()
	p.awaitStatus(60*time.Second, 1, failed)
	p.awaitText(30*time.Second, "The file cannot be read any more")
	if p.showsSetupError() {
		t.Error("the page shows a setup error")
	}
}

// A file that changes on disk during its upload is reported as such, not as an error of the network or the signature.
func TestUnreadableFile(t *testing.T) {
	t.Parallel()
	const sentence = "The file cannot be read any more: it was changed, moved or removed. Choose it again."
	forEachStoreAndVersion(t, func(t *testing.T, s *store, version int) {
		path := ownFile(t, "growing.bam", longFile.content())
		u := startInterruptedFile(t, s, version, path, `net::ERR_`, `Fine Uploader`)
		appendFile(t, path, "more")
		u.proxy.unblock()
		u.awaitText(30*time.Second, sentence)
		u.awaitText(30*time.Second, "Failed")
		u.bucket.checkObjectCount(t, 0)
	})
}
