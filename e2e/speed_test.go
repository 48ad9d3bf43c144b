//go:build e2e && speed

package e2e

import (
	"context"
	"crypto/sha256"
	"fmt"
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
// version, in turn, by a whole Chromium, on radosgw, at once and over lines as browsers have them. It prints
// and fails on nothing but a broken upload; run it alone on a quiet machine, as make bench-browser does.
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
	for _, line := range []struct {
		name string
		pace time.Duration // of one byte
		page func(*server) string
	}{
		{"loopback", 0, (*server).here},
		{"loopback, plain HTTP from elsewhere", 0, (*server).elsewhere},
		{"1 Gbit a second", 8 * time.Nanosecond, (*server).here},
		{"1 Gbit a second, plain HTTP from elsewhere", 8 * time.Nanosecond, (*server).elsewhere},
		{"200 Mbit a second", 40 * time.Nanosecond, (*server).here},
	} {
		t.Run(line.name, func(t *testing.T) {
			took := map[int][]timing{}
			for range rounds {
				for _, version := range []int{2, 4} {
					took[version] = append(took[version], timeUpload(t, browser, file, version, line.pace, line.page))
				}
			}
			t.Logf("version 2: %v", summary(took[2]))
			t.Logf("version 4: %v", summary(took[4]))
			t.Logf("version 4 takes %.3f times as long as version 2", median(took[4], wait).Seconds()/median(took[2], wait).Seconds())
		})
	}
}

// A timing is how long an upload took, and who had the processors meanwhile.
type timing struct {
	wait time.Duration
	work ledger
}

func timeUpload(t *testing.T, browser context.Context, file testFile, version int, pace time.Duration, url func(*server) string) timing {
	b := newBucket(t, shared.radosgw)
	port := b.port
	if pace > 0 {
		line := startProxy(t, port, 0)
		line.slow(pace)
		port = line.port
	}
	srv := startServer(t, newWorkDir(t), settingsFor(b, pathStyle.endpoint(port)).with(settings{"P3S3F_SIGNATURE_VERSION": strconv.Itoa(version)}))
	page, leave := newTab(t, browser)
	defer leave()
	page.do(chromedp.Navigate(url(srv)), chromedp.Func(stopWatching))
	before := ledgerNow(t)
	start := time.Now()
	page.choose(file)
	u := page.await(2*time.Minute, 1, done)[0]
	took := timing{time.Since(start), ledgerNow(t).since(before)}
	page.delete(u.ID)
	return took
}

// summary gives the median and the spread of the waits, and the medians of the work, in seconds.
func summary(uploads []timing) string {
	waits := sorted(uploads, wait)
	text := fmt.Sprintf("%.2f s (%.2f–%.2f); processor seconds:", waits[rounds/2].Seconds(), waits[0].Seconds(), waits[rounds-1].Seconds())
	for _, role := range roles {
		text += fmt.Sprintf(" %s %.2f", role, median(uploads, func(u timing) time.Duration { return u.work[role] }).Seconds())
	}
	return text
}

func wait(u timing) time.Duration { return u.wait }

func median(uploads []timing, of func(timing) time.Duration) time.Duration {
	return sorted(uploads, of)[len(uploads)/2]
}

func sorted(uploads []timing, of func(timing) time.Duration) []time.Duration {
	var times []time.Duration
	for _, u := range uploads {
		times = append(times, of(u))
	}
	slices.Sort(times)
	return times
}

// stopWatching ends what developer tools cost, which a user does not have open: an event for every request.
func stopWatching(ctx context.Context, t *chromedp.Target) error {
	_, err := cdp.Call(ctx, t, network.Disable, cdp.Empty{})
	return err
}

// TestPartCosts measures what the digest of a part consists of: the browser copies the part to new memory, and
// hashes it. Medians of forty, in ms.
func TestPartCosts(t *testing.T) {
	b := newBucket(t, shared.radosgw)
	page := openTab(t, startServer(t, newWorkDir(t), settingsFor(b, pathStyle.endpoint(b.port))).url)
	costs := eval[map[string]float64](page, `(async () => {
		const part = new Uint8Array(5 * 1024 * 1024).map((_, i) => i * 31), used = part.slice();
		const median = async (step) => {
			const took = [];
			for (let i = 0; i < 40; i++) {
				const begin = performance.now();
				await step();
				took.push(performance.now() - begin);
			}
			return took.sort((a, b) => a - b)[took.length / 2];
		};
		return {
			digest: await median(() => crypto.subtle.digest("SHA-256", part)),
			copyToNew: await median(() => part.slice()),
			copyToUsed: await median(() => used.set(part)),
		};
	})()`)
	part, sums := make([]byte, 5<<20), []time.Duration{}
	for range 40 {
		begin := time.Now()
		sha256.Sum256(part)
		sums = append(sums, time.Since(begin))
	}
	slices.Sort(sums)
	t.Logf("5 MiB: the browser's digest %.1f ms; a copy to new memory %.1f ms, to memory used before %.1f ms; SHA-256 alone, by Go, %.1f ms",
		costs["digest"], costs["copyToNew"], costs["copyToUsed"], sums[len(sums)/2].Seconds()*1e3)
}
