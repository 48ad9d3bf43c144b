package server_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"s3-sign-srv/internal/cookie"
	"s3-sign-srv/internal/hooks"
)

// startOwnedServer starts a server with OwnUploadsOnly and the owner cookie.
func startOwnedServer(t *testing.T, edits ...func(*config)) *testServer {
	return startTestServer(t, func(c *config) {
		codec := cookie.NewCodec(c.sign.SecretKey)
		c.server.OwnUploadsOnly, c.server.Cookies = true, codec
		c.server.Hooks.Identify = func(_ context.Context, r *http.Request) (string, error) {
			return hooks.CookieOwner(codec, r, c.server.Now())
		}
		for _, edit := range edits {
			edit(c)
		}
	})
}

// openPage fetches the client configuration and returns the browser's cookie and its owner.
func (s *testServer) openPage(t *testing.T) (cookie, owner string) {
	t.Helper()
	got := do(t, "GET", s.url+"/static/client_conf.js", "", "")
	cookie, _, _ = strings.Cut(got.header.Get("Set-Cookie"), ";")
	var reply struct{ Owner string }
	if err := json.Unmarshal([]byte(do(t, "GET", s.url+"/s3/owner", "", "", "Cookie", cookie).body),
		&reply); err != nil ||
		reply.Owner == "" {
		t.Fatal(cookie, reply, err)
	}
	return cookie, reply.Owner
}

// everyRequest has each request that a browser can send about key, as method, target, type and body.
func everyRequest(key string) map[string][4]string {
	escaped := strings.ReplaceAll(url.PathEscape(key), "%2F", "/")
	const dateV2, dateV4 = "Mon, 23 Nov 2026 11:56:08 GMT", "20261123T115608Z"
	hash := "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	v2 := func(text string) [4]string {
		return [4]string{"POST", "/s3/sign", jsonType, `{"headers":` + quoteJSON(text) + `}`}
	}
	v4 := func(method, query string) [4]string {
		text := fmt.Sprintf("AWS4-HMAC-SHA256\n%s\n20261123/us-east-1/s3/aws4_request\n%s\n/%s\n%s\n"+
			"host:127.0.0.1:9312\nx-amz-content-sha256:%s\nx-amz-date:%[1]s\n\n"+
			"host;x-amz-content-sha256;x-amz-date\n%[5]s", dateV4, method, escaped, query, hash)
		return [4]string{"POST", "/s3/sign?v4=true", jsonType, `{"headers":` + quoteJSON(text) + `}`}
	}
	policy := func(target, more string) [4]string {
		document := `{"expiration":"2026-11-23T12:01:08.000Z","conditions":[{"bucket":"mybucket"},{"key":` +
			quoteJSON(key) + `}` + more + `]}`
		return [4]string{"POST", target, jsonType, document}
	}
	presign := func(members string) [4]string {
		return [4]string{"POST", "/s3/presign", jsonType, `{` + members + `,"key":` + quoteJSON(key) + `,"uploadId":"U"}`}
	}
	object := "x-amz-date:" + dateV2 + "\n/mybucket/" + escaped
	form := "bucket=mybucket&key=" + url.QueryEscape(key)
	return map[string][4]string{
		"V2 PostObject":              policy("/s3/sign", ""),
		"V2 CreateMultipartUpload":   v2("POST\n\n\n\n" + object + "?uploads"),
		"V2 UploadPart":              v2("PUT\n\n\n\n" + object + "?partNumber=1&uploadId=U"),
		"V2 CompleteMultipartUpload": v2("POST\n\napplication/xml; charset=UTF-8\n\n" + object + "?uploadId=U"),
		"V2 AbortMultipartUpload":    v2("DELETE\n\n\n\n" + object + "?uploadId=U"),
		"V4 PostObject": policy("/s3/sign?v4=true", `,{"x-amz-algorithm":"AWS4-HMAC-SHA256"},`+
			`{"x-amz-credential":"AKIAIOSFODNN7EXAMPLE/20261123/us-east-1/s3/aws4_request"},`+
			`{"x-amz-date":"20261123T115608Z"}`),
		"V4 CreateMultipartUpload":   v4("POST", "uploads="),
		"V4 UploadPart":              v4("PUT", "partNumber=1&uploadId=U"),
		"V4 CompleteMultipartUpload": v4("POST", "uploadId=U"),
		"V4 AbortMultipartUpload":    v4("DELETE", "uploadId=U"),
		"presigned UploadPart":       presign(`"method":"PUT","partNumber":1`),
		"presigned complete":         presign(`"method":"POST"`),
		"presigned abort":            presign(`"method":"DELETE"`),
		"presigned list":             presign(`"method":"GET"`),
		"success":                    {"POST", "/s3/success", formType, form},
		"delete":                     {"DELETE", "/s3/delete/5176-887?" + form, "", ""},
		"delete by form":             {"POST", "/s3/delete", formType, form + "&qquuid=5690&_method=DELETE"},
	}
}

