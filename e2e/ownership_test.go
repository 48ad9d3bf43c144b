//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// Two of testFiles.
var (
	umlauts     = testFile{"Füße größer als Äpfel.txt", 3 * kib}
	oddLongFile = testFile{"a+b & c=d #1 100% in parts.txt", 6 * mb}
)

var ownUploadsOnly = settings{"P3S3F_OWN_UPLOADS_ONLY": "1"}

// Browser B knows all about A's uploads, one done and one half-way: key and upload ID. It gets none of
// the five operations signed on them, nothing reported, nothing deleted and nothing listed.
func TestOwnersAreApart(t *testing.T) {
	t.Parallel()
	for _, version := range []int{2, 4} {
		t.Run(fmt.Sprintf("V%d", version), func(t *testing.T) {
			store := newBucket(t, shared.radosgw)
			line := startProxy(t, store.port, smallFile.size+inFlight+2*mib)
			env := settingsFor(store, pathStyle.endpoint(line.port)).with(ownUploadsOnly).with(settings{"P3S3F_SIGNATURE_VERSION": fmt.Sprint(version)})
			srv := startServer(t, newWorkDir(t), env)
			a := openTab(t, srv.url, `net::ERR_.*partNumber=`) // its parts are cut off below
			b := openTab(t, srv.url, `status of 40[13]`)

			a.choose(smallFile)
			finished := a.await(30*time.Second, 1, done)[0]
			a.choose(longFile)
			eventually(t, 30*time.Second, "the upload is stuck", line.full)
			long := a.uploadOf(longFile)
			a.press(long.ID, "pause")
			a.await(30*time.Second, 1, paused)
			line.reset()
			line.open()

			host := loopback(line.port)
			id := *store.mustUnfinished(t)[0].UploadId
			forged := srv.forgedCookie(t, ownerOf(finished))
			before := store.state(t)
			questions := everythingOn(store, host, 2, finished, a.uploadOf(longFile), id)
			if version == 4 { // this server signs both
				questions = append(questions, everythingOn(store, host, 4, finished, a.uploadOf(longFile), id)...)
			}
			for _, q := range questions {
				if answer := b.asks(q); answer.status != http.StatusForbidden || !answer.refused() || !strings.Contains(answer.Error, "belongs to another owner") {
					t.Errorf("%s by B: status %d, %+v", q.name, answer.status, answer)
				}
				for _, cookie := range []string{"", forged} {
					if answer := srv.askedWithCookie(t, q, cookie); answer.status != http.StatusUnauthorized || !answer.refused() {
						t.Errorf("%s with the cookie %q: status %d, %+v", q.name, cookie, answer.status, answer)
					}
				}
				if q.sign {
					if answer := a.asks(q); answer.Signature == "" {
						t.Errorf("%s by A: status %d, %+v", q.name, answer.status, answer)
					}
				}
			}
			if list := b.session(); len(list) != 0 {
				t.Errorf("B is shown %q", list)
			}
			if list := a.session(); len(list) != 1 || list[0] != finished.Key {
				t.Errorf("A is shown %q", list)
			}
			if after := store.state(t); !slices.Equal(before, after) {
				t.Errorf("the bucket changed from %v to %v", before, after)
			}

			a.press(long.ID, "continue")
			a.await(30*time.Second, 2, done)
			dataset := eval[string](a, `fine_u_conf.request.params.dataset`)
			store.holds(t, finished.Key, smallFile, dataset)
			store.holds(t, a.uploadOf(longFile).Key, longFile, dataset)
		})
	}
}

// A question is one request to the server about an object.
type question struct {
	name, method, path, contentType, body string
	sign                                  bool // a good answer is a signature, which changes nothing
}

// everythingOn asks whatever there is to ask about a finished upload, and one that is under way.
func everythingOn(b *bucket, host string, version int, finished, underWay upload, id string) (all []question) {
	operations := map[string]wish{
		"PostObject":              form{key: finished.Key, conditions: exactly("key", finished.Key)}.wish(b, version),
		"CreateMultipartUpload":   call{method: "POST", key: finished.Key, query: "uploads", host: host}.wish(b, version),
		"UploadPart":              call{method: "PUT", key: underWay.Key, query: "partNumber=1&uploadId=" + id, body: "replaced", host: host}.wish(b, version),
		"CompleteMultipartUpload": call{method: "POST", key: underWay.Key, query: "uploadId=" + id, contentType: "application/xml; charset=UTF-8", host: host}.wish(b, version),
		"AbortMultipartUpload":    call{method: "DELETE", key: underWay.Key, query: "uploadId=" + id, host: host}.wish(b, version),
	}
	for name, w := range operations {
		body := w.document(w.texts[len(w.texts)-1]) // as Fine Uploader asks
		all = append(all, question{fmt.Sprintf("V%d %s", version, name), http.MethodPost, w.endpoint(), "application/json; charset=UTF-8", body, true})
	}
	const formType = "application/x-www-form-urlencoded"
	object := url.Values{"bucket": {b.name}, "key": {finished.Key}}.Encode()
	return append(all,
		question{"success", http.MethodPost, "/s3/success", formType, object + "&uuid=1234&name=hello.txt", false},
		question{"delete", http.MethodDelete, "/s3/delete/1234?" + object, "", "", false},
		question{"delete by form", http.MethodPost, "/s3/delete", formType, object + "&qquuid=1234&_method=DELETE", false},
	)
}

