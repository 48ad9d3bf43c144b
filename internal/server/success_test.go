package server_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"s3-sign-srv/internal/hooks"
)

// TestHookReply checks which members of a hook's reply the page receives.
func TestHookReply(t *testing.T) {
	reply := hooks.Reply{"thumbnailUrl": "/t.png", "success": false, "error": "x"}
	s := startTestServer(t, func(c *config) {
		c.server.Hooks.Success = func(context.Context, *hooks.Upload) (hooks.Reply, error) { return reply, nil }
	})
	var got map[string]any
	body := do(t, "POST", s.url+"/s3/success", formType, "key=uuid.txt&bucket=mybucket").body
	if err := json.Unmarshal([]byte(body), &got); err != nil || len(got) != 2 || got["success"] != true ||
		got["thumbnailUrl"] != "/t.png" {
		t.Errorf("%s %v", body, err)
	}
	reply = hooks.Reply{"channel": make(chan int)}
	if got := do(t, "POST", s.url+"/s3/success", formType, "key=uuid.txt&bucket=mybucket"); got.status != 500 ||
		!strings.Contains(got.body, "give its operator the id") {
		t.Errorf("%d %s", got.status, got.body)
	}
}

// TestVerifySuccess checks the response for each state of the object in the store.
func TestVerifySuccess(t *testing.T) {
	status := http.StatusOK
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"e1"`)
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Content-Length", "1000")
		w.WriteHeader(status)
	}))
	defer store.Close()
	for _, test := range []struct {
		name    string
		store   int
		change  func(*config)
		etag    string
		status  int
		message string
	}{
		{"exists", 200, func(*config) {}, "", 200, ""},
		{"exists with this ETag", 200, func(*config) {}, "&etag=%22e1%22", 200, ""},
		{"exists, ETag hidden from the browser", 200, func(*config) {}, "&etag=null", 200, ""},
		{"replaced", 200, func(*config) {}, "&etag=%22e2%22", 409, "replaced"},
		{"missing", 404, func(*config) {}, "", 404, "upload the file again"},
		{"missing, not checked", 404, func(c *config) { c.server.VerifySuccess = false }, "", 200, ""},
		{"too large", 200, func(c *config) { c.server.MaxBytes = 999 }, "", 403,
			"1000 bytes, and this server accepts at most 999"},
		{"as large as allowed", 200, func(c *config) { c.server.MaxBytes = 1000 }, "", 200, ""},
		{"type not allowed", 200, func(c *config) { c.sign.ContentTypes = []string{"image/*"} }, "", 403, "text/html"},
		{"store fails", 500, func(*config) {}, "", 502, "check the store"},
	} {
		status = test.store
		s := startTestServer(t, func(c *config) {
			c.server.Bucket = bucketAt(store.URL)
			test.change(c)
		})
		got := do(t, "POST", s.url+"/s3/success", formType, "key=uuid.txt&bucket=mybucket"+test.etag)
		if got.status != test.status || !strings.Contains(got.body, test.message) {
			t.Errorf("%s: %d %s, want %d %s", test.name, got.status, got.body, test.status, test.message)
		}
		if _, uploads, _ := s.recorder.drain(); (len(uploads) == 1) != (test.status == 200) {
			t.Errorf("%s: the hook received %d uploads", test.name, len(uploads))
		}
	}
}
