//go:build e2e

package e2e

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

// A crossSiteRequest is a request that a page sends to a server on another origin. From an origin that is not allowed
// its result must be "blocked" or "opaque", and no hook is called.
type crossSiteRequest struct {
	name, script string
	allowed      string // the result from an allowed origin: a status, "blocked", or "opaque" if the browser hides it
	hookCalled   bool   // from an allowed origin
	ownerOnly    bool   // the route exists only if uploads have owners
}

var crossSiteRequests = []crossSiteRequest{
	{name: "sign", allowed: "200", hookCalled: true,
		script: `request("POST", "/s3/sign?v4=true", "application/json", policy)`},
	{name: "sign with a custom header", allowed: "200", hookCalled: true,
		script: `request("POST", "/s3/sign?v4=true", "application/json", policy, "cors", {"X-App-Token": "1"})`},
	{name: "sign without a preflight", allowed: "415",
		script: `request("POST", "/s3/sign?v4=true", "text/plain", policy)`},
	{name: "success", allowed: "200", hookCalled: true,
		script: `request("POST", "/s3/success", formType, object)`},
	{name: "success by PUT", allowed: "200", hookCalled: true,
		script: `request("PUT", "/s3/success", formType, object)`},
	{name: "success without reading the response", allowed: "opaque", hookCalled: true,
		script: `request("POST", "/s3/success", formType, object, "no-cors")`},
	{name: "owner", allowed: "200", ownerOnly: true,
		script: `request("GET", "/s3/owner")`},
	{name: "owner with a custom header", allowed: "200", ownerOnly: true,
		script: `request("GET", "/s3/owner", undefined, undefined, "cors", {Authorization: "Bearer 1"})`},
	{name: "session", allowed: "200", ownerOnly: true,
		script: `request("GET", "/s3/session")`},
	{name: "session with a custom header", allowed: "200", ownerOnly: true,
		script: `request("GET", "/s3/session", undefined, undefined, "cors", {"Authorization": "Bearer 1"})`},
	{name: "session without reading the response", allowed: "blocked", ownerOnly: true,
		script: `request("GET", "/s3/session", undefined, undefined, "no-cors")`},
	{name: "client configuration", allowed: "200",
		script: `request("GET", "/static/client_conf.js")`},
	{name: "client configuration as a script", allowed: "blocked",
		script: `embed("script", {src: server + "/static/client_conf.js"})`},
	{name: "delete", allowed: "200", hookCalled: true,
		script: `request("DELETE", "/s3/delete/1234?" + object)`},
	{name: "delete by form", allowed: "200", hookCalled: true,
		script: `request("POST", "/s3/delete", formType, deletion)`},
	{name: "delete without reading the response", allowed: "opaque", hookCalled: true,
		script: `request("POST", "/s3/delete", formType, deletion, "no-cors")`},
	{name: "delete by a form in a frame", allowed: "opaque", hookCalled: true,
		script: `submit(server + "/s3/delete", deletion)`},
	{name: "delete from a frame without an origin", allowed: "opaque",
		script: `sandboxed(server + "/s3/delete", deletion)`},
}

