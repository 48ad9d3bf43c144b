//go:build e2e

package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// elsewhere is the name of this machine as of another: to a browser, plain HTTP from there is no secure context, and it
// hides from the page its SHA-256, its locks between tabs and more.
const elsewhere = "elsewhere.test"

// openerPolicy is in Chromium's complaint that it has no use for the header there.
const openerPolicy = "Cross-Origin-Opener-Policy"

// On a page that came over plain HTTP from another machine, too, an interrupted upload goes on after a reload, and a
// visitor sees and deletes his own files.
func TestFromElsewhere(t *testing.T) {
	t.Parallel()
	for _, version := range []int{2, 4} {
		t.Run(fmt.Sprintf("V%d", version), func(t *testing.T) {
			t.Parallel()
			b := newBucket(t, shared.radosgw)
			line := startProxy(t, b.port, inFlight+2*mib) // enough for one part at least
			env := settingsFor(b, pathStyle.endpoint(line.port)).with(ownUploadsOnly).with(settings{"P3S3F_SIGNATURE_VERSION": fmt.Sprint(version)})
			page := openTab(t, startServer(t, newWorkDir(t), env).elsewhere(), openerPolicy, `net::ERR_.*partNumber=`, `'beforeunload'`)

			page.choose(longFile)
			eventually(t, 30*time.Second, "the upload is stuck", line.full)
			page.awaitStoredPart()
			page.do(chromedp.Reload())
			page.sees(30*time.Second, longFile.name+" stopped at")
			line.reset()
			line.open()
			sentBefore := line.uploaded()
			page.choose(longFile)
			u := page.await(60*time.Second, 1, done)[0]
			b.holds(t, u.Key, longFile, eval[string](page, `fine_u_conf.request.params.dataset`))
			if sent := line.uploaded() - sentBefore; sent > longFile.size-partSize+mib { // 1 MiB for all the headers
				t.Errorf("%d bytes were sent after the reload, of %d, though a part was stored", sent, longFile.size)
			}

			page.do(chromedp.Reload())
			page.delete(page.await(30*time.Second, 1, done)[0].ID)
			if b.has(t, u.Key) {
				t.Errorf("%s is still there", u.Key)
			}
		})
	}
}
