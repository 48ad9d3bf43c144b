//go:build e2e

package e2e

import (
	"bytes"
	"crypto/sha256"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/chromedp/chromedp"
)

// A file that was changed since is another file, though name and size are the same: no old part ends up in it.
func TestChangedFile(t *testing.T) {
	t.Parallel()
	h := uploadHalf(t, shared.radosgw, 4)
	h.do(chromedp.Reload())
	h.sees(30*time.Second, longFile.name+" stopped at")
	h.proxy.reset()
	h.proxy.open()
	changed := bytes.Repeat([]byte("changed "), int(longFile.size)/8)
	h.chooseFile(ownFile(t, longFile.name, changed))
	u := h.await(60*time.Second, 1, done)[0]
	if o := h.bucket.get(t, u.Key); o.size != longFile.size || o.sum != sha256.Sum256(changed) {
		t.Errorf("%d bytes with SHA-256 %x arrived: the old file's parts are among them", o.size, o.sum)
	}
}

// Two tabs do not send the same file: the second says who has it, and the first ends undisturbed.
func TestTwoTabs(t *testing.T) {
	t.Parallel()
	h := uploadHalf(t, shared.radosgw, 4)
	second, leave := newTab(t, h.ctx)
	defer leave()
	second.do(chromedp.Navigate(eval[string](h.tab, `location.href`)))
	second.sees(30*time.Second, "Drop files here")
	if text := eval[string](second, `new Promise((resolve) => setTimeout(() => resolve(document.body.innerText), 500))`); strings.Contains(text, "stopped at") {
		t.Errorf("the second tab offers what the first is uploading:\n%s", text)
	}
	second.choose(longFile)
	second.sees(30*time.Second, longFile.name+" is being uploaded in another tab.")
	h.proxy.open()
	u := h.await(60*time.Second, 1, done)[0]
	h.bucket.holds(t, u.Key, longFile, eval[string](h.tab, `fine_u_conf.request.params.dataset`))
	if list := second.uploads(); len(list) != 1 || list[0].Status != "rejected" {
		t.Errorf("the second tab has %+v", list)
	}
}

// What another tab has taken up since it was listed is not discarded.
func TestDiscardInTwoTabs(t *testing.T) {
	t.Parallel()
	h := uploadHalf(t, shared.radosgw, 4)
	h.do(chromedp.Reload())
	h.sees(30*time.Second, longFile.name+" stopped at")
	second, leave := newTab(t, h.ctx)
	defer leave()
	second.do(chromedp.Navigate(eval[string](h.tab, `location.href`)))
	second.choose(longFile)
	second.sees(30*time.Second, "Resuming at")
	h.do(chromedp.Click(chromedp.CSS(`#unfinished button`), chromedp.NodeVisible))
	h.awaitNothingOffered()
	h.proxy.reset()
	h.proxy.open()
	u := second.await(60*time.Second, 1, done)[0]
	h.bucket.holds(t, u.Key, longFile, eval[string](second, `fine_u_conf.request.params.dataset`))
	if begun := eval[int](second, `performance.getEntriesByType("resource").filter(({ name }) => name.endsWith("?uploads")).length`); begun != 0 {
		t.Error("the upload that went on in the other tab was aborted, and began anew")
	}
}

// What cannot be found in the store is discarded here.
func TestDiscardWithoutBucket(t *testing.T) {
	t.Parallel()
	h := uploadHalf(t, shared.radosgw, 4)
	h.do(chromedp.Reload())
	h.sees(30*time.Second, longFile.name+" stopped at")
	h.command(`uploader._options.objectProperties.bucket = (id) => uploader.getFile(id).name`)
	h.do(chromedp.Click(chromedp.CSS(`#unfinished button`), chromedp.NodeVisible))
	h.awaitNothingOffered()
}

func (h *halfway) awaitNothingOffered() {
	h.t.Helper()
	eventually(h.t, 30*time.Second, "nothing is offered", func() bool {
		return eval[int](h.tab, `document.querySelectorAll("#unfinished li").length`) == 0
	})
}

