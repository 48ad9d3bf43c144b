//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// Fine Uploader's names of an upload's status.
const (
	uploading = "uploading"
	paused    = "paused"
	canceled  = "canceled"
	done      = "upload successful"
	failed    = "upload failed"
	deleted   = "deleted"
)

// dataset is the page's dataset parameter, which it sends with every upload.
func (p *tab) dataset() string {
	p.t.Helper()
	return evalRetry[string](p, `fine_u_conf.request.params.dataset`)
}

// An upload is an entry of the list on the page, as Fine Uploader knows it.
type upload struct {
	ID     int
	Name   string
	Key    string
	Status string
}

func (p *tab) uploads() []upload {
	p.t.Helper()
	return evalRetry[[]upload](p, `uploader.getUploads().map(u => (
		{ID: u.id, Name: u.name, Status: u.status, Key: uploader.getKey(u.id) || ""}))`)
}

// choose picks files in the page's own file dialog.
func (p *tab) choose(files ...testFile) {
	p.t.Helper()
	p.do(chromedp.SetUploadFiles(chromedp.CSS(`input[type=file]`), paths(files)))
}

// chooseFile picks any file in the page's own file dialog.
func (p *tab) chooseFile(path string) {
	p.t.Helper()
	p.do(chromedp.SetUploadFiles(chromedp.CSS(`input[type=file]`), []string{path}))
}

// drop drags files from another program onto the page.
func (p *tab) drop(files ...testFile) {
	p.t.Helper()
	p.dropPaths(paths(files)...)
}

// dropPaths is drop for any files and folders.
func (p *tab) dropPaths(paths ...string) {
	p.t.Helper()
	data := &input.DragData{Files: paths, DragOperationsMask: 1} // 1: copy
	corners := run(p, chromedp.Dimensions(chromedp.CSS(`.qq-upload-drop-area-selector`))).Content
	x, y := (corners[0]+corners[4])/2, (corners[1]+corners[5])/2 // of two opposite ones
	for _, event := range []input.DispatchDragEventType{
		input.DispatchDragEventTypeDragEnter, input.DispatchDragEventTypeDragOver, input.DispatchDragEventTypeDrop,
	} {
		params := input.DispatchDragEventParams{Type: event, X: x, Y: y, Data: data}
		p.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := cdp.Call(ctx, t, input.DispatchDragEvent, params)
			return err
		}))
	}
}

func paths(files []testFile) (paths []string) {
	for _, f := range files {
		paths = append(paths, f.path())
	}
	return paths
}

// awaitStatus waits until n uploads have the status, and returns them.
func (p *tab) awaitStatus(within time.Duration, n int, status string) []upload {
	p.t.Helper()
	var all, found []upload
	for end := time.Now().Add(within); ; time.Sleep(50 * time.Millisecond) {
		all, found = p.uploads(), nil
		for _, u := range all {
			if u.Status == status {
				found = append(found, u)
			}
		}
		if len(found) == n {
			return found
		}
		if time.Now().After(end) {
			p.t.Fatalf("uploads with status %q after %v: got %d, want %d: %+v\ntext on the page:\n%s",
				status, within, len(found), n, all, eval[string](p, `document.body.innerText`))
		}
	}
}

// A style is where a URL names the bucket.
type style string

const (
	pathStyle    style = "path"    // http://127.0.0.1:PORT/BUCKET
	virtualStyle style = "virtual" // http://BUCKET.localhost:PORT
)

// endpoint is AWS_ENDPOINT for a store on port.
func (s style) endpoint(port int) string {
	if s == virtualStyle {
		return fmt.Sprintf("http://localhost:%d", port)
	}
	return "http://" + loopback(port)
}

// A clientConf has the values that users edit in client_conf.js.
type clientConf struct {
	bucket    string
	endpoint  string // including the bucket
	accessKey string
	version   int
	key       string // a JavaScript expression
	more      string // further JavaScript statements
}

func (b *bucket) clientConf(s style, port, version int) clientConf {
	c := clientConf{bucket: b.name, accessKey: b.accessKey, version: version, key: `"uuid"`}
	if s == virtualStyle {
		c.endpoint = fmt.Sprintf("http://%s.localhost:%d", b.name, port)
	} else {
		c.endpoint = fmt.Sprintf("http://%s/%s", loopback(port), b.name)
	}
	return c
}

// host is the endpoint's host and port, for objectProperties.host.
func (c clientConf) host() string {
	host, _, _ := strings.Cut(strings.TrimPrefix(c.endpoint, "http://"), "/")
	return host
}

// write writes an edited copy of the shipped client_conf.js to static/, where the server finds it.
func (c clientConf) write(t *testing.T, dir string) {
	t.Helper()
	copyFile(t, filepath.Join(dir, "client_conf.js"), filepath.Join(dir, "static", "client_conf.js"))
	appendFile(t, filepath.Join(dir, "static", "client_conf.js"), fmt.Sprintf(`
fine_u_conf.request.endpoint = %q;
fine_u_conf.request.accessKey = %q;
fine_u_conf.objectProperties.bucket = %q;
fine_u_conf.objectProperties.host = %q;
fine_u_conf.objectProperties.key = %s;
fine_u_conf.signature.version = %d;
%s
`, c.endpoint, c.accessKey, c.bucket, c.host(), c.key, c.version, c.more))
}

// uploadOf is the upload of a file that was chosen only once.
func (p *tab) uploadOf(f testFile) upload {
	p.t.Helper()
	for _, u := range p.uploads() {
		if u.Name == f.name {
			return u
		}
	}
	p.t.Fatalf("no upload of %s on the page: %+v", f.name, p.uploads())
	return upload{}
}

// buttonSelector is the CSS selector of an upload's button: cancel, pause, continue, retry or delete.
func buttonSelector(id int, button string) string {
	return fmt.Sprintf(`[qq-file-id="%d"] .qq-upload-%s-selector`, id, button)
}

// click clicks a button of an upload.
func (p *tab) click(id int, button string) {
	p.t.Helper()
	p.do(chromedp.Click(chromedp.CSS(buttonSelector(id, button)), chromedp.NodeVisible))
}

// clickByScript is click for entries that move, where a mouse click could miss.
func (p *tab) clickByScript(id int, button string) {
	p.t.Helper()
	const click = `(button => button.checkVisibility() && (button.click(), true))(document.querySelector(%s))`
	if !eval[bool](p, click, buttonSelector(id, button)) {
		p.t.Fatalf("there is no button %s", button)
	}
}

// awaitStoredPart waits until the page has recorded that a part of a file is stored.
func (p *tab) awaitStoredPart() {
	p.t.Helper()
	eventually(p.t, 30*time.Second, "a record of a stored part", func() bool {
		return eval[bool](p, `Object.keys(localStorage).some((key) => key.startsWith("qqs3resume"))`)
	})
}

// delete deletes an upload, confirms, and waits until it is deleted: then the entries below it move up.
func (p *tab) delete(id int) {
	p.t.Helper()
	p.click(id, "delete")
	p.confirm()
	p.awaitDeleted(id)
}

// confirm clicks the dialog's OK button.
func (p *tab) confirm() {
	p.t.Helper()
	p.do(chromedp.Click(chromedp.CSS(`dialog[open] .qq-ok-button-selector`), chromedp.NodeVisible))
}

func (p *tab) awaitDeleted(id int) {
	p.t.Helper()
	eventually(p.t, 30*time.Second, fmt.Sprintf("upload %d is deleted", id), func() bool {
		return eval[string](p, `uploader.getUploads({id: %s}).status`, id) == deleted
	})
}
