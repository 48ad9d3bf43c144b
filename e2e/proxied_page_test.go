//go:build e2e

package e2e

import (
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// firstParts is how many bytes of longFile are uploaded before it is blocked: three parts, and the beginning of the
// next.
const firstParts = 3*partSize + mib

// Other files that are uploaded in parts: of 12 MB and of 6.
var partsFile, readsFile = testFiles[2], testFiles[4]

// threeEqualParts is the end of a client_conf.js with which parts can be counted: three are sent at a time, all of the
// smallest size.
const threeEqualParts = `
	fine_u_conf.chunking.partSize = 5 * 1024 * 1024;
	fine_u_conf.maxConnections = 3;`

// A proxiedPage shows its own uploads only. Its requests to radosgw go through a proxy.
type proxiedPage struct {
	*tab
	bucket   *bucket
	proxy    *httpProxy
	server   *server
	settings settings
}

// openProxiedPage lets budget bytes of parts through to the store.
func openProxiedPage(t *testing.T, budget int64) proxiedPage {
	t.Helper()
	b := newBucket(t, shared.radosgw)
	p := proxiedPage{bucket: b, proxy: startHTTPProxy(t, b.port, budget)}
	p.settings = settingsFor(b, pathStyle.endpoint(p.proxy.port)).with(ownUploadsOnly)
	dir := newWorkDir(t)
	appendFile(t, filepath.Join(dir, "client_conf.js"), threeEqualParts)
	p.server = startServer(t, dir, p.settings)
	p.tab = openTab(t, p.server.url, networkErrors...)
	return p
}

// startPageProxy forwards to the signing server.
func startPageProxy(t *testing.T, srv *server) *httpProxy {
	t.Helper()
	port, err := strconv.Atoi(srv.port())
	if err != nil {
		t.Fatal(err)
	}
	return startHTTPProxy(t, port, -1)
}

func (p proxiedPage) awaitBlocked() {
	p.t.Helper()
	eventually(p.t, 60*time.Second, "the upload is blocked", p.proxy.isBlocked)
}

// awaitAllConnectionsUsed waits until as many parts are on their way as the page sends at once.
func (p proxiedPage) awaitAllConnectionsUsed() {
	p.t.Helper()
	eventually(p.t, 60*time.Second, "three parts are on their way", func() bool { return p.proxy.partsInFlight() == 3 })
}

func (p proxiedPage) hasButton(id int, button string) bool {
	return eval[bool](p.tab, `document.querySelector(%s).checkVisibility()`, buttonSelector(id, button))
}

// checkObjects checks that the bucket has each file, complete.
func (p proxiedPage) checkObjects(files ...testFile) {
	p.t.Helper()
	for _, f := range files {
		p.bucket.checkObject(p.t, p.uploadOf(f).Key, f, p.dataset())
	}
}
