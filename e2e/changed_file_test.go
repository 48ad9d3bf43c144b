//go:build e2e

package e2e

import (
	"fmt"
	"testing"
	"time"
)

const unreadableSentence = "The file cannot be read any more: it was changed, moved or removed. Choose it again."

// silentChanges makes Chromium read files as Firefox does: it does not notice that a file was changed, and reads what
// is there now.
const silentChanges = `
	var mozInnerScreenX = 0, changed = null; // what every file contains once it is changed, a Blob
	["slice", "stream", "arrayBuffer"].forEach(function (name) {
		File.prototype[name] = function (...args) { return Blob.prototype[name].apply(changed || this, args); };
	});`

// A file that changes during its upload is not stored, also in a browser that does not notice the change.
func TestSilentChange(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, change string // a JavaScript expression for the new content
		stored       bool
	}{
		{"unchanged", `null`, true},
		{"other content of the same size", fmt.Sprintf(`new Blob([new Uint8Array(%d)])`, longFile.size), false},
		{"content was added", `new Blob([uploader.getFile(0), "more"])`, false},
	} {
		for _, version := range []int{2, 4} {
			t.Run(fmt.Sprintf("%s/V%d", c.name, version), func(t *testing.T) {
				t.Parallel()
				u := startInterruptedWith(t, shared.radosgw, version, longFile.path(), silentChanges, networkErrors...)
				u.exec(`void (changed = ` + c.change + `)`)
				u.proxy.unblock()
				if c.stored {
					key := u.awaitStatus(60*time.Second, 1, done)[0].Key
					u.bucket.checkObject(t, key, longFile, u.dataset())
					return
				}
				u.awaitStatus(60*time.Second, 1, failed)
				u.awaitText(10*time.Second, unreadableSentence)
				u.bucket.checkObjectCount(t, 0)
				u.clickByScript(0, "cancel")
				u.bucket.awaitUnfinished(t, 0)
			})
		}
	}
}

// The row shows that the file is read again before its parts are combined, and how much of it.
func TestComparisonIsShown(t *testing.T) {
	t.Parallel()
	const slowStream = `
		var goOn, released = new Promise((resolve) => { goOn = resolve; });
		File.prototype.stream = function () {
			return Blob.prototype.stream.call(this).pipeThrough(new TransformStream({
				transform: async (bytes, controller) => { controller.enqueue(bytes); await released; },
			}));
		};`
	u := startInterruptedWith(t, shared.radosgw, 4, longFile.path(), silentChanges+slowStream, networkErrors...)
	u.proxy.unblock()
	u.awaitText(30*time.Second, "Comparing with the stored parts, 0 %")
	u.exec(`goOn()`)
	key := u.awaitStatus(60*time.Second, 1, done)[0].Key
	u.bucket.checkObject(t, key, longFile, u.dataset())
}

// A small file that was changed while it waited is not sent, and the network is not blamed.
func TestChangedWhileQueued(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]string{"reported": "", "silent": silentChanges} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := startInterruptedWith(t, shared.radosgw, 4, longFile.path(), script, `rejected onUpload Promise`)
			for i := range 11 { // with the long file, twelve are uploaded at a time
				u.chooseFile(ownFile(t, fmt.Sprintf("small %d.txt", i), smallFile.content()))
			}
			path := ownFile(t, "queued.txt", smallFile.content())
			u.chooseFile(path)
			u.awaitText(30*time.Second, "Waiting for its turn")
			if script == "" {
				appendFile(t, path, "more")
			} else {
				u.exec(`void (changed = new Blob([uploader.getFile(12), "more"]))`)
			}
			u.exec(`void uploader.cancel(0)`)
			u.proxy.unblock()
			queued := testFile{name: "queued.txt"}
			eventually(t, 60*time.Second, "the file fails", func() bool { return u.uploadOf(queued).Status == failed })
			u.awaitText(10*time.Second, unreadableSentence)
			if key := u.uploadOf(queued).Key; key != "" && u.bucket.has(t, key) {
				t.Errorf("the changed file is stored as %s", key)
			}
		})
	}
}
