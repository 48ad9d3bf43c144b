//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

var ownUploadsOnly = settings{"P3S3F_OWN_UPLOADS_ONLY": "1"}

// Browser B knows everything about two uploads of browser A, one done and one under way: key and upload ID. The server
// signs none of the five operations on them for B, accepts no report and no delete from B, and lists nothing to B.
func TestOwnersAreIsolated(t *testing.T) {
	t.Parallel()
	for _, version := range []int{2, 4} {
		t.Run(fmt.Sprintf("V%d", version), func(t *testing.T) { testOwnersAreIsolated(t, version) })
	}
}

func testOwnersAreIsolated(t *testing.T, version int) {
	store := newBucket(t, shared.radosgw)
	proxy := startTCPProxy(t, store.port, smallFile.size+inFlight+2*mib)
	env := settingsFor(store, pathStyle.endpoint(proxy.port)).with(ownUploadsOnly)
	env["P3S3F_SIGNATURE_VERSION"] = fmt.Sprint(version)
	srv := startServer(t, newWorkDir(t), env)
	a := openTab(t, srv.url, `net::ERR_.*partNumber=`) // its parts are cut off below
	b := openTab(t, srv.url, `status of 40[13]`)

	a.choose(smallFile)
	finished := a.awaitStatus(30*time.Second, 1, done)[0]
	a.choose(longFile)
	eventually(t, 30*time.Second, "the upload is blocked", proxy.limitReached)
	long := a.uploadOf(longFile)
	a.click(long.ID, "pause")
	a.awaitStatus(30*time.Second, 1, paused)
	proxy.reset()
	proxy.unblock()

	host := loopback(proxy.port)
	id := *store.listUnfinished(t)[0].UploadId
	before := store.state(t)
	requests := objectRequests(store, host, 2, finished, a.uploadOf(longFile), id)
	if version == 4 { // this server signs both
		requests = append(requests, objectRequests(store, host, 4, finished, a.uploadOf(longFile), id)...)
	}
	forged := srv.forgedCookie(t, ownerOf(finished))
	for _, r := range requests {
		checkOwnerOnly(t, srv, r, a, b, forged)
	}
	if list := b.session(); len(list) != 0 {
		t.Errorf("B's earlier uploads: got %q, want none", list)
	}
	if list := a.session(); !slices.Equal(list, []string{finished.Key}) {
		t.Errorf("A's earlier uploads: got %q, want %q", list, finished.Key)
	}
	if after := store.state(t); !slices.Equal(before, after) {
		t.Errorf("the bucket's content changed from %v to %v", before, after)
	}

	a.click(long.ID, "continue")
	a.awaitStatus(30*time.Second, 2, done)
	store.checkObject(t, finished.Key, smallFile, a.dataset())
	store.checkObject(t, a.uploadOf(longFile).Key, longFile, a.dataset())
}

// checkOwnerOnly checks that the server accepts a request from its owner a, and not from b, nor without a cookie, nor
// with a forged one. Of a's requests it sends only those that change nothing.
func checkOwnerOnly(t *testing.T, srv *server, r objectRequest, a, b *tab, forged string) {
	t.Helper()
	const message = "belongs to another owner"
	res := b.fetch(r)
	if res.status != http.StatusForbidden || !res.rejected() || !strings.Contains(res.Error, message) {
		t.Errorf("%s by B: got status %d, %+v, want 403 and %q", r.name, res.status, res, message)
	}
	for _, cookie := range []string{"", forged} {
		if res := srv.sendWithCookie(t, r, cookie); res.status != http.StatusUnauthorized || !res.rejected() {
			t.Errorf("%s with the cookie %q: got status %d, %+v, want 401", r.name, cookie, res.status, res)
		}
	}
	if r.sign {
		if res := a.fetch(r); res.Signature == "" {
			t.Errorf("%s by A: got status %d, %+v, want a signature", r.name, res.status, res)
		}
	}
}

// An objectRequest is a request to the server about an object.
type objectRequest struct {
	name, method, path, contentType, body string
	sign                                  bool // a sign request, which changes nothing
}

