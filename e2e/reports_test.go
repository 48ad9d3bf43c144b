//go:build e2e

package e2e

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
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
func isDelete(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/s3/delete") }

// rejectingHooks makes the server reject each upload while the file "reject" is in its working directory, and list
// nothing.
var rejectingHooks = strings.NewReplacer(
	`	"net/http"`, `	"net/http"`+"\n"+`	"os"`,
	"	return nil, nil\n", `	if _, err := os.Stat("reject"); err == nil {
		return nil, Deny("The file has a virus.")
	}
	return nil, nil
`,
	"	return uploads, nil\n", "	return nil, nil\n",
)

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

// A file that the hook Success rejects is reported again when the page is opened again, and stays rejected. It counts
// as failed, also when its deletion is denied.
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
			if got := reports.Load(); got != 2 {
				t.Errorf("reports: got %d, want 2", got)
			}
			p.proxy.respondTo(isDelete, func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(http.StatusForbidden)
				io.WriteString(w, `{"error": "Not here.", "id": "4d5e6f"}`)
			})
			page.click(0, "delete")
			page.confirm()
			page.awaitRow(f.name, "Not deleted | Not here.")
			page.awaitText(10*time.Second, "1 file: 1 failed")
			p.proxy.restore()
			page.delete(0)
			p.bucket.checkObjectCount(t, 0)
		})
	}
}

// A file that is too large, which shows only when it is stored, is never called uploaded. The list does not have it.
func TestTooLargeAfterUpload(t *testing.T) {
	t.Parallel()
	b := newBucket(t, shared.radosgw)
	dir := newWorkDir(t)
	appendFile(t, filepath.Join(dir, "client_conf.js"), `
		document.addEventListener("DOMContentLoaded", () => { fine_u_conf.validation.sizeLimit = 0; }, {capture: true});`)
	env := settingsFor(b, pathStyle.endpoint(b.port)).with(ownUploadsOnly).with(settings{"P3S3F_MAX_BYTES": "5500000"})
	page := openTab(t, startServer(t, dir, env).url, `status of 403`, `Fine Uploader`)
	page.choose(readsFile)
	page.awaitStatus(60*time.Second, 1, failed)
	page.awaitText(10*time.Second, "this server accepts at most 5500000")
	b.checkObjectCount(t, 1)
	page.do(chromedp.Reload())
	page.awaitRow(readsFile.name, "Rejected | The file has 6000000 bytes, and this server accepts at most 5500000; "+
		"upload a smaller one.")
}

// What a hook rejects, and leaves out of the list, is shown as rejected in the browser that uploaded it, and is
// reported again with each page load, so that a corrected hook accepts it.
func TestRejectingHook(t *testing.T) {
	t.Parallel()
	binary := buildWithHooks(t, rejectingHooks)
	for name, script := range map[string]string{
		"empty list": "",
		"no list": `document.addEventListener("DOMContentLoaded", () => { delete fine_u_conf.session; },
			{capture: true});`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBucket(t, shared.radosgw)
			dir := newWorkDir(t)
			appendFile(t, filepath.Join(dir, "client_conf.js"), script)
			marker := filepath.Join(dir, "reject")
			writeFile(t, marker, "")
			srv := launch(t, dir, settingsFor(b, pathStyle.endpoint(b.port)).with(ownUploadsOnly), binary)
			page := openTab(t, srv.url, `status of 403`, `Fine Uploader`)
			page.choose(smallFile, readsFile) // by form, and in parts
			page.awaitStatus(60*time.Second, 2, failed)
			page.do(chromedp.Reload())
			page.awaitRow(smallFile.name, "Rejected | The file has a virus.")
			page.awaitRow(readsFile.name, "Rejected | The file has a virus.")
			page.awaitText(10*time.Second, "2 files: 2 failed")
			if err := os.Remove(marker); err != nil {
				t.Fatal(err)
			}
			page.do(chromedp.Reload())
			page.awaitRow(smallFile.name, "Uploaded")
			page.awaitRow(readsFile.name, "Uploaded")
			page.delete(0)
			b.checkObjectCount(t, 1)
		})
	}
}

// buildWithHooks builds the server with a changed hooks.go.
func buildWithHooks(t *testing.T, change *strings.Replacer) (binary string) {
	t.Helper()
	path, err := filepath.Abs("../internal/hooks/hooks.go")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	changed, overlay := filepath.Join(dir, "hooks.go"), filepath.Join(dir, "overlay.json")
	writeFile(t, changed, change.Replace(string(source)))
	writeFile(t, overlay, fmt.Sprintf(`{"Replace": {%q: %q}}`, path, changed))
	binary = filepath.Join(dir, "s3-sign-srv")
	build := exec.Command("go", "build", "-overlay", overlay, "-o", binary, "./cmd/s3-sign-srv")
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return binary
}

// Files that are stored when the browser is killed, before it has reported them, are reported when the page is opened
// again. Of other objects the page says only that they are stored.
func TestReportAfterKill(t *testing.T) {
	t.Parallel()
	p := startReportedPage(t, nil)
	profile := filepath.Join(t.TempDir(), "profile")
	_, closeBrowser := p.openBrowser(t, profile) // Chromium takes half a minute to save a new cookie
	closeBrowser()

	page, _ := p.openBrowser(t, profile)
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
