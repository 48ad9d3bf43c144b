//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// When the server answers a success report with 404, the page shows the server's message, not a setup error.
func TestSuccessWithoutObject(t *testing.T) {
	t.Parallel()
	p := openProxiedPage(t, -1)
	p.proxy.respondTo(hasMethod(http.MethodHead), func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusNotFound)
	})
	p.choose(smallFile)
	p.awaitText(30*time.Second, "The S3 store shows no object under this key; upload the file again")
	p.awaitText(time.Second, "Reference ")
	if p.showsSetupError() {
		t.Error("the page shows a setup error")
	}
}

// When earlier uploads cannot be listed, the page says so. What the server says about the store then takes precedence
// over what the browser can only guess.
func TestEarlierUploadsUnavailable(t *testing.T) {
	t.Parallel()
	p := openProxiedPage(t, -1)
	p.choose(smallFile)
	p.awaitStatus(30*time.Second, 1, done)
	p.proxy.disconnect()
	p.do(chromedp.Reload())
	unreachable := "The S3 store at " + loopback(p.proxy.port) + " cannot be reached"
	p.awaitText(60*time.Second, "Earlier uploads cannot be shown. "+unreachable+
		"; try again, and check AWS_ENDPOINT and the network.")
	p.screenshot("no-earlier-uploads")
	p.choose(untypedFile)
	p.awaitText(60*time.Second, "The signing server cannot, either: "+unreachable)
	p.proxy.restore()
	p.awaitStatus(60*time.Second, 1, done)
	p.do(chromedp.Reload())
	p.awaitStatus(30*time.Second, 2, done)
}

// File names are shown as they are, also with replacement patterns of String.replace and with bidirectional controls.
func TestFileNamesInMessages(t *testing.T) {
	t.Parallel()
	const turned = "\u202egnp.exe"
	p := openProxiedPage(t, -1)
	for i, name := range []string{"dollar $& $1 $$.txt", turned + ".txt"} {
		p.chooseFile(ownFile(t, name, []byte("x")))
		p.awaitStatus(30*time.Second, 1, done)
		p.click(i, "delete")
		want := "Delete \u2068" + name + "\u2069 from the bucket? This cannot be undone."
		const dialog = `document.querySelector("dialog[open] .qq-dialog-message-selector")?.textContent ?? ""`
		eventually(t, 30*time.Second, want, func() bool { return eval[string](p.tab, dialog) == want })
		p.screenshot(fmt.Sprintf("confirm-%d", i))
		p.confirm()
		p.awaitDeleted(i)
	}
	p.chooseFile(ownFile(t, turned+" $&.txt", nil))
	p.awaitText(30*time.Second, turned+" $&.txt is empty and was not added.")
}

// When the store rejects an upload because its parts are too small, the page says so and sends the parts once.
func TestSmallParts(t *testing.T) {
	t.Parallel()
	b := newBucket(t, shared.radosgw)
	proxy := startHTTPProxy(t, b.port, -1)
	dir := newWorkDir(t)
	appendFile(t, filepath.Join(dir, "client_conf.js"), "\nfine_u_conf.chunking.partSize = 1024 * 1024;\n")
	srv := startServer(t, dir, settingsFor(b, pathStyle.endpoint(proxy.port)))
	page := openTab(t, srv.url, networkErrors...)
	page.choose(readsFile)
	page.awaitStatus(60*time.Second, 1, failed)
	page.awaitText(time.Second, "The parts are smaller than the store accepts; "+
		"set chunking.partSize in client_conf.js to 5 MiB or more.")
	if text := eval[string](page, `document.querySelector("[data-role=status]").textContent`); text != "Failed" {
		t.Errorf("status on the page: got %q, want %q", text, "Failed")
	}
	if sent := proxy.partsSent(); sent != 6 {
		t.Errorf("parts sent: got %d, want 6", sent)
	}
}

// A browser that stores nothing for the page denies access to its locks too. Uploads work all the same, and nothing is
// thrown that is not caught: that would be an error on the console.
func TestLocksDenied(t *testing.T) {
	t.Parallel()
	b := newBucket(t, shared.radosgw)
	dir := newWorkDir(t)
	appendFile(t, filepath.Join(dir, "client_conf.js"), `
navigator.locks.query = navigator.locks.request = function () {
  return Promise.reject(new DOMException("The request was denied.", "SecurityError"));
};
`)
	page := openTab(t, startServer(t, dir, settingsFor(b, pathStyle.endpoint(b.port))).url)
	page.choose(smallFile)
	u := page.awaitStatus(30*time.Second, 1, done)[0]
	b.checkObject(t, u.Key, smallFile, page.dataset())
}

// The page reports an error in client_conf.js with its line, also if the file declares its variable with const.
func TestClientConfFailsWithConst(t *testing.T) {
	t.Parallel()
	b := newBucket(t, shared.radosgw)
	dir := newWorkDir(t)
	const conf = "const fine_u_conf = {\n  element: missing.element\n};\n"
	if err := os.WriteFile(filepath.Join(dir, "static", "client_conf.js"), []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	srv := startServer(t, dir, settingsFor(b, pathStyle.endpoint(b.port)))
	page := openTab(t, srv.url, `missing is not defined`)
	page.awaitText(30*time.Second, "client_conf.js does not work.")
	page.awaitText(time.Second, "Line 2: ReferenceError: missing is not defined.")
}
