//go:build e2e

package e2e

import (
	"crypto/sha256"
	"net/http"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// With the shipped client_conf.js a long file is uploaded in parts of different sizes, and resumes with them after a
// reload. A small file that is added later does not wait for it.
func TestPartSizes(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"2", "4"} {
		t.Run("version "+version, func(t *testing.T) {
			t.Parallel()
			b := newBucket(t, shared.radosgw)
			proxy := startHTTPProxy(t, b.port, 80*mib)
			env := settingsFor(b, pathStyle.endpoint(proxy.port)).with(ownUploadsOnly)
			env["P3S3F_SIGNATURE_VERSION"] = version
			page := openTab(t, startServer(t, newWorkDir(t), env).url, networkErrors...)
			file := testFile{"growing.bam", 200 * mb}
			content := file.content()
			path := ownFile(t, file.name, content)
			page.chooseFile(path)
			page.choose(smallFile)
			page.awaitStatus(60*time.Second, 1, done)
			eventually(t, time.Minute, "the upload is blocked", proxy.isBlocked)

			stored := len(proxy.storedParts())
			page.awaitStoredPart()
			page.do(chromedp.Reload())
			proxy.reset()
			proxy.unblock()
			page.awaitText(30*time.Second, file.name+" stopped at")
			sent := proxy.partsSent()
			page.chooseFile(path)
			eventually(t, 2*time.Minute, "the file is stored", func() bool { return page.uploadOf(file).Status == done })

			key := page.uploadOf(file).Key
			o := b.get(t, key)
			if o.size != file.size || o.sum != sha256.Sum256(content) {
				t.Errorf("object: got %d bytes with SHA-256 %x, want %d", o.size, o.sum, file.size)
			}
			if most := file.parts() - 1; o.parts >= most || o.parts < 8 {
				t.Errorf("parts: got %d, want 8 to %d, as they grow", o.parts, most)
			}
			if again, most := proxy.partsSent()-sent, int(o.parts)-stored+1; again > most {
				t.Errorf("parts sent after the reload: got %d, want at most %d, as %d were stored", again, most, stored)
			}
		})
	}
}

// A file that waits for a retry does not hold up the others.
func TestRetryHoldsNoPlace(t *testing.T) {
	t.Parallel()
	p := openProxiedPage(t, -1)
	first := true
	p.proxy.respondTo(isInitiate, func(w http.ResponseWriter, r *http.Request) {
		if first {
			first = false
			respondAsStore(w, http.StatusServiceUnavailable, "")
			return
		}
		p.proxy.forward(w, r)
	})
	p.exec(`void (uploader._options.retry.autoAttemptDelay = 3600)`)
	p.choose(longFile)
	p.awaitText(30*time.Second, "Retrying in")
	p.choose(readsFile, smallFile)
	p.awaitStatus(60*time.Second, 2, done)
	p.checkObjects(readsFile, smallFile)
}
