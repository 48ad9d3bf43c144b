//go:build e2e

package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// A newcomer has cloned the project and typed `make run`: the last thing that does is to start the demo.
func TestDemo(t *testing.T) {
	t.Parallel()
	dir := newWorkDir(t)
	srv := launch(t, dir, settings{"P3S3F_HOST_PORT": "0"}, shared.binary, "-demo")
	children := demoChildren(t, srv)
	page := openTab(t, srv.url)
	page.portray("demo-empty")

	page.drop(smallFile)
	page.await(30*time.Second, 1, done)
	page.choose(testFiles...)
	page.await(30*time.Second, 1+len(testFiles), done)
	page.sees(30*time.Second, "12 files: 12 uploaded")
	page.portray("demo-done")
	if names := eval[[]string](page, `[...document.querySelectorAll(".file-name")].map((name) => name.textContent)`); names[0] != testFiles[0].name || names[1] != testFiles[1].name || names[11] != smallFile.name {
		t.Errorf("the last choice is not on top, in its order: %q", names)
	}
	demoData := func(f testFile) string { return filepath.Join(dir, "demo-data", "demo", page.uploadOf(f).Key) }
	for _, f := range append(testFiles, smallFile) {
		if got, err := os.ReadFile(demoData(f)); err != nil || !bytes.Equal(got, f.content()) {
			t.Errorf("%s is not %s byte for byte: %v", demoData(f), f.name, err)
		}
	}

	stored, id := demoData(smallFile), page.uploadOf(smallFile).ID
	page.press(id, "delete")
	page.portray("demo-question")
	page.confirm()
	page.awaitGone(id)
	page.portray("demo-deleted")
	if _, err := os.Stat(stored); !os.IsNotExist(err) {
		t.Errorf("%s is still there after the delete: %v", stored, err)
	}

	srv.end(t, srv.interrupt)
	awaitEnd(t, children)
}

// A demo that is started again goes on where the last one was: same keys, same visitor, same files. Of the
// store's own words at its end nothing is to be seen.
func TestDemoAgain(t *testing.T) {
	t.Parallel()
	dir := newWorkDir(t)
	srv := launch(t, dir, settings{"P3S3F_HOST_PORT": "0"}, shared.binary, "-demo")
	page := openTab(t, srv.url)
	page.choose(smallFile)
	page.await(30*time.Second, 1, done)
	srv.end(t, srv.interrupt)
	if lines := strings.Split(strings.TrimSpace(srv.output.String()), "\n"); len(lines) != 4 { // store, open, challenge, success
		t.Errorf("the demo wrote\n%s", srv.output)
	}

	srv = launch(t, dir, settings{"P3S3F_HOST_PORT": "0"}, shared.binary, "-demo")
	page.do(chromedp.Navigate(srv.url))
	page.sees(30*time.Second, smallFile.name)
	id := page.uploadOf(smallFile).ID
	page.delete(id)
	srv.end(t, srv.interrupt)
}

// A demo that is killed leaves no store behind.
func TestKilledDemo(t *testing.T) {
	t.Parallel()
	srv := launch(t, newWorkDir(t), settings{"P3S3F_HOST_PORT": "0"}, shared.binary, "-demo")
	children := demoChildren(t, srv)
	srv.signal(syscall.SIGKILL)
	awaitEnd(t, children)
}

// demoChildren are the processes that a demo has started, its store at least.
func demoChildren(t *testing.T, srv *server) []int {
	t.Helper()
	pids := descendants(srv.pid())
	if len(pids) == 0 {
		t.Fatal("the demo has not started a store")
	}
	return pids
}

func awaitEnd(t *testing.T, pids []int) {
	t.Helper()
	eventually(t, 30*time.Second, "the end of what the demo started", func() bool {
		for _, pid := range pids {
			if alive(pid) {
				return false
			}
		}
		return true
	})
}
