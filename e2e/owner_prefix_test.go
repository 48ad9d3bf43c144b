//go:build e2e

package e2e

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// Whatever objectProperties.key is, the server's own client configuration prefixes keys with the owner.
func TestOwnerPrefix(t *testing.T) {
	t.Parallel()
	b := newBucket(t, shared.radosgw)
	files := []testFile{smallFile, untypedFile, oddLongFile}
	const uuidKey = `[0-9a-f-]{36}(\.txt)?`
	keys := []struct {
		name, script string
		want         string // after the owner's slash; FILENAME stands for the file's name
	}{
		{"uuid", ``, uuidKey},
		{"filename", `"filename"`, `FILENAME`},
		{"function", `function (id) { return "a folder/" + this.getName(id); }`, `a folder/FILENAME`},
		{"promise", `function (id) { return Promise.resolve("later/" + this.getName(id)); }`, `later/FILENAME`},
	}
	for _, key := range keys {
		t.Run(key.name, func(t *testing.T) {
			dir := newWorkDir(t)
			if key.script != "" {
				line := "fine_u_conf.objectProperties.key = " + key.script + ";\n"
				appendFile(t, filepath.Join(dir, "client_conf.js"), line)
			}
			srv := startServer(t, dir, settingsFor(b, pathStyle.endpoint(b.port)).with(ownUploadsOnly))
			openTab(t, srv.url).checkOwnerKeys(b, key.want, files)
		})
	}
	t.Run("plain copy", func(t *testing.T) {
		dir := newWorkDir(t)
		b.clientConf(pathStyle, b.port, 4).write(t, dir)
		srv := startServer(t, dir, settingsFor(b, pathStyle.endpoint(b.port)).with(ownUploadsOnly))
		openTab(t, srv.url).checkOwnerKeys(b, uuidKey, files)
	})
	t.Run("the documented page", func(t *testing.T) {
		dir := newWorkDir(t)
		writeDocumentedPage(t, dir, b.clientConf(pathStyle, b.port, 4))
		srv := startServer(t, dir, settingsFor(b, pathStyle.endpoint(b.port)).with(ownUploadsOnly))
		page := openTab(t, srv.url)
		page.awaitText(30*time.Second, "Choose files")
		page.checkOwnerKeys(b, uuidKey, files)
		page.do(chromedp.Reload())
		page.awaitText(30*time.Second, "Choose files")
		page.awaitStatus(30*time.Second, len(files), done)
	})
}

// On the documented page, the upload of one user is not resumed by the next user of the same browser.
func TestDocumentedPageWithTwoUsers(t *testing.T) {
	t.Parallel()
	b := newBucket(t, shared.radosgw)
	proxy := startHTTPProxy(t, b.port, firstParts)
	dir := newWorkDir(t)
	writeDocumentedPage(t, dir, b.clientConf(pathStyle, proxy.port, 4))
	srv := startServer(t, dir, settingsFor(b, pathStyle.endpoint(proxy.port)).with(ownUploadsOnly))
	page := openTab(t, srv.url, networkErrors...)
	page.awaitText(30*time.Second, "Choose files")
	first := page.owner()
	page.choose(longFile)
	eventually(t, 30*time.Second, "the upload is blocked", proxy.isBlocked)
	page.awaitStoredPart()

	page.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, network.ClearBrowserCookies, cdp.Empty{})
		return err
	}), chromedp.Reload())
	page.awaitText(30*time.Second, "Choose files")
	second := page.owner()
	proxy.unblock()
	proxy.reset()
	page.choose(longFile)
	u := page.awaitStatus(60*time.Second, 1, done)[0]
	if owner := ownerOf(u); owner != second || owner == first {
		t.Errorf("owner of the key: got %s, want the second of %s and %s", owner, first, second)
	}
	b.checkObject(t, u.Key, longFile, page.dataset())
}

// checkOwnerKeys uploads the files and checks that they are complete, under keys of the browser's owner.
func (p *tab) checkOwnerKeys(b *bucket, want string, files []testFile) {
	p.t.Helper()
	owner := p.owner()
	p.choose(files...)
	p.awaitStatus(30*time.Second, len(files), done)
	for _, f := range files {
		key := p.uploadOf(f).Key
		pattern := "^" + owner + "/" + strings.ReplaceAll(want, "FILENAME", regexp.QuoteMeta(f.name)) + "$"
		if !matches(key, []string{pattern}) {
			p.t.Errorf("key of %s: got %q, want a match for %s", f.name, key, pattern)
		}
		b.checkObject(p.t, key, f, p.dataset())
	}
}

// owner is the browser's owner ID.
func (p *tab) owner() string {
	p.t.Helper()
	return evalRetry[string](p, `fetch("/s3/owner").then((response) => response.json()).then(({ owner }) => owner)`)
}

// writeDocumentedPage writes a page with the code that docs/integration.md gives for pages of one's own. The options
// that the code leaves out are those of conf.
func writeDocumentedPage(t *testing.T, dir string, conf clientConf) {
	t.Helper()
	text, err := os.ReadFile("../docs/integration.md")
	if err != nil {
		t.Fatal(err)
	}
	example := regexp.MustCompile("(?ms)^## Your own page$.*?^```js\n(.*?)^```$").FindSubmatch(text)
	if example == nil {
		t.Fatal("docs/integration.md has no JavaScript under the heading \"Your own page\"")
	}
	static := filepath.Join(dir, "static")
	conf.write(t, dir)
	// The server would add the owner to client_conf.js.
	if err := os.Rename(filepath.Join(static, "client_conf.js"), filepath.Join(static, "options.js")); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(static, "own.js"), `
const { FineUploader } = qq.s3, others = fine_u_conf;
qq.s3.FineUploader = function (options) {
  const objectProperties = { ...others.objectProperties, ...options.objectProperties };
  return new FineUploader({ ...others, ...options, objectProperties });
};
`+string(example[1])+`
globalThis.uploader = uploader;
`)
	index, err := os.ReadFile(filepath.Join(static, "index.html"))
	if err != nil {
		t.Fatal(err)
	}
	own := strings.NewReplacer("static/client_conf.js", "static/options.js", "static/page.js", "static/own.js")
	writeFile(t, filepath.Join(static, "index.html"), own.Replace(string(index)))
}
