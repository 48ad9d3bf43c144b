package server_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"s3-sign-srv/internal/cookie"
)

// TestCrossSite sends the requests that a browser sends for pages of other sites. Changes succeed only for an allowed
// origin. Reads always get a response, but only a page of an allowed origin may read it.
func TestCrossSite(t *testing.T) {
	const app = "https://app.example.org"
	for _, test := range []struct {
		allowed []string
		origin  string
		site    string // Sec-Fetch-Site
		allow   bool   // CORS headers
		reject  bool
	}{
		{nil, "", "", false, false}, // curl
		{nil, "", "same-origin", false, false},
		{nil, app, "cross-site", false, true},
		{nil, "null", "cross-site", false, true},
		{nil, app, "", false, true}, // a browser without Sec-Fetch-Site
		{[]string{app}, app, "cross-site", true, false},
		{[]string{"https://other.example.org", app}, app, "cross-site", true, false},
		{[]string{app}, "https://app.example.org.evil.com", "cross-site", false, true},
		{[]string{app}, "https://appXexample.org", "cross-site", false, true}, // a dot matches only a dot
		{[]string{app}, "https://evil.app.example.org", "cross-site", false, true},
		{[]string{app}, "https://app.example.org:8443", "cross-site", false, true},
		{[]string{app}, "https://app.example.org, https://evil.com", "cross-site", false, true},
		{[]string{app}, "http://app.example.org", "cross-site", false, true},
		{[]string{app}, "*", "cross-site", false, true},
		{[]string{app}, "null", "cross-site", false, true},
		{[]string{app}, "", "same-origin", false, false},
		{[]string{"capacitor://localhost"}, "capacitor://localhost", "cross-site", true, false},
		{[]string{"ionic://localhost"}, "ionic://localhost", "", true, false},
		{[]string{"tauri://localhost"}, "tauri://localhost", "cross-site", true, false},
		{[]string{"chrome-extension://abcdefgh"}, "chrome-extension://abcdefgh", "cross-site", true, false},
		{[]string{"chrome-extension://abcdefgh"}, "chrome-extension://other", "cross-site", false, true},
		{[]string{"http://[::1]:3000"}, "http://[::1]:3000", "cross-site", true, false},
	} {
		s := startTestServer(t, func(c *config) {
			c.server.AllowedOrigins, c.server.OwnUploadsOnly = test.allowed, true
			c.server.Cookies = cookie.NewCodec(c.sign.SecretKey)
			c.server.Hooks.Identify = func(context.Context, *http.Request) (string, error) { return "user/42", nil }
		})
		from := http.Header{}
		for name, value := range map[string]string{"Origin": test.origin, "Sec-Fetch-Site": test.site} {
			if value != "" {
				from.Set(name, value)
			}
		}
		with := func(a attack, more ...string) attack {
			a.header = from.Clone()
			for i := 0; i < len(more); i += 2 {
				a.header.Set(more[i], more[i+1])
			}
			return a
		}
		const object = "key=user/42/uuid.txt&bucket=mybucket"
		changes := []attack{
			with(attack{method: "POST", target: "/s3/sign", body: swap(partV2, "/uuid.txt", "/user/42/uuid.txt")},
				"Content-Type", jsonType),
			with(attack{method: "POST", target: "/s3/success", body: object}, "Content-Type", formType),
			with(attack{method: "PUT", target: "/s3/success", body: object}, "Content-Type", formType),
			with(attack{method: "DELETE", target: "/s3/delete/5176-887?" + object}),
			with(attack{method: "POST", target: "/s3/delete", body: object + "&qquuid=5690&_method=DELETE"},
				"Content-Type", formType),
		}
		var responses []response
		for _, a := range changes {
			if test.reject {
				s.expectRejected(t, row{message: "came from a page of another", status: 403}, a)
			}
			got := s.send(t, a)
			if !test.reject && got.status != 200 {
				t.Errorf("%+v: %s %s: %d %s", test, a.method, a.target, got.status, got.body)
			}
			responses = append(responses, got)
		}
		for target, body := range map[string]string{"/s3/owner": `{"owner":"user/42"}`, "/s3/session": "[]",
			"/static/client_conf.js": "var fine_u_conf = {};"} {
			got := s.send(t, with(attack{method: "GET", target: target}))
			if got.status != 200 || !strings.HasPrefix(got.body, body) {
				t.Errorf("%+v: %s: %d %s", test, target, got.status, got.body)
			}
			responses = append(responses, got)
		}
		s.log.drain()
		const requested = "cache-control,content-type,x-app-token,x-requested-with" // x-app-token: customHeaders
		preflight := s.send(t, with(attack{method: "OPTIONS", target: "/s3/sign"}, "Access-Control-Request-Method", "POST",
			"Access-Control-Request-Headers", requested))
		want := map[string]string{
			"Access-Control-Allow-Origin":      "",
			"Access-Control-Allow-Credentials": "",
			"Access-Control-Expose-Headers":    "",
			"Cross-Origin-Resource-Policy":     "same-origin",
			"Vary":                             "",
		}
		if test.allowed != nil {
			want["Vary"] = "Origin"
		}
		if test.allow {
			want["Access-Control-Allow-Origin"], want["Access-Control-Allow-Credentials"],
				want["Cross-Origin-Resource-Policy"] = test.origin, "true", "cross-origin"
			want["Access-Control-Expose-Headers"] = "Retry-After"
		}
		for _, got := range append(responses, preflight) {
			for name, value := range want {
				if header := got.header.Get(name); header != value {
					t.Errorf("%+v: %s is %q, want %q, with %s", test, name, header, value, got.body)
				}
			}
		}
		if headers := preflight.header.Get("Access-Control-Allow-Headers"); test.allow != (headers == requested) {
			t.Errorf("%+v: Access-Control-Allow-Headers %q", test, headers)
		}
		log := s.log.drain()
		if test.allow == strings.Contains(log, "preflight rejected") || !test.allow && !strings.Contains(log, "x-app-token") {
			t.Errorf("%+v: the log has %s", test, log)
		}
	}
}

// TestReplacedHost sends what a browser sends to a proxy that replaces the Host header. The message names the header
// first, and the log has both.
func TestReplacedHost(t *testing.T) {
	s := startTestServer(t, func(*config) {})
	origin := http.Header{"Origin": {"http://uploads.example.org"}, "Content-Type": {jsonType}}
	got := s.send(t, attack{method: "POST", target: "/s3/sign", body: partV2, header: origin})
	const want = `{"error":"A proxy in front of this server replaced the Host header`
	if got.status != 403 || !strings.HasPrefix(got.body, want) {
		t.Errorf("%d %s", got.status, got.body)
	}
	if line := s.log.drain(); !strings.Contains(line, "Origin http://uploads.example.org, Host 127.0.0.1:") {
		t.Errorf("log: %s", line)
	}
}
