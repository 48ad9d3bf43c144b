//go:build e2e

package e2e

import (
	"strconv"
	"testing"
	"time"
)

// The digests that the page's hashing gives Fine Uploader are CryptoJS's, for every length around
// SHA-256's blocks and for a whole part.
func TestDigests(t *testing.T) {
	t.Parallel()
	b := newBucket(t, shared.radosgw)
	srv := startServer(t, newWorkDir(t), settingsFor(b, pathStyle.endpoint(b.port)))
	page := openTab(t, srv.url)
	differing := eval[[]int](page, `(async () => {
		const differing = [];
		for (const size of [0, 1, 55, 56, 57, 63, 64, 65, 119, 120, 1000, 4096, 65535, 5 * 1024 * 1024]) {
			const bytes = new Uint8Array(size).map((_, i) => (i * 31 + size) % 251);
			const slow = qq.CryptoJS.SHA256(qq.CryptoJS.lib.WordArray.create(bytes.slice().buffer)).toString();
			const fast = await new Promise((resolve) => {
				const reader = new FileReader();
				reader.onloadend = (e) => {
					const words = qq.CryptoJS.lib.WordArray.create(e.target.result);
					resolve((words.digest ? "native " : "CryptoJS ") + qq.CryptoJS.SHA256(words).toString());
				};
				reader.readAsArrayBuffer(new Blob([bytes]));
			});
			if (fast !== "native " + slow) differing.push(size);
		}
		return differing;
	})()`)
	if len(differing) != 0 {
		t.Errorf("the digests differ for these sizes: %v", differing)
	}
}

// While parts are hashed and sent under version 4, the page answers: no task holds the main thread for
// long. How long that may be depends on the machine and what else it does, so it is compared with what
// CryptoJS, which would hash in one task, takes for a part in the same page.
func TestPageStaysResponsive(t *testing.T) {
	b := newBucket(t, shared.radosgw)
	srv := startServer(t, newWorkDir(t), settingsFor(b, pathStyle.endpoint(b.port)).with(settings{"P3S3F_SIGNATURE_VERSION": strconv.Itoa(4)}))
	page := openTab(t, srv.url)
	page.command(`globalThis.longTasks = []; new PerformanceObserver((list) => longTasks.push(...list.getEntries().map((e) => e.duration))).observe({type: "longtask"})`)
	page.choose(longFile)
	page.await(30*time.Second, 1, done)
	longest := eval[float64](page, `Math.max(0, ...longTasks)`)
	hashing := eval[float64](page, `(() => {
		const part = new Uint8Array(5 * 1024 * 1024), begin = performance.now();
		qq.CryptoJS.SHA256(qq.CryptoJS.lib.WordArray.create(part.buffer));
		return performance.now() - begin;
	})()`)
	t.Logf("the longest task took %.0f ms; CryptoJS takes %.0f ms for a part", longest, hashing)
	if longest >= hashing {
		t.Errorf("a task of %.0f ms held the page while %s went up", longest, longFile.name)
	}
}
