package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"s3-sign-srv/internal/hooks"
	"s3-sign-srv/internal/sign"
)

// TestHookArguments checks what hooks receive during an upload.
func TestHookArguments(t *testing.T) {
	s := startTestServer(t, func(*config) {})
	const initiate = `{"headers":"POST\n\ntext/plain\n\nx-amz-acl:private\nx-amz-date:Mon, 23 Nov 2026 11:56:08 GMT\n` +
		`x-amz-meta-dataset:D%20S\nx-amz-meta-qqfilename:my%20file%20%C3%A9.txt\n/mybucket/dir%20one/uuid.txt?uploads"}`
	do(t, "POST", s.url+"/s3/sign", jsonType, initiate, "Cookie", "session=s1")
	do(t, "POST", s.url+"/s3/success", formType,
		"foo=b+r&key=uuid.txt&uuid=0e4b&name=my+file+%C3%A9.txt&bucket=mybucket&etag=%22simple-etag%22&dataset=D+S")
	do(t, "DELETE", s.url+"/s3/delete/5176-887?foo=b+r&key=a+%2B+b&bucket=mybucket", "", "")

	challenges, uploads, deletions := s.recorder.drain()
	if len(challenges) != 1 || len(uploads) != 1 || len(deletions) != 1 {
		t.Fatal(challenges, uploads, deletions)
	}
	c, u, d := challenges[0], uploads[0], deletions[0]
	cookie, err := c.HTTP.Cookie("session")
	if err != nil || cookie.Value != "s1" || c.Operation != sign.CreateMultipartUpload || c.Key != "dir one/uuid.txt" ||
		c.Metadata["qqfilename"] != "my file é.txt" ||
		c.Metadata["dataset"] != "D S" ||
		c.ACL != "private" ||
		c.ContentType != "text/plain" ||
		!c.IsInitiate() {
		t.Errorf("challenge %+v", c.Request)
	}
	if u.Bucket != "mybucket" || u.Key != "uuid.txt" || u.UUID != "0e4b" || u.Name != "my file é.txt" || u.Size != 11 ||
		u.ETag != `"simple-etag"` ||
		len(u.Form) != 2 ||
		u.Form["foo"] != "b r" ||
		u.Form["dataset"] != "D S" {
		t.Errorf("upload %+v", u)
	}
	if d.Bucket != "mybucket" || d.Key != "a + b" || d.UUID != "5176-887" || d.Form["foo"] != "b r" {
		t.Errorf("deletion %+v", d)
	}
}

var errHang = errors.New("hangs")

// TestHookErrors checks the response for each result of a hook.
func TestHookErrors(t *testing.T) {
	for _, test := range []struct {
		name    string
		err     error
		panics  bool
		status  int
		message string
	}{
		{"denies", hooks.Deny("This file has not been approved for transfer."), false, 403,
			"This file has not been approved for transfer."},
		{"denies in Latin-1", hooks.Deny("no \xe9."), false, 403, "no ?."},
		{"wants a login, in Latin-1", hooks.NotLoggedIn("no \xe9."), false, 401, "no ?."},
		{"fails", errors.New("db password s3cret"), false, 500, "give its operator the id"},
		{"panics", nil, true, 500, "give its operator the id"},
		{"hangs", errHang, false, 500, "give its operator the id"},
	} {
		released := make(chan struct{})
		t.Cleanup(func() { close(released) })
		decide := func() error {
			if test.err == errHang {
				<-released // ignores its context
			}
			if test.panics {
				panic("hook")
			}
			return test.err
		}
		s := startTestServer(t, func(c *config) {
			if test.err == errHang {
				c.server.HookTimeout = 20 * time.Millisecond
			}
			c.server.Hooks = hooks.Funcs{
				Identify:        c.server.Hooks.Identify,
				ChallengeIsGood: func(context.Context, *hooks.Challenge) error { return decide() },
				Success:         func(context.Context, *hooks.Upload) (hooks.Reply, error) { return nil, decide() },
				Delete:          func(context.Context, *hooks.Deletion) error { return decide() },
			}
		})
		for _, got := range []response{
			do(t, "POST", s.url+"/s3/sign", jsonType, partV2),
			do(t, "POST", s.url+"/s3/success", formType, "key=uuid.txt&bucket=mybucket"),
			do(t, "DELETE", s.url+"/s3/delete/5176-887?key=uuid.txt&bucket=mybucket", "", ""),
		} {
			var response struct{ Error, ID string }
			err := json.Unmarshal([]byte(got.body), &response)
			if err != nil || got.status != test.status || !strings.Contains(response.Error, test.message) || response.ID == "" ||
				strings.Contains(got.body, "s3cret") {
				t.Errorf("the hook %s: %d %q, %v", test.name, got.status, got.body, err)
			}
		}
		for _, call := range s.store.drain() {
			if strings.HasPrefix(call, "DELETE") {
				t.Errorf("the hook %s, but the store was called: %s", test.name, call)
			}
		}
	}
}