// crossSiteHelpers are the functions that the scripts use. Each %s is a value: server, bucket, key and policy.
const crossSiteHelpers = `
	const server = %s, bucket = %s, key = %s, policy = %s, formType = "application/x-www-form-urlencoded";
	const object = new URLSearchParams({bucket, key, uuid: "1234", name: "hello.txt"}).toString();
	const deletion = new URLSearchParams({bucket, key, qquuid: "1234", _method: "DELETE"}).toString();
	const make = (tag, properties) => Object.assign(document.createElement(tag), properties);
	const request = (method, path, type, body, mode = "cors", more = {}) =>
		fetch(server + path, {
			method, body, mode, credentials: "include", headers: type ? {"Content-Type": type, ...more} : more
		})
			.then((response) => response.type === "opaque" ? "opaque" : String(response.status), () => "blocked");
	const embed = (tag, properties) => new Promise((resolve) =>
		document.body.append(make(tag, {
			...properties, onload: () => resolve("opaque"), onerror: () => resolve("blocked")
		})));
	const submit = (action, fields) => new Promise((resolve) => {
		const frame = make("iframe", {name: "target"}), form = make("form", {method: "post", action, target: "target"});
		for (const [name, value] of new URLSearchParams(fields)) form.append(make("input", {name, value}));
		document.body.append(frame, form);
		frame.onload = () => resolve("opaque");
		form.submit();
	});
	const sandboxed = (url, body) => new Promise((resolve) => {
		addEventListener("message", () => resolve("opaque"));
		const script = "fetch(" + JSON.stringify(url) + ", {method: 'POST', mode: 'no-cors', credentials: 'include', " +
			"body: new URLSearchParams(" + JSON.stringify(body) + ")}).catch(() => {})" +
			".finally(() => parent.postMessage('', '*'))";
		document.body.append(make("iframe", {
			sandbox: "allow-scripts", srcdoc: "<script>" + script + "</scr" + "ipt>"
		}));
	});`

// sendCrossSite sends a request about u from the page.
func (p *tab) sendCrossSite(r crossSiteRequest, srv *server, b *bucket, u upload) string {
	p.t.Helper()
	policy := postForm{key: u.Key, conditions: exactMatch("key", u.Key)}.unsigned(b, 4).toSign[0]
	return eval[string](p, `(() => {`+crossSiteHelpers+`; return `+r.script+`})()`, srv.url, b.name, u.Key, policy)
}

// checkAllRejected sends all requests about u, and checks that none has an effect.
func (p *tab) checkAllRejected(srv *server, b *bucket, u upload) {
	p.t.Helper()
	origin := evalRetry[string](p, `location.origin`)
	for _, r := range crossSiteRequests {
		before := srv.hookCalls(p.t)
		if got := p.sendCrossSite(r, srv, b, u); got != "blocked" && (got != "opaque" || r.allowed != "opaque") {
			p.t.Errorf("%s from %s: got %s, want it blocked", r.name, origin, got)
		}
		if srv.hookCalls(p.t) != before {
			p.t.Errorf("%s from %s: a hook was called", r.name, origin)
		}
		if !b.has(p.t, u.Key) {
			p.t.Fatalf("%s from %s: the object was deleted", r.name, origin)
		}
	}
}

// checkAllAccepted sends all requests about u from an allowed origin, and checks that they have their effect: on other
// origins they are not rejected for being malformed.
func (p *tab) checkAllAccepted(srv *server, b *bucket, u upload, own bool) {
	p.t.Helper()
	for _, r := range crossSiteRequests {
		if r.ownerOnly && !own {
			continue
		}
		before := srv.hookCalls(p.t)
		b.put(p.t, u.Key, "stored again") // an earlier request may have deleted it
		if got := p.sendCrossSite(r, srv, b, u); got != r.allowed {
			p.t.Errorf("%s from the allowed origin: got %s, want %s", r.name, got, r.allowed)
		}
		if called := srv.hookCalls(p.t) > before; called != r.hookCalled {
			p.t.Errorf("%s from the allowed origin: hook called: got %t, want %t", r.name, called, r.hookCalled)
		}
		wantDeleted := r.hookCalled && strings.HasPrefix(r.name, "delete")
		if deleted := !b.has(p.t, u.Key); deleted != wantDeleted {
			p.t.Errorf("%s from the allowed origin: object deleted: got %t, want %t", r.name, deleted, wantDeleted)
		}
	}
}

// hookCalls is how often hooks were called. Before it counts the calls in the log, it waits until the log has a last
// request of its own.
func (srv *server) hookCalls(t *testing.T) int {
	t.Helper()
	last := "/" + uuid()
	res, err := http.Get(srv.url + last)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	inLog := func() bool { return strings.Contains(srv.output.String(), last) }
	eventually(t, 30*time.Second, "the last request in the log", inLog)
	return len(regexp.MustCompile(`level=INFO msg=(challenge|success|delete) `).FindAllString(srv.output.String(), -1))
}
