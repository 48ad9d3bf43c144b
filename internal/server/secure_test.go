package server_test

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"s3-sign-srv/internal/hooks"
)

// TestContentSecurityPolicy checks each directive of the page's policy: the page may load its own files, and connect to
// its own server and to the store.
func TestContentSecurityPolicy(t *testing.T) {
	servers := startAllSetups(t)
	for in, store := range map[setup][]string{
		pathStyle:     {"http://127.0.0.1:9312"},
		pathByName:    {"http://localhost:9312", "http://mybucket.localhost:9312"},
		virtualHosted: {"http://localhost:9312", "http://mybucket.localhost:9312"},
		aws: {"https://mybucket.s3-us-east-1.amazonaws.com", "https://mybucket.s3.amazonaws.com",
			"https://mybucket.s3.dualstack.us-east-1.amazonaws.com", "https://mybucket.s3.us-east-1.amazonaws.com",
			"https://s3-us-east-1.amazonaws.com", "https://s3.amazonaws.com", "https://s3.dualstack.us-east-1.amazonaws.com",
			"https://s3.us-east-1.amazonaws.com"},
	} {
		want := map[string][]string{
			"default-src":     {"'none'"},
			"script-src":      {"'self'"},
			"style-src":       {"'self'"},
			"font-src":        {"'self'"},
			"frame-src":       {"'self'"},
			"worker-src":      {"'self'", "blob:"},
			"img-src":         slices.Concat([]string{"'self'", "data:", "blob:"}, store),
			"connect-src":     slices.Concat([]string{"'self'"}, store),
			"form-action":     slices.Concat([]string{"'self'"}, store),
			"base-uri":        {"'none'"},
			"frame-ancestors": {"'none'"},
		}
		for _, target := range []string{"/", "/success.html", "/static/client_conf.js", "/static/sub/page.js",
			"/static/nowhere.html"} {
			policies := do(t, "GET", servers[in].url+target, "", "").header.Values("Content-Security-Policy")
			if len(policies) != 1 {
				t.Errorf("%s with %s has %d policies", target, in, len(policies))
				continue
			}
			got := directives(policies[0])
			for name, sources := range want {
				if !slices.Equal(got[name], sources) {
					t.Errorf("%s with %s: %s is %q, want %q", target, in, name, got[name], sources)
				}
			}
			for name, sources := range got {
				if want[name] == nil {
					t.Errorf("%s with %s: %s is allowed %q", target, in, name, sources)
				}
				for _, source := range sources {
					if strings.Contains(source, "unsafe") || strings.Contains(source, "*") || source == "http:" || source == "https:" {
						t.Errorf("%s with %s: %s has %s", target, in, name, source)
					}
				}
			}
		}
	}
}

// TestContentSecurityPolicyOfOtherHosts has stores whose host has no form in a policy. Their scheme is allowed, but
// only for the host that the page uses.
func TestContentSecurityPolicyOfOtherHosts(t *testing.T) {
	for _, test := range []struct {
		endpoint, bucket string
		virtual          bool
		want             string
	}{
		{"http://[::1]:7070", "mybucket", false, "'self' http:"},
		{"https://my_store:9000", "mybucket", false, "'self' https:"},
		{"https://my_store:9000", "mybucket", true, "'self' https:"},
		{"https://s3.example.org", "my_bucket", false, "'self' https://s3.example.org"},
		{"https://s3.example.org", "my_bucket", true, "'self' https: https://s3.example.org"},
	} {
		s := startTestServer(t, func(c *config) {
			c.sign.Endpoint, c.sign.Bucket, c.sign.VirtualHosted = mustParse(test.endpoint), test.bucket, test.virtual
			c.server.Client.Endpoint, _ = c.sign.BucketURL()
		})
		policy := directives(do(t, "GET", s.url+"/", "", "").header.Get("Content-Security-Policy"))
		if got := strings.Join(policy["connect-src"], " "); got != test.want {
			t.Errorf("%+v: connect-src is %s", test, got)
		}
	}
}

// TestWorkerPolicy checks that the worker that hashes parts may compile WebAssembly, but not connect.
func TestWorkerPolicy(t *testing.T) {
	got := do(t, "GET", startAllSetups(t)[pathStyle].url+"/static/hash-worker.js", "", "")
	policies := got.header.Values("Content-Security-Policy")
	want := map[string][]string{"default-src": {"'none'"}, "script-src": {"'self'", "'wasm-unsafe-eval'"}}
	if got.status != 200 || len(policies) != 1 || !maps.EqualFunc(directives(policies[0]), want, slices.Equal) {
		t.Errorf("the worker: %d with %q, want %q", got.status, policies, want)
	}
}

