//go:build e2e

package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// Whoever has no mouse can choose, see what is going on, and delete; and never loses the place on the page.
func TestKeyboardOnly(t *testing.T) {
	t.Parallel()
	b := newBucket(t, shared.radosgw)
	page := openTab(t, startServer(t, newWorkDir(t), settingsFor(b, pathStyle.endpoint(b.port))).url)

	page.tabTo("Choose files") // the file dialog itself is the browser's, not the page's
	page.choose(smallFile)
	page.await(30*time.Second, 1, done)
	page.portray("keyboard-done")

	page.tabTo("Delete hello.txt")
	page.do(chromedp.KeyEvent(kb.Enter))
	page.tabTo("Delete")
	page.portray("keyboard-question")
	page.do(chromedp.KeyEvent(kb.Enter))
	page.awaitGone(0)
	if place := page.focused(); place == "" {
		t.Error("the focus is nowhere after the delete")
	}
	if keys, err := b.keys(t.Context()); err != nil || len(keys) != 0 {
		t.Errorf("after the delete the bucket holds %q, %v", keys, err)
	}
}

// tabTo presses the Tab key until the named control has the focus; once round the page is enough.
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
	p.t.Fatalf("the Tab key does not lead to %q but to %s", name, strings.Join(seen, " › "))
}

// focused is what a screen reader calls the control that has the focus, or "".
func (p *tab) focused() string {
	p.t.Helper()
	return eval[string](p, `(() => {
		const e = document.activeElement;
		return e === document.body ? "" : e.getAttribute("aria-label") || e.title || e.textContent.trim() || e.tagName;
	})()`)
}
