//go:build e2e

package e2e

import (
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// A page of another site, which the server names as allowed, uploads, lists and deletes by the server.
// Pages of any other origin can do nothing, not even with the cookie of a user of the server's own page.
func TestOtherSites(t *testing.T) {
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

			page := openTab(t, srv.url, refusedAcross...)
			victim := page.uploadOne(b)
			for _, origin := range []string{other.at("evil.localhost"), other.at("localhost")} { // another site, and the same site on another port
				page.do(chromedp.Navigate(origin + "/empty"))
				page.canDoNothing(srv, b, victim)
			}
			page.do(chromedp.Navigate(other.at("app.localhost")))
			theirs := page.uploadOne(b)
			if own && ownerOf(theirs) == ownerOf(victim) {
				t.Errorf("%s is the owner on both sites", ownerOf(theirs))
			}
			page.do(chromedp.Navigate(other.at("app.localhost") + "/empty"))
			page.canDoAll(srv, b, theirs, own)
			page.do(chromedp.Navigate(other.at("app.localhost")))
			last := page.uploadOne(b)
			page.delete(last.ID)
			if b.has(t, last.Key) || !b.has(t, victim.Key) {
				t.Errorf("the bucket holds %s: %t; %s: %t", last.Key, b.has(t, last.Key), victim.Key, b.has(t, victim.Key))
			}
		})
	}
}

// Who follows a link from another site stays who they are, though the browser sends no SameSite=Strict
// cookie with the page itself.
func TestLinkFromAnotherSite(t *testing.T) {
	t.Parallel()
	b := newBucket(t, shared.radosgw)
	other := serveSite(t)
	srv := startServer(t, newWorkDir(t), settingsFor(b, pathStyle.endpoint(b.port)).with(ownUploadsOnly))
	page := openTab(t, srv.url, `favicon`)
	owner := page.owner()
	page.do(chromedp.Navigate(other.at("evil.localhost") + "/empty"))
	page.command(`setTimeout(() => { location.href = %s })`, srv.url)
	page.sees(30*time.Second, "Choose files")
	if after := page.owner(); after != owner {
		t.Errorf("the owner was %s, and is %s after a link from another site", owner, after)
	}
}

// What Chromium says of a cross-site request that is refused, and Fine Uploader of a list that it gets no answer to.
var refusedAcross = []string{`blocked by CORS policy`, `net::ERR_FAILED`, `ERR_BLOCKED_BY_RESPONSE`, `status of (4\d\d)`}

// uploadOne uploads a small and a long file, and returns the small one's upload.
func (p *tab) uploadOne(b *bucket) upload {
	p.t.Helper()
	p.choose(smallFile, untypedLongFile)
	p.await(30*time.Second, 2, done)
	dataset := read[string](p, `fine_u_conf.request.params.dataset`)
	for _, f := range []testFile{smallFile, untypedLongFile} {
		b.holds(p.t, p.uploadOf(f).Key, f, dataset)
	}
	p.delete(p.uploadOf(untypedLongFile).ID)
	return p.uploadOf(smallFile)
}

// ownerOf is what stands before the first slash of a key, "" if there is none.
func ownerOf(u upload) string {
	owner, _, found := strings.Cut(u.Key, "/")
	if !found {
		return ""
	}
	return owner
}

// An attempt is what a page may try with a server elsewhere, and what comes of it on an allowed page: a
// status, or "blind" where the browser hides it; and whether a hook hears of it. On all other pages it
// is "nothing" or "blind", and no hook hears of it.
type attempt struct {
	name, script string
	allowed      string
	told         bool
	own          bool // there is such a route only where visitors have owners
}

var attempts = []attempt{
	{name: "sign", script: `ask("POST", "/s3/sign?v4=true", "application/json", policy)`, allowed: "200", told: true},
	{name: "sign without a preflight", script: `ask("POST", "/s3/sign?v4=true", "text/plain", policy)`, allowed: "415"},
	{name: "success", script: `ask("POST", "/s3/success", formType, object)`, allowed: "200", told: true},
	{name: "success by PUT", script: `ask("PUT", "/s3/success", formType, object)`, allowed: "200", told: true},
	{name: "success without reading", script: `ask("POST", "/s3/success", formType, object, "no-cors")`, allowed: "blind", told: true},
	{name: "owner", script: `ask("GET", "/s3/owner")`, allowed: "200", own: true},
	{name: "session", script: `ask("GET", "/s3/session")`, allowed: "200", own: true},
	{name: "session without reading", script: `ask("GET", "/s3/session", undefined, undefined, "no-cors")`, allowed: "nothing", own: true},
	{name: "client configuration", script: `ask("GET", "/static/client_conf.js")`, allowed: "200"},
	{name: "client configuration as a script", script: `embed("script", {src: server + "/static/client_conf.js"})`, allowed: "nothing"},
	{name: "delete", script: `ask("DELETE", "/s3/delete/1234?" + object)`, allowed: "200", told: true},
	{name: "delete by form", script: `ask("POST", "/s3/delete", formType, deletion)`, allowed: "200", told: true},
	{name: "delete without reading", script: `ask("POST", "/s3/delete", formType, deletion, "no-cors")`, allowed: "blind", told: true},
	{name: "delete by a form in a frame", script: `submit(server + "/s3/delete", deletion)`, allowed: "blind", told: true},
	{name: "delete from a frame without an origin", script: `sandboxed(server + "/s3/delete", deletion)`, allowed: "blind"},
}