// asks sends q from the page, with the browser's cookie.
func (p *tab) asks(q question) reply {
	p.t.Helper()
	answer := eval[struct {
		Status int
		Body   string
	}](p, `fetch(%s, {method: %s, headers: {"Content-Type": %s}, body: %s || undefined}).then(async (answer) => ({Status: answer.status, Body: await answer.text()}))`,
		q.path, q.method, q.contentType, q.body)
	return readReply(p.t, answer.Status, answer.Body)
}

// askedWithCookie sends q from no browser.
func (srv *server) askedWithCookie(t *testing.T, q question, cookie string) reply {
	t.Helper()
	r := newRequest(q.method, srv.url+q.path, q.body)
	r.Header.Set("Content-Type", q.contentType)
	r.Header.Set("Cookie", cookie)
	status, body := do(t, r)
	return readReply(t, status, body)
}

// forgedCookie is a new visitor's cookie with another owner's id in it.
func (srv *server) forgedCookie(t *testing.T, owner string) string {
	t.Helper()
	answer, err := http.Get(srv.url + "/s3/owner")
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	for _, cookie := range answer.Cookies() {
		_, rest, _ := strings.Cut(cookie.Value, ".") // expiry and MAC
		return cookie.Name + "=" + owner + "." + rest
	}
	t.Fatal("a stranger got no cookie")
	return ""
}

// session is the keys that the server shows the browser as its own.
func (p *tab) session() (keys []string) {
	p.t.Helper()
	return eval[[]string](p, `fetch("/s3/session").then((answer) => answer.json()).then((files) => files.map((file) => file.s3Key))`)
}

// After a reload the page shows what its browser has uploaded before, and deletes it; another browser's page does not.
func TestEarlierUploads(t *testing.T) {
	t.Parallel()
	b := newBucket(t, shared.radosgw)
	srv := startServer(t, newWorkDir(t), settingsFor(b, pathStyle.endpoint(b.port)).with(ownUploadsOnly))
	page := openTab(t, srv.url)
	files := []testFile{smallFile, umlauts, untypedLongFile}
	page.choose(files...)
	page.await(30*time.Second, len(files), done)
	uploaded := map[string]string{}
	for _, f := range files {
		uploaded[f.name] = page.uploadOf(f).Key
	}

	page.do(chromedp.Reload())
	for _, u := range page.await(30*time.Second, len(files), done) {
		if uploaded[u.Name] != u.Key {
			t.Errorf("%s is shown as %s, want %s", u.Name, u.Key, uploaded[u.Name])
		}
	}
	page.portray("earlier-uploads")
	page.delete(page.uploadOf(smallFile).ID)
	if b.has(t, uploaded[smallFile.name]) {
		t.Errorf("%s is still there", uploaded[smallFile.name])
	}

	other := openTab(t, srv.url)
	eventually(t, 30*time.Second, "the page has asked for its files", func() bool {
		return eval[bool](other, `performance.getEntriesByType("resource").some((r) => r.name.includes("/s3/session"))`)
	})
	if list := other.uploads(); len(list) != 0 || len(other.session()) != 0 {
		t.Errorf("another browser is shown %+v, %q", list, other.session())
	}
}

// Two servers with the same settings know each other's visitors: an upload that began at one goes on at
// the other when the first is gone, and the page sees no difference.
func TestReplicas(t *testing.T) {
	t.Parallel()
	b := newBucket(t, shared.radosgw)
	line := startProxy(t, b.port, inFlight+2*mib)
	env := settingsFor(b, pathStyle.endpoint(line.port)).with(ownUploadsOnly)
	dir := newWorkDir(t)
	first, second := startServer(t, dir, env), startServer(t, dir, env)
	balancer := startBalancer(t)
	balancer.to(first)
	page := openTab(t, balancer.URL, `net::ERR_.*partNumber=`, `beforeunload`) // the user has touched nothing, so he is not asked back
	page.choose(longFile)
	eventually(t, 30*time.Second, "the upload is stuck", line.full)
	key := page.uploadOf(longFile).Key

	balancer.to(second) // before the first ends: a part may still ask for its signature
	first.end(t, func() { first.signal(syscall.SIGTERM) })
	page.do(chromedp.Reload())
	line.reset()
	line.open()
	page.choose(longFile)
	u := page.await(30*time.Second, 1, done)[0]
	if u.Key != key {
		t.Errorf("the upload went on as %s, was %s", u.Key, key)
	}
	b.holds(t, u.Key, longFile, eval[string](page, `fine_u_conf.request.params.dataset`))
	if began := strings.Count(first.output.String()+second.output.String(), "operation=CreateMultipartUpload"); began != 1 {
		t.Errorf("the upload was begun %d times", began)
	}

	third := startServer(t, dir, env)
	for _, srv := range []*server{third, second, third} { // in turn
		balancer.to(srv)
		page.do(chromedp.Reload())
		page.await(30*time.Second, 1, done)
	}
	page.delete(page.uploadOf(longFile).ID)
	if b.has(t, key) {
		t.Errorf("%s is still there", key)
	}
}

