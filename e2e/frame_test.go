//go:build e2e

package e2e

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// With the lines of docs/production.md in nginx.conf, the page runs in a frame of one site, and of no other.
func TestFrame(t *testing.T) {
	t.Parallel()
	b := newBucket(t, shared.radosgw)
	other := serveSite(t)
	srv := startServer(t, newWorkDir(t), settingsFor(b, pathStyle.endpoint(b.port)).with(ownUploadsOnly))
	text, err := os.ReadFile("../docs/production.md")
	if err != nil {
		t.Fatal(err)
	}
	lines := regexp.MustCompile("(?s)```nginx\n(map .*?\n})\n\nserver {\n(.*?)}\n```").FindStringSubmatch(string(text))
	if lines == nil {
		t.Fatal("docs/production.md has no map and server block for nginx")
	}
	policy := strings.ReplaceAll(lines[1], "https://app.example.org", other.at("app.localhost"))
	url := startNginx(t, srv.port(), srv.port(),
		[2]string{` *add_header Strict-Transport-Security.*`, lines[2]}, [2]string{`(?s)^`, policy + "\n"})
	isRunning := func() bool { return strings.Contains(srv.output.String(), "path=/s3/session") }
	for _, site := range []struct {
		name    string
		allowed bool
	}{{"evil.localhost", false}, {"app.localhost", true}} {
		page := openTab(t, "about:blank", `frame-ancestors`, `chrome-error`)
		page.do(ignoreCertificateErrors, chromedp.Navigate(other.at(site.name)+"/empty"))
		page.exec(`new Promise((resolve) => {
			const frame = Object.assign(document.createElement("iframe"), {src: %s, onload: resolve});
			document.body.append(frame);
		})`, url)
		if site.allowed {
			eventually(t, 30*time.Second, "the page runs in the frame", isRunning)
		} else if isRunning() || !matches(page.console.String(), []string{"frame-ancestors"}) {
			t.Errorf("%s may frame the page", site.name)
		}
	}
}
