//go:build e2e

package e2e

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/chromedp"
)

// The page computes the right digests for Fine Uploader: for lengths around SHA-256's block size and for whole parts,
// one after the other and three at once, in memory that is used again. Code that reads a file for another purpose gets
// its content. On a page from another machine, WebAssembly computes the digests.
func TestDigests(t *testing.T) {
	t.Parallel()
	b := newBucket(t, shared.radosgw)
	srv := startServer(t, newWorkDir(t), settingsFor(b, pathStyle.endpoint(b.port)))
	for url, native := range map[string]bool{srv.localURL(): true, srv.remoteURL(): false} {
		t.Run(url, func(t *testing.T) {
			page := openTab(t, url, openerPolicy)
			if got := eval[bool](page, `!!crypto.subtle`); got != native {
				t.Fatalf("the browser has its own SHA-256: got %v, want %v", got, native)
			}
			checkDigests(t, page)
		})
	}
}

func checkDigests(t *testing.T, page *tab) {
	page.exec(`void Object.assign(globalThis, {
		content: (size, seed) => new Uint8Array(size).map((_, i) => (i + seed) % 251),
		read: (bytes) => new Promise((resolve) => {
			const reader = new FileReader();
			reader.onloadend = ({ target }) => target.readyState === FileReader.DONE && !target.error && resolve(target.result);
			reader.readAsArrayBuffer(new Blob([bytes]));
		}),
		digest: async (size, seed) => {
			const words = qq.CryptoJS.lib.WordArray.create(await read(content(size, seed)));
			return (words.digest ? "worker " : "CryptoJS ") + qq.CryptoJS.SHA256(words);
		},
	})`)
	const worker = "worker " // who computed the digest
	for _, size := range []int{0, 1, 55, 56, 57, 63, 64, 65, 119, 120, 1000, 4096, 65535, partSize, partSize, 1000} {
		if got, want := eval[string](page, `digest(%s, %s)`, size, size), worker+digest(size, size); got != want {
			t.Errorf("%d bytes: got %s, want %s", size, got, want)
		}
	}
	for seed := 1; seed < 7; seed += 3 {
		got := eval[[]string](page, `Promise.all([0, 1, 2].map((i) => digest(%s, %s + i)))`, partSize, seed)
		for i, got := range got {
			if want := worker + digest(partSize, seed+i); got != want {
				t.Errorf("part %d of three at once: got %s, want %s", i+1, got, want)
			}
		}
	}
	if !eval[bool](page, `(async () => {
		const kept = await read(content(%s, 7));
		await digest(kept.byteLength, 8);
		return new Uint8Array(kept).every((byte, i) => byte === (i + 7) %% 251);
	})()`, partSize) {
		t.Error("content that was read is overwritten by the next digest")
	}
}

// digest is the SHA-256 of checkDigests' content, in lower-case hex.
func digest(size, seed int) string {
	content := make([]byte, size)
	for i := range content {
		content[i] = byte((i + seed) % 251)
	}
	return fmt.Sprintf("%x", sha256.Sum256(content))
}

// Each part is read once each time that it is sent, and gets its own digest and content in any order.
func TestReadParts(t *testing.T) {
	t.Parallel()
	b := newBucket(t, shared.radosgw)
	page := openTab(t, startServer(t, newWorkDir(t), settingsFor(b, pathStyle.endpoint(b.port))).url)
	got := eval[struct {
		Wrong []string
		Reads map[string]int
	}](page, readPartsScript)
	if len(got.Wrong) != 0 {
		t.Errorf("digests other than CryptoJS's, or wrong content: %q", got.Wrong)
	}
	want := map[string]int{"012": 3, "together": 3, "201": 3, "00112": 5, "0312": 4}
	if !maps.Equal(got.Reads, want) {
		t.Errorf("reads by order of parts: got %v, want %v", got.Reads, want)
	}
}

