//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

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
	t.Run("the documented configuration", func(t *testing.T) {
		dir := newWorkDir(t)
		conf := b.clientConf(pathStyle, b.port, 4)
		conf.key = `undefined`
		conf.more = documentedClientConf(t)
		conf.write(t, dir)
		srv := startServer(t, dir, settingsFor(b, pathStyle.endpoint(b.port)).with(ownUploadsOnly))
		page := openTab(t, srv.url)
		page.checkOwnerKeys(b, uuidKey, files)
		page.do(chromedp.Reload())
		page.awaitStatus(30*time.Second, len(files), done)
	})
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

// documentedClientConf is the client configuration that the documents give for pages of one's own, added to the
// shipped one.
func documentedClientConf(t *testing.T) string {
	t.Helper()
	documents, _ := filepath.Glob("../docs/*.md") // the pattern is valid
	example := regexp.MustCompile("(?ms)^#+ Your own page$.*?^```js\n(.*?)^```$")
	for _, name := range append([]string{"../README.md"}, documents...) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if m := example.FindSubmatch(text); m != nil {
			return "var shipped = fine_u_conf;\n" + string(m[1]) + `
fine_u_conf = Object.assign({}, shipped, fine_u_conf, {
  objectProperties: Object.assign({}, shipped.objectProperties, fine_u_conf.objectProperties)
});`
		}
	}
	t.Fatal("no document has JavaScript under a heading \"Your own page\"")
	return ""
}
