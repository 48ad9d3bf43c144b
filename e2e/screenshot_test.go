//go:build e2e

package e2e

import (
	"context"
	"os"
	"path/filepath"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// screenshot writes pictures of the page for people to look at, in light and dark, for a desktop and a phone:
// screenshots/NAME-….png.
func (p *tab) screenshot(name string) {
	p.t.Helper()
	if err := os.MkdirAll("screenshots", 0o755); err != nil {
		p.t.Fatal(err)
	}
	for _, scheme := range []string{"light", "dark"} {
		p.do(colorScheme(scheme))
		p.do(chromedp.EmulateViewport(1280, 800))
		p.writeScreenshot(name + "-desktop-" + scheme)
		p.do(chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile, chromedp.EmulateTouch, chromedp.EmulateScale(2)))
		p.writeScreenshot(name + "-phone-" + scheme)
	}
	p.do(colorScheme("light"), chromedp.EmulateViewport(1280, 800))
}

func (p *tab) writeScreenshot(name string) {
	p.t.Helper()
	picture := run(p, chromedp.FullScreenshot(100))
	if err := os.WriteFile(filepath.Join("screenshots", name+".png"), picture, 0o644); err != nil {
		p.t.Fatal(err)
	}
}

// colorScheme sets the user's preferred color scheme.
func colorScheme(scheme string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{
				{Name: "prefers-color-scheme", Value: scheme},
				{Name: "prefers-reduced-motion", Value: "reduce"}, // no animations in pictures
			},
		})
		return err
	})
}
