package server_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// indexHTML is a page in the manner of static/index.html.
const indexHTML = `<link rel="stylesheet" href="static/page.css"><script src="static/client_conf.js"></script>` +
	`<script type="module" src="static/page.js"></script><img src="static/missing.png">`

// bundledPage returns a page with two modules, and a bundle of them. Without a modification time they are as embedded
// files, which never change.
func bundledPage(modified time.Time) fstest.MapFS {
	const page, messages = `import "./messages.js";`, `export const hello = "Größe";`
	sourceMap, err := json.Marshal(map[string]any{
		"version": 3, "sources": []string{"messages.js", "page.js"}, "sourcesContent": []string{messages, page},
		"mappings": "AAAA",
	})
	if err != nil {
		panic(err)
	}
	files := fstest.MapFS{}
	for name, content := range map[string]string{
		"client_conf.js": "var fine_u_conf = {};", "static/index.html": indexHTML, "static/page.css": "p { margin: 0 }",
		"static/page.js": page, "static/messages.js": messages,
		"static/page.min.js": "bundle", "static/page.min.js.map": string(sourceMap),
	} {
		files[name] = &fstest.MapFile{Data: []byte(content), ModTime: modified}
	}
	return files
}

// startPageServer serves these files.
func startPageServer(t *testing.T, files fstest.MapFS) *testServer {
	return startTestServer(t, func(c *config) { c.server.Files = files })
}

// versionOf returns the version of a file.
func versionOf(files fstest.MapFS, name string) string {
	digest := sha256.Sum256(files[name].Data)
	return hex.EncodeToString(digest[:16])
}

// versioned returns the address of a file with its version.
func versioned(files fstest.MapFS, name string) string { return name + "?v=" + versionOf(files, name) }

// TestIndex checks that the page names the bundle only if it was built from the modules that are served.
func TestIndex(t *testing.T) {
	replace := func(name, content string) func(fstest.MapFS) {
		return func(files fstest.MapFS) { files[name] = &fstest.MapFile{Data: []byte(content), ModTime: now} }
	}
	remove := func(name string) func(fstest.MapFS) { return func(files fstest.MapFS) { delete(files, name) } }
	for _, test := range []struct {
		name   string
		change func(fstest.MapFS)
		want   string
	}{
		{"a bundle", func(fstest.MapFS) {}, "static/page.min.js"},
		{"no bundle", remove("static/page.min.js"), "static/page.js"},
		{"no source map", remove("static/page.min.js.map"), "static/page.js"},
		{"a source map that is no JSON", replace("static/page.min.js.map", "{"), "static/page.js"},
		{"a source map without contents", replace("static/page.min.js.map", `{"sources":["page.js"]}`), "static/page.js"},
		{"a replaced module", replace("static/messages.js", "export {};"), "static/page.js"},
		{"a replaced first module", replace("static/page.js", "alert(1)"), "static/page.js"},
		{"a missing module", remove("static/messages.js"), "static/page.js"},
		{"another file of the user", replace("static/more.js", "alert(1)"), "static/page.min.js"},
		{"a replaced style sheet", replace("static/page.css", "p {}"), "static/page.min.js"},
	} {
		for _, modified := range []time.Time{{}, now} {
			files := bundledPage(modified)
			test.change(files)
			want := strings.NewReplacer("static/page.css", versioned(files, "static/page.css"),
				"static/page.js", versioned(files, test.want)).Replace(indexHTML)
			got := do(t, "GET", startPageServer(t, files).url+"/", "", "")
			if got.status != 200 || got.body != want || got.header.Get("Content-Type") != "text/html; charset=utf-8" {
				t.Errorf("%s: %d %s\n%s\nwant\n%s", test.name, got.status, got.header.Get("Content-Type"), got.body, want)
			}
		}
	}
}

// TestIndexFollowsFiles checks that a change of a file in the working directory takes effect without a restart.
func TestIndexFollowsFiles(t *testing.T) {
	files := bundledPage(now)
	s := startPageServer(t, files)
	before := do(t, "GET", s.url+"/", "", "")
	etag := before.header.Get("ETag")
	if again := do(t, "GET", s.url+"/", "", "", "If-None-Match", etag); again.status != 304 || again.body != "" {
		t.Errorf("an unchanged page: status %d, %d bytes", again.status, len(again.body))
	}
	files["static/page.css"] = &fstest.MapFile{Data: []byte("p {}"), ModTime: now}
	after := do(t, "GET", s.url+"/", "", "", "If-None-Match", etag)
	if after.status != 200 || !strings.Contains(after.body, versioned(files, "static/page.css")) {
		t.Errorf("after the change of the style sheet: %d %s", after.status, after.body)
	}
	delete(files, "static/index.html")
	if got := do(t, "GET", s.url+"/", "", ""); got.status != 404 {
		t.Errorf("without index.html: status %d", got.status)
	}
}

// TestVersions checks that browsers keep only the address with the file's version.
func TestVersions(t *testing.T) {
	const revalidate, forever = "no-cache", "max-age=31536000, immutable"
	for _, modified := range []time.Time{{}, now} {
		files := bundledPage(modified)
		s := startPageServer(t, files)
		const target = "/static/page.min.js"
		version := versionOf(files, "static/page.min.js")
		for _, test := range []struct{ name, target, want string }{
			{"no version", target, revalidate},
			{"the version", target + "?v=" + version, forever},
			{"an empty version", target + "?v=", revalidate},
			{"a part of the version", target + "?v=" + version[1:], revalidate},
			{"a version in capitals", target + "?v=" + strings.ToUpper(version), revalidate},
			{"the version of another file", target + "?v=" + versionOf(files, "static/page.css"), revalidate},
			{"the second of two versions", target + "?v=1&v=" + version, revalidate},
			{"client_conf.js", "/static/client_conf.js?v=1", "no-store"},
		} {
			got := do(t, "GET", s.url+test.target, "", "")
			if cache := got.header.Get("Cache-Control"); got.status != 200 || cache != test.want {
				t.Errorf("%s: %d with Cache-Control %q, want %q", test.name, got.status, cache, test.want)
			}
		}
		first := do(t, "GET", s.url+target+"?v="+version, "", "")
		again := do(t, "GET", s.url+target+"?v="+version, "", "", "If-None-Match", first.header.Get("ETag"))
		if again.status != 304 || again.header.Get("Cache-Control") != forever {
			t.Errorf("again: status %d with Cache-Control %q", again.status, again.header.Get("Cache-Control"))
		}
	}
}

// TestVersionOfChangedFile checks that an old version is answered with the new content, but is not kept.
func TestVersionOfChangedFile(t *testing.T) {
	files := bundledPage(now)
	s := startPageServer(t, files)
	old := versioned(files, "static/page.css")
	do(t, "GET", s.url+"/"+old, "", "")
	files["static/page.css"] = &fstest.MapFile{Data: []byte("new"), ModTime: now}
	got := do(t, "GET", s.url+"/"+old, "", "")
	if got.status != 200 || got.body != "new" || got.header.Get("Cache-Control") != "no-cache" {
		t.Errorf("%d %q with Cache-Control %q", got.status, got.body, got.header.Get("Cache-Control"))
	}
}
