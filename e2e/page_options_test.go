//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/device"
)

// openPageWith opens a page with further settings, and further statements in client_conf.js.
func openPageWith(t *testing.T, b *bucket, more settings, statements string, expected ...string) *tab {
	t.Helper()
	dir := newWorkDir(t)
	appendFile(t, filepath.Join(dir, "client_conf.js"), statements)
	return openTab(t, startServer(t, dir, settingsFor(b, pathStyle.endpoint(b.port)).with(more)).url, expected...)
}

// Params whose names are those of fields of the success report are stored with the object, and the report keeps its
// own fields.
func TestParamsNamedLikeReportFields(t *testing.T) {
	t.Parallel()
	params := map[string]string{"key": "sample 7", "bucket": "b", "uuid": "u", "name": "Alice", "etag": "e"}
	b := newBucket(t, shared.radosgw)
	dir := newWorkDir(t)
	for name, value := range params {
		appendFile(t, filepath.Join(dir, "client_conf.js"),
			fmt.Sprintf("fine_u_conf.request.params[%q] = %q;\n", name, value))
	}
	srv := startServer(t, dir, settingsFor(b, pathStyle.endpoint(b.port)))
	proxy := startPageProxy(t, srv)
	reports := make(chan url.Values, 2)
	proxy.respondTo(func(r *http.Request) bool {
		if r.URL.Path != "/s3/success" {
			return false
		}
		body, err := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		report, _ := url.ParseQuery(string(body))
		reports <- report
		return err != nil
	}, nil)
	page := openTab(t, fmt.Sprintf("http://localhost:%d", proxy.port))
	for _, file := range []testFile{smallFile, oddLongFile} {
		page.choose(file)
		report := <-reports
		u := page.uploadOf(file)
		page.awaitStatus(30*time.Second, u.ID+1, done)
		if report.Get("key") != u.Key || report.Get("bucket") != b.name || report.Get("name") != file.name {
			t.Errorf("report of %s: %v", file.name, report)
		}
		stored := b.get(t, u.Key)
		for name, value := range params {
			if got, err := url.PathUnescape(stored.metadata[name]); err != nil || got != value {
				t.Errorf("%s: metadata %s: got %q, %v, want %q", file.name, name, got, err, value)
			}
		}
	}
}

// With validation.allowEmpty, an empty file is uploaded, by form or in one empty part.
func TestEmptyFile(t *testing.T) {
	t.Parallel()
	versitygw := startVersitygw(t)
	for _, test := range []struct {
		name    string
		store   *store
		version string
		parts   int64
	}{
		{"form", shared.radosgw, "4", 0},
		{"part on radosgw, version 2", shared.radosgw, "2", 1},
		{"part on radosgw, version 4", shared.radosgw, "4", 1},
		{"part on versitygw", versitygw, "4", 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBucket(t, test.store)
			page := openPageWith(t, b, settings{"P3S3F_SIGNATURE_VERSION": test.version}, fmt.Sprintf(`
fine_u_conf.validation.allowEmpty = true;
fine_u_conf.chunking.mandatory = %t;
`, test.parts > 0))
			page.chooseFile(ownFile(t, "empty.txt", nil))
			u := page.awaitStatus(30*time.Second, 1, done)[0]
			if o := b.get(t, u.Key); o.size != 0 || o.parts != test.parts {
				t.Errorf("stored: got %d bytes in %d parts, want 0 bytes in %d", o.size, o.parts, test.parts)
			}
		})
	}
}

// iPhones and iPads offer several files at a time, although Fine Uploader's default is one.
func TestPhoneChoosesSeveralFiles(t *testing.T) {
	t.Parallel()
	page, closeTab := newTab(t, shared.browser, chromedp.WithNewBrowserContext())
	t.Cleanup(closeTab)
	b := newBucket(t, shared.radosgw)
	srv := startServer(t, newWorkDir(t), settingsFor(b, pathStyle.endpoint(b.port)))
	page.do(chromedp.Emulate(device.IPhone13), chromedp.Navigate(srv.url))
	eventually(t, 30*time.Second, "an input for several files", func() bool {
		return eval[bool](page, `Boolean(document.querySelector("input[type=file]")?.multiple)`)
	})
	if !eval[bool](page, `qq.ios()`) {
		t.Error("Fine Uploader does not see an iPhone")
	}
}

