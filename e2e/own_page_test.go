//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"
)

// ownPage is a page with Fine Uploader that has only signContentType of the shipped page. Each %s is a value: endpoint,
// host, access key, bucket and server.
const ownPage = `<!doctype html><script src="s3.fine-uploader.min.js"></script><p></p><script type="module">
import { signContentType } from "./fine-uploader-patches.js";
signContentType(qq);
const [endpoint, host, accessKey, bucket, server] = [%q, %q, %q, %q, %q];
const show = (text) => { document.querySelector("p").textContent += text + " "; };
new qq.s3.FineUploaderBasic({
  cors: {expected: true},
  request: {endpoint, accessKey},
  objectProperties: {bucket, host},
  signature: {endpoint: server + "/s3/sign", version: 4},
  uploadSuccess: {endpoint: server + "/s3/success"},
  chunking: {enabled: true},
  callbacks: {
    onComplete: (id, name, response) => show(name + (response.success ? " uploaded" : " failed")),
    onError: (id, name, reason) => show(name + ": " + reason),
  },
}).addFiles([["long.txt", "text/plain"], ["long.html", "text/html"]].map(([name, type]) =>
  ({name, blob: new Blob(["x".repeat(6000000)], {type})})));
</script>`

// A page of one's own, with the files that docs/integration.md names, uploads a file in parts to a server without a
// page, and only one of an allowed type.
func TestOwnPage(t *testing.T) {
	t.Parallel()
	b := newBucket(t, shared.radosgw)
	dir := t.TempDir()
	guide, err := os.ReadFile("../docs/integration.md")
	if err != nil {
		t.Fatal(err)
	}
	files := regexp.MustCompile(`static/\S+`).FindAllString(regexp.MustCompile(`(?m)^ +cp (static/.*) YOUR-FOLDER/$`).
		FindString(string(guide)), -1)
	for _, file := range append(files, "static/s3.fine-uploader.min.js") {
		copyFile(t, filepath.Join("..", file), filepath.Join(dir, filepath.Base(file)))
	}
	site := httptest.NewServer(http.FileServer(http.Dir(dir)))
	defer site.Close()
	srv := startServer(t, newWorkDir(t), settingsFor(b, pathStyle.endpoint(b.port)).with(settings{
		"P3S3F_SERVE_PAGE": "0", "P3S3F_ALLOWED_ORIGINS": site.URL, "P3S3F_ALLOWED_TYPES": "text/plain",
	}))
	conf := b.clientConf(pathStyle, b.port, 4)
	page := fmt.Sprintf(ownPage, conf.endpoint, conf.host(), b.accessKey, b.name, srv.url)
	if err := os.WriteFile(filepath.Join(dir, "index.html"), []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
	tab := openTab(t, site.URL, "status of 403", "response code 403", "not accepted here", "favicon")
	tab.awaitText(30*time.Second, "long.txt uploaded")
	tab.awaitText(30*time.Second, "long.html failed")
}
