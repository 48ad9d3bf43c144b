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

// startBrowser starts a Chromium, of Debian's package of that name, with a profile that it makes if there is none.
func startBrowser(name, profile string) (browser context.Context, stop func(), err error) {
	path, err := exec.LookPath(name)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: apt-get install -y %s", err, name)
	}
	allocator, cancel := chromedp.NewExecAllocator(context.Background(),
		chromedp.ExecPath(path),
		chromedp.UserDataDir(profile),
		chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("host-resolver-rules", "MAP "+elsewhere+" 127.0.0.1"),
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true),
		// Chromium's own page behind the address bar takes a third of a core here as long as chromedp is there
		chromedp.Flag("disable-features", "WebUIOmniboxPopup,WebUIOmniboxAimPopup,WebUIOmniboxFullPopup"),
	)
	// a Chromium that is newer than chromedp sends events that chromedp reports as errors
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

// openTab opens url. When the test ends, the page must have written no error to the console, and
// have met no security violation, but those that match one of the patterns in expected.
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

// do runs browser actions, each bounded in time.
func (p *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	for _, step := range steps {
		run(p, step)
	}
}

func run[T any](p *tab, a chromedp.Action[T]) T {
	p.t.Helper()
	v, err := tried(p, a)
	if err != nil {
		p.t.Fatalf("browser: %v\nconsole:\n%s", err, p.console)
	}
	return v
}

func tried[T any](p *tab, a chromedp.Action[T]) (T, error) {
	ctx, cancel := context.WithTimeout(p.ctx, time.Minute)
	defer cancel()
	return chromedp.Run(ctx, a)
}

// eval evaluates a JavaScript expression in the page; %s in it become the arguments, as JSON.
func eval[T any](p *tab, expression string, args ...any) T {
	p.t.Helper()
	return run(p, evaluation[T](p, expression, args...))
}

// read is eval of an expression that changes nothing: where the page goes away meanwhile, the next one is read.
func read[T any](p *tab, expression string, args ...any) (v T) {
	p.t.Helper()
	eventually(p.t, 30*time.Second, "a page that stays", func() (stays bool) {
		v, stays = glance[T](p, expression, args...)
		return stays
	})
	return v
}

// glance is eval of an expression that changes nothing; it is not there if the page goes away meanwhile.
func glance[T any](p *tab, expression string, args ...any) (v T, there bool) {
	p.t.Helper()
	v, err := tried(p, evaluation[T](p, expression, args...))
	if err != nil && !isNavigation(err) {
		p.t.Fatalf("browser: %v\nconsole:\n%s", err, p.console)
	}
	return v, err == nil
}

// isNavigation reports whether an evaluation failed because another page took the place of the one it was in. The
// protocol has one code for whatever goes wrong in the browser; the sentences are Chromium's.
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

func evaluation[T any](p *tab, expression string, args ...any) chromedp.Action[T] {
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

// command is eval for its effect.
func (p *tab) command(expression string, args ...any) {
	p.t.Helper()
	eval[chromedp.Void](p, expression, args...)
}

// sees waits until the text can be read on the page, or on one that takes its place.
func (p *tab) sees(within time.Duration, text string) {
	p.t.Helper()
	eventually(p.t, within, fmt.Sprintf("%q on the page", text), func() bool {
		shown, there := glance[string](p, `(document.body?.innerText ?? "")`)
		return there && strings.Contains(readable(shown), text)
	})
}

// readable takes away the marks that keep a name in a sentence from turning what is beside it.
func readable(shown string) string {
	return strings.NewReplacer("\u2068", "", "\u2069", "").Replace(shown)
}

// checkConsole fails the test for every error on the console that was not expected.
func (p *tab) checkConsole(expected []string) {
	const last = "the test is over"
	p.command(`console.debug(%s)`, last)
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

// A console keeps what a page writes to it, uncaught exceptions and what the browser says about the page.
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

// has reports whether text was written; messages arrive in their order, so all before it are there too.
func (c *console) has(text string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.ContainsFunc(c.messages, func(m chromedp.ConsoleMessage) bool { return m.Text == text })
}

// errors returns the messages that an attentive developer would want to know the reason of.
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
