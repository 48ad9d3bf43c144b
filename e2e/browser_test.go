//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto"
	"github.com/chromedp/chromedp"
)

// startBrowser starts a Chromium from Debian's package of the given name, with an existing or a new profile. Its later
// options take precedence.
func startBrowser(name, profile string, options ...chromedp.ExecAllocatorOption) (
	browser context.Context, stop func(), err error,
) {
	path, err := exec.LookPath(name)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: apt-get install -y %s", err, name)
	}
	options = append([]chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path),
		chromedp.UserDataDir(profile),
		chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("host-resolver-rules", "MAP "+remoteHost+" 127.0.0.1"),
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true),
		// with chromedp, the page behind Chromium's address bar uses a third of a core
		chromedp.Flag("disable-features", "WebUIOmniboxPopup,WebUIOmniboxAimPopup,WebUIOmniboxFullPopup"),
	}, options...)
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	// chromedp reports the events of newer Chromium versions as errors
	browser, _ = chromedp.NewContext(allocator, chromedp.WithErrorf(func(string, ...any) {}))
	if err := chromedp.Do(browser); err != nil {
		cancel()
		return nil, nil, err
	}
	return browser, func() { chromedp.Cancel(browser); cancel() }, nil
}

// A tab has its own cookies and storage, as a browser on another computer would.
type tab struct {
	t       *testing.T
	ctx     context.Context
	console *console
}

// openTab opens url. When the test ends, there must be no errors and no security violations on the console, except
// those that match a pattern in expected.
func openTab(t *testing.T, url string, expected ...string) *tab {
	t.Helper()
	p, closeTab := newTab(t, shared.browser, chromedp.WithNewBrowserContext())
	t.Cleanup(func() {
		p.checkConsole(expected)
		closeTab()
	})
	p.do(chromedp.Navigate(url))
	return p
}

// newTab opens an empty tab.
func newTab(t *testing.T, browser context.Context, options ...chromedp.ContextOption) (p *tab, closeTab func()) {
	ctx, closeTab := chromedp.NewContext(browser, options...)
	p = &tab{t: t, ctx: ctx, console: &console{}}
	go p.console.follow(chromedp.Console(ctx))
	return p, closeTab
}

// do runs browser actions, each with a timeout.
func (p *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	for _, step := range steps {
		run(p, step)
	}
}

func run[T any](p *tab, a chromedp.Action[T]) T {
	p.t.Helper()
	v, err := tryRun(p, a)
	if err != nil {
		p.t.Fatalf("browser: %v\nconsole:\n%s", err, p.console)
	}
	return v
}

func tryRun[T any](p *tab, a chromedp.Action[T]) (T, error) {
	ctx, cancel := context.WithTimeout(p.ctx, time.Minute)
	defer cancel()
	return chromedp.Run(ctx, a)
}

// eval evaluates a JavaScript expression in the page. Each %s in it is replaced with an argument, as JSON.
func eval[T any](p *tab, expression string, args ...any) T {
	p.t.Helper()
	return run(p, evaluateAction[T](p, expression, args...))
}

// evalRetry is eval for an expression without side effects. It evaluates it again if the page is replaced meanwhile.
func evalRetry[T any](p *tab, expression string, args ...any) (v T) {
	p.t.Helper()
	eventually(p.t, 30*time.Second, "the page is not replaced", func() (ok bool) {
		v, ok = evalIfLoaded[T](p, expression, args...)
		return ok
	})
	return v
}

// evalIfLoaded is eval for an expression without side effects. It reports false if the page is replaced meanwhile.
func evalIfLoaded[T any](p *tab, expression string, args ...any) (v T, ok bool) {
	p.t.Helper()
	v, err := tryRun(p, evaluateAction[T](p, expression, args...))
	if err != nil && !isNavigation(err) {
		p.t.Fatalf("browser: %v\nconsole:\n%s", err, p.console)
	}
	return v, err == nil
}