// A balancer is a reverse proxy in front of the replicas.
type balancer struct {
	*httptest.Server
	replica atomic.Pointer[url.URL]
}

func startBalancer(t *testing.T) *balancer {
	b := &balancer{}
	b.Server = httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(b.replica.Load())
		r.Out.Host = r.In.Host // what the browser compares its Origin with
	}})
	t.Cleanup(b.Close)
	return b
}

func (b *balancer) to(srv *server) {
	u, err := url.Parse(srv.url)
	if err != nil {
		panic(err) // a page has been opened there
	}
	b.replica.Store(u)
}

// Whatever a user names his objects by, the server's own configuration puts the owner in front.
func TestOwnerBeforeKey(t *testing.T) {
	t.Parallel()
	b := newBucket(t, shared.radosgw)
	files := []testFile{smallFile, untypedFile, oddLongFile}
	keys := []struct {
		name, script string
		want         string // behind the owner's slash
	}{
		{"uuid", ``, `[0-9a-f-]{36}(\.txt)?`},
		{"filename", `"filename"`, `FILENAME`},
		{"function", `function (id) { return "a folder/" + this.getName(id); }`, `a folder/FILENAME`},
		{"promise", `function (id) { return Promise.resolve("later/" + this.getName(id)); }`, `later/FILENAME`},
	}
	for _, key := range keys {
		t.Run(key.name, func(t *testing.T) {
			dir := newWorkDir(t)
			if key.script != "" {
				appendFile(t, filepath.Join(dir, "client_conf.js"), "fine_u_conf.objectProperties.key = "+key.script+";\n")
			}
			srv := startServer(t, dir, settingsFor(b, pathStyle.endpoint(b.port)).with(ownUploadsOnly))
			openTab(t, srv.url).uploadsAsOwner(b, key.want, files)
		})
	}
	t.Run("plain copy", func(t *testing.T) {
		dir := newWorkDir(t)
		b.clientConf(pathStyle, b.port, 4).write(t, dir)
		srv := startServer(t, dir, settingsFor(b, pathStyle.endpoint(b.port)).with(ownUploadsOnly))
		openTab(t, srv.url).uploadsAsOwner(b, keys[0].want, files)
	})
	t.Run("by the README's own", func(t *testing.T) {
		dir := newWorkDir(t)
		conf := b.clientConf(pathStyle, b.port, 4)
		conf.key = `undefined`
		conf.more = handMade(t)
		conf.write(t, dir)
		srv := startServer(t, dir, settingsFor(b, pathStyle.endpoint(b.port)).with(ownUploadsOnly))
		page := openTab(t, srv.url)
		page.uploadsAsOwner(b, keys[0].want, files)
		page.do(chromedp.Reload())
		page.await(30*time.Second, len(files), done)
	})
}

// owner asks the server who the browser is.
func (p *tab) owner() string {
	p.t.Helper()
	return read[string](p, `fetch("/s3/owner").then((answer) => answer.json()).then((reply) => reply.owner)`)
}

// uploadsAsOwner uploads the files and checks that they came whole, under keys of the browser's owner.
func (p *tab) uploadsAsOwner(b *bucket, want string, files []testFile) {
	p.t.Helper()
	owner := p.owner()
	p.choose(files...)
	p.await(30*time.Second, len(files), done)
	for _, f := range files {
		key := p.uploadOf(f).Key
		pattern := "^" + owner + "/" + strings.ReplaceAll(want, "FILENAME", regexp.QuoteMeta(f.name)) + "$"
		if !matches(key, []string{pattern}) {
			p.t.Errorf("%s is stored as %q, want %s", f.name, key, pattern)
		}
		b.holds(p.t, key, f, eval[string](p, `fine_u_conf.request.params.dataset`))
	}
}

// handMade is what the README has a user write into a client configuration of his own, put into the shipped one.
func handMade(t *testing.T) string {
	t.Helper()
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(readme), "\n## Your own page\n")
	_, text, found := strings.Cut(text, "```js\n")
	text, _, closed := strings.Cut(text, "```")
	if !found || !closed {
		t.Fatal("README.md has no JavaScript under \"Your own page\"")
	}
	return "var shipped = fine_u_conf;\n" + text + `
fine_u_conf = Object.assign({}, shipped, fine_u_conf, {
  objectProperties: Object.assign({}, shipped.objectProperties, fine_u_conf.objectProperties)
});`
}
