//go:build e2e && speed

package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// TestPageScreenshot takes docs/page.png, the picture of the page in the README: one file is uploading, one waits, one
// is rejected and one is uploaded. Run it as make screenshot.
func TestPageScreenshot(t *testing.T) {
	b := newNamedBucket(t, startVersitygw(t), "my-bucket")
	proxy := startTCPProxy(t, b.port, 0)
	dir := newWorkDir(t)
	appendFile(t, filepath.Join(dir, "client_conf.js"), "fine_u_conf.request.params.dataset = \"trios\";\n")
	srv := startServer(t, dir, settingsFor(b, pathStyle.endpoint(proxy.port)).with(settings{
		"P3S3F_EXAMPLE_ALLOW_SMALL": b.name + "/trios/samples.csv",
		"P3S3F_EXAMPLE_ALLOW_LARGE": b.name + "/trios/NA12878.bam",
	}))
	page := openTab(t, srv.url, `status of 403`, `response code 403`, `not been approved`)
	page.do(colorScheme("light"), chromedp.EmulateViewport(900, 600))
	choose := func(name string, size int64) {
		page.chooseFile(ownFile(t, name, testFile{name, size}.content()))
	}
	choose("samples.csv", 19_400)
	page.awaitStatus(30*time.Second, 1, done)
	choose("holiday.jpg", 2_600_000)
	page.awaitStatus(30*time.Second, 1, failed)
	proxy.slowDown(125 * time.Nanosecond) // 8 MB/s
	choose("NA12878.bam", 84_000_000)
	page.awaitText(30*time.Second, "% of 84 MB")
	choose("NA12891.vcf.gz", 9_400_000)
	progress := regexp.MustCompile(`(4[5-9]|5\d) % of 84 MB, .* left`)
	eventually(t, time.Minute, "half of the file is uploaded", func() bool {
		return progress.MatchString(eval[string](page, `document.body.innerText`))
	})
	page.exec(`document.activeElement.blur()`)
	picture := run(page, chromedp.FullScreenshot(100))
	if err := os.WriteFile("../docs/page.png", picture, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, u := range page.uploads() {
		if u.Status != done && u.Status != failed {
			page.clickByScript(u.ID, "cancel")
		}
	}
	b.awaitUnfinished(t, 0)
}
