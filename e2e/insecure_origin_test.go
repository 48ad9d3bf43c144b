//go:build e2e

package e2e

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// remoteHost is a name of this machine that browsers take for another machine. Pages from it over plain HTTP have no
// secure context: no SHA-256, no locks between tabs, and more.
const remoteHost = "remote.test"

// openerPolicy matches Chromium's warning that it ignores this header there.
const openerPolicy = "Cross-Origin-Opener-Policy"

// On a page over plain HTTP from another machine, an interrupted upload continues after a reload too, and users can
// see and delete their own files.
func TestInsecureOrigin(t *testing.T) {
	t.Parallel()
	for _, version := range []int{2, 4} {
		t.Run(fmt.Sprintf("V%d", version), func(t *testing.T) {
			t.Parallel()
			b := newBucket(t, shared.radosgw)
			proxy := startTCPProxy(t, b.port, inFlight+2*mib) // enough for at least one part
			env := settingsFor(b, pathStyle.endpoint(proxy.port)).with(ownUploadsOnly)
			env["P3S3F_SIGNATURE_VERSION"] = fmt.Sprint(version)
			dir := newWorkDir(t)
			appendFile(t, filepath.Join(dir, "client_conf.js"), threeEqualParts)
			srv := startServer(t, dir, env)
			page := openTab(t, srv.remoteURL(), openerPolicy, `net::ERR_.*partNumber=`, `'beforeunload'`)

			page.choose(longFile)
			eventually(t, 30*time.Second, "the upload is blocked", proxy.limitReached)
			page.awaitStoredPart()
			page.do(chromedp.Reload())
			page.awaitText(30*time.Second, longFile.name+" stopped at")
			proxy.reset()
			proxy.unblock()
			sentBefore := proxy.bytesSent()
			page.choose(longFile)
			u := page.awaitStatus(60*time.Second, 1, done)[0]
			b.checkObject(t, u.Key, longFile, page.dataset())
			sent, missing := proxy.bytesSent()-sentBefore, longFile.size-partSize // one part at least was stored
			if sent > missing+mib {                                               // 1 MiB for all the headers
				t.Errorf("bytes sent after the reload: got %d, want at most the missing %d", sent, missing)
			}

			page.do(chromedp.Reload())
			page.delete(page.awaitStatus(30*time.Second, 1, done)[0].ID)
			if b.has(t, u.Key) {
				t.Errorf("%s was not deleted", u.Key)
			}
		})
	}
}
