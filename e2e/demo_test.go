//go:build e2e

package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// The demo, which make run starts, stores, shows and deletes files.
func TestDemo(t *testing.T) {
	t.Parallel()
	dir := newWorkDir(t)
	srv := launch(t, dir, settings{"P3S3F_HOST_PORT": "0"}, shared.binary, "-demo")
	children := demoChildren(t, srv)
	page := openTab(t, srv.url)
	page.screenshot("demo-empty")

	page.drop(smallFile)
	page.awaitStatus(30*time.Second, 1, done)
	page.choose(testFiles...)
	page.awaitStatus(30*time.Second, 1+len(testFiles), done)
	page.awaitText(30*time.Second, "12 files: 12 uploaded")
	page.screenshot("demo-done")
	names := eval[[]string](page, `[...document.querySelectorAll(".file-name")].map((name) => name.textContent)`)
	if names[0] != testFiles[0].name || names[1] != testFiles[1].name || names[11] != smallFile.name {
		t.Errorf("the files that were chosen last are not on top, in their order: %q", names)
	}
	demoData := func(f testFile) string { return filepath.Join(dir, "demo-data", "demo", page.uploadOf(f).Key) }
	for _, f := range append(testFiles, smallFile) {
		if got, err := os.ReadFile(demoData(f)); err != nil || !bytes.Equal(got, f.content()) {
			t.Errorf("%s does not have the content of %s: %v", demoData(f), f.name, err)
		}
	}

	stored, id := demoData(smallFile), page.uploadOf(smallFile).ID
	page.click(id, "delete")
	page.screenshot("demo-confirm")
	page.confirm()
	page.awaitDeleted(id)
	page.screenshot("demo-deleted")
	if _, err := os.Stat(stored); !os.IsNotExist(err) {
		t.Errorf("%s was not deleted: %v", stored, err)
	}

	srv.shutdown(t, srv.interrupt)
	awaitExit(t, children)
}

// A demo that is restarted has the same keys, the same owner and the same files. What the store writes when it stops is
// not shown.
func TestDemoRestart(t *testing.T) {
	t.Parallel()
	dir := newWorkDir(t)
	srv := launch(t, dir, settings{"P3S3F_HOST_PORT": "0"}, shared.binary, "-demo")
	page := openTab(t, srv.url)
	page.choose(smallFile)
	page.awaitStatus(30*time.Second, 1, done)
	srv.shutdown(t, srv.interrupt)
	lines := strings.Split(strings.TrimSpace(srv.output.String()), "\n")
	if len(lines) != 6 { // store, server started, open, challenge, success, server stopped
		t.Errorf("output of the demo: got %d lines, want 6\n%s", len(lines), srv.output)
	}

	srv = launch(t, dir, settings{"P3S3F_HOST_PORT": "0"}, shared.binary, "-demo")
	page.do(chromedp.Navigate(srv.url))
	page.awaitText(30*time.Second, smallFile.name)
	page.delete(page.uploadOf(smallFile).ID)
	srv.shutdown(t, srv.interrupt)
}

// A demo that is killed leaves no store running.
func TestKilledDemo(t *testing.T) {
	t.Parallel()
	srv := launch(t, newWorkDir(t), settings{"P3S3F_HOST_PORT": "0"}, shared.binary, "-demo")
	children := demoChildren(t, srv)
	srv.signal(syscall.SIGKILL)
	awaitExit(t, children)
}

// demoChildren are the processes that a demo has started. The store must be among them.
func demoChildren(t *testing.T, srv *server) []int {
	t.Helper()
	pids := descendants(srv.pid())
	if len(pids) == 0 {
		t.Fatal("the demo has not started a store")
	}
	return pids
}

func awaitExit(t *testing.T, pids []int) {
	t.Helper()
	eventually(t, 30*time.Second, "the demo's child processes exit", func() bool {
		return !slices.ContainsFunc(pids, alive)
	})
}
