//go:build e2e && speed

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// A speedCase is a line between the browser and both the store and the signing server, and the files that are uploaded.
type speedCase struct {
	name     string
	megabits int // per second
	rtt      time.Duration
	files    int
	size     int64 // bytes of each file
}

var speedCases = []speedCase{
	{"1 Gbit/s, 100 ms", 1000, 100 * time.Millisecond, 1, 256 * mb},
	{"1 Gbit/s, 20 ms", 1000, 20 * time.Millisecond, 1, 256 * mb},
	{"200 Mbit/s, 20 ms", 200, 20 * time.Millisecond, 1, 128 * mb},
	{"50 Mbit/s, 50 ms", 50, 50 * time.Millisecond, 1, 128 * mb},
	{"10 Mbit/s, 300 ms", 10, 300 * time.Millisecond, 1, 16 * mb},
	{"200 files of 100 kB, 200 Mbit/s, 50 ms", 200, 50 * time.Millisecond, 200, 100_000},
	{"1,000 files of 10 kB, 200 Mbit/s, 50 ms", 200, 50 * time.Millisecond, 1000, 10_000},
}

// A speedColumn is a way to upload the files; it returns the time in ms. raw is what a browser can do.
type speedColumn struct {
	name   string
	upload func(r *speedRun) float64
}

var speedColumns = []speedColumn{
	{"page", (*speedRun).uploadWithPage},
	{"Uppy", (*speedRun).uploadWithUppy},
	{"raw", (*speedRun).putParts},
}

// rawPartSize is the part size of the column raw.
const rawPartSize = 16 * mib

// TestSpeedLines measures uploads on lines with a round-trip time and a rate: with the page, with Uppy, and with six
// PUTs of presigned URLs at a time. The columns take turns. It prints medians and ranges in seconds, and fails only if
// an upload fails. Run it alone on a quiet machine, as make bench-browser does.
func TestSpeedLines(t *testing.T) {
	t.Logf("%-42s%s", "", strings.Join([]string{"page", "Uppy", "raw", "page/raw"}, "                "))
	for _, c := range speedCases {
		t.Run(c.name, func(t *testing.T) {
			paths := c.writeFiles(t)
			times := map[string][]time.Duration{}
			for range *rounds {
				for _, column := range speedColumns {
					if column.name == "raw" && c.files > 1 {
						continue
					}
					run := newSpeedRun(t, c, paths)
					took := time.Duration(column.upload(run) * float64(time.Millisecond))
					run.close()
					times[column.name] = append(times[column.name], took)
				}
			}
			t.Log(c.row(times))
		})
	}
}

// row is a line of the table.
func (c speedCase) row(times map[string][]time.Duration) string {
	text := fmt.Sprintf("%-42s", c.name)
	for _, column := range speedColumns {
		took := slices.Sorted(slices.Values(times[column.name]))
		if len(took) == 0 {
			continue
		}
		median, last := took[len(took)/2], took[len(took)-1]
		text += fmt.Sprintf("%.2f (%.2f–%.2f)  ", median.Seconds(), took[0].Seconds(), last.Seconds())
	}
	if raw := slices.Sorted(slices.Values(times["raw"])); len(raw) > 0 {
		page := slices.Sorted(slices.Values(times["page"]))
		text += fmt.Sprintf("%.2f", page[len(page)/2].Seconds()/raw[len(raw)/2].Seconds())
	}
	return text
}