// readPartsScript compares digests and content with CryptoJS's, and counts how often parts are read. The names in reads
// are the order of the parts.
const readPartsScript = `(async () => {
	const size = 5 * 1024 * 1024, { WordArray } = qq.CryptoJS.lib, result = { wrong: [], reads: {} };
	const content = new Uint8Array(2 * size + 1000).map((_, i) => (i * 31 + Math.floor(i / size)) % 251);
	const bounds = [[0, size], [size, 2 * size], [2 * size, 2 * size + 1000], [size, size + 500]];
	const digests = bounds.map(([start, end]) =>
		qq.CryptoJS.SHA256(WordArray.create(content.slice(start, end).buffer)).toString());
	const read = (part) => new Promise((resolve) => {
		const reader = new FileReader();
		reader.onload = () => resolve(reader.result);
		reader.readAsArrayBuffer(part);
	});
	const check = async (file, i) => {
		const [start, end] = bounds[i], bytes = await read(file.slice(start, end));
		const same = bytes.byteLength === end - start &&
			new Uint8Array(bytes).every((byte, at) => byte === content[start + at]);
		const words = WordArray.create(bytes);
		if (!same || !words.digest || qq.CryptoJS.SHA256(words).toString() !== digests[i])
			result.wrong.push(file.name + ": part " + i);
	};
	let reads = 0;
	const { postMessage } = Worker.prototype;
	Worker.prototype.postMessage = function (...args) { reads++; return postMessage.apply(this, args); };
	for (const order of ["012", "201", "00112", "0312"]) {
		const file = new File([content], order);
		reads = 0;
		for (const i of order) await check(file, i);
		result.reads[order] = reads;
	}
	const files = [new File([content], "one"), new File([content], "other")];
	for (const i of [0, 1, 2]) await Promise.all(files.map((file) => check(file, i)));
	const odd = new File([content], "odd");
	for (const args of [[], [0], [-5], [-size, -1], ["0", "1000"], [size, 9 * size]]) {
		const bytes = new Uint8Array(await read(odd.slice(...args))), want = content.slice(...args.map(Number));
		if (bytes.length !== want.length || bytes.some((byte, at) => byte !== want[at]))
			result.wrong.push("slice " + args);
	}
	const together = new File([content], "together");
	reads = 0;
	await Promise.all([0, 1, 2].map((i) => check(together, i)));
	result.reads.together = reads;
	return result;
})()`

// If the worker is missing or cannot compute digests, CryptoJS does, and uploads work.
func TestHashWithoutWorker(t *testing.T) {
	t.Parallel()
	for missing, url := range map[string]func(*server) string{
		"hash-worker.js": (*server).localURL, "sha256.umd.min.js": (*server).remoteURL,
	} {
		t.Run(missing, func(t *testing.T) {
			t.Parallel()
			b := newBucket(t, shared.radosgw)
			srv := startServer(t, newWorkDir(t), settingsFor(b, pathStyle.endpoint(b.port)))
			proxy := startPageProxy(t, srv)
			var requested atomic.Bool
			isMissing := func(r *http.Request) bool { return r.URL.Path == "/static/"+missing }
			proxy.respondTo(isMissing, func(w http.ResponseWriter, r *http.Request) {
				requested.Store(true)
				w.WriteHeader(http.StatusNotFound)
			})
			proxied := strings.Replace(url(srv), srv.port(), strconv.Itoa(proxy.port), 1)
			page := openTab(t, proxied, openerPolicy, regexp.QuoteMeta(missing), `404`)
			page.choose(longFile)
			u := page.awaitStatus(60*time.Second, 1, done)[0]
			b.checkObject(t, u.Key, longFile, page.dataset())
			if !requested.Load() {
				t.Errorf("the page did not request %s", missing)
			}
		})
	}
}

// While a file is uploaded under version 4, the page stays responsive: its main thread uses less CPU time for the whole
// file than CryptoJS, which would run there, for half of its parts.
func TestPageStaysResponsive(t *testing.T) {
	b := newBucket(t, shared.radosgw)
	version4 := settings{"P3S3F_SIGNATURE_VERSION": "4"}
	srv := startServer(t, newWorkDir(t), settingsFor(b, pathStyle.endpoint(b.port)).with(version4))
	for _, url := range []string{srv.localURL(), srv.remoteURL()} {
		t.Run(url, func(t *testing.T) { checkResponsive(t, openTab(t, url, openerPolicy)) })
	}
}

func checkResponsive(t *testing.T, page *tab) {
	page.do(chromedp.Func(enableThreadTicks))
	page.choose(longFile)
	page.awaitStatus(30*time.Second, 1, done)
	sending := run(page, mainThreadTime)
	page.exec(`qq.CryptoJS.SHA256(qq.CryptoJS.lib.WordArray.create(new ArrayBuffer(%s))).toString()`, partSize)
	hashing := run(page, mainThreadTime) - sending // one part
	limit := hashing * time.Duration(longFile.size/partSize) / 2
	t.Logf("CPU time of the main thread: %v, and %v for a part with CryptoJS", sending, hashing)
	if sending >= limit {
		t.Errorf("CPU time of the main thread for %s: got %v, want less than %v", longFile.name, sending, limit)
	}
}

// enableThreadTicks makes the browser measure the CPU time of the page's main thread.
func enableThreadTicks(ctx context.Context, t *chromedp.Target) error {
	threadTicks := performance.EnableParams{TimeDomain: performance.EnableTimeDomainThreadTicks}
	_, err := cdp.Call(ctx, t, performance.Enable, threadTicks)
	return err
}

// mainThreadTime is the CPU time of the page's main thread since enableThreadTicks.
func mainThreadTime(ctx context.Context, t *chromedp.Target) (time.Duration, error) {
	got, err := cdp.Call(ctx, t, performance.GetMetrics, cdp.Empty{})
	if err != nil {
		return 0, err
	}
	for _, m := range got.Metrics {
		if m.Name == "TaskDuration" {
			return time.Duration(m.Value * float64(time.Second)), nil // from seconds
		}
	}
	return 0, errors.New("the browser reports no TaskDuration")
}
