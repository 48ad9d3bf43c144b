//go:build e2e

package e2e

import (
	"bytes"
	"crypto/sha256"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// A changed file is another file, even if name and size are the same: it gets none of the old file's parts.
func TestChangedFile(t *testing.T) {
	t.Parallel()
	u := startInterrupted(t, shared.radosgw, 4)
	u.do(chromedp.Reload())
	u.awaitText(30*time.Second, longFile.name+" stopped at")
	u.proxy.reset()
	u.proxy.unblock()
	changed := bytes.Repeat([]byte("changed "), int(longFile.size)/8)
	u.chooseFile(ownFile(t, longFile.name, changed))
	key := u.awaitStatus(60*time.Second, 1, done)[0].Key
	if o := u.bucket.get(t, key); o.size != longFile.size || o.sum != sha256.Sum256(changed) {
		t.Errorf("got %d bytes with SHA-256 %x: the old file's parts are among them", o.size, o.sum)
	}
}

// Two tabs do not upload the same file: the second one says that another tab uploads it, and the first one completes
// the upload.
func TestTwoTabs(t *testing.T) {
	t.Parallel()
	u := startInterrupted(t, shared.radosgw, 4)
	second, closeSecond := newTab(t, u.ctx)
	defer closeSecond()
	second.do(chromedp.Navigate(eval[string](u.tab, `location.href`)))
	second.awaitText(30*time.Second, "Drop files here")
	const laterText = `new Promise((resolve) => setTimeout(() => resolve(document.body.innerText), 500))`
	if text := eval[string](second, laterText); strings.Contains(text, "stopped at") {
		t.Errorf("the second tab offers to resume what the first one uploads:\n%s", text)
	}
	second.choose(longFile)
	second.awaitText(30*time.Second, longFile.name+" is being uploaded in another tab.")
	u.proxy.unblock()
	key := u.awaitStatus(60*time.Second, 1, done)[0].Key
	u.bucket.checkObject(t, key, longFile, u.dataset())
	if list := second.uploads(); len(list) != 1 || list[0].Status != "rejected" {
		t.Errorf("uploads in the second tab: got %+v, want one, rejected", list)
	}
}

// Discard does not abort an upload that another tab has resumed since it was listed.
func TestDiscardInTwoTabs(t *testing.T) {
	t.Parallel()
	u := startInterrupted(t, shared.radosgw, 4)
	u.do(chromedp.Reload())
	u.awaitText(30*time.Second, longFile.name+" stopped at")
	second, closeSecond := newTab(t, u.ctx)
	defer closeSecond()
	second.do(chromedp.Navigate(eval[string](u.tab, `location.href`)))
	second.choose(longFile)
	second.awaitText(30*time.Second, "Resuming at")
	u.discard()
	u.proxy.reset()
	u.proxy.unblock()
	key := second.awaitStatus(60*time.Second, 1, done)[0].Key
	u.bucket.checkObject(t, key, longFile, second.dataset())
	if eval[bool](second, `performance.getEntriesByType("resource").some(({ name }) => name.endsWith("?uploads"))`) {
		t.Error("the upload that was resumed in the other tab was aborted and initiated again")
	}
}

// An upload whose bucket is not known any more is discarded on the page.
func TestDiscardWithoutBucket(t *testing.T) {
	t.Parallel()
	u := startInterrupted(t, shared.radosgw, 4)
	u.do(chromedp.Reload())
	u.awaitText(30*time.Second, longFile.name+" stopped at")
	u.exec(`uploader._options.objectProperties.bucket = (id) => uploader.getFile(id).name`)
	u.discard()
}

// discard clicks Discard and waits until the page offers no upload to resume.
func (u *interruptedUpload) discard() {
	u.t.Helper()
	u.do(chromedp.Click(chromedp.CSS(`#unfinished button`), chromedp.NodeVisible))
	eventually(u.t, 30*time.Second, "the page offers no upload to resume", func() bool {
		return eval[int](u.tab, `document.querySelectorAll("#unfinished li").length`) == 0
	})
}

// addBadRecords adds a record that is older than a week, and one that is no JSON.
const addBadRecords = `(async () => {
	const [key, text] = Object.entries(localStorage).find(([key]) => key.startsWith("qqs3resume"));
	localStorage.setItem("qqs3resume5.0-broken", "{");
	const old = {...JSON.parse(text), name: "old.bam", uuid: "old", lastUpdated: Date.now() - 8 * 24 * 3600 * 1000};
	const database = await new Promise((resolve) =>
		Object.assign(indexedDB.open("s3-sign-srv"), {onsuccess: (e) => resolve(e.target.result)}));
	const writing = database.transaction("records", "readwrite");
	writing.objectStore("records").put(JSON.stringify(old), key.replace("long.bam", "old.bam"));
	await new Promise((resolve) => writing.oncomplete = resolve);
})()`

// The page offers the uploads of earlier visits that may still be in the store. Discard aborts them there too. An
// invalid record does not stop the page.
func TestOldRecords(t *testing.T) {
	t.Parallel()
	// the page aborts once more, later
	u := startInterruptedFile(t, shared.radosgw, 4, longFile.path(), networkErrors...)
	u.do(chromedp.Reload())
	u.awaitText(30*time.Second, longFile.name+" stopped at")
	u.exec(addBadRecords)
	u.do(chromedp.Reload())
	u.awaitText(30*time.Second, longFile.name+" stopped at")
	const offers = `[...document.querySelectorAll("#unfinished span")].map((item) => item.textContent)`
	if items := eval[[]string](u.tab, offers); len(items) != 1 {
		t.Errorf("uploads that the page offers to resume: got %q, want one", items)
	}
	u.screenshot("unfinished")
	u.proxy.reset()
	u.proxy.unblock()
	u.discard()
	u.bucket.awaitUnfinished(t, 0)
	u.do(chromedp.Reload())
	u.awaitText(30*time.Second, "Drop files here")
	const records = `Object.keys(localStorage).filter((key) => key.startsWith("qqs3resume")).length`
	if left := eval[int](u.tab, records); left != 0 {
		t.Errorf("records after the discard: got %d, want none", left)
	}
}
