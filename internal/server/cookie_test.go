package server_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"s3-sign-srv/internal/cookie"
	"s3-sign-srv/internal/hooks"
	"s3-sign-srv/internal/sign"
)

// TestStrangers come with no cookie, or with one that is not good: each of their requests is refused before the
// fakeS3 is called or a hook is told, and leaves one line in the log.
func TestStrangers(t *testing.T) {
	w := startOwnedServer(t)
	good, owner := w.openPage(t)
	value := strings.TrimPrefix(good, hooks.CookieName+"=")
	foreign := cookie.NewCodec(sign.NewSecret("another secret")).Encode(owner, now)
	expired := cookie.NewCodec(sign.NewSecret(secretKey)).Encode(owner, now.Add(-cookie.Lifetime))
	for name, cookie := range map[string]string{
		"none": "", "empty": hooks.CookieName + "=", "truncated": good[:len(good)-1],
		"forged":            hooks.CookieName + "=" + owner + ".99999999999.AAAA",
		"of another secret": hooks.CookieName + "=" + foreign, "expired": hooks.CookieName + "=" + expired,
		"of another name": "x=" + value,
	} {
		for what, q := range everyRequest(owner + "/uuid.txt") {
			header := http.Header{"Cookie": {cookie}}
			if q[2] != "" {
				header.Set("Content-Type", q[2])
			}
			w.expectRejected(
				t,
				row{id: "D3", what: what + " with a cookie " + name, code: 401, says: "reload the page"},
				attack{method: q[0], target: q[1], header: header, body: q[3]},
			)
		}
		if got := do(t, "GET", w.url+"/s3/session", "", "", "Cookie", cookie); got.status != 200 || got.body != "[]" {
			t.Errorf("session with a cookie %s: %d %s", name, got.status, got.body)
		}
		if got := do(t, "GET", w.url+"/s3/owner", "", "", "Cookie", cookie); got.status != 200 ||
			strings.Contains(got.body, owner) {
			t.Errorf("a cookie %s gives owner %s", name, got.body)
		}
	}
	replica := startOwnedServer(t)
	for _, other := range []*testServer{w, replica} {
		if got := do(t, "GET", other.url+"/s3/owner", "", "", "Cookie", "x=y; "+good); got.body != `{"owner":"`+owner+`"}` {
			t.Errorf("a replica says %s", got.body)
		}
	}
}

// TestCookie reads its attributes.
func TestCookie(t *testing.T) {
	const app = "https://app.example.org"
	w := startOwnedServer(t, func(c *config) {
		c.server.AllowedOrigins, c.server.TrustedProxies = []string{app}, []string{"127.0.0.1/32"}
	})
	for _, test := range []struct {
		target string
		header []string
		want   string
	}{
		{"/", nil, ""}, // a link from another site leads here without the cookie, and must not replace it
		{"/s3/owner", []string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Site", "cross-site"}, ""},
		{"/s3/owner", nil, "s3_sign_srv=…; Path=/; Max-Age=2592000; HttpOnly; SameSite=Strict"},
		{"/static/client_conf.js", nil, "s3_sign_srv=…; Path=/; Max-Age=2592000; HttpOnly; SameSite=Strict"},
		{"/s3/owner", []string{"X-Forwarded-Proto", "https"}, "s3_sign_srv=…; Path=/; Max-Age=2592000; HttpOnly; Secure; " +
			"SameSite=Strict"},
		{"/s3/owner", []string{"Origin", app}, "s3_sign_srv_app=…; Path=/; Max-Age=2592000; HttpOnly; Secure; " +
			"SameSite=None; Partitioned"},
		{"/s3/owner", []string{"Origin", app + ".evil.com"}, "s3_sign_srv=…; Path=/; Max-Age=2592000; HttpOnly; " +
			"SameSite=Strict"},
		{"/static/sub/page.js", nil, ""},
		{"/s3/success", nil, ""},
	} {
		set := do(t, "GET", w.url+test.target, "", "", test.header...).header.Get("Set-Cookie")
		name, rest, _ := strings.Cut(set, "=")
		_, attributes, _ := strings.Cut(rest, ";")
		if got := name + "=…;" + attributes; got != test.want && !(test.want == "" && set == "") {
			t.Errorf("%s %v: %s, want %s", test.target, test.header, got, test.want)
		}
	}
	// Only a trusted proxy knows that the browser came over HTTPS.
	for name, trusted := range map[string][]string{"no proxy is": nil, "another proxy is": {"192.0.2.0/24", "::1/128"}} {
		direct := startOwnedServer(t, func(c *config) { c.server.TrustedProxies = trusted })
		if set := do(t, "GET", direct.url+"/s3/owner", "", "", "X-Forwarded-Proto", "https", "X-Forwarded-For",
			"192.0.2.1").header.Get("Set-Cookie"); set == "" ||
			strings.Contains(set, "Secure") {
			t.Errorf("%s trusted, and X-Forwarded-Proto makes the cookie %s", name, set)
		}
	}
	// A visit renews the lease and keeps the owner.
	cookie, owner := w.openPage(t)
	later := now.Add(20 * 24 * time.Hour)
	w.clock.Store(&later)
	renewed, _, _ := strings.Cut(
		do(t, "GET", w.url+"/static/client_conf.js", "", "", "Cookie", cookie).header.Get("Set-Cookie"),
		";",
	)
	much := now.Add(45 * 24 * time.Hour)
	w.clock.Store(&much)
	if got := do(t, "GET", w.url+"/s3/owner", "", "", "Cookie", renewed).body; !strings.Contains(got, owner) ||
		renewed == cookie {
		t.Errorf("after the renewal the owner is %s", got)
	}
}