// TestHooksAreIndependent sends requests of 100 callers at once. Each gets the result of its own hook, although hooks
// of the others panic or hang. Time is simulated: a hook times out when nothing else can run.
func TestHooksAreIndependent(t *testing.T) {
	s := startTestServer(t, func(*config) {})
	synctest.Test(t, func(t *testing.T) {
		released := make(chan struct{})
		handler := s.handler(t, func(c *config) {
			c.server.Hooks.ChallengeIsGood = func(_ context.Context, c *hooks.Challenge) error {
				switch c.HTTP.Header.Get("Test-Result") {
				case "hang":
					<-released
				case "panic":
					panic("hook")
				}
				return hooks.Deny(c.HTTP.Header.Get("Test-Result"))
			}
		})
		var callers sync.WaitGroup
		for i := range 100 {
			callers.Go(func() {
				for _, result := range []string{"panic", fmt.Sprintf("caller %d.", i), "hang", fmt.Sprintf("caller %d again.", i)} {
					want := result
					if result == "panic" || result == "hang" {
						want = "give its operator the id"
					}
					r := httptest.NewRequest("POST", "/s3/sign", strings.NewReader(partV2))
					r.Header.Set("Content-Type", jsonType)
					r.Header.Set("Test-Result", result)
					w := httptest.NewRecorder()
					handler.ServeHTTP(w, r)
					if got := w.Body.String(); !strings.Contains(got, want) {
						t.Errorf("the response to a hook with result %q is %q", result, got)
					}
				}
			})
		}
		callers.Wait()
		close(released)
	})
}

// TestDeletedHook checks when the hook Deleted is called, and what the browser gets.
func TestDeletedHook(t *testing.T) {
	for _, test := range []struct {
		name               string
		denied, disconnect bool
		err                error
		calls, status      int
	}{
		{"deleted", false, false, nil, 1, 200},
		{"deletion denied", true, false, nil, 0, 403},
		{"the browser disconnects", false, true, nil, 1, 200},
		{"the hook fails", false, false, errors.New("database is away"), 1, 500},
	} {
		calls := 0
		s := startTestServer(t, func(*config) {})
		ctx, disconnect := context.WithCancel(t.Context())
		defer disconnect()
		store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if test.disconnect {
				disconnect()
			}
			w.WriteHeader(http.StatusNoContent)
		}))
		handler := s.handler(t, func(c *config) {
			c.server.Bucket = bucketAt(store.URL)
			c.server.Hooks.Delete = func(context.Context, *hooks.Deletion) error {
				if test.denied {
					return hooks.Deny("Not this one.")
				}
				return nil
			}
			c.server.Hooks.Deleted = func(ctx context.Context, d *hooks.Deletion) error {
				if calls++; ctx.Err() != nil || d.Key != "uuid.txt" {
					t.Errorf("%s: called with %q, %v", test.name, d.Key, ctx.Err())
				}
				return test.err
			}
		})
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequestWithContext(ctx, "DELETE",
			"/s3/delete/5176-887?key=uuid.txt&bucket=mybucket", nil))
		store.Close()
		if calls != test.calls || w.Code != test.status {
			t.Errorf("%s: %d calls, want %d; response %d, want %d", test.name, calls, test.calls, w.Code, test.status)
		}
	}
}
