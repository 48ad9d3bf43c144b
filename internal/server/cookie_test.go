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

// TestUnauthenticated sends requests without a valid cookie. Each must be rejected before a call to S3 or a hook,
// with one log line.
func TestUnauthenticated(t *testing.T) {
	s := startOwnedServer(t)
	good, owner := s.openPage(t)
	value := strings.TrimPrefix(good, hooks.CookieName+"=")
	foreign := cookie.NewCodec(sign.NewSecret("another secret")).Encode(hooks.CookieName, owner, now)
	expired := cookie.NewCodec(sign.NewSecret(secretKey)).Encode(hooks.CookieName, owner, now.Add(-cookie.Lifetime))
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
			s.expectRejected(t,
				row{id: "D3", what: what + " with a cookie " + name, status: 401, message: "reload the page"},
				attack{method: q[0], target: q[1], header: header, body: q[3]})
		}
		if got := do(t, "GET", s.url+"/s3/session", "", "", "Cookie", cookie); got.status != 200 || got.body != "[]" {
			t.Errorf("session with a cookie %s: %d %s", name, got.status, got.body)
		}
		if got := do(t, "GET", s.url+"/s3/owner", "", "", "Cookie", cookie); got.status != 200 ||
			strings.Contains(got.body, owner) {
			t.Errorf("a cookie %s gives the owner %s", name, got.body)
		}
	}
	replica := startOwnedServer(t)
	for _, other := range []*testServer{s, replica} {
		if got := do(t, "GET", other.url+"/s3/owner", "", "", "Cookie", "x=y; "+good); got.body != `{"owner":"`+owner+`"}` {
			t.Errorf("a replica responds %s", got.body)
		}
	}
}

