//go:build e2e

package e2e

import (
	"io"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

func isReport(r *http.Request) bool { return r.URL.Path == "/s3/success" }

// A reportedPage shows its own uploads only. Its requests to the signing server go through a proxy.
type reportedPage struct {
	bucket *bucket
	server *server
	proxy  *httpProxy
	url    string
}

func startReportedPage(t *testing.T, more settings) reportedPage {
	t.Helper()
	b := newBucket(t, shared.radosgw)
	env := settingsFor(b, pathStyle.endpoint(b.port)).with(ownUploadsOnly).with(more)
	srv := startServer(t, newWorkDir(t), env)
	proxy := startPageProxy(t, srv)
	return reportedPage{b, srv, proxy, strings.Replace(srv.url, srv.port(), strconv.Itoa(proxy.port), 1)}
}

// hookCalls is how often the hook Success was called.
func (p reportedPage) hookCalls() int { return strings.Count(p.server.output.String(), "msg=success") }

// rows is the status and the error of each file on the page, by name.
func (p *tab) rows() map[string]string {
	p.t.Helper()
	return evalRetry[map[string]string](p, `Object.fromEntries([...document.querySelectorAll(".file")].map((row) => [
		row.querySelector(".file-name").textContent,
		["status", "error"].map((role) => row.querySelector("[data-role=" + role + "]"))
			.filter((element) => !element.hidden).map((element) => element.textContent).join(" | "),
	]))`)
}

func (p *tab) awaitRow(name, want string) {
	p.t.Helper()
	eventually(p.t, 60*time.Second, name+": "+want, func() bool { return p.rows()[name] == want })
}

// A file that the hook Success rejects stays rejected when the page is opened again, although the object is in the
// bucket.
func TestRejectedReport(t *testing.T) {
	t.Parallel()
	for _, f := range []testFile{smallFile, readsFile} { // by form, and in parts
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			p := startReportedPage(t, nil)
			var reports atomic.Int32
			p.proxy.respondTo(isReport, func(w http.ResponseWriter, r *http.Request) {
				reports.Add(1)
				w.WriteHeader(http.StatusForbidden)
				io.WriteString(w, `{"error": "The file has a virus.", "id": "1a2b3c"}`)
			})
			page := openTab(t, p.url, `status of 403`, `Fine Uploader`)
			page.choose(f)
			page.awaitStatus(60*time.Second, 1, failed)
			page.awaitText(10*time.Second, "The file has a virus.")
			p.bucket.checkObjectCount(t, 1)

			page.do(chromedp.Reload())
			page.awaitRow(f.name, "Rejected | The file has a virus.")
			page.awaitText(10*time.Second, "1 file: 1 failed")
			page.awaitText(10*time.Second, "Reference 1a2b3c")
			if got := reports.Load(); got != 1 {
				t.Errorf("reports: got %d, want 1", got)
			}
			page.delete(0)
			p.bucket.checkObjectCount(t, 0)
		})
	}
}

// A file that is too large, which shows only when it is stored, is never called uploaded.
func TestTooLargeAfterUpload(t *testing.T) {
	t.Parallel()
	b := newBucket(t, shared.radosgw)
	dir := newWorkDir(t)
	appendFile(t, filepath.Join(dir, "client_conf.js"), `
		var sessionIsShown = false;
		fine_u_conf.callbacks = {onSessionRequestComplete: function () { sessionIsShown = true; }};
		document.addEventListener("DOMContentLoaded", () => { fine_u_conf.validation.sizeLimit = 0; }, {capture: true});`)
	env := settingsFor(b, pathStyle.endpoint(b.port)).with(ownUploadsOnly).with(settings{"P3S3F_MAX_BYTES": "5500000"})
	page := openTab(t, startServer(t, dir, env).url, `status of 403`, `Fine Uploader`)
	page.choose(readsFile)
	page.awaitStatus(60*time.Second, 1, failed)
	page.awaitText(10*time.Second, "this server accepts at most 5500000")
	b.checkObjectCount(t, 1)
	page.do(chromedp.Reload())
	page.awaitText(30*time.Second, "Drop files here")
	eventually(t, 30*time.Second, "the session is shown", func() bool { return eval[bool](page, `sessionIsShown`) })
	if rows := page.rows(); len(rows) != 0 {
		t.Errorf("files after the reload: got %v, want none", rows)
	}
}

// Files that are stored when the browser is killed, before it has reported them, are reported when the page is opened
// again. Of other objects the page says only that they are stored.
func TestReportAfterKill(t *testing.T) {
	t.Parallel()
	p := startReportedPage(t, nil)
	profile := filepath.Join(t.TempDir(), "profile")
	_, closeBrowser := p.openBrowser(t, profile) // Chromium takes half a minute to save a new cookie
	closeBrowser()

	page, closeBrowser := p.openBrowser(t, profile)
	page.choose(umlautsFile)
	page.awaitRow(umlautsFile.name, "Uploaded")
	var reports atomic.Int32
	p.proxy.respondTo(isReport, func(w http.ResponseWriter, r *http.Request) {
		reports.Add(1)
		<-r.Context().Done()
	})
	page.choose(smallFile, readsFile) // by form, and in parts
	eventually(t, 60*time.Second, "both reports are sent", func() bool { return reports.Load() == 2 })
	process := chromedp.FromContext(page.ctx).Browser.Process()
	process.Signal(syscall.SIGKILL)
	eventually(t, 30*time.Second, "the browser exits", func() bool { return !alive(process.Pid) })
	if n := p.hookCalls(); n != 1 {
		t.Fatalf("calls of the hook before the browser is restarted: got %d, want 1", n)
	}

	p.proxy.respondTo(isReport, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	page, closeBrowser = p.openBrowser(t, profile)
	defer closeBrowser()
	page.awaitRow(smallFile.name, "Stored; waiting for the signing server to confirm")
	p.proxy.restore()
	page.awaitRow(smallFile.name, "Uploaded")
	page.awaitRow(readsFile.name, "Uploaded")
	page.awaitRow(umlautsFile.name, "Stored earlier")
	page.awaitText(10*time.Second, "3 files: 2 uploaded, 1 stored earlier")
	if n := p.hookCalls(); n != 3 {
		t.Errorf("calls of the hook for three files: got %d, want 3", n)
	}
	page.do(chromedp.Reload())
	page.awaitText(30*time.Second, "3 files: 3 stored earlier")
	if n := p.hookCalls(); n != 3 {
		t.Errorf("calls of the hook after a reload: got %d, want 3", n)
	}
}

// openBrowser opens the page in a separate Chromium, which keeps cookies and storage in its profile.
func (p reportedPage) openBrowser(t *testing.T, profile string) (page *tab, stop func()) {
	t.Helper()
	browser, stop, err := startBrowser("chromium", profile)
	if err != nil {
		t.Fatal(err)
	}
	page, _ = newTab(t, browser)
	page.do(chromedp.Navigate(p.url))
	page.awaitText(30*time.Second, "Drop files here")
	return page, stop
}
