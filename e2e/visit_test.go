//go:build e2e

package e2e

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// aboutHalf is how many bytes of longFile go up before it stands still: three parts, and the beginning of the next.
const aboutHalf = 3*partSize + mib

// Others that go up in parts: of 12 MB and of 6.
var partsFile, readsFile = testFiles[2], testFiles[4]

// A visit is a page with its own uploads only, whose requests to radosgw go over a line.
type visit struct {
	*tab
	bucket   *bucket
	line     *line
	server   *server
	settings settings
}

// openVisit lets budget bytes of parts through to the store.
func openVisit(t *testing.T, budget int64) visit {
	t.Helper()
	b := newBucket(t, shared.radosgw)
	v := visit{bucket: b, line: startLine(t, b.port, budget)}
	v.settings = settingsFor(b, pathStyle.endpoint(v.line.port)).with(ownUploadsOnly)
	v.server = startServer(t, newWorkDir(t), v.settings)
	v.tab = openTab(t, v.server.url, expectedOfBreaks...)
	return v
}

func (v visit) stuck() {
	v.t.Helper()
	eventually(v.t, 60*time.Second, "the upload is stuck", v.line.stuck)
}

func (v visit) hasButton(id int, button string) bool {
	return eval[bool](v.tab, `document.querySelector(%s).checkVisibility()`, fmt.Sprintf(`[qq-file-id="%d"] .qq-upload-%s-selector`, id, button))
}

func sends(method string) func(*http.Request) bool {
	return func(r *http.Request) bool { return r.Method == method }
}

// holdsAll wants each file in the bucket, whole.
func (v visit) holdsAll(files ...testFile) {
	v.t.Helper()
	for _, f := range files {
		v.bucket.holds(v.t, v.uploadOf(f).Key, f, eval[string](v.tab, `fine_u_conf.request.params.dataset`))
	}
}

// A file that was retried while another goes up waits for its turn: it cannot be retried twice, and when it is cancelled,
// what comes after it goes up as ever.
func TestRetryWhileQueued(t *testing.T) {
	t.Parallel()
	v := openVisit(t, aboutHalf)
	v.choose(longFile)
	v.stuck()
	v.line.answerTo(sends(http.MethodPut), func(w http.ResponseWriter, r *http.Request) { answerAs(w, http.StatusForbidden, "") })
	v.line.reset()
	v.await(30*time.Second, 1, failed)
	v.line.mend()
	v.choose(partsFile)
	v.stuck()
	v.pressMoving(0, "retry")
	v.sees(30*time.Second, "Waiting for its turn")
	if v.hasButton(0, "retry") {
		t.Error("the page offers Retry once more")
	}
	for range 4 {
		v.command(`uploader.retry(0)`)
	}
	v.pressMoving(0, "cancel")
	v.line.open()
	v.await(60*time.Second, 1, done)
	v.choose(readsFile, untypedLongFile, untypedFile, smallFile)
	v.await(60*time.Second, 5, done)
	v.holdsAll(partsFile, readsFile, untypedLongFile, untypedFile, smallFile)
}

// A file that was continued while another goes up can be paused again.
func TestPauseWhileQueued(t *testing.T) {
	t.Parallel()
	v := openVisit(t, aboutHalf)
	v.choose(longFile)
	v.stuck()
	v.pressMoving(0, "pause")
	v.await(30*time.Second, 1, paused)
	v.choose(partsFile)
	v.stuck()
	v.pressMoving(0, "continue")
	v.sees(30*time.Second, "Waiting for its turn")
	v.pressMoving(0, "pause")
	v.await(30*time.Second, 1, paused)
	v.line.open()
	v.await(60*time.Second, 1, done)
	if got := v.await(30*time.Second, 1, paused); got[0].Name != longFile.name {
		t.Errorf("paused is %+v", got)
	}
	v.pressMoving(0, "continue")
	v.await(60*time.Second, 2, done)
	v.holdsAll(longFile, partsFile)
}

// A file that was away and is back again is a file like any other.
func TestFileIsBack(t *testing.T) {
	t.Parallel()
	v := openVisit(t, aboutHalf)
	path := ownFile(t, longFile.name, longFile.content())
	v.chooseFile(path)
	v.stuck()
	v.pressMoving(0, "pause")
	v.await(30*time.Second, 1, paused)
	if err := os.Rename(path, path+".away"); err != nil {
		t.Fatal(err)
	}
	v.pressMoving(0, "continue")
	v.sees(30*time.Second, "The file cannot be read any more")
	v.await(30*time.Second, 1, failed)
	if err := os.Rename(path+".away", path); err != nil {
		t.Fatal(err)
	}
	v.line.answerTo(endsUpload, func(w http.ResponseWriter, r *http.Request) { answerAs(w, http.StatusServiceUnavailable, "") })
	v.line.open()
	v.pressMoving(0, "retry")
	v.sees(60*time.Second, "all of it is sent")
	v.line.mend()
	v.await(60*time.Second, 1, done)
	v.holdsAll(longFile)
}

// A file that is gone is no matter of the set-up, though it be the first.
func TestFirstFileIsGone(t *testing.T) {
	t.Parallel()
	v := openVisit(t, -1)
	path := ownFile(t, "gone.txt", []byte("gone"))
	v.line.answerTo(sends(http.MethodPost), func(w http.ResponseWriter, r *http.Request) { answerAs(w, http.StatusServiceUnavailable, "") })
	v.chooseFile(path)
	v.sees(30*time.Second, "Retrying in")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	v.line.mend()
	v.await(60*time.Second, 1, failed)
	v.sees(30*time.Second, "The file cannot be read any more")
	if v.showsFault() {
		t.Error("the page takes it for a matter of the set-up")
	}
}

