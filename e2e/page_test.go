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

// Fine Uploader's words for where an upload stands.
const (
	uploading = "uploading"
	paused    = "paused"
	canceled  = "canceled"
	done      = "upload successful"
	failed    = "upload failed"
	deleted   = "deleted"
)

// An upload is one line of the list on the page, as its Fine Uploader knows it.
type upload struct {
	ID     int
	Name   string
	Key    string
	Status string
}

func (p *tab) uploads() []upload {
	p.t.Helper()
	return read[[]upload](p, `uploader.getUploads().map(u => (
		{ID: u.id, Name: u.name, Status: u.status, Key: uploader.getKey(u.id) || ""}))`)
}

// choose picks files in the page's own file dialog.
func (p *tab) choose(files ...testFile) {
	p.t.Helper()
	p.do(chromedp.SetUploadFiles(chromedp.CSS(`input[type=file]`), paths(files)))
}

// drop drags files from elsewhere onto the page.
func (p *tab) drop(files ...testFile) {
	p.t.Helper()
	data := &input.DragData{Files: paths(files), DragOperationsMask: 1} // 1: copy
	place := run(p, chromedp.Dimensions(chromedp.CSS(`.qq-upload-drop-area-selector`))).Content
	x, y := (place[0]+place[4])/2, (place[1]+place[5])/2 // two opposite corners
	for _, event := range []input.DispatchDragEventType{input.DispatchDragEventTypeDragEnter, input.DispatchDragEventTypeDragOver, input.DispatchDragEventTypeDrop} {
		p.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := cdp.Call(ctx, t, input.DispatchDragEvent, input.DispatchDragEventParams{Type: event, X: x, Y: y, Data: data})
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

// await waits until n uploads have the status, and returns them.
func (p *tab) await(within time.Duration, n int, status string) []upload {
	p.t.Helper()
	var all, there []upload
	for end := time.Now().Add(within); ; time.Sleep(50 * time.Millisecond) {
		all, there = p.uploads(), nil
		for _, u := range all {
			if u.Status == status {
				there = append(there, u)
			}
		}
		if len(there) == n {
			return there
		}
		if time.Now().After(end) {
			p.t.Fatalf("%d of %d uploads are %q after %v: %+v\nthe page says:\n%s", len(there), n, status, within, all,
				eval[string](p, `document.body.innerText`))
		}
	}
}

// A style is how a bucket is named in a URL.
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

// A clientConf is what a user edits in client_conf.js.
type clientConf struct {
	bucket    string
	endpoint  string // with the bucket
	accessKey string
	version   int
	key       string // a JavaScript expression
	more      string // JavaScript statements
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

// host is the endpoint without its scheme and path, as objectProperties.host wants it.
func (c clientConf) host() string {
	host, _, _ := strings.Cut(strings.TrimPrefix(c.endpoint, "http://"), "/")
	return host
}

// write puts an edited copy of the shipped client_conf.js where the server finds a hand-made one.
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

// uploadOf is the upload of a file that was chosen once.
func (p *tab) uploadOf(f testFile) upload {
	p.t.Helper()
	for _, u := range p.uploads() {
		if u.Name == f.name {
			return u
		}
	}
	p.t.Fatalf("%s is not on the page: %+v", f.name, p.uploads())
	return upload{}
}

// press clicks a button of an upload: cancel, pause, continue, retry or delete.
func (p *tab) press(id int, button string) {
	p.t.Helper()
	p.do(chromedp.Click(chromedp.CSS(fmt.Sprintf(`[qq-file-id="%d"] .qq-upload-%s-selector`, id, button)), chromedp.NodeVisible))
}

// awaitStoredPart waits until the page has written down that a part of a file is stored.
func (p *tab) awaitStoredPart() {
	p.t.Helper()
	eventually(p.t, 30*time.Second, "a record of a stored part", func() bool {
		return eval[bool](p, `Object.keys(localStorage).some((key) => key.startsWith("qqs3resume"))`)
	})
}

// pressMoving is press while rows move, and a click at a place might miss.
func (p *tab) pressMoving(id int, button string) {
	p.t.Helper()
	const click = `(button => button.checkVisibility() && (button.click(), true))(document.querySelector(%s))`
	selector := fmt.Sprintf(`[qq-file-id="%d"] .qq-upload-%s-selector`, id, button)
	if !eval[bool](p, click, selector) {
		p.t.Fatalf("there is no button %s", button)
	}
}

// delete presses Delete, says yes when the page asks back, and waits until it is done: the rows below move up then.
func (p *tab) delete(id int) {
	p.t.Helper()
	p.press(id, "delete")
	p.confirm()
	p.awaitGone(id)
}

// confirm says yes to the question on the page.
func (p *tab) confirm() {
	p.t.Helper()
	p.do(chromedp.Click(chromedp.CSS(`dialog[open] .qq-ok-button-selector`), chromedp.NodeVisible))
}

func (p *tab) awaitGone(id int) {
	p.t.Helper()
	eventually(p.t, 30*time.Second, fmt.Sprintf("the end of upload %d", id), func() bool {
		return eval[string](p, `uploader.getUploads({id: %s}).status`, id) == deleted
	})
}
