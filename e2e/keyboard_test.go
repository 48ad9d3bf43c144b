//go:build e2e

package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// Users without a mouse can choose files, see their status and delete them, and never lose the focus.
func TestKeyboardOnly(t *testing.T) {
	t.Parallel()
	b := newBucket(t, shared.radosgw)
	page := openTab(t, startServer(t, newWorkDir(t), settingsFor(b, pathStyle.endpoint(b.port))).url)

	page.tabTo("Choose files") // the file dialog itself is the browser's
	page.choose(smallFile)
	page.awaitStatus(30*time.Second, 1, done)
	page.screenshot("keyboard-done")

	page.tabTo("Delete hello.txt")
	page.do(chromedp.KeyEvent(kb.Enter))
	page.tabTo("Delete")
	page.screenshot("keyboard-confirm")
	page.do(chromedp.KeyEvent(kb.Enter))
	page.awaitDeleted(0)
	if page.focused() == "" {
		t.Error("no control has the focus after the delete")
	}
	b.checkObjectCount(t, 0)
}

// tabTo presses the Tab key until the named control has the focus, at most once round the page.
func (p *tab) tabTo(name string) {
	p.t.Helper()
	var seen []string
	for range 20 {
		if p.focused() == name {
			return
		}
		p.do(chromedp.KeyEvent(kb.Tab))
		seen = append(seen, p.focused())
	}
	p.t.Fatalf("the Tab key never reaches %q, only %s", name, strings.Join(seen, " › "))
}

// focused is the accessible name of the control that has the focus, or "".
func (p *tab) focused() string {
	p.t.Helper()
	return eval[string](p, `(() => {
		const e = document.activeElement;
		return e === document.body ? "" : e.getAttribute("aria-label") || e.title || e.textContent.trim() || e.tagName;
	})()`)
}