// Of what earlier visits left, the page offers what may still be there, and discards what it is told to, in the store
// as well; what is no record does not keep it from starting.
func TestOldRecords(t *testing.T) {
	t.Parallel()
	h := uploadHalfOf(t, shared.radosgw, 4, longFile.path(), expectedOfBreaks...) // the store is asked once more, later
	h.do(chromedp.Reload())
	h.sees(30*time.Second, longFile.name+" stopped at")
	h.command(`(async () => {
		const [key, text] = Object.entries(localStorage).find(([key]) => key.startsWith("qqs3resume"));
		localStorage.setItem("qqs3resume5.0-broken", "{");
		const old = {...JSON.parse(text), name: "old.bam", uuid: "old", lastUpdated: Date.now() - 8 * 24 * 3600 * 1000};
		const database = await new Promise((resolve) => Object.assign(indexedDB.open("s3-sign-srv"), {onsuccess: (e) => resolve(e.target.result)}));
		const writing = database.transaction("records", "readwrite");
		writing.objectStore("records").put(JSON.stringify(old), key.replace("long.bam", "old.bam"));
		await new Promise((resolve) => writing.oncomplete = resolve);
	})()`)
	h.do(chromedp.Reload())
	h.sees(30*time.Second, longFile.name+" stopped at")
	if items := eval[[]string](h.tab, `[...document.querySelectorAll("#unfinished span")].map((item) => item.textContent)`); len(items) != 1 {
		t.Errorf("the page offers %q", items)
	}
	h.portray("unfinished")
	h.proxy.reset()
	h.proxy.open()
	h.do(chromedp.Click(chromedp.CSS(`#unfinished button`), chromedp.NodeVisible))
	h.awaitNothingOffered()
	h.bucket.awaitUnfinished(t, 0)
	h.do(chromedp.Reload())
	h.sees(30*time.Second, "Drop files here")
	if left := eval[int](h.tab, `Object.keys(localStorage).filter((key) => key.startsWith("qqs3resume")).length`); left != 0 {
		t.Errorf("%d records are left", left)
	}
}

// A file that is changed on the disk while it goes up is no matter of the network or the signature.
func TestUnreadableFile(t *testing.T) {
	t.Parallel()
	const sentence = "The file cannot be read any more: it was changed, moved or removed. Choose it again."
	forEachSigner(t, func(t *testing.T, s *store, version int) {
		path := ownFile(t, "growing.bam", longFile.content())
		h := uploadHalfOf(t, s, version, path, `net::ERR_`, `Fine Uploader`)
		appendFile(t, path, "more")
		h.proxy.open()
		h.sees(30*time.Second, sentence)
		h.sees(30*time.Second, "Failed")
		if keys, err := h.bucket.keys(t.Context()); err != nil || len(keys) != 0 {
			t.Errorf("the bucket holds %q, %v", keys, err)
		}
	})
}

// Without the ETag of its parts no file can be put together: the page says so at the first part, and sends no more.
func TestHiddenETag(t *testing.T) {
	t.Parallel()
	b := newBucket(t, shared.radosgw)
	list, err := b.client.GetBucketCors(t.Context(), &s3.GetBucketCorsInput{Bucket: &b.name})
	if err != nil {
		t.Fatal(err)
	}
	list.CORSRules[0].ExposeHeaders = nil
	hide := s3.PutBucketCorsInput{Bucket: &b.name}
	hide.CORSConfiguration = &types.CORSConfiguration{CORSRules: list.CORSRules}
	if _, err := b.client.PutBucketCors(t.Context(), &hide); err != nil {
		t.Fatal(err)
	}
	l := startLine(t, b.port, -1)
	page := openTab(t, startServer(t, newWorkDir(t), settingsFor(b, pathStyle.endpoint(l.port))).url, `Refused to get unsafe header`, `Fine Uploader`, `net::ERR_`)
	page.choose(longFile)
	page.sees(30*time.Second, "The bucket's CORS rules hide the ETag of what is stored.")
	page.sees(time.Second, "bin/s3-sign-srv cors -env my_p3s3f.env -origin http://localhost:")
	page.await(30*time.Second, 1, failed)
	page.portray("setup hidden ETag")
	if sent := l.sent(); sent > 3 {
		t.Errorf("%d parts were sent in vain", sent)
	}
}

// ownFile writes a file that a test may change.
func ownFile(t *testing.T, name string, content []byte) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// chooseFile picks any file in the page's own file dialog.
func (p *tab) chooseFile(path string) {
	p.t.Helper()
	p.do(chromedp.SetUploadFiles(chromedp.CSS(`input[type=file]`), []string{path}))
}
