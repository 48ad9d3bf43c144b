//go:build e2e

package e2e

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// When a script fails, the page says which and why.
func TestFailedScripts(t *testing.T) {
	t.Parallel()
	notLoggedIn := func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		io.WriteString(w, `{"error":"Please log in.","id":"1a2b3c4d"}`)
	}
	for _, test := range []struct {
		name    string
		paths   []string // that the server does not serve
		respond http.HandlerFunc
		want    []string
	}{
		{
			"client_conf.js is rejected", []string{"/static/client_conf.js"}, notLoggedIn,
			[]string{"The signing server does not let this page start.", "Please log in. (Reference 1a2b3c4d in its log.)"},
		},
		{
			"the events of errors are lost too", []string{"/static/client_conf.js", "/static/script-errors.js"}, notLoggedIn,
			[]string{"The signing server does not let this page start.", "Please log in. (Reference 1a2b3c4d in its log.)"},
		},
		{
			"the bundle is missing", []string{"/static/s3.fine-uploader.min.js"}, http.NotFound,
			[]string{"static/s3.fine-uploader.min.js is missing or broken.", "It could not be loaded.", "make static"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBucket(t, shared.radosgw)
			proxy := startPageProxy(t, startServer(t, newWorkDir(t), settingsFor(b, pathStyle.endpoint(b.port))))
			isMissing := func(r *http.Request) bool { return slices.Contains(test.paths, r.URL.Path) }
			proxy.respondTo(isMissing, test.respond)
			url := fmt.Sprintf("http://localhost:%d", proxy.port)
			page := openTab(t, url, `status of 40[14]`, `MIME type`, `qq is not defined`)
			for _, text := range test.want {
				page.awaitText(30*time.Second, text)
			}
			page.screenshot("scripts " + test.name)
		})
	}
}

// A script from another server is blocked by the content security policy, and the page says so.
func TestBlockedScript(t *testing.T) {
	t.Parallel()
	b := newBucket(t, shared.radosgw)
	dir := newWorkDir(t)
	const bundle = "static/s3.fine-uploader.min.js"
	index := filepath.Join(dir, "static", "index.html")
	text, err := os.ReadFile(index)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, index, strings.Replace(string(text), `src="`+bundle, `src="http://cdn.test/s3.fine-uploader.min.js`, 1))
	srv := startServer(t, dir, settingsFor(b, pathStyle.endpoint(b.port)))
	page := openTab(t, srv.url, `Content Security Policy`, `qq is not defined`)
	page.awaitText(30*time.Second, "The content security policy blocks http://cdn.test/s3.fine-uploader.min.js; "+
		"the page may load scripts from this server only.")
}
