//go:build e2e

package e2e

import (
	"testing"
	"time"
)

// A halfway is a long upload that is stuck half-way: the browser has seen some of its parts stored.
type halfway struct {
	*tab
	bucket *bucket
	proxy  *proxy
}

// inFlight is how much of a file may be on its way at a time: Fine Uploader's three connections.
const inFlight = 3 * partSize

// uploadHalf uploads longFile until nothing more gets through.
func uploadHalf(t *testing.T, s *store, version int) *halfway {
	t.Helper()
	return uploadHalfOf(t, s, version, longFile.path(), `net::ERR_.*partNumber=`, `'beforeunload'`) // parts are cut off, and pages left
}

// uploadHalfOf uploads a file that has longFile's size, or more. Errors on the console may match those expected.
func uploadHalfOf(t *testing.T, s *store, version int, path string, expected ...string) *halfway {
	t.Helper()
	h := &halfway{bucket: newBucket(t, s)}
	h.proxy = startProxy(t, s.port, inFlight+2*mib) // enough for one part at least
	dir := newWorkDir(t)
	conf := h.bucket.clientConf(pathStyle, h.proxy.port, version)
	conf.more = `
		var partsStored = 0;
		fine_u_conf.callbacks = {onUploadChunkSuccess: function () { partsStored++; }};`
	conf.write(t, dir)
	srv := startServer(t, dir, settingsFor(h.bucket, pathStyle.endpoint(h.proxy.port)))
	h.tab = openTab(t, srv.url, expected...)
	h.chooseFile(path)
	eventually(t, 30*time.Second, "the upload is stuck", h.proxy.full)
	eventually(t, 30*time.Second, "the browser knows of a stored part", func() bool { return h.partsStored() > 0 })
	return h
}

func (h *halfway) partsStored() int64 { return eval[int64](h.tab, `partsStored`) }

// Cancel leaves nothing in the store.
func TestCancelAbortsTheUpload(t *testing.T) {
	t.Parallel()
	forEachSigner(t, func(t *testing.T, s *store, version int) {
		h := uploadHalfOf(t, s, version, longFile.path(), expectedOfBreaks...) // the store is asked once more, later
		if parts, err := h.bucket.unfinished(t.Context()); err != nil || len(parts) != 1 {
			t.Fatalf("before the cancel the store has %d unfinished uploads, %v; want 1", len(parts), err)
		}
		withParts := h.proxy.connections()
		h.press(0, "cancel")
		h.await(30*time.Second, 1, canceled)
		closeAll(withParts) // a part that arrives during the abort makes versitygw answer 500
		h.proxy.open()
		h.bucket.awaitUnfinished(t, 0)
		if keys, err := h.bucket.keys(t.Context()); err != nil || len(keys) != 0 {
			t.Errorf("the cancelled upload left %q, %v", keys, err)
		}
	})
}

// A paused upload goes on where it stopped.
func TestPauseAndContinue(t *testing.T) {
	t.Parallel()
	forEachSigner(t, func(t *testing.T, s *store, version int) {
		h := uploadHalf(t, s, version)
		pictures := s == shared.radosgw && version == 4 // the others look the same
		if pictures {
			h.portray("stuck")
		}
		stored := h.partsStored()
		h.press(0, "pause")
		h.await(30*time.Second, 1, paused)
		h.proxy.reset() // what is in the buffers was not seen to arrive
		h.proxy.open()
		if pictures {
			h.portray("paused")
		}
		sentBefore := h.proxy.uploaded()
		h.press(0, "continue")

		u := h.await(60*time.Second, 1, done)[0]
		h.bucket.holds(t, u.Key, longFile, eval[string](h.tab, `fine_u_conf.request.params.dataset`))
		sent, missing := h.proxy.uploaded()-sentBefore, longFile.size-stored*partSize
		if sent > missing+mib { // 1 MiB for all the headers
			t.Errorf("%d bytes were missing, %d were sent after the pause", missing, sent)
		}
	})
}

// forEachSigner runs the test with each store and each kind of signature it takes.
func forEachSigner(t *testing.T, test func(t *testing.T, s *store, version int)) {
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