// objectRequests are all requests about a finished upload and one that is under way, which has the given upload ID.
func objectRequests(b *bucket, host string, version int, finished, underWay upload, id string) (all []objectRequest) {
	operations := map[string]signable{
		"PostObject":            postForm{key: finished.Key, conditions: exactMatch("key", finished.Key)},
		"CreateMultipartUpload": headerSigned{method: "POST", key: finished.Key, query: "uploads", host: host},
		"UploadPart": headerSigned{
			method: "PUT", key: underWay.Key, query: "partNumber=1&uploadId=" + id, body: "replaced", host: host,
		},
		"CompleteMultipartUpload": headerSigned{
			method: "POST", key: underWay.Key, query: "uploadId=" + id, contentType: "application/xml; charset=UTF-8",
			host: host,
		},
		"AbortMultipartUpload": headerSigned{method: "DELETE", key: underWay.Key, query: "uploadId=" + id, host: host},
	}
	for name, operation := range operations {
		r := operation.unsigned(b, version)
		all = append(all, objectRequest{
			name: fmt.Sprintf("V%d %s", version, name), method: http.MethodPost, path: r.signPath(),
			contentType: "application/json; charset=UTF-8", body: r.signBody(r.asFineUploader()), sign: true,
		})
	}
	const formType = "application/x-www-form-urlencoded"
	object := url.Values{"bucket": {b.name}, "key": {finished.Key}}.Encode()
	report, remove := object+"&uuid=1234&name=hello.txt", object+"&qquuid=1234&_method=DELETE"
	return append(all,
		objectRequest{"success", http.MethodPost, "/s3/success", formType, report, false},
		objectRequest{"delete", http.MethodDelete, "/s3/delete/1234?" + object, "", "", false},
		objectRequest{"delete by form", http.MethodPost, "/s3/delete", formType, remove, false},
	)
}

// fetch sends r from the page, with the browser's cookie.
func (p *tab) fetch(r objectRequest) response {
	p.t.Helper()
	got := eval[struct {
		Status int
		Body   string
	}](p, `fetch(%s, {method: %s, headers: {"Content-Type": %s}, body: %s || undefined})
		.then(async (response) => ({Status: response.status, Body: await response.text()}))`,
		r.path, r.method, r.contentType, r.body)
	return parseResponse(p.t, got.Status, got.Body)
}

// sendWithCookie sends r without a browser.
func (srv *server) sendWithCookie(t *testing.T, r objectRequest, cookie string) response {
	t.Helper()
	request := newRequest(r.method, srv.url+r.path, r.body)
	request.Header.Set("Content-Type", r.contentType)
	request.Header.Set("Cookie", cookie)
	status, body := do(t, request)
	return parseResponse(t, status, body)
}

// forgedCookie is a new browser's cookie with another owner's ID in it.
func (srv *server) forgedCookie(t *testing.T, owner string) string {
	t.Helper()
	cookie := srv.newCookie(t)
	_, rest, _ := strings.Cut(cookie.Value, ".") // expiry and MAC
	return cookie.Name + "=" + owner + "." + rest
}

// session is the keys that the server lists as the browser's own.
func (p *tab) session() (keys []string) {
	p.t.Helper()
	return eval[[]string](p, `fetch("/s3/session")
		.then((response) => response.json()).then((files) => files.map((file) => file.s3Key))`)
}

// After a reload the page shows what its browser has uploaded before, and can delete it. Other browsers do not see it.
func TestEarlierUploads(t *testing.T) {
	t.Parallel()
	b := newBucket(t, shared.radosgw)
	srv := startServer(t, newWorkDir(t), settingsFor(b, pathStyle.endpoint(b.port)).with(ownUploadsOnly))
	page := openTab(t, srv.url)
	files := []testFile{smallFile, umlautsFile, untypedLongFile}
	page.choose(files...)
	page.awaitStatus(30*time.Second, len(files), done)
	uploaded := map[string]string{}
	for _, f := range files {
		uploaded[f.name] = page.uploadOf(f).Key
	}

	page.do(chromedp.Reload())
	for _, u := range page.awaitStatus(30*time.Second, len(files), done) {
		if uploaded[u.Name] != u.Key {
			t.Errorf("key of %s after the reload: got %s, want %s", u.Name, u.Key, uploaded[u.Name])
		}
	}
	page.screenshot("earlier-uploads")
	page.delete(page.uploadOf(smallFile).ID)
	if b.has(t, uploaded[smallFile.name]) {
		t.Errorf("%s was not deleted", uploaded[smallFile.name])
	}

	other := openTab(t, srv.url)
	eventually(t, 30*time.Second, "the page requests its earlier uploads", func() bool {
		return eval[bool](other, `performance.getEntriesByType("resource").some((r) => r.name.includes("/s3/session"))`)
	})
	if list := other.uploads(); len(list) != 0 || len(other.session()) != 0 {
		t.Errorf("uploads in another browser: got %+v, %q, want none", list, other.session())
	}
}
