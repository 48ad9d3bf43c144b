//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Before the page is usable, it loads few files, compressed, and on reload only what may have changed.
func TestPageStart(t *testing.T) {
	t.Parallel()
	b := newBucket(t, shared.radosgw)
	dir := newWorkDir(t)
	srv := startServer(t, dir, settingsFor(b, pathStyle.endpoint(b.port)).with(ownUploadsOnly))
	for _, site := range []string{srv.localURL(), srv.remoteURL()} {
		t.Run(site, func(t *testing.T) {
			tab, closeTab := newTab(t, shared.browser, chromedp.WithNewBrowserContext())
			defer closeTab()
			load := watchLoad(tab)
			for _, visit := range []struct {
				name            string
				action          chromedp.Action[chromedp.Void]
				files, maxBytes int
			}{
				{"first visit", chromedp.Navigate(site), 6, 100_000},
				{"reload", chromedp.Reload(), 2, 20_000},
			} {
				tab.do(visit.action)
				eventually(t, 30*time.Second, "the page is usable", load.isComplete)
				files, size := load.result()
				t.Logf("%s: %d bytes in %d files: %s", visit.name, size, len(files), strings.Join(files, " "))
				if len(files) > visit.files || size > visit.maxBytes {
					t.Errorf("%s: got more than %d files or %d bytes", visit.name, visit.files, visit.maxBytes)
				}
				if visit.files == 2 && !slices.Equal(files, []string{"/", "/static/client_conf.js"}) {
					t.Errorf("%s: got other files than / and client_conf.js", visit.name)
				}
			}
			// the browser does not report the requests of workers to the page
			eventually(t, 30*time.Second, "a worker", func() bool { return eval[int](tab, `workers.started`) > 0 })
			if early := eval[int](tab, `workers.startedEarly`); early > 0 {
				t.Errorf("%d workers start before the page is usable", early)
			}
			tab.checkConsole([]string{openerPolicy})
		})
	}
}

// A file that the user replaces takes effect at the next reload, also if the bundle contains it.
func TestReplacedModule(t *testing.T) {
	t.Parallel()
	b := newBucket(t, shared.radosgw)
	dir := newWorkDir(t)
	srv := startServer(t, dir, settingsFor(b, pathStyle.endpoint(b.port)))
	tab := openTab(t, srv.url)
	hasBundle := `document.querySelector("script[type=module]").src.includes("/page.min.js?v=")`
	if !eval[bool](tab, hasBundle) {
		t.Error("the shipped page does not use the bundle")
	}
	appendFile(t, filepath.Join(dir, "static", "messages.js"), "\nglobalThis.replaced = 1;\n")
	appendFile(t, filepath.Join(dir, "static", "page.css"), "\nh1 { letter-spacing: 7px; }\n")
	tab.do(chromedp.Reload())
	tab.choose(smallFile)
	tab.awaitStatus(30*time.Second, 1, done)
	if !eval[bool](tab, `replaced === 1 && getComputedStyle(document.querySelector("h1")).letterSpacing === "7px"`) {
		t.Error("the replaced files have no effect")
	}
	if eval[bool](tab, hasBundle) {
		t.Error("the page uses a bundle of other modules")
	}
}

// A pageLoad records what a page loads from the network before it is usable.
type pageLoad struct {
	mu       sync.Mutex
	document cdp.LoaderID
	isUsable bool
	paths    map[network.RequestID]string
	bytes    map[network.RequestID]int
}

// watchLoad records the loads of a tab. A page is usable when it has set the global uploader.
func watchLoad(tab *tab) *pageLoad {
	tab.t.Helper()
	const usable = "the page is usable"
	load := &pageLoad{}
	err := chromedp.Listen(tab.ctx, func(event any) {
		load.mu.Lock()
		defer load.mu.Unlock()
		switch e := event.(type) {
		case *network.EventRequestWillBeSent:
			if e.Type == network.ResourceTypeDocument {
				load.start(e.LoaderID)
			}
			if address, err := url.Parse(e.Request.URL); err == nil && e.LoaderID == load.document && !load.isUsable {
				load.paths[e.RequestID] = address.Path
			}
		case *network.EventRequestServedFromCache:
			delete(load.paths, e.RequestID)
		case *network.EventResponseReceived:
			if e.Response.FromDiskCache {
				delete(load.paths, e.RequestID)
			}
		case *network.EventLoadingFinished:
			if load.bytes != nil {
				load.bytes[e.RequestID] = int(e.EncodedDataLength)
			}
		case *runtime.EventConsoleAPICalled:
			if len(e.Args) == 1 && string(e.Args[0].Value) == fmt.Sprintf("%q", usable) {
				load.isUsable = true
			}
		}
	})
	if err != nil {
		tab.t.Fatal(err)
	}
	script := fmt.Sprintf(`
		globalThis.workers = {started: 0};
		globalThis.Worker = class extends Worker {
			constructor(...args) { super(...args); workers.started++; }
		};
		Object.defineProperty(globalThis, "uploader", {
			configurable: true,
			set(value) {
				Object.defineProperty(globalThis, "uploader", {value, writable: true});
				workers.startedEarly = workers.started;
				console.debug(%q);
			},
		});
	`, usable)
	tab.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, page.AddScriptToEvaluateOnNewDocument,
			page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
		return err
	}))
	return load
}

// start forgets the previous page.
func (l *pageLoad) start(document cdp.LoaderID) {
	l.document, l.isUsable = document, false
	l.paths, l.bytes = map[network.RequestID]string{}, map[network.RequestID]int{}
}

// isComplete reports whether the page is usable, and all responses until then are known.
func (l *pageLoad) isComplete() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id := range l.paths {
		if _, isFinished := l.bytes[id]; !isFinished {
			return false
		}
	}
	return l.isUsable
}

// result returns the paths, sorted, and how many bytes were transferred.
func (l *pageLoad) result() (paths []string, size int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id := range l.paths {
		size += l.bytes[id]
	}
	return slices.Sorted(maps.Values(l.paths)), size
}
