package server_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"s3-sign-srv/internal/server"
)

// TestClientConf checks that the user's file is served unchanged, or with the owner added if keys need one, and that
// otherwise the settings are added to client_conf.js.
func TestClientConf(t *testing.T) {
	site := newSite(t)
	custom := filepath.Join(site.dir, "static", "client_conf.js")
	s := startTestServer(t, func(c *config) {
		c.server.Files = site.files
		c.server.MaxBytes, c.server.AllowDelete = 5, false
		c.server.Client = server.Client{Bucket: `my"</script>bucket`, Types: []string{"image/*", "text/plain"},
			UnsignedPayload: true}
	})
	get := func() response { return do(t, "GET", s.url+"/static/client_conf.js", "", "") }
	if got := get(); !strings.Contains(got.body, `"bucket":"my\"\u003c/script\u003ebucket"`) ||
		got.header.Get("Content-Type") != "text/javascript; charset=utf-8" {
		t.Errorf("%v %s", got.header, got.body)
	}
	if got := get(); !strings.Contains(got.body, `"deleteFile":{"enabled":false}`) ||
		!strings.Contains(got.body, `"signature":{"unsignedPayload":true,"version":0}`) ||
		!strings.Contains(got.body, `"validation":{"acceptFiles":"image/*,text/plain","sizeLimit":5}`) {
		t.Error(got.body)
	}
	own := []byte("var fine_u_conf = {own: 1};")
	if err := os.WriteFile(custom, own, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := get(); got.body != string(own) {
		t.Errorf("the user's own file is served as %s", got.body)
	}
	ours := startOwnedServer(t, func(c *config) { c.server.Files = site.files })
	if got := do(t, "GET", ours.url+"/static/client_conf.js", "", ""); !strings.HasPrefix(got.body, string(own)+"\n") ||
		!strings.Contains(got.body, "P3S3F_OWN_UPLOADS_ONLY is 1") {
		t.Errorf("the user's own file with an owner is served as %s", got.body)
	}
	os.Remove(custom)
	if err := os.Symlink("../client_conf.js", custom); err != nil {
		t.Fatal(err)
	}
	for _, url := range []string{s.url, ours.url} {
		if got := do(t, "GET", url+"/static/client_conf.js", "", ""); got.status != 404 ||
			!strings.Contains(got.body, "ln -f my_client_conf.js static/client_conf.js") {
			t.Errorf("a symbolic link out of static/: %d %s", got.status, got.body)
		}
	}
	os.Remove(custom)
	os.Remove(filepath.Join(site.dir, "client_conf.js"))
	if got := get(); got.status != 200 || !strings.Contains(got.body, "fine_u_conf") {
		t.Errorf("without any file: %d %s", got.status, got.body)
	}
}

// TestAPIOnly checks that a server without files serves the API, but no page.
func TestAPIOnly(t *testing.T) {
	s := startTestServer(t, func(c *config) { c.server.Files = nil })
	for target, want := range map[string]int{"/": 404, "/static/sub/page.js": 404, "/static/client_conf.js": 404,
		"/success.html": 404, "/healthz": 200} {
		if got := do(t, "GET", s.url+target, "", ""); got.status != want {
			t.Errorf("%s: %d", target, got.status)
		}
	}
	if got := do(t, "POST", s.url+"/s3/sign", jsonType, partV2); got.status != 200 ||
		!strings.Contains(got.body, "signature") {
		t.Errorf("%d %s", got.status, got.body)
	}
}

// TestEmbeddedFilesAreCached checks that a file without a modification time has an ETag, and is not sent again.
func TestEmbeddedFilesAreCached(t *testing.T) {
	s := startTestServer(t, func(*config) {})
	first := do(t, "GET", s.url+"/static/page.js", "", "")
	etag := first.header.Get("ETag")
	if first.status != 200 || etag == "" || first.body == "" {
		t.Fatalf("status %d, ETag %q, %d bytes", first.status, etag, len(first.body))
	}
	again := do(t, "GET", s.url+"/static/page.js", "", "", "If-None-Match", etag)
	if again.status != 304 || again.body != "" {
		t.Errorf("with If-None-Match: status %d, %d bytes", again.status, len(again.body))
	}
	changed := do(t, "GET", s.url+"/static/page.js", "", "", "If-None-Match", `"other"`)
	if changed.status != 200 || changed.body != first.body || changed.header.Get("ETag") != etag {
		t.Errorf("with another ETag: status %d, ETag %q, %d bytes",
			changed.status, changed.header.Get("ETag"), len(changed.body))
	}
}
