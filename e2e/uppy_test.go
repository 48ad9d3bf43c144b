//go:build e2e

package e2e

import (
	"crypto/sha256"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// uppyPartLimit is the size above which static/uppy/sign-server.js uploads a file in parts, of partSize.
const uppyPartLimit = 10 * mib

// uppyErrors match the console errors of failures. Uppy logs every error.
var uppyErrors = append(slices.Clone(networkErrors), `\[Uppy\]`)

// An uppyPage is the page /uppy.html.
type uppyPage struct {
	*tab
	bucket *bucket
	server *server
}

// openUppy opens the page of a server with the settings of the shipped p3s3f.env.
func openUppy(t *testing.T, b *bucket, port int, expected ...string) *uppyPage {
	t.Helper()
	srv := startServer(t, newWorkDir(t), settingsFor(b, pathStyle.endpoint(port)).with(ownUploadsOnly))
	return &uppyPage{openTab(t, srv.url+"/uppy.html", expected...), b, srv}
}

// upload chooses files and clicks the Dashboard's button.
func (p *uppyPage) upload(paths ...string) {
	p.t.Helper()
	p.chooseFiles(paths...)
	p.clickUpload()
}

func (p *uppyPage) chooseFiles(paths ...string) {
	p.t.Helper()
	eventually(p.t, 30*time.Second, "the Dashboard", func() bool {
		found, ok := evalIfLoaded[bool](p.tab, `!!document.querySelector(".uppy-Dashboard-input")`)
		return ok && found
	})
	p.do(chromedp.SetUploadFiles(chromedp.CSS(`.uppy-Dashboard-input`), paths))
	eventually(p.t, 30*time.Second, "Uppy has all files", func() bool {
		return eval[int](p.tab, `uppy.getFiles().filter(f => !f.isGhost).length`) >= len(paths)
	})
}

func (p *uppyPage) clickUpload() { p.t.Helper(); p.clickButton(`.uppy-StatusBar-actionBtn--upload`) }

// clickButton clicks a button by script, because the Dashboard moves it.
func (p *uppyPage) clickButton(selector string) {
	p.t.Helper()
	eventually(p.t, 30*time.Second, "the button "+selector, func() bool {
		return eval[bool](p.tab, `(b => !!b && !b.disabled && (b.click(), true))(document.querySelector(%s))`, selector)
	})
}

// An uppyFile is a file as Uppy knows it.
type uppyFile struct {
	Name, Key, Error, UploadID string
	Complete                   bool
}

func (p *uppyPage) files() []uppyFile {
	p.t.Helper()
	return evalRetry[[]uppyFile](p.tab, `uppy.getFiles().map(f => ({Name: f.name, Error: f.error || "",
		Key: f.response?.body?.key || f.s3Multipart?.key || "", UploadID: f.s3Multipart?.uploadId || "",
		Complete: !!f.progress.complete && !f.error}))`)
}

// awaitComplete waits until n files are uploaded and reported, and returns them.
func (p *uppyPage) awaitComplete(within time.Duration, n int) []uppyFile {
	p.t.Helper()
	var files []uppyFile
	eventually(p.t, within, fmt.Sprintf("%d files complete", n), func() bool {
		files = p.files()
		for _, f := range files {
			if f.Error != "" {
				p.t.Fatalf("%s: %s", f.Name, f.Error)
			}
		}
		return len(files) == n && !slices.ContainsFunc(files, func(f uppyFile) bool { return !f.Complete })
	})
	return files
}

// checkObject checks an object that Uppy has uploaded.
func (p *uppyPage) checkObject(key string, f testFile) {
	p.t.Helper()
	o := p.bucket.get(p.t, key)
	if o.size != f.size || o.sum != f.sum(p.t) {
		p.t.Errorf("%s: got %d bytes with SHA-256 %x, want %d bytes with %x", f.name, o.size, o.sum, f.size, f.sum(p.t))
	}
	want := int64(0)
	if f.size > uppyPartLimit {
		want = (f.size + partSize - 1) / partSize
	}
	if o.parts != want {
		p.t.Errorf("%s: got %d parts, want %d", f.name, o.parts, want)
	}
	if name, err := url.PathUnescape(o.metadata["qqfilename"]); err != nil || name != f.name {
		p.t.Errorf("%s: metadata qqfilename is %q, %v", f.name, o.metadata["qqfilename"], err)
	}
	if strings.HasSuffix(f.name, ".png") && o.contentType != "image/png" {
		p.t.Errorf("%s: the type is %q", f.name, o.contentType)
	}
}

// Uppy uploads, reports and deletes every file. The server puts the owner in front of the keys.
func TestUppy(t *testing.T) {
	t.Parallel()
	for _, s := range []*store{shared.radosgw, startVersitygw(t)} {
		t.Run(s.name, func(t *testing.T) {
			b := newBucket(t, s)
			p := openUppy(t, b, s.port)
			p.upload(paths(testFiles)...)
			files := p.awaitComplete(2*time.Minute, len(testFiles))
			owner := eval[string](p.tab, `fetch("/s3/owner").then(r => r.json()).then(r => r.owner)`)
			for _, f := range testFiles {
				i := slices.IndexFunc(files, func(u uppyFile) bool { return u.Name == f.name })
				if i < 0 || !strings.HasPrefix(files[i].Key, owner+"/") {
					t.Errorf("%s: %+v, want a key of the owner %s", f.name, files, owner)
					continue
				}
				p.checkObject(files[i].Key, f)
				if !strings.Contains(p.server.output.String(), "msg=success bucket="+b.name+" key="+files[i].Key) {
					t.Errorf("%s: the hook Success was not called for %s", f.name, files[i].Key)
				}
			}
			b.checkObjectCount(t, len(testFiles))

			p.clickButton(`.uppy-Dashboard-Item-action--remove`)
			eventually(t, 30*time.Second, "the object is deleted", func() bool {
				keys, err := b.keys(t.Context())
				return err == nil && len(keys) == len(testFiles)-1
			})
			p.exec(`uppy.cancelAll()`) // empties the list, and deletes nothing
			p.awaitText(10*time.Second, "Drop files here")
			b.checkObjectCount(t, len(testFiles)-1)
			if left := b.listUnfinished(t); len(left) != 0 {
				t.Errorf("unfinished uploads: %v", left)
			}
		})
	}
}

// A large file is uploaded in parts of 5 MiB.
func TestUppyLargeFile(t *testing.T) {
	t.Parallel()
	f := testFile{"250 MB.bam", 250 * mb}
	path := ownFile(t, f.name, f.content())
	b := newBucket(t, startVersitygw(t))
	p := openUppy(t, b, b.port)
	p.upload(path)
	key := p.awaitComplete(3*time.Minute, 1)[0].Key
	o := b.get(t, key)
	if o.size != f.size || o.sum != sha256.Sum256(f.content()) || o.parts != 48 {
		t.Errorf("got %d bytes in %d parts with SHA-256 %x", o.size, o.parts, o.sum)
	}
}

// With version 2, a file is sent in one form, if the application wants that of all files.
func TestUppyVersion2(t *testing.T) {
	t.Parallel()
	b := newBucket(t, shared.radosgw)
	env := settingsFor(b, pathStyle.endpoint(b.port)).with(ownUploadsOnly).with(settings{"P3S3F_SIGNATURE_VERSION": "2"})
	srv := startServer(t, newWorkDir(t), env)
	p := &uppyPage{openTab(t, srv.url+"/uppy.html"), b, srv}
	p.chooseFiles(longFile.path())
	p.exec(`uppy.getPlugin("AwsS3").setOptions({ shouldUseMultipart: false })`)
	p.clickUpload()
	o := b.get(t, p.awaitComplete(time.Minute, 1)[0].Key)
	if o.size != longFile.size || o.sum != longFile.sum(t) || o.parts != 0 {
		t.Errorf("got %d bytes in %d parts with SHA-256 %x", o.size, o.parts, o.sum)
	}
}

// What the server rejects is shown in its words, in Uppy's informer. The file can then be uploaded again.
func TestUppyShowsRejection(t *testing.T) {
	t.Parallel()
	b := newBucket(t, startVersitygw(t))
	env := settingsFor(b, pathStyle.endpoint(b.port)).with(ownUploadsOnly).with(settings{"P3S3F_MAX_BYTES": "1024"})
	srv := startServer(t, newWorkDir(t), env)
	p := &uppyPage{openTab(t, srv.url+"/uppy.html", uppyErrors...), b, srv}
	p.upload(smallFile.path())
	const message = "The file is larger than the 1024 bytes that this server allows; upload a smaller one."
	eventually(t, 30*time.Second, "the message in the informer", func() bool {
		return strings.Contains(eval[string](p.tab, `document.querySelector(".uppy-Informer")?.textContent ?? ""`), message)
	})
	if f := p.files()[0]; f.Error != message {
		t.Errorf("the file's error is %q", f.Error)
	}
	b.checkObjectCount(t, 0)
}