// TestCookie checks which responses set a cookie, its attributes, and its renewal.
func TestCookie(t *testing.T) {
	const (
		app       = "https://app.example.org"
		strict    = "s3_sign_srv=…; Path=/; Max-Age=2592000; HttpOnly; SameSite=Strict"
		secure    = "__Host-s3_sign_srv=…; Path=/; Max-Age=2592000; HttpOnly; Secure; SameSite=Strict"
		crossSite = "__Host-s3_sign_srv_app=…; Path=/; Max-Age=2592000; HttpOnly; Secure; SameSite=None; Partitioned"
	)
	s := startOwnedServer(t, func(c *config) {
		c.server.AllowedOrigins, c.server.TrustedProxies = []string{app}, []string{"127.0.0.1/32"}
	})
	for _, test := range []struct {
		target string
		header []string
		want   string
	}{
		{"/", nil, ""}, // after a link from another site: the browser does not send its cookie
		{"/s3/owner", []string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Site", "cross-site"}, ""},
		{"/s3/owner", nil, strict},
		{"/static/client_conf.js", nil, strict},
		{"/s3/owner", []string{"X-Forwarded-Proto", "https"}, secure},
		{"/s3/owner", []string{"Origin", app}, crossSite},
		{"/s3/owner", []string{"Origin", app + ".evil.com"}, strict},
		{"/static/sub/page.js", nil, ""},
		{"/s3/success", nil, ""},
	} {
		set := do(t, "GET", s.url+test.target, "", "", test.header...).header.Get("Set-Cookie")
		name, rest, _ := strings.Cut(set, "=")
		_, attributes, _ := strings.Cut(rest, ";")
		if got := name + "=…;" + attributes; got != test.want && !(test.want == "" && set == "") {
			t.Errorf("%s %v: %s, want %s", test.target, test.header, got, test.want)
		}
	}
	// X-Forwarded-Proto counts only from a trusted proxy.
	for name, trusted := range map[string][]string{"no proxy": nil, "another proxy": {"192.0.2.0/24", "::1/128"}} {
		direct := startOwnedServer(t, func(c *config) { c.server.TrustedProxies = trusted })
		if set := do(t, "GET", direct.url+"/s3/owner", "", "", "X-Forwarded-Proto", "https", "X-Forwarded-For",
			"192.0.2.1").header.Get("Set-Cookie"); set == "" ||
			strings.Contains(set, "Secure") {
			t.Errorf("%s is trusted, but with X-Forwarded-Proto the cookie is %s", name, set)
		}
	}
	// A visit renews the cookie and keeps the owner.
	cookie, owner := s.openPage(t)
	later := now.Add(20 * 24 * time.Hour)
	s.clock.Store(&later)
	visit := do(t, "GET", s.url+"/static/client_conf.js", "", "", "Cookie", cookie)
	renewed, _, _ := strings.Cut(visit.header.Get("Set-Cookie"), ";")
	muchLater := now.Add(45 * 24 * time.Hour)
	s.clock.Store(&muchLater)
	if got := do(t, "GET", s.url+"/s3/owner", "", "", "Cookie", renewed).body; !strings.Contains(got, owner) ||
		renewed == cookie {
		t.Errorf("after the renewal the owner is %s", got)
	}
}

// TestCookieNames sends cookies of several names. Only this server can set one with the prefix, so that one decides.
// One without it may come from another site of the domain, or from before the prefix was used.
func TestCookieNames(t *testing.T) {
	s := startOwnedServer(t, func(c *config) { c.server.TrustedProxies = []string{"127.0.0.1/32"} })
	codec := cookie.NewCodec(sign.NewSecret(secretKey))
	a, b := cookie.NewID(), cookie.NewID()
	cookieOf := func(name, owner string) string { return name + "=" + codec.Encode(name, owner, now) }
	const plain, app = hooks.CookieName, hooks.CrossSiteCookieName
	const host, hostApp = cookie.HostPrefix + plain, cookie.HostPrefix + app
	for _, test := range []struct {
		name    string
		cookies []string
		owner   string // empty: rejected as two owners; "new": not known
	}{
		{"without the prefix", []string{cookieOf(plain, a)}, a},
		{"with the prefix", []string{cookieOf(host, a)}, a},
		{"with the prefix, for other sites", []string{cookieOf(hostApp, a)}, a},
		{"the same twice", []string{cookieOf(plain, a), cookieOf(plain, a)}, a},
		{"one is planted before the own", []string{cookieOf(plain, b), cookieOf(plain, a)}, ""},
		{"one is planted behind the own", []string{cookieOf(plain, a), cookieOf(plain, b)}, ""},
		{"two with the prefix", []string{cookieOf(host, a), cookieOf(host, b)}, ""},
		{"one is planted beside one with the prefix", []string{cookieOf(plain, b), cookieOf(host, a)}, a},
		{"one is planted beside one for other sites", []string{cookieOf(plain, b), cookieOf(hostApp, a)}, a},
		{"one is planted beside an invalid one with the prefix", []string{cookieOf(plain, b), host + "=x"}, "new"},
		{"one is planted beside an invalid one for other sites", []string{hostApp + "=x", cookieOf(plain, b)}, "new"},
		{"an invalid one is planted", []string{plain + "=x", cookieOf(plain, a)}, a},
		{"own page and other site", []string{cookieOf(hostApp, b), cookieOf(host, a)}, a},
	} {
		header := []string{"X-Forwarded-Proto", "https", "Cookie", strings.Join(test.cookies, "; ")}
		q := everyRequest(a + "/uuid.txt")["V4 UploadPart"]
		for what, got := range map[string]response{
			"owner":         do(t, "GET", s.url+"/s3/owner", "", "", header...),
			"client_conf":   do(t, "GET", s.url+"/static/client_conf.js", "", "", header...),
			"sign":          do(t, q[0], s.url+q[1], q[2], q[3], header...),
			"earlier files": do(t, "GET", s.url+"/s3/session", "", "", header...),
		} {
			set := got.header.Get("Set-Cookie")
			switch {
			case test.owner == "new":
				if strings.Contains(got.body, b) || strings.Contains(set, b) || what == "sign" && got.status != 401 {
					t.Errorf("%s, %s: %d %s %s", test.name, what, got.status, got.body, set)
				}
			case test.owner == "":
				if got.status != 403 || !strings.Contains(got.body, "sent the cookies of two owners") || set != "" {
					t.Errorf("%s, %s: %d %s %s", test.name, what, got.status, got.body, set)
				}
			case got.status != 200 || what == "owner" && got.body != `{"owner":"`+a+`"}`:
				t.Errorf("%s, %s: %d %s", test.name, what, got.status, got.body)
			case set != "" && !strings.HasPrefix(set, host+"="+a):
				t.Errorf("%s, %s: the cookie is renewed as %s", test.name, what, set)
			}
		}
	}
	// Whoever plants a value that this server gave out over HTTPS gets nothing from it.
	planted := plain + "=" + codec.Encode(host, b, now)
	got := do(t, "GET", s.url+"/s3/owner", "", "", "X-Forwarded-Proto", "https", "Cookie", planted)
	if got.status != 200 || strings.Contains(got.body, b) {
		t.Errorf("a planted value with the prefix gives the owner %s", got.body)
	}
}