// TestOwnUploadsOnly sends every request of browser B for keys that are and are not its own.
func TestOwnUploadsOnly(t *testing.T) {
	s := startOwnedServer(t)
	_, a := s.openPage(t)
	cookie, b := s.openPage(t)
	if a == b {
		t.Fatal("two browsers have one owner")
	}
	for key, own := range map[string]bool{
		b + "/uuid.txt":           true,
		b + "/dir one/файл é.txt": true,
		b + "//uuid.txt":          true,
		a + "/uuid.txt":           false,
		b + "x/uuid.txt":          false,
		b[:25] + "/uuid.txt":      false,
		b:                         false,
		b + "/":                   false,
		"uuid.txt":                false,
		"x/" + b + "/uuid.txt":    false,
		strings.ToLower(b) + "/u": false,
		b + "%2Fuuid.txt":         false,
	} {
		for name, q := range everyRequest(key) {
			s.store.drain()
			got := do(t, q[0], s.url+q[1], q[2], q[3], "Cookie", cookie)
			calls := s.store.drain()
			if own && got.status != 200 ||
				!own && (got.status != 403 || !strings.Contains(got.body, "belongs to another owner") || len(calls) > 0) {
				t.Errorf("%s of %q: %d %s, calls %v", name, key, got.status, got.body, calls)
			}
		}
	}
	challenges, uploads, deletions := s.recorder.drain()
	for _, c := range challenges {
		if c.Owner != b {
			t.Errorf("the hook received owner %q for %q", c.Owner, c.Key)
		}
	}
	if len(challenges) != 42 || len(uploads) != 3 || uploads[0].Owner != b || len(deletions) != 6 ||
		deletions[0].Owner != b {
		t.Errorf("%d challenges, %d uploads, %d deletions", len(challenges), len(uploads), len(deletions))
	}
}

// TestLogin uses an application's session instead of the cookie.
func TestLogin(t *testing.T) {
	s := startOwnedServer(t, func(c *config) {
		c.server.Hooks.Identify = func(_ context.Context, r *http.Request) (string, error) {
			session, err := r.Cookie("session")
			if err != nil {
				return "", hooks.NotLoggedIn("Please log in.")
			}
			if session.Value == "blocked" {
				return "", hooks.Deny("You may not upload.")
			}
			owner, err := base64.RawURLEncoding.DecodeString(session.Value)
			return string(owner), err
		}
	})
	q := everyRequest("user/42/uuid.txt")["V2 UploadPart"]
	for session, want := range map[string]struct {
		status  int
		message string
	}{
		"":                  {401, "Please log in."},
		"session=blocked":   {403, "You may not upload."},
		login("user/42"):    {200, ""},
		login("user/4"):     {403, "belongs to another owner"},
		login("user"):       {200, ""}, // the owner "user" has all keys below user/
		login(""):           {500, ""}, // the following cannot be owners: an error of the hook
		login("/"):          {500, ""},
		login("user/42/"):   {500, ""},
		login("user//42"):   {500, ""},
		login("user/../42"): {500, ""},
		login("user\n42"):   {500, ""},

		login(strings.Repeat("o", 512)):  {403, "belongs to another owner"}, // the longest
		login(strings.Repeat("o", 513)):  {500, "give its operator the id"},
		login(strings.Repeat("ö", 257)):  {500, "give its operator the id"},
		login(strings.Repeat("o", 5000)): {500, "give its operator the id"},
	} {
		got := do(t, q[0], s.url+q[1], q[2], q[3], "Cookie", session)
		if got.status != want.status || !strings.Contains(got.body, want.message) {
			t.Errorf("%s: %d %s", session, got.status, got.body)
		}
	}
	got := do(t, "GET", s.url+"/static/client_conf.js", "", "", "Cookie", login("user/42"))
	if got.status != 200 || got.header.Get("Set-Cookie") != "" {
		t.Errorf("a caller with a login got a cookie: %v", got.header)
	}
}

func login(owner string) string {
	return "session=" + base64.RawURLEncoding.EncodeToString([]byte(owner))
}

// TestWithoutOwnership checks the original's behaviour: no cookies, any key.
func TestWithoutOwnership(t *testing.T) {
	s := startTestServer(t, func(*config) {})
	if got := do(t, "GET", s.url+"/", "", ""); got.header.Get("Set-Cookie") != "" {
		t.Error("a cookie is set")
	}
	for name, q := range everyRequest("anything/uuid.txt") {
		if got := do(t, q[0], s.url+q[1], q[2], q[3]); got.status != 200 {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	if got := do(t, "GET", s.url+"/s3/session", "", ""); got.status != 404 {
		t.Errorf("session: %d", got.status)
	}
}

// TestHangingIdentify checks, with the race detector, that what the hook does after its timeout has no effect.
func TestHangingIdentify(t *testing.T) {
	released := make(chan struct{})
	s := startOwnedServer(t, func(c *config) {
		c.server.HookTimeout = 20 * time.Millisecond
		c.server.Hooks.Identify = func(context.Context, *http.Request) (string, error) {
			<-released
			return "late", nil
		}
	})
	if got := do(t, "GET", s.url+"/s3/owner", "", ""); got.status != 500 || strings.Contains(got.body, "late") {
		t.Errorf("%d %s", got.status, got.body)
	}
	close(released)
}