// attemptTools is what the attempts are written with; %s are the server, bucket, key and policy.
const attemptTools = `
	const server = %s, bucket = %s, key = %s, policy = %s, formType = "application/x-www-form-urlencoded";
	const object = new URLSearchParams({bucket, key, uuid: "1234", name: "hello.txt"}).toString();
	const deletion = new URLSearchParams({bucket, key, qquuid: "1234", _method: "DELETE"}).toString();
	const make = (tag, properties) => Object.assign(document.createElement(tag), properties);
	const ask = (method, path, type, body, mode = "cors") =>
		fetch(server + path, {method, body, mode, credentials: "include", headers: type ? {"Content-Type": type} : {}})
			.then((answer) => answer.type === "opaque" ? "blind" : String(answer.status), () => "nothing");
	const embed = (tag, properties) => new Promise((resolve) =>
		document.body.append(make(tag, {...properties, onload: () => resolve("blind"), onerror: () => resolve("nothing")})));
	const submit = (action, fields) => new Promise((resolve) => {
		const frame = make("iframe", {name: "target"}), form = make("form", {method: "post", action, target: "target"});
		for (const [name, value] of new URLSearchParams(fields)) form.append(make("input", {name, value}));
		document.body.append(frame, form);
		frame.onload = () => resolve("blind");
		form.submit();
	});
	const sandboxed = (url, body) => new Promise((resolve) => {
		addEventListener("message", () => resolve("blind"));
		const script = "fetch(" + JSON.stringify(url) + ", {method: 'POST', mode: 'no-cors', credentials: 'include', body: new URLSearchParams(" +
			JSON.stringify(body) + ")}).catch(() => {}).finally(() => parent.postMessage('', '*'))";
		document.body.append(make("iframe", {sandbox: "allow-scripts", srcdoc: "<script>" + script + "</scr" + "ipt>"}));
	});`

// try runs an attempt on u in the page.
func (p *tab) try(a attempt, srv *server, b *bucket, u upload) string {
	p.t.Helper()
	policy := form{key: u.Key, conditions: exactly("key", u.Key)}.wish(b, 4).texts[0]
	return eval[string](p, `(() => {`+attemptTools+`; return `+a.script+`})()`, srv.url, b.name, u.Key, policy)
}

// canDoNothing tries everything on u, and sees that nothing comes of it.
func (p *tab) canDoNothing(srv *server, b *bucket, u upload) {
	p.t.Helper()
	for _, a := range attempts {
		before := srv.hooksTold(p.t)
		if got := p.try(a, srv, b, u); got != "nothing" && (got != "blind" || a.allowed != "blind") {
			p.t.Errorf("%s on %s: %s", a.name, read[string](p, `location.origin`), got)
		}
		if srv.hooksTold(p.t) != before {
			p.t.Errorf("%s on %s: a hook was told", a.name, read[string](p, `location.origin`))
		}
		if !b.has(p.t, u.Key) {
			p.t.Fatalf("%s on %s: the object is gone", a.name, read[string](p, `location.origin`))
		}
	}
}

// canDoAll tries everything on u, and sees that it is done: what is refused elsewhere is not refused
// for being badly written.
func (p *tab) canDoAll(srv *server, b *bucket, u upload, own bool) {
	p.t.Helper()
	for _, a := range attempts {
		if a.own && !own {
			continue
		}
		before := srv.hooksTold(p.t)
		b.put(p.t, u.Key, "here again") // it may have been deleted
		if got := p.try(a, srv, b, u); got != a.allowed {
			p.t.Errorf("%s on the allowed page: %s, want %s", a.name, got, a.allowed)
		}
		if told := srv.hooksTold(p.t) > before; told != a.told {
			p.t.Errorf("%s on the allowed page: a hook was told: %t", a.name, told)
		}
		if gone := !b.has(p.t, u.Key); gone != (a.told && strings.HasPrefix(a.name, "delete")) {
			p.t.Errorf("%s on the allowed page: the object is gone: %t", a.name, gone)
		}
	}
}

// hooksTold is how often a hook was asked or told something until now: until the server has written down a request that
// comes after all others.
func (srv *server) hooksTold(t *testing.T) int {
	t.Helper()
	last := "/" + uuid()
	answer, err := http.Get(srv.url + last)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	eventually(t, 30*time.Second, "the last request in the log", func() bool { return strings.Contains(srv.output.String(), last) })
	return len(regexp.MustCompile(`level=INFO msg=(challenge|success|delete) `).FindAllString(srv.output.String(), -1))
}

// A site is somebody else's. It is reached by every name below localhost, which a browser takes for
// as many sites (and, by RFC 6761, for loopback).
type site struct {
	dir  string
	port int
}

// at is the site's origin under a host name.
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
	mux.HandleFunc("GET /empty", func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Content-Type", "text/html") })
	server := &http.Server{Handler: mux}
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	return s
}

// configure writes the client configuration that the site's owner makes.
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
  .then(function (answer) { return answer.json(); })
  .then(function (reply) { return reply.owner; });`, srv.url)
	}
	conf.write(t, s.dir)
}
