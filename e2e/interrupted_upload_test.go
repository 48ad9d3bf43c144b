//go:build e2e

package e2e

import (
	"testing"
	"time"
)

// An interruptedUpload is a long upload that is blocked half-way. The page knows that some of its parts are stored.
type interruptedUpload struct {
	*tab
	bucket *bucket
	proxy  *tcpProxy
	server *server
}

// inFlight is how many bytes of a file may be on their way: the page sends three parts at a time.
const inFlight = 3 * partSize

// startInterrupted uploads longFile until the proxy blocks.
func startInterrupted(t *testing.T, s *store, version int) *interruptedUpload {
	t.Helper()
	// parts are cut off, and the page is left
	return startInterruptedFile(t, s, version, longFile.path(), `net::ERR_.*partNumber=`, `'beforeunload'`)
}

// startInterruptedFile uploads a file of longFile's size or more. The console may have the expected errors.
func startInterruptedFile(t *testing.T, s *store, version int, path string, expected ...string) *interruptedUpload {
	t.Helper()
	return startInterruptedWith(t, s, version, path, "", expected...)
}

// startInterruptedWith is startInterruptedFile with a script at the end of client_conf.js.
func startInterruptedWith(
	t *testing.T, s *store, version int, path, script string, expected ...string,
) *interruptedUpload {
	t.Helper()
	u := &interruptedUpload{bucket: newBucket(t, s)}
	u.proxy = startTCPProxy(t, s.port, inFlight+2*mib) // enough for at least one part
	dir := newWorkDir(t)
	conf := u.bucket.clientConf(pathStyle, u.proxy.port, version)
	conf.more = `
		var partsStored = 0;
		fine_u_conf.callbacks = {onUploadChunkSuccess: function () { partsStored++; }};` + threeEqualParts + script
	conf.write(t, dir)
	u.server = startServer(t, dir, settingsFor(u.bucket, pathStyle.endpoint(u.proxy.port)))
	u.tab = openTab(t, u.server.url, expected...)
	u.chooseFile(path)
	eventually(t, 30*time.Second, "the upload is blocked", u.proxy.limitReached)
	eventually(t, 30*time.Second, "the page knows of a stored part", func() bool { return u.partsStored() > 0 })
	return u
}

func (u *interruptedUpload) partsStored() int64 { return eval[int64](u.tab, `partsStored`) }

// Cancel leaves nothing in the store.
func TestCancelAborts(t *testing.T) {
	t.Parallel()
	forEachStoreAndVersion(t, func(t *testing.T, s *store, version int) {
		u := startInterruptedFile(t, s, version, longFile.path(), networkErrors...) // the page aborts once more, later
		if uploads := u.bucket.listUnfinished(t); len(uploads) != 1 {
			t.Fatalf("unfinished uploads before the cancel: got %d, want 1", len(uploads))
		}
		withParts := u.proxy.connections()
		u.click(0, "cancel")
		u.awaitStatus(30*time.Second, 1, canceled)
		closeAll(withParts) // versitygw answers 500 if a part arrives during the abort
		u.proxy.unblock()
		u.bucket.awaitUnfinished(t, 0)
		u.bucket.checkObjectCount(t, 0)
	})
}

// A paused upload continues where it stopped.
func TestPauseAndContinue(t *testing.T) {
	t.Parallel()
	forEachStoreAndVersion(t, func(t *testing.T, s *store, version int) {
		u := startInterrupted(t, s, version)
		screenshots := s == shared.radosgw && version == 4 // the others look the same
		if screenshots {
			u.screenshot("blocked")
		}
		stored := u.partsStored()
		u.click(0, "pause")
		u.awaitStatus(30*time.Second, 1, paused)
		u.proxy.reset() // discards what is in the buffers
		u.proxy.unblock()
		if screenshots {
			u.screenshot("paused")
		}
		sentBefore := u.proxy.bytesSent()
		u.click(0, "continue")

		upload := u.awaitStatus(60*time.Second, 1, done)[0]
		u.bucket.checkObject(t, upload.Key, longFile, u.dataset())
		sent, missing := u.proxy.bytesSent()-sentBefore, longFile.size-stored*partSize
		if sent > missing+mib { // 1 MiB for all the headers
			t.Errorf("bytes sent after the pause: got %d, want at most the missing %d", sent, missing)
		}
	})
}

// forEachStoreAndVersion runs the test with each store and each signature version that it supports.
func forEachStoreAndVersion(t *testing.T, test func(t *testing.T, s *store, version int)) {
	run := func(name string, s *store, version int) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, s, version)
		})
	}
	run("radosgw/V2", shared.radosgw, 2)
	run("radosgw/V4", shared.radosgw, 4)
	run("versitygw/V4", startVersitygw(t), 4)
}