// The server has its reasons for a 404, and then its sentence is shown.
func TestReportOfNothing(t *testing.T) {
	t.Parallel()
	v := openVisit(t, -1)
	v.line.answerTo(sends(http.MethodHead), func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusNotFound) })
	v.choose(smallFile)
	v.sees(30*time.Second, "The S3 store shows no object under this key; upload the file again")
	v.sees(time.Second, "Reference ")
	if v.showsFault() {
		t.Error("the page takes it for a matter of the set-up")
	}
}

// Earlier uploads that cannot be listed are not just missing. And what the server says of the store then goes before
// what a browser can only guess.
func TestEarlierUploadsAreNotShown(t *testing.T) {
	t.Parallel()
	v := openVisit(t, -1)
	v.choose(smallFile)
	v.await(30*time.Second, 1, done)
	v.line.cut()
	v.do(chromedp.Reload())
	v.sees(60*time.Second, "Earlier uploads cannot be shown. The S3 store at "+loopback(v.line.port)+" cannot be reached; try again, and check AWS_ENDPOINT and the network.")
	v.portray("no-earlier-uploads")
	v.choose(untypedFile)
	v.sees(60*time.Second, "The signing server cannot, either: The S3 store at "+loopback(v.line.port)+" cannot be reached")
	v.line.mend()
	v.await(60*time.Second, 1, done)
	v.do(chromedp.Reload())
	v.await(30*time.Second, 2, done)
}

// Names that mean something to String.replace, or to the direction of a text, are shown as they are.
func TestNamesInSentences(t *testing.T) {
	t.Parallel()
	const turned = "\u202egnp.exe"
	v := openVisit(t, -1)
	for i, name := range []string{"dollar $& $1 $$.txt", turned + ".txt"} {
		v.chooseFile(ownFile(t, name, []byte("x")))
		v.await(30*time.Second, 1, done)
		v.press(i, "delete")
		want := "Delete \u2068" + name + "\u2069 from the bucket? This cannot be undone."
		eventually(t, 30*time.Second, want, func() bool {
			return eval[string](v.tab, `document.querySelector("dialog[open] .qq-dialog-message-selector")?.textContent ?? ""`) == want
		})
		v.portray(fmt.Sprintf("question-%d", i))
		v.confirm()
		v.awaitGone(i)
	}
	v.chooseFile(ownFile(t, turned+" $&.txt", nil))
	v.sees(30*time.Second, turned+" $&.txt is empty and was not added.")
}

// What is wrong with parts that are too small is said, and the file is sent once.
func TestSmallParts(t *testing.T) {
	t.Parallel()
	b := newBucket(t, shared.radosgw)
	line := startLine(t, b.port, -1)
	dir := newWorkDir(t)
	appendFile(t, filepath.Join(dir, "client_conf.js"), "\nfine_u_conf.chunking.partSize = 1024 * 1024;\n")
	page := openTab(t, startServer(t, dir, settingsFor(b, pathStyle.endpoint(line.port))).url, expectedOfBreaks...)
	page.choose(readsFile)
	page.await(60*time.Second, 1, failed)
	page.sees(time.Second, "The file went up in parts smaller than the store takes; set chunking.partSize in client_conf.js to 5 MiB or more.")
	if text := eval[string](page, `document.querySelector("[data-role=status]").textContent`); text != "Failed" {
		t.Errorf("the page says %q", text)
	}
	if sent := line.sent(); sent != 6 {
		t.Errorf("%d parts were sent of 6", sent)
	}
}

// Who has to log in first is told so on the page.
func TestLoginIsAskedFor(t *testing.T) {
	t.Parallel()
	v := openVisit(t, -1)
	var port int
	if _, err := fmt.Sscanf(v.server.url, "http://localhost:%d", &port); err != nil {
		t.Fatal(err)
	}
	gate := startLine(t, port, -1)
	gate.answerTo(func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/client_conf.js") }, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		io.WriteString(w, `{"error":"Please log in.","id":"1a2b3c4d"}`)
	})
	page := openTab(t, fmt.Sprintf("http://localhost:%d", gate.port), `status of 401`, `client_conf\.js`)
	page.sees(30*time.Second, "The signing server does not let this page start.")
	page.sees(time.Second, "Please log in. (Reference 1a2b3c4d in its log.)")
	page.portray("login")
}

// A browser that keeps nothing for the page refuses to tell of its locks, too. The file goes up all the same, and nothing is
// thrown that nobody catches: that would be an error on the console.
func TestLocksAreDenied(t *testing.T) {
	t.Parallel()
	b := newBucket(t, shared.radosgw)
	dir := newWorkDir(t)
	appendFile(t, filepath.Join(dir, "client_conf.js"), `
navigator.locks.query = navigator.locks.request = function () { return Promise.reject(new DOMException("The request was denied.", "SecurityError")); };
`)
	page := openTab(t, startServer(t, dir, settingsFor(b, pathStyle.endpoint(b.port))).url)
	page.choose(smallFile)
	u := page.await(30*time.Second, 1, done)[0]
	b.holds(t, u.Key, smallFile, eval[string](page, `fine_u_conf.request.params.dataset`))
}

// A client_conf.js that fails half-way is told, however it declares its variable.
func TestBrokenConst(t *testing.T) {
	t.Parallel()
	b := newBucket(t, shared.radosgw)
	dir := newWorkDir(t)
	if err := os.WriteFile(filepath.Join(dir, "static", "client_conf.js"), []byte("const fine_u_conf = {\n  element: missing.element\n};\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	page := openTab(t, startServer(t, dir, settingsFor(b, pathStyle.endpoint(b.port))).url, `missing is not defined`)
	page.sees(30*time.Second, "client_conf.js does not work.")
	page.sees(time.Second, "Line 2: ReferenceError: missing is not defined.")
}
