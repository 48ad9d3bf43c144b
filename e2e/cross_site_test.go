//go:build e2e

package e2e

import (
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// A page of another site whose origin is allowed can upload, list and delete. Pages of other origins can do nothing,
// not even with the cookie of a user of the server's own page.
func TestCrossSiteRequests(t *testing.T) {
	t.Parallel()
	for _, own := range []bool{false, true} {
		t.Run(fmt.Sprintf("own uploads only %t", own), func(t *testing.T) {
			t.Parallel()
			b := newBucket(t, shared.radosgw)
			other := serveSite(t)
			srv := startServer(t, newWorkDir(t), settingsFor(b, pathStyle.endpoint(b.port)).with(settings{
				"P3S3F_ALLOWED_ORIGINS":  other.at("app.localhost"),
				"P3S3F_OWN_UPLOADS_ONLY": map[bool]string{false: "0", true: "1"}[own],
			}))
			other.configure(t, b, srv, own)

			page := openTab(t, srv.url, crossSiteErrors...)
			victim := page.uploadTwo(b)
			// another site, and the same site on another port
			for _, origin := range []string{other.at("evil.localhost"), other.at("localhost")} {
				page.do(chromedp.Navigate(origin + "/empty"))
				page.checkAllRejected(srv, b, victim)
			}
			page.do(chromedp.Navigate(other.at("app.localhost")))
			allowed := page.uploadTwo(b)
			if own && ownerOf(allowed) == ownerOf(victim) {
				t.Errorf("%s is the owner on both sites", ownerOf(allowed))
			}
			page.do(chromedp.Navigate(other.at("app.localhost") + "/empty"))
			page.checkAllAccepted(srv, b, allowed, own)
			page.do(chromedp.Navigate(other.at("app.localhost")))
			last := page.uploadTwo(b)
			page.delete(last.ID)
			if b.has(t, last.Key) {
				t.Errorf("%s was not deleted", last.Key)
			}
			if !b.has(t, victim.Key) {
				t.Errorf("%s was deleted", victim.Key)
			}
		})
	}
}

// Users who follow a link from another site keep their owner ID, although the browser does not send the SameSite=Strict
// cookie with the request for the page.
func TestLinkFromAnotherSite(t *testing.T) {
	t.Parallel()
	b := newBucket(t, shared.radosgw)
	other := serveSite(t)
	srv := startServer(t, newWorkDir(t), settingsFor(b, pathStyle.endpoint(b.port)).with(ownUploadsOnly))
	page := openTab(t, srv.url, `favicon`)
	owner := page.owner()
	page.do(chromedp.Navigate(other.at("evil.localhost") + "/empty"))
	page.exec(`setTimeout(() => { location.href = %s })`, srv.url)
	page.awaitText(30*time.Second, "Choose files")
	if after := page.owner(); after != owner {
		t.Errorf("owner after a link from another site: got %s, want %s", after, owner)
	}
}

// crossSiteErrors match the errors of Chromium about rejected cross-site requests, and of Fine Uploader about the list.
var crossSiteErrors = []string{
	`blocked by CORS policy`, `net::ERR_FAILED`, `ERR_BLOCKED_BY_RESPONSE`, `status of (4\d\d)`,
}

// uploadTwo uploads a small and a long file, deletes the long one, and returns the upload of the small one.
func (p *tab) uploadTwo(b *bucket) upload {
	p.t.Helper()
	p.choose(smallFile, untypedLongFile)
	p.awaitStatus(30*time.Second, 2, done)
	dataset := p.dataset()
	for _, f := range []testFile{smallFile, untypedLongFile} {
		b.checkObject(p.t, p.uploadOf(f).Key, f, dataset)
	}
	p.delete(p.uploadOf(untypedLongFile).ID)
	return p.uploadOf(smallFile)
}

// ownerOf is the part of a key before the first slash, or "" without one.
func ownerOf(u upload) string {
	owner, _, found := strings.Cut(u.Key, "/")
	if !found {
		return ""
	}
	return owner
}

// A site is another web site, on every host name below localhost. Browsers resolve these names to loopback (RFC 6761),
// and treat each as a site of its own.
type site struct {
	dir  string
	port int
}

// at is the site's origin with a host name.
func (s site) at(name string) string { return fmt.Sprintf("http://%s:%d", name, s.port) }

// serveSite serves the project's page, without the server's headers, and an empty page.
func serveSite(t *testing.T) site {
	t.Helper()
	l, err := net.Listen("tcp", loopback(0))
	if err != nil {
		t.Fatal(err)
	}
	s := site{newWorkDir(t), l.Addr().(*net.TCPAddr).Port}
	mux := http.NewServeMux()
	mux.Handle("GET /static/", http.FileServer(http.Dir(s.dir)))
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFile(w, r, filepath.Join(s.dir, "static", "index.html"))
	})
	mux.HandleFunc("GET /empty", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
	})
	server := &http.Server{Handler: mux}
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	return s
}

// configure writes the site's client configuration.
func (s site) configure(t *testing.T, b *bucket, srv *server, own bool) {
	t.Helper()
	conf := b.clientConf(pathStyle, b.port, 4)
	conf.more = fmt.Sprintf(`
fine_u_conf.cors.sendCredentials = true;
["signature", "uploadSuccess", "deleteFile"].forEach(function (section) {
  fine_u_conf[section].endpoint = %q + fine_u_conf[section].endpoint;
});`, srv.url)
	if own {
		conf.key = `function (id) {
  var name = this.getUuid(id) + "." + qq.getExtension(this.getName(id));
  return owner.then(function (id) { return id + "/" + name; });
}`
		conf.more += fmt.Sprintf(`
var owner = fetch("%s/s3/owner", {credentials: "include"})
  .then(function (response) { return response.json(); })
  .then(function (body) { return body.owner; });`, srv.url)
	}
	conf.write(t, s.dir)
}
