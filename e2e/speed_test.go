//go:build e2e && speed

package e2e

import (
	"context"
	"crypto/sha256"
	"flag"
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

// rounds is how often each measurement is repeated.
var rounds = flag.Int("rounds", 5, "how often to repeat each measurement")

// TestSpeedUpload measures the cost of signature version 4 in the browser: Chromium uploads a file of 200 MB to
// radosgw, over loopback and at the speed of real networks. It fails only if an upload fails. Run it alone on a quiet
// machine, as make bench-browser does.
func TestSpeedUpload(t *testing.T) {
	file := testFile{"200 MB.bam", 200 * mb}
	if err := os.WriteFile(file.path(), file.content(), 0o600); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(file.path())
	browser, stop, err := startBrowser("chromium", filepath.Join(t.TempDir(), "profile"))
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	for _, network := range []connection{
		{"loopback", 0, (*server).localURL},
		{"loopback, plain HTTP from another machine", 0, (*server).remoteURL},
		{"1 Gbit/s", 8 * time.Nanosecond, (*server).localURL},
		{"1 Gbit/s, plain HTTP from another machine", 8 * time.Nanosecond, (*server).remoteURL},
		{"200 Mbit/s", 40 * time.Nanosecond, (*server).localURL},
	} {
		t.Run(network.name, func(t *testing.T) {
			took := map[int][]timing{}
			for range *rounds {
				for _, version := range []int{2, 4} {
					took[version] = append(took[version], timeUpload(t, browser, file, version, network))
				}
			}
			ratio := median(took[4], elapsedOf).Seconds() / median(took[2], elapsedOf).Seconds()
			t.Logf("version 2: %v", summary(took[2]))
			t.Logf("version 4: %v", summary(took[4]))
			t.Logf("version 4 takes %.3f times as long as version 2", ratio)
		})
	}
}

// A connection is a network between browser and store, and the URL of the page.
type connection struct {
	name    string
	perByte time.Duration
	url     func(*server) string
}

// A timing is how long an upload took, and the CPU times meanwhile.
type timing struct {
	elapsed time.Duration
	cpu     cpuTimes
}

func timeUpload(t *testing.T, browser context.Context, file testFile, version int, network connection) timing {
	b := newBucket(t, shared.radosgw)
	port := b.port
	if network.perByte > 0 {
		proxy := startTCPProxy(t, port, 0)
		proxy.slowDown(network.perByte)
		port = proxy.port
	}
	env := settingsFor(b, pathStyle.endpoint(port)).with(settings{"P3S3F_SIGNATURE_VERSION": strconv.Itoa(version)})
	srv := startServer(t, newWorkDir(t), env)
	page, closeTab := newTab(t, browser)
	defer closeTab()
	page.do(chromedp.Navigate(network.url(srv)), chromedp.Func(disableNetworkEvents))
	before := readCPUTimes(t)
	start := time.Now()
	page.choose(file)
	u := page.awaitStatus(2*time.Minute, 1, done)[0]
	took := timing{time.Since(start), readCPUTimes(t).since(before)}
	page.delete(u.ID)
	return took
}

// summary is the median and the range of the elapsed times, and the medians of the CPU times, in seconds.
func summary(uploads []timing) string {
	elapsed := sorted(uploads, elapsedOf)
	text := fmt.Sprintf("%.2f s (%.2f–%.2f); CPU seconds:",
		elapsed[len(elapsed)/2].Seconds(), elapsed[0].Seconds(), elapsed[len(elapsed)-1].Seconds())
	for _, role := range roles {
		cpu := median(uploads, func(u timing) time.Duration { return u.cpu[role] })
		text += fmt.Sprintf(" %s %.2f", role, cpu.Seconds())
	}
	return text
}

func elapsedOf(u timing) time.Duration { return u.elapsed }

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

// disableNetworkEvents saves an event for every request, which users without developer tools do not have either.
func disableNetworkEvents(ctx context.Context, t *chromedp.Target) error {
	_, err := cdp.Call(ctx, t, network.Disable, cdp.Empty{})
	return err
}

// TestSpeedPartHash measures the two steps of a part's digest: the browser copies the part to new memory, and computes
// the hash. It prints medians of forty, in ms.
func TestSpeedPartHash(t *testing.T) {
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
	t.Logf("5 MiB: the browser's digest %.1f ms; copy to new memory %.1f ms, to used memory %.1f ms; Go's SHA-256 %.1f ms",
		costs["digest"], costs["copyToNew"], costs["copyToUsed"], sums[len(sums)/2].Seconds()*1e3)
}

// TestSpeedSlowClients measures the latency of sign requests with and without slow clients, in turn. The best of three
// rounds counts, as the machine may be busy.
func TestSpeedSlowClients(t *testing.T) {
	srv := startServer(t, newWorkDir(t), quietSettings())
	request := srv.partSignRequest(t, 9)
	idle := startLoad(srv, request, keptAlive-busy, 1)
	defer idle.stop()
	measure := func() time.Duration {
		l := startLoad(srv, request, busy, 0)
		time.Sleep(2 * time.Second)
		l.stop()
		l.checkAllCompleted(t)
		slices.Sort(l.latencies)
		return l.latencies[len(l.latencies)*99/100]
	}
	var without, with []time.Duration
	for range 3 {
		without = append(without, measure())
		slow := startSlowClients(t, srv, request)
		with = append(with, measure())
		slow.stop()
	}
	t.Logf("99th percentile without slow clients %v, with %d of them %v", without, slowClientCount, with)
	if slices.Min(with) > 2*slices.Min(without) {
		t.Errorf("slow clients more than double the latency")
	}
}