func (c speedCase) writeFiles(t *testing.T) (paths []string) {
	t.Helper()
	dir := t.TempDir()
	for i := range c.files {
		f := testFile{fmt.Sprintf("file %d.bam", i), c.size}
		path := filepath.Join(dir, f.name)
		if err := os.WriteFile(path, f.content(), 0o600); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	return paths
}

// A speedRun is one upload in a new browser.
type speedRun struct {
	*tab
	speedCase
	paths  []string
	bucket *bucket
	close  func()
}

func newSpeedRun(t *testing.T, c speedCase, paths []string) *speedRun {
	t.Helper()
	return &speedRun{tab: &tab{t: t}, speedCase: c, paths: paths, bucket: newBucket(t, shared.radosgw)}
}

// open opens a page. The browser reaches its server and the store through lines.
func (r *speedRun) open(port int) {
	r.t.Helper()
	var rules []string
	for _, target := range []int{port, r.bucket.port} {
		line := startLine(r.t, target, r.rtt, r.megabits)
		rules = append(rules, fmt.Sprintf("MAP %s %s", loopback(target), loopback(line.port)))
	}
	lines := chromedp.Flag("host-resolver-rules", strings.Join(rules, ","))
	browser, stop, err := startBrowser("chromium", filepath.Join(r.t.TempDir(), "profile"), lines)
	if err != nil {
		r.t.Fatal(err)
	}
	r.close = stop
	r.tab, _ = newTab(r.t, browser)
	r.do(chromedp.Navigate("http://"+loopback(port)), chromedp.Func(disableNetworkEvents))
}

func (r *speedRun) uploadWithPage() float64 {
	srv := startServer(r.t, newWorkDir(r.t), settingsFor(r.bucket, pathStyle.endpoint(r.bucket.port)))
	var port int
	fmt.Sscan(srv.port(), &port)
	r.open(port)
	r.exec(`void (globalThis.uploaded = new Promise((resolve) => {
		document.querySelector("input[type=file]").addEventListener("change", () => {
			const start = performance.now();
			const timer = setInterval(() => {
				if (uploader.getUploads({status: "upload successful"}).length < %s) return;
				clearInterval(timer);
				resolve(performance.now() - start);
			}, 5);
		}, {capture: true, once: true});
	}))`, r.files)
	r.choosePaths()
	return eval[float64](r.tab, `uploaded`)
}

func (r *speedRun) uploadWithUppy() float64 {
	r.openUppy()
	r.choosePaths()
	return eval[float64](r.tab, `uploadWithUppy()`)
}

// putParts sends the parts of a multipart upload that is created before and completed after.
func (r *speedRun) putParts() float64 {
	r.openUppy()
	r.choosePaths()
	const key = "raw"
	id := r.bucket.initiateUpload(r.t, key)
	var urls []string
	for number := range (r.size + rawPartSize - 1) / rawPartSize {
		request := uppyRequest{Method: http.MethodPut, Key: key, UploadID: id, PartNumber: int(number) + 1}
		urls = append(urls, r.presign(r.t.Context(), request))
	}
	return eval[float64](r.tab, `putParts(%s, %s)`, urls, rawPartSize)
}

func (r *speedRun) choosePaths() {
	r.t.Helper()
	r.do(chromedp.SetUploadFiles(chromedp.CSS(`input[type=file]`), r.paths))
}

// openUppy opens a page with uppy/built/page.js, on a server that presigns requests without any check.
func (r *speedRun) openUppy() {
	r.t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `<!DOCTYPE html><input type="file" multiple><script type="module" src="/page.js"></script>`)
	})
	mux.HandleFunc("GET /page.js", func(w http.ResponseWriter, req *http.Request) {
		http.ServeFile(w, req, filepath.Join("uppy", "built", "page.js"))
	})
	mux.HandleFunc("POST /presign", func(w http.ResponseWriter, req *http.Request) {
		var request uppyRequest
		if err := json.NewDecoder(req.Body).Decode(&request); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		json.NewEncoder(w).Encode(map[string]string{"url": r.presign(req.Context(), request)})
	})
	server := httptest.NewServer(mux)
	r.t.Cleanup(server.Close)
	u, _ := url.Parse(server.URL) // it is valid
	var port int
	fmt.Sscan(u.Port(), &port)
	r.open(port)
	eventually(r.t, time.Minute, "Uppy is loaded", func() bool { return eval[bool](r.tab, `"putParts" in globalThis`) })
}
