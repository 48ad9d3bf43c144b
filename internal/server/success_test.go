package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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

// TestSuccessDeletes checks what Upload.Delete asks of the store, and what the page gets then.
func TestSuccessDeletes(t *testing.T) {
	for _, test := range []struct {
		name    string
		verify  bool
		store   int // status of the DELETE
		ifMatch string
		cause   string // in the log
	}{
		{"the object that was looked up", true, 204, `"e1"`, ""},
		{"another one has replaced it", true, 412, `"e1"`, ""},
		{"not looked up: nothing is deleted", false, 204, "", "u.Delete needs P3S3F_VERIFY_SUCCESS=1"},
		{"the store denies it", true, 403, `"e1"`, "denies s3:DeleteObject"},
	} {
		var deleted []string
		store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("ETag", `"e1"`)
			if r.Method == http.MethodDelete {
				deleted = append(deleted, r.URL.Path+" "+r.Header.Get("If-Match"))
				w.WriteHeader(test.store)
				if code := map[int]string{403: "AccessDenied", 412: "PreconditionFailed"}[test.store]; code != "" {
					io.WriteString(w, "<Error><Code>"+code+"</Code></Error>")
				}
			}
		}))
		s := startTestServer(t, func(c *config) {
			c.server.Bucket, c.server.VerifySuccess = bucketAt(store.URL), test.verify
			c.server.Hooks.Success = func(ctx context.Context, u *hooks.Upload) (hooks.Reply, error) {
				return nil, errors.Join(hooks.Deny("It has a virus."), u.Delete(ctx))
			}
		})
		got := do(t, "POST", s.url+"/s3/success", formType, "key=a/uuid.txt&bucket=mybucket&etag=%22e1%22")
		if got.status != 403 || !strings.Contains(got.body, `"It has a virus."`) {
			t.Errorf("%s: %d %s", test.name, got.status, got.body)
		}
		want := "[/mybucket/a/uuid.txt " + test.ifMatch + "]"
		if !test.verify {
			want = "[]"
		}
		if fmt.Sprint(deleted) != want {
			t.Errorf("%s: deleted %q, want %q", test.name, deleted, want)
		}
		if log := s.log.drain(); strings.Contains(log, "cause") != (test.cause != "") || !strings.Contains(log, test.cause) {
			t.Errorf("%s: %s, want the cause %q", test.name, log, test.cause)
		}
		store.Close()
	}
}

// TestRepeatedReport sends a report twice. The hook can tell the repetition by key and ETag; the page gets the same.
func TestRepeatedReport(t *testing.T) {
	s := startTestServer(t, func(*config) {})
	first := do(t, "POST", s.url+"/s3/success", formType, success)
	second := do(t, "PUT", s.url+"/s3/success", formType, success)
	_, uploads, _ := s.recorder.drain()
	if first.status != 200 || second.status != 200 || first.body != second.body {
		t.Errorf("%d %s, then %d %s", first.status, first.body, second.status, second.body)
	}
	if len(uploads) != 2 || uploads[0].Key != uploads[1].Key || uploads[0].ETag != uploads[1].ETag {
		t.Errorf("the hook received %+v", uploads)
	}
}
