//go:build e2e

package e2e

import (
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// An uppyRun is an upload of surveyFile by Uppy. Its requests to the store go through a proxy, which blocks after the
// first half.
type uppyRun struct {
	*uppyPage
	proxy *httpProxy
	known map[part]int // how often each part that was stored then had been sent
}

// startUppyRun uploads the first half.
func startUppyRun(t *testing.T, s *store) *uppyRun {
	t.Helper()
	proxy := startHTTPProxy(t, s.port, firstHalf)
	run := &uppyRun{uppyPage: openUppy(t, newBucket(t, s), proxy.port, uppyErrors...), proxy: proxy}
	run.upload(surveyFile.path())
	eventually(t, 2*time.Minute, "the upload is blocked", proxy.isBlocked)
	run.recordParts()
	return run
}

// recordParts records the parts that are stored, which Uppy must not send again.
func (run *uppyRun) recordParts() {
	run.t.Helper()
	run.known = map[part]int{}
	counts := run.proxy.sendCounts()
	for _, p := range run.proxy.storedParts() {
		run.known[p] = counts[p]
	}
	if len(run.known) != 7 {
		run.t.Fatalf("stored are %d parts, want 7", len(run.known))
	}
}

// finish waits until the file is uploaded and reported, and checks that no known part was sent again.
func (run *uppyRun) finish() {
	run.t.Helper()
	f := run.awaitComplete(2*time.Minute, 1)[0]
	run.checkObject(f.Key, surveyFile)
	run.bucket.checkObjectCount(run.t, 1)
	run.bucket.awaitUnfinished(run.t, 0)
	counts := run.proxy.sendCounts()
	for p, before := range run.known {
		if counts[p] > before {
			run.t.Errorf("part %d was sent again", p.number)
		}
	}
}

// awaitError waits until the file has an error.
func (run *uppyRun) awaitError() {
	run.t.Helper()
	eventually(run.t, 2*time.Minute, "an error", func() bool { return run.files()[0].Error != "" })
}

// The upload is finished whatever happens in its middle, and no part is sent twice.
func TestUppySurvives(t *testing.T) {
	t.Parallel()
	versitygw := startVersitygw(t)
	for _, c := range []struct {
		name    string
		store   *store
		disrupt func(*uppyRun)
	}{
		{"pause", versitygw, (*uppyRun).pause},
		{"reload on radosgw", shared.radosgw, (*uppyRun).reload},
		{"reload on versitygw", versitygw, (*uppyRun).reload},
		{"network away", versitygw, (*uppyRun).loseNetwork},
		{"signer restarted", shared.radosgw, (*uppyRun).restartServer},
		{"store away until Uppy gives up", versitygw, (*uppyRun).resetStore},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			run := startUppyRun(t, c.store)
			c.disrupt(run)
			run.finish()
		})
	}
}

// pause pauses all files and continues.
func (run *uppyRun) pause() {
	run.clickButton(`.uppy-StatusBar-actionCircleBtn[title=Pause]`)
	run.awaitNoPart()
	run.clickButton(`.uppy-StatusBar-actionCircleBtn[title=Resume]`)
}

// awaitNoPart lets the part on its way fail, because the browser has left.
func (run *uppyRun) awaitNoPart() {
	run.t.Helper()
	run.proxy.unblock()
	eventually(run.t, 30*time.Second, "no part is on its way", func() bool { return run.proxy.partsInFlight() == 0 })
	run.recordParts()
}

// reload opens the page again, when Golden Retriever has stored the upload. The file is too large for it, so the user
// chooses it again.
func (run *uppyRun) reload() {
	id := run.files()[0].UploadID
	eventually(run.t, 30*time.Second, "Golden Retriever stores the upload", func() bool {
		return eval[bool](run.tab, `new Promise((resolve, reject) => {
			const open = indexedDB.open("uppy-blobs");
			open.onerror = () => reject(open.error);
			open.onsuccess = () => {
				const all = open.result.transaction("metadata").objectStore("metadata").getAll();
				all.onsuccess = () => { open.result.close(); resolve(JSON.stringify(all.result).includes(%s)); };
			};
		})`, id)
	})
	run.do(chromedp.Navigate("about:blank"))
	run.awaitNoPart()
	run.do(chromedp.Navigate(run.server.url + "/uppy.html"))
	eventually(run.t, 30*time.Second, "the file is restored", func() bool {
		files, ok := evalIfLoaded[int](run.tab, `window.uppy?.getFiles().filter(f => f.isGhost).length ?? 0`)
		return ok && files == 1
	})
	run.clickButton(`.uppy-Dashboard-Item-reSelect`)
	run.upload(surveyFile.path())
}

// loseNetwork disconnects the browser. When the network is back, the plugin continues by itself.
func (run *uppyRun) loseNetwork() {
	run.emulateNetwork(true)
	run.proxy.disconnect()
	run.proxy.unblock()
	run.awaitError()
	run.proxy.restore()
	run.emulateNetwork(false)
	eventually(run.t, 30*time.Second, "Uppy continues", func() bool { return run.files()[0].Error == "" })
}

// restartServer stops the server until the next part has asked in vain for a URL.
func (run *uppyRun) restartServer() {
	run.server.shutdown(run.t, func() { run.server.signal(syscall.SIGTERM) })
	run.exec(`(fetch => globalThis.fetch = (...args) => fetch(...args)
		.catch((err) => { globalThis.failed = true; throw err; }))(globalThis.fetch)`)
	run.proxy.unblock()
	eventually(run.t, 30*time.Second, "a request to the server fails", func() bool {
		return eval[bool](run.tab, `!!globalThis.failed`)
	})
	env := settingsFor(run.bucket, pathStyle.endpoint(run.proxy.port)).with(ownUploadsOnly)
	run.server = startServer(run.t, run.server.dir, env.with(settings{"P3S3F_HOST_PORT": run.server.port()}))
}

// resetStore makes the store unreachable until Uppy gives up. The user clicks Retry.
func (run *uppyRun) resetStore() {
	run.proxy.disconnect()
	run.proxy.unblock()
	run.awaitError()
	run.proxy.restore()
	run.clickButton(`.uppy-StatusBar-actionBtn--retry`)
	eventually(run.t, 30*time.Second, "Uppy continues", func() bool { return run.files()[0].Error == "" })
}

// A cancelled upload leaves nothing in the store.
func TestUppyCancel(t *testing.T) {
	t.Parallel()
	versitygw := startVersitygw(t)
	for _, s := range []*store{shared.radosgw, versitygw} {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			run := startUppyRun(t, s)
			run.proxy.unblock()
			run.clickButton(`.uppy-Dashboard-Item-action--remove`)
			run.bucket.awaitUnfinished(t, 0)
			run.bucket.checkObjectCount(t, 0)
		})
	}
}
