//go:build e2e

package e2e

import (
	"crypto/sha256"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// Of two files with the same key, one is uploaded, and the other one does not replace it. It can be uploaded once the
// first one is deleted.
func TestDuplicateKey(t *testing.T) {
	t.Parallel()
	const sentence = "Another file in this list has the same object key, and this one would overwrite it. " +
		"Delete or remove the other file, then press Retry."
	for _, c := range []struct {
		name, key string // a JavaScript expression
		file      testFile
	}{
		{"file name", `"filename"`, smallFile},
		{"file name, in parts", `"filename"`, readsFile},
		{"function", `function (id) { return "album/" + this.getName(id).toLowerCase(); }`, smallFile},
		{"promise", `async function (id) { return "album/" + this.getName(id); }`, smallFile},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBucket(t, shared.radosgw)
			dir := newWorkDir(t)
			conf := b.clientConf(pathStyle, b.port, 4)
			conf.key = c.key
			conf.write(t, dir)
			page := openTab(t, startServer(t, dir, settingsFor(b, pathStyle.endpoint(b.port))).url, `Fine Uploader`)

			first, second := c.file.content(), append(c.file.content(), "second"...)
			paths := []string{ownFile(t, "image.jpg", first), ownFile(t, "image.jpg", second)}
			page.do(chromedp.SetUploadFiles(chromedp.CSS(`input[type=file]`), paths))
			stored := page.awaitStatus(30*time.Second, 1, done)[0]
			rejected := page.awaitStatus(30*time.Second, 1, failed)[0]
			page.awaitText(10*time.Second, sentence)
			b.checkObjectCount(t, 1)
			want := map[int][]byte{0: first, 1: second}
			if got := b.get(t, stored.Key).sum; got != sha256.Sum256(want[stored.ID]) {
				t.Error("the object is not the file that the page calls uploaded")
			}

			page.delete(stored.ID)
			page.click(rejected.ID, "retry")
			page.awaitStatus(30*time.Second, 1, done)
			if got := b.get(t, stored.Key).sum; got != sha256.Sum256(want[rejected.ID]) {
				t.Error("the object after Delete and Retry is not the second file")
			}
		})
	}
}
