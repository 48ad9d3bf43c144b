//go:build e2e

package e2e

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/chromedp"
)

// The page's hashing gives Fine Uploader the right digests, for every length around SHA-256's blocks and for whole parts,
// one after the other and three at once, in memory that was used before. And who reads a file for another reason gets its
// bytes. Seen from elsewhere, WebAssembly makes the digests.
func TestDigests(t *testing.T) {
	t.Parallel()
	b := newBucket(t, shared.radosgw)
	srv := startServer(t, newWorkDir(t), settingsFor(b, pathStyle.endpoint(b.port)))
	for url, native := range map[string]bool{srv.here(): true, srv.elsewhere(): false} {
		t.Run(url, func(t *testing.T) {
			page := openTab(t, url, openerPolicy)
			if got := eval[bool](page, `!!crypto.subtle`); got != native {
				t.Fatalf("the browser's own SHA-256 is there: %v, want %v", got, native)
			}
			wantDigests(t, page)
		})
	}
}

func wantDigests(t *testing.T, page *tab) {
	page.command(`void Object.assign(globalThis, {
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
	const by = "worker "
	for _, size := range []int{0, 1, 55, 56, 57, 63, 64, 65, 119, 120, 1000, 4096, 65535, partSize, partSize, 1000} {
		if got, want := eval[string](page, `digest(%s, %s)`, size, size), by+digest(size, size); got != want {
			t.Errorf("%d bytes: %s, want %s", size, got, want)
		}
	}
	for seed := 1; seed < 7; seed += 3 {
		got := eval[[]string](page, `Promise.all([0, 1, 2].map((i) => digest(%s, %s + i)))`, partSize, seed)
		for i, got := range got {
			if want := "worker " + digest(partSize, seed+i); got != want {
				t.Errorf("part %d of three at once: %s, want %s", i+1, got, want)
			}
		}
	}
	if !eval[bool](page, `(async () => {
		const kept = await read(content(%s, 7));
		await digest(kept.byteLength, 8);
		return new Uint8Array(kept).every((byte, i) => byte === (i + 7) %% 251);
	})()`, partSize) {
		t.Error("what was read is overwritten")
	}
}

// digest is that of the content of wantDigests, in lower-case hex.
func digest(size, seed int) string {
	content := make([]byte, size)
	for i := range content {
		content[i] = byte((i + seed) % 251)
	}
	return fmt.Sprintf("%x", sha256.Sum256(content))
}

// Of a file, the part that comes next is read before it is asked for, so that each is read once, in order. In any other
// order, too, every part gets its own digest and its own bytes.
func TestReadAhead(t *testing.T) {
	t.Parallel()
	b := newBucket(t, shared.radosgw)
	page := openTab(t, startServer(t, newWorkDir(t), settingsFor(b, pathStyle.endpoint(b.port))).url)
	type answer struct {
		Wrong []string
		Reads map[string]int
	}
	got := eval[answer](page, `(async () => {
		const size = 5 * 1024 * 1024, { WordArray } = qq.CryptoJS.lib, answer = { wrong: [], reads: {} };
		const content = new Uint8Array(2 * size + 1000).map((_, i) => (i * 31 + Math.floor(i / size)) % 251);
		const bounds = [[0, size], [size, 2 * size], [2 * size, 2 * size + 1000], [size, size + 500]];
		const slow = bounds.map(([start, end]) => qq.CryptoJS.SHA256(WordArray.create(content.slice(start, end).buffer)).toString());
		const read = (part) => new Promise((resolve) => {
			const reader = new FileReader();
			reader.onload = () => resolve(reader.result);
			reader.readAsArrayBuffer(part);
		});
		const check = async (file, i) => {
			const bytes = await read(file.slice(...bounds[i]));
			const same = bytes.byteLength === bounds[i][1] - bounds[i][0] && new Uint8Array(bytes).every((byte, at) => byte === content[bounds[i][0] + at]);
			const words = WordArray.create(bytes);
			if (!same || !words.digest || qq.CryptoJS.SHA256(words).toString() !== slow[i]) answer.wrong.push(file.name + ": part " + i);
		};
		let reads = 0;
		const { postMessage } = Worker.prototype;
		Worker.prototype.postMessage = function (...args) { reads++; return postMessage.apply(this, args); };
		for (const order of ["012", "201", "00112", "0312"]) {
			const file = new File([content], order);
			reads = 0;
			for (const i of order) await check(file, i);
			answer.reads[order] = reads;
		}
		const files = [new File([content], "one"), new File([content], "other")];
		for (const i of [0, 1, 2]) await Promise.all(files.map((file) => check(file, i)));
		const odd = new File([content], "odd");
		for (const args of [[], [0], [-5], [-size, -1], ["0", "1000"], [size, 9 * size]]) {
			const bytes = new Uint8Array(await read(odd.slice(...args))), want = content.slice(...args.map(Number));
			if (bytes.length !== want.length || bytes.some((byte, at) => byte !== want[at])) answer.wrong.push("slice " + args);
		}
		const together = new File([content], "together");
		reads = 0;
		await Promise.all([0, 1, 2].map((i) => check(together, i)));
		answer.reads.together = reads;
		return answer;
	})()`)
	if len(got.Wrong) != 0 {
		t.Errorf("other digests than CryptoJS's, or other bytes: %q", got.Wrong)
	}
	want := map[string]int{
		"012": 3, "together": 3,
		"201":   4, // after the last part there is none ahead; with 0 comes 1, with 1 comes 2 again
		"00112": 5, // what is sent again is read again
		"0312":  5, // 3 is a piece of 1, and cannot be the part that was read ahead
	}
	if !maps.Equal(got.Reads, want) {
		t.Errorf("parts were read %v times, want %v", got.Reads, want)
	}
}

// Where the worker is missing, or cannot hash, a file goes up all the same, hashed by CryptoJS.
func TestHashWithoutWorker(t *testing.T) {
	t.Parallel()
	for missing, page := range map[string]func(*server) string{"hash-worker.js": (*server).here, "sha256.umd.min.js": (*server).elsewhere} {
		t.Run(missing, func(t *testing.T) {
			t.Parallel()
			b := newBucket(t, shared.radosgw)
			dir := newWorkDir(t)
			if err := os.Remove(filepath.Join(dir, "static", missing)); err != nil {
				t.Fatal(err)
			}
			page := openTab(t, page(startServer(t, dir, settingsFor(b, pathStyle.endpoint(b.port)))), openerPolicy, regexp.QuoteMeta(missing), `404`)
			page.choose(longFile)
			u := page.await(60*time.Second, 1, done)[0]
			b.holds(t, u.Key, longFile, eval[string](page, `fine_u_conf.request.params.dataset`))
		})
	}
}

// While a file is hashed and sent under version 4, the page answers: its main thread works for all of it less than
// CryptoJS, which would hash there, takes for half of its parts. That is the processor's time, which does not count what
// else the machine does.
func TestPageStaysResponsive(t *testing.T) {
	b := newBucket(t, shared.radosgw)
	srv := startServer(t, newWorkDir(t), settingsFor(b, pathStyle.endpoint(b.port)).with(settings{"P3S3F_SIGNATURE_VERSION": strconv.Itoa(4)}))
	for _, url := range []string{srv.here(), srv.elsewhere()} {
		t.Run(url, func(t *testing.T) { wantResponsive(t, openTab(t, url, openerPolicy)) })
	}
}

func wantResponsive(t *testing.T, page *tab) {
	page.do(chromedp.Func(timeThread))
	page.choose(longFile)
	page.await(30*time.Second, 1, done)
	sending := run(page, mainThread)
	page.command(`qq.CryptoJS.SHA256(qq.CryptoJS.lib.WordArray.create(new ArrayBuffer(%s))).toString()`, partSize)
	hashing := run(page, mainThread) - sending // one part
	limit := hashing * time.Duration(longFile.size/partSize) / 2
	t.Logf("the main thread worked %v, and %v for a part with CryptoJS", sending, hashing)
	if sending >= limit {
		t.Errorf("the page's main thread worked %v while %s went up, want less than %v", sending, longFile.name, limit)
	}
}

// timeThread has the page's main thread timed, see mainThread.
func timeThread(ctx context.Context, t *chromedp.Target) error {
	_, err := cdp.Call(ctx, t, performance.Enable, performance.EnableParams{TimeDomain: performance.EnableTimeDomainThreadTicks})
	return err
}

// mainThread gives the processor time that the tasks of the page's main thread took since timeThread.
func mainThread(ctx context.Context, t *chromedp.Target) (time.Duration, error) {
	got, err := cdp.Call(ctx, t, performance.GetMetrics, cdp.Empty{})
	if err != nil {
		return 0, err
	}
	for _, m := range got.Metrics {
		if m.Name == "TaskDuration" {
			return time.Duration(m.Value * float64(time.Second)), nil // from seconds
		}
	}
	return 0, errors.New("the browser does not say how long the tasks took")
}