// With autoUpload: false, files are uploaded when the user clicks Upload.
func TestUploadButton(t *testing.T) {
	t.Parallel()
	b := newBucket(t, shared.radosgw)
	page := openPageWith(t, b, nil, `fine_u_conf.autoUpload = false;`)
	page.choose(smallFile, untypedFile)
	page.awaitStatus(30*time.Second, 2, "submitted")
	page.screenshot("upload button")
	page.do(chromedp.Click(chromedp.CSS(`#upload`), chromedp.NodeVisible))
	page.awaitStatus(30*time.Second, 2, done)
}

// With multiple: false, a file replaces the one before it in the list.
func TestOneFileAtATime(t *testing.T) {
	t.Parallel()
	page := openPageWith(t, newBucket(t, shared.radosgw), nil, `fine_u_conf.multiple = false;`)
	for i, f := range []testFile{smallFile, untypedFile, umlautsFile} {
		page.choose(f)
		page.awaitStatus(30*time.Second, i+1, done)
	}
	names := eval[string](page, `[...document.querySelectorAll(".file-name")].map((e) => e.textContent).join()`)
	if names != umlautsFile.name {
		t.Errorf("files in the list: got %q, want %q", names, umlautsFile.name)
	}
}

// What cannot be read in a dropped folder is named.
func TestUnreadableEntry(t *testing.T) {
	t.Parallel()
	page := openPageWith(t, newBucket(t, shared.radosgw), nil, "", `Problem parsing '/folder/locked.txt'`)
	folder := filepath.Join(t.TempDir(), "folder")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(folder, "good.txt"), "good")
	writeFile(t, filepath.Join(folder, "locked.txt"), "locked")
	page.exec(`(() => {
		const {webkitGetAsEntry} = DataTransferItem.prototype;
		DataTransferItem.prototype.webkitGetAsEntry = function () {
			const folder = webkitGetAsEntry.call(this);
			const reader = folder.createReader();
			folder.createReader = () => ({
				readEntries: (found, failed) => reader.readEntries((entries) => {
					const locked = entries.find(({name}) => name === "locked.txt");
					if (locked) locked.file = (_, failed) => failed(new DOMException("denied", "NotReadableError"));
					found(entries);
				}, failed),
			});
			return folder;
		};
	})()`)
	page.dropPaths(folder)
	page.awaitText(30*time.Second, "Not added, because the browser cannot read it: /folder/locked.txt.")
	if got := page.awaitStatus(30*time.Second, 1, done); got[0].Name != "good.txt" {
		t.Errorf("uploaded: got %q, want good.txt", got[0].Name)
	}
}

// The page says that it does not show all earlier uploads.
func TestManyEarlierUploads(t *testing.T) {
	t.Parallel()
	b := newBucket(t, shared.radosgw)
	srv := startServer(t, newWorkDir(t), settingsFor(b, pathStyle.endpoint(b.port)).with(ownUploadsOnly))
	proxy := startPageProxy(t, srv)
	isSession := func(r *http.Request) bool { return r.URL.Path == "/s3/session" }
	proxy.respondTo(isSession, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Total-Count", "230")
		io.WriteString(w, "[]")
	})
	page := openTab(t, fmt.Sprintf("http://localhost:%d", proxy.port))
	page.awaitText(30*time.Second, "Of 230 earlier uploads, only the newest are shown.")
}

// When the browser's storage for the page is full, the page says that uploads cannot be resumed, and goes on.
func TestFullStorage(t *testing.T) {
	t.Parallel()
	page := openPageWith(t, newBucket(t, shared.radosgw), nil,
		`for (let n = 6e6; n >= 1; n = Math.floor(n / 2)) try { localStorage["full" + n] = "x".repeat(n); } catch {}`)
	page.choose(partsFile)
	page.awaitText(30*time.Second, "The browser's storage for this page is full.")
	page.awaitStatus(30*time.Second, 1, done)
}

// An error in client_conf.js that only shows when its values are read is shown too.
func TestConfWithNull(t *testing.T) {
	t.Parallel()
	b := newBucket(t, shared.radosgw)
	dir := newWorkDir(t)
	conf := b.clientConf(pathStyle, b.port, 4)
	conf.more = `fine_u_conf.request = null;`
	conf.write(t, dir)
	page := openTab(t, startServer(t, dir, settingsFor(b, pathStyle.endpoint(b.port))).url)
	page.awaitText(30*time.Second, "Fine Uploader cannot start with these settings.")
}
