package server_test

import (
	"compress/gzip"
	"io"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// TestCompression checks which responses are compressed.
func TestCompression(t *testing.T) {
	script := strings.Repeat("const a = 1; // €\n", 500)
	files := bundledPage(time.Time{})
	for _, name := range []string{"client_conf.js", "static/page.min.js", "static/page.css", "static/logo.svg",
		"static/picture.png"} {
		files[name] = &fstest.MapFile{Data: []byte(script)}
	}
	s := startOwnedServer(t, func(c *config) { c.server.Files = files })
	const target = "/static/page.min.js"
	for _, test := range []struct {
		name, method, target, accept string
		status                       int
		isCompressed                 bool
	}{
		{"script", "GET", target, "gzip", 200, true},
		{"style sheet", "GET", "/static/page.css", "gzip", 200, true},
		{"picture in text", "GET", "/static/logo.svg", "gzip", 200, true},
		{"what browsers accept", "GET", target, "gzip, deflate, br, zstd", 200, true},
		{"gzip with a weight", "GET", target, "br;q=1.0, gzip;q=0.5", 200, true},
		{"gzip with weight 0", "GET", target, "gzip;q=0, identity", 200, false},
		{"nothing but identity", "GET", target, "identity", 200, false},
		{"no header", "GET", target, "", 200, false},
		{"only encodings that the server does not have", "GET", target, "br, deflate, zstd", 200, false},
		{"head", "HEAD", target, "gzip", 200, false},
		{"picture", "GET", "/static/picture.png", "gzip", 200, false},
		{"small file", "GET", "/static/messages.js", "gzip", 200, false},
		{"client_conf.js, which has the owner", "GET", "/static/client_conf.js", "gzip", 200, false},
		{"session", "GET", "/s3/session", "gzip", 200, false},
		{"not found", "GET", "/static/" + strings.Repeat("x", 3000), "gzip", 404, false},
	} {
		got := do(t, test.method, s.url+test.target, "", "", "Accept-Encoding", test.accept)
		if isCompressed := got.header.Get("Content-Encoding") == "gzip"; got.status != test.status ||
			isCompressed != test.isCompressed {
			t.Errorf("%s: %d with %v", test.name, got.status, got.header)
			continue
		}
		if isFile := strings.HasPrefix(test.target, "/static/") && test.target != "/static/client_conf.js"; isFile !=
			(got.header.Get("Vary") == "Accept-Encoding") {
			t.Errorf("%s: Vary is %q", test.name, got.header.Get("Vary"))
		}
		if test.isCompressed && (unzip(t, got.body) != script || len(got.body) > len(script)/10) {
			t.Errorf("%s: %d bytes, or another content", test.name, len(got.body))
		}
	}
}

// TestCompressedFilesAreCached checks that a compressed file is not sent again, and that a part of a file is a part of
// the uncompressed one.
func TestCompressedFilesAreCached(t *testing.T) {
	script := strings.Repeat("0123456789", 1000)
	files := bundledPage(time.Time{})
	files["static/page.min.js"] = &fstest.MapFile{Data: []byte(script)}
	s := startPageServer(t, files)
	get := func(header ...string) response {
		return do(t, "GET", s.url+"/static/page.min.js", "", "", append(header, "Accept-Encoding", "gzip")...)
	}
	first := get()
	etag := first.header.Get("ETag")
	if !strings.HasPrefix(etag, `W/"`) || first.header.Get("Accept-Ranges") != "" {
		t.Errorf("a compressed file has ETag %s and Accept-Ranges %q", etag, first.header.Get("Accept-Ranges"))
	}
	if got := get("If-None-Match", etag); got.status != 304 || got.header.Get("Content-Encoding") != "" || got.body != "" {
		t.Errorf("again: %d with %v, %d bytes", got.status, got.header, len(got.body))
	}
	if got := get("Range", "bytes=3-2005"); got.status != 206 || got.header.Get("Content-Encoding") != "" ||
		got.body != script[3:2006] {
		t.Errorf("a part: %d with %v, %d bytes", got.status, got.header, len(got.body))
	}
	if got := get("Range", "bytes=3-2005", "If-Range", etag); got.status != 200 || unzip(t, got.body) != script {
		t.Errorf("a part of the compressed file: %d with %v, %d bytes", got.status, got.header, len(got.body))
	}
}

func unzip(t *testing.T, compressed string) string {
	t.Helper()
	reader, err := gzip.NewReader(strings.NewReader(compressed))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
