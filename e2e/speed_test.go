//go:build e2e && speed

package e2e

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// rounds is how often each version uploads the file, in turn.
const rounds = 5

// TestSpeed measures what signature version 4 costs the browser: a file of 200 MB, five times with each
// version, in turn, by a whole Chromium, on radosgw. It prints and fails on nothing but a broken upload; run it
// alone on a quiet machine, as make bench-browser does.
func TestSpeed(t *testing.T) {
	file := testFile{"200 MB.bam", 200 * mb}
	if err := os.WriteFile(file.path(), file.content(), 0o600); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(file.path())
	browser, leave, err := startBrowser("chromium", filepath.Join(t.TempDir(), "profile"))
	if err != nil {
		t.Fatal(err)
	}
	defer leave()
	took := map[int][]time.Duration{}
	for range rounds {
		for _, version := range []int{2, 4} {
			took[version] = append(took[version], timeUpload(t, browser, file, version))
		}
	}
	for _, version := range []int{2, 4} {
		slices.Sort(took[version])
		t.Logf("version %d: median %.2f s (%.2f–%.2f s)", version, took[version][rounds/2].Seconds(), took[version][0].Seconds(), took[version][rounds-1].Seconds())
	}
	t.Logf("version 4 takes %.3f times as long as version 2", took[4][rounds/2].Seconds()/took[2][rounds/2].Seconds())
}

func timeUpload(t *testing.T, browser context.Context, file testFile, version int) time.Duration {
	b := newBucket(t, shared.radosgw)
	srv := startServer(t, newWorkDir(t), settingsFor(b, pathStyle.endpoint(b.port)).with(settings{"P3S3F_SIGNATURE_VERSION": strconv.Itoa(version)}))
	page, leave := newTab(t, browser)
	defer leave()
	page.do(chromedp.Navigate(srv.url), chromedp.Func(stopWatching))
	start := time.Now()
	page.choose(file)
	u := page.await(2*time.Minute, 1, done)[0]
	took := time.Since(start)
	page.delete(u.ID)
	return took
}

// stopWatching ends what developer tools cost, which a user does not have open: an event for every request.
func stopWatching(ctx context.Context, t *chromedp.Target) error {
	_, err := cdp.Call(ctx, t, network.Disable, cdp.Empty{})
	return err
}
