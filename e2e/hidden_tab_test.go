//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/chromedp"
)

// A hidden tab, whose timers the browser slows down, stores many files as fast as a visible one.
func TestHiddenTab(t *testing.T) {
	t.Parallel()
	const count = 50
	var files []string
	for dir := t.TempDir(); len(files) < count; {
		files = append(files, filepath.Join(dir, fmt.Sprintf("photo %d.jpg", len(files))))
		writeFile(t, files[len(files)-1], "photo")
	}
	chromium, stop, err := startBrowser("chromium", filepath.Join(t.TempDir(), "profile"))
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	b := newBucket(t, shared.radosgw)
	srv := startServer(t, newWorkDir(t), settingsFor(b, pathStyle.endpoint(b.port)))
	page, closePage := newTab(t, chromium)
	defer closePage()
	page.do(chromedp.Navigate(srv.url))
	upload := func(total int) time.Duration {
		start := time.Now()
		page.do(chromedp.SetUploadFiles(chromedp.CSS(`input[type=file]`), files))
		page.awaitStatus(2*time.Minute, total, done)
		return time.Since(start)
	}

	visible := upload(count)
	page.do(chromedp.Func(minimizeWindow))
	eventually(t, time.Minute, "the tab is hidden, and its timers are slow", func() bool {
		return eval[string](page, `document.visibilityState`) == "hidden" && page.chainedTimers() > time.Second
	})
	hidden := upload(2 * count)
	t.Logf("%d files: %v in the visible tab, %v in the hidden one", count, visible, hidden)
	if hidden > 2*visible+2*time.Second {
		t.Errorf("%d files took %v in the hidden tab and %v in the visible one", count, hidden, visible)
	}
}

// minimizeWindow hides the tab.
func minimizeWindow(ctx context.Context, t *chromedp.Target) error {
	window, err := cdp.Call(ctx, t, browser.GetWindowForTarget, browser.GetWindowForTargetParams{})
	if err != nil {
		return err
	}
	minimized := &browser.Bounds{WindowState: browser.WindowStateMinimized}
	_, err = cdp.Call(ctx, t, browser.SetWindowBounds,
		browser.SetWindowBoundsParams{WindowID: window.WindowID, Bounds: minimized})
	return err
}

// chainedTimers is how long eight timers of 0 ms take, one after the other. When a tab has been hidden for ten seconds,
// Chromium slows down the last ones.
func (p *tab) chainedTimers() time.Duration {
	p.t.Helper()
	const chain = `(async () => {
		const start = performance.now();
		for (let i = 0; i < 8; i++) await new Promise((resolve) => setTimeout(resolve, 0));
		return performance.now() - start;
	})()`
	return time.Duration(eval[float64](p, chain) * float64(time.Millisecond))
}
