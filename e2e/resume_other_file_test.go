//go:build e2e

package e2e

import (
	"crypto/sha256"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

const differentSentence = "" +
	"This file differs from the one that was partly uploaded, so it is uploaded from the beginning."

// A file with the name, the size and the time of another one, of which half is stored, gets none of its parts. The
// upload of the other file is aborted.
func TestResumeDifferentFile(t *testing.T) {
	t.Parallel()
	first := longFile.content()
	second := append([]byte(nil), first...)
	for i := 0; i < len(second); i += partSize {
		second[i+partSize/2]++ // one byte in each part
	}
	forEachStoreAndVersion(t, func(t *testing.T, s *store, version int) {
		sentence := differentSentence
		if version == 2 { // with one stored part, it may be that the store's ETags are no MD5
			sentence = "so it is uploaded from the beginning."
		}
		u := startInterruptedFile(t, s, version, oldFile(t, first), networkErrors...)
		u.reload()
		u.chooseFile(oldFile(t, second))
		u.awaitText(30*time.Second, sentence)
		key := u.awaitStatus(60*time.Second, 1, done)[0].Key
		if o := u.bucket.get(t, key); o.size != longFile.size || o.sum != sha256.Sum256(second) {
			t.Errorf("object: got %d bytes with SHA-256 %x, want the second file", o.size, o.sum)
		}
		u.awaitText(30*time.Second, sentence)
		u.bucket.awaitUnfinished(t, 0)
	})
}

// oldFile writes a file that was last changed in 2001.
func oldFile(t *testing.T, content []byte) (path string) {
	t.Helper()
	path = ownFile(t, "data.raw", content)
	at := time.Unix(1e9, 0)
	if err := os.Chtimes(path, at, at); err != nil {
		t.Fatal(err)
	}
	return path
}

// reload opens the page again, with a network.
func (u *interruptedUpload) reload() {
	u.t.Helper()
	u.do(chromedp.Reload())
	u.awaitText(30*time.Second, " stopped at")
	u.proxy.reset()
	u.proxy.unblock()
}

// The same file goes on where it stopped, and no stored part is sent again. Records of earlier versions of the page
// have no digests; then the ETags are compared. Where neither is possible, the file starts over.
func TestResumeSameFile(t *testing.T) {
	t.Parallel()
	const unknown = "This file cannot be compared with the parts that are stored, so it is uploaded from the beginning."
	withETags := func(etag string) string {
		return `delete record.customResumeData; record.chunking.etags.forEach((part) => part.etag = "` + etag + `")`
	}
	for _, c := range []struct {
		name    string
		version int
		change  string // of the resume record, a JavaScript statement
		text    string
	}{
		{"version 2", 2, ``, "Resuming at"},
		{"version 4", 4, ``, "Resuming at"},
		{"version 4, record without digests", 4, `delete record.customResumeData`, "Resuming at"},
		{"version 2, ETags that are no MD5", 2, withETags("no MD5"), unknown},
		{"version 2, ETags of encrypted parts", 2, withETags(strings.Repeat("0a", 16)), unknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			u := startInterruptedFile(t, shared.radosgw, c.version, longFile.path(), networkErrors...)
			missing := longFile.size - u.partsStored()*partSize
			u.reload() // Fine Uploader writes the record whenever a part is stored
			u.exec(`void (() => {
				const [key, text] = Object.entries(localStorage).find(([key]) => key.startsWith("qqs3resume"));
				const record = JSON.parse(text);
				record.lastUpdated++; // for the copy in IndexedDB
				` + c.change + `;
				localStorage.setItem(key, JSON.stringify(record));
			})()`)
			u.do(chromedp.Reload())
			u.awaitText(30*time.Second, " stopped at")
			sentBefore := u.proxy.bytesSent()
			u.choose(longFile)
			u.awaitText(30*time.Second, c.text)
			key := u.awaitStatus(60*time.Second, 1, done)[0].Key
			u.bucket.checkObject(t, key, longFile, u.dataset())
			u.bucket.awaitUnfinished(t, 0)
			sent := u.proxy.bytesSent() - sentBefore
			if resumes := c.text == "Resuming at"; resumes != (sent < missing+mib) { // 1 MiB for all the headers
				t.Errorf("bytes sent after the reload: got %d; %d were missing", sent, missing)
			}
		})
	}
}

// If the script that computes MD5 does not load, the stored parts are kept, and Retry compares them.
func TestResumeWithoutMD5(t *testing.T) {
	t.Parallel()
	expected := append([]string{`md5\.umd`, `rejected onUpload Promise`, `SyntaxError`}, networkErrors...)
	u := startInterruptedFile(t, shared.radosgw, 2, longFile.path(), expected...)
	missing := longFile.size - u.partsStored()*partSize
	script := filepath.Join(u.server.dir, "static", "md5.umd.min.js")
	writeFile(t, script, "not JavaScript")
	u.reload()
	sentBefore := u.proxy.bytesSent()
	u.choose(longFile)
	u.awaitText(30*time.Second, "This file cannot be compared with the parts that are stored, because a script of the "+
		"page did not load. Press Retry, or reload the page and choose the file again.")
	u.awaitStatus(30*time.Second, 1, failed)
	if err := os.Remove(script); err != nil {
		t.Fatal(err)
	}
	u.click(0, "retry")
	u.awaitStatus(60*time.Second, 1, done)
	if sent := u.proxy.bytesSent() - sentBefore; sent > missing+mib {
		t.Errorf("bytes sent after the reload: got %d; %d were missing", sent, missing)
	}
}