// isNavigation reports whether an evaluation failed because another page replaced the one it ran in. The protocol has
// one code for all errors in the browser, so this compares Chromium's messages.
func isNavigation(err error) bool {
	var e *cdproto.Error
	return errors.As(err, &e) && slices.Contains([]string{
		"Inspected target navigated or closed",
		"Execution context was destroyed.",
		"Cannot find default execution context",
		"Cannot find context with specified id",
		"Promise was collected",
	}, e.Message)
}

// eventually waits until the condition is true, and fails the test when that takes too long.
func eventually(t *testing.T, within time.Duration, what string, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(within); !condition(); time.Sleep(25 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited %v for this: %s", within, what)
		}
	}
}

func evaluateAction[T any](p *tab, expression string, args ...any) chromedp.Action[T] {
	p.t.Helper()
	args = slices.Clone(args)
	for i, a := range args {
		literal, err := json.Marshal(a)
		if err != nil {
			p.t.Fatal(err)
		}
		args[i] = literal
	}
	if len(args) > 0 {
		expression = fmt.Sprintf(expression, args...)
	}
	return chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise)
}

// exec is eval for side effects.
func (p *tab) exec(expression string, args ...any) {
	p.t.Helper()
	eval[chromedp.Void](p, expression, args...)
}

// awaitText waits until the text is on the page, or on one that replaces it.
func (p *tab) awaitText(within time.Duration, text string) {
	p.t.Helper()
	eventually(p.t, within, fmt.Sprintf("%q on the page", text), func() bool {
		shown, ok := evalIfLoaded[string](p, `(document.body?.innerText ?? "")`)
		return ok && strings.Contains(stripIsolates(shown), text)
	})
}

// stripIsolates removes the Unicode isolates that the page puts around file names.
func stripIsolates(shown string) string {
	return strings.NewReplacer("\u2068", "", "\u2069", "").Replace(shown)
}

// checkConsole fails the test for every unexpected error on the console.
func (p *tab) checkConsole(expected []string) {
	const last = "end of the test"
	p.exec(`console.debug(%s)`, last)
	eventually(p.t, 30*time.Second, "the last message on the console", func() bool { return p.console.has(last) })
	times := map[string]int{}
	for _, m := range p.console.errors() {
		if times[m]++; times[m] == 1 && !matches(m, expected) {
			p.t.Errorf("console: %s", m)
		}
	}
	if p.t.Failed() {
		p.t.Logf("console:\n%s", p.console)
	}
}

func matches(text string, patterns []string) bool {
	for _, pattern := range patterns {
		if regexp.MustCompile(pattern).MatchString(text) {
			return true
		}
	}
	return false
}

// A console records a page's messages, its uncaught exceptions, and the browser's messages about the page.
type console struct {
	mu       sync.Mutex
	messages []chromedp.ConsoleMessage
}

func (c *console) follow(messages func(yield func(chromedp.ConsoleMessage, error) bool)) {
	for m, err := range messages {
		if err != nil {
			return // the tab is closed
		}
		c.mu.Lock()
		c.messages = append(c.messages, m)
		c.mu.Unlock()
	}
}

// has reports whether text was written. Messages arrive in order, so all before it have arrived too.
func (c *console) has(text string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.ContainsFunc(c.messages, func(m chromedp.ConsoleMessage) bool { return m.Text == text })
}

// errors returns errors, exceptions, security violations and failed assertions.
func (c *console) errors() (found []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range c.messages {
		if m.Type == chromedp.ConsoleError || m.IsException() || m.Source == "security" || m.Type == "assert" {
			found = append(found, fmt.Sprintf("%s (%s)", m, m.URL))
		}
	}
	return found
}

func (c *console) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var b strings.Builder
	for _, m := range c.messages {
		fmt.Fprintf(&b, "  %.400s\n", m.String())
	}
	return b.String()
}