// directives parses a policy. Like a browser, it takes the first of two equal directives.
func directives(policy string) map[string][]string {
	read := map[string][]string{}
	for directive := range strings.SplitSeq(policy, ";") {
		if words := strings.Fields(directive); len(words) > 0 && read[words[0]] == nil {
			read[words[0]] = words[1:]
		}
	}
	return read
}

// TestSecurityHeaders checks the headers of every kind of response.
func TestSecurityHeaders(t *testing.T) {
	s := startOwnedServer(t, func(c *config) {
		c.server.Hooks.Delete = func(context.Context, *hooks.Deletion) error { panic("delete") }
	})
	cookie, owner := s.openPage(t)
	sign := func(key string) attack { return signRequests("/s3/sign", "", swap(policy2, "uuid.txt", key))[0] }
	const (
		htmlKind   = "text/html; charset=utf-8"
		scriptKind = "text/javascript; charset=utf-8"
		jsonKind   = "application/json; charset=utf-8"
	)
	for name, test := range map[string]struct {
		attack
		status      int
		kind, cache string // Content-Type and Cache-Control
		isPage      bool   // the page or one of its files
	}{
		"page":                  {attack{method: "GET", target: "/"}, 200, htmlKind, "no-cache", true},
		"page's head":           {attack{method: "HEAD", target: "/"}, 200, htmlKind, "no-cache", true},
		"success page":          {attack{method: "GET", target: "/success.html"}, 200, htmlKind, "no-cache", true},
		"static file":           {attack{method: "GET", target: "/static/sub/page.js"}, 200, scriptKind, "no-cache", true},
		"configuration":         {attack{method: "GET", target: "/static/client_conf.js"}, 200, scriptKind, "no-store", true},
		"static file not found": {attack{method: "GET", target: "/static/nowhere"}, 404, jsonKind, "no-store", true},
		"health":                {attack{method: "GET", target: "/healthz"}, 200, "text/plain; charset=utf-8", "", false},
		"blank success":         {attack{method: "GET", target: "/s3/success"}, 200, htmlKind, "", false},
		"signature":             {sign(owner + "/uuid.txt"), 200, jsonKind, "no-store", false},
		"rejection":             {sign("other/uuid.txt"), 403, jsonKind, "no-store", false},
		"malformed request": {attack{method: "POST", target: "/s3/sign", header: asJSON, body: "{}"},
			400, jsonKind, "no-store", false},
		"success": {forms("POST", "/s3/success", "bucket=mybucket&key="+owner+"/uuid.txt")[0],
			200, jsonKind, "no-store", false},
		"failure": {deletes("/s3/delete/5176?bucket=mybucket&key=" + owner + "/uuid.txt")[0],
			500, jsonKind, "no-store", false},
		"owner":              {attack{method: "GET", target: "/s3/owner"}, 200, jsonKind, "no-store", false},
		"session":            {attack{method: "GET", target: "/s3/session"}, 200, jsonKind, "no-store", false},
		"not found":          {attack{method: "GET", target: "/nowhere"}, 404, jsonKind, "no-store", false},
		"method not allowed": {attack{method: "GET", target: "/s3/sign"}, 405, jsonKind, "no-store", false},
		"options":            {attack{method: "OPTIONS", target: "/s3/sign"}, 200, "", "", false},
	} {
		header := test.header.Clone()
		if header == nil {
			header = http.Header{}
		}
		header.Set("Cookie", cookie)
		test.header = header
		got := s.send(t, test.attack)
		pages := map[bool]string{true: "same-origin"}[test.isPage]
		if got.status != test.status || (got.header.Get("Content-Security-Policy") != "") != test.isPage {
			t.Errorf("%s: %d %v %.200s", name, got.status, got.header, got.body)
		}
		for header, want := range map[string]string{
			"Content-Type": test.kind, "Cache-Control": test.cache, "X-Content-Type-Options": "nosniff",
			"Cross-Origin-Resource-Policy": "same-origin",
			"Referrer-Policy":              pages, "Cross-Origin-Opener-Policy": pages,
		} {
			if values := got.header.Values(header); strings.Join(values, ", ") != want || len(values) > 1 {
				t.Errorf("%s: %s is %q, want %q", name, header, values, want)
			}
		}
	}
}
