package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"s3-sign-srv/internal/hooks"
	"s3-sign-srv/internal/sign"
)

// TestHooksAreTold shows what the hooks get to see of an upload.
func TestHooksAreTold(t *testing.T) {
	w := startTestServer(t, func(*config) {})
	do(
		t,
		"POST",
		w.url+"/s3/sign",
		jsonType,
		`{"headers":"POST\n\ntext/plain\n\nx-amz-acl:private\nx-amz-date:Mon, 23 Nov 2026 11:56:08 GMT\n`+
			`x-amz-meta-dataset:D%20S\nx-amz-meta-qqfilename:my%20file%20%C3%A9.txt\n/mybucket/dir%20one/uuid.txt?uploads"}`,
		"Cookie",
		"session=s1",
	)
	do(
		t,
		"POST",
		w.url+"/s3/success",
		formType,
		"foo=b+r&key=uuid.txt&uuid=0e4b&name=my+file+%C3%A9.txt&bucket=mybucket&etag=%22simple-etag%22&dataset=D+S",
	)
	do(t, "DELETE", w.url+"/s3/delete/5176-887?foo=b+r&key=a+%2B+b&bucket=mybucket", "", "")

	challenges, uploads, deletions := w.recorder.drain()
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

// TestHooksDecide gives the answer that each outcome of a hook becomes.
func TestHooksDecide(t *testing.T) {
	for _, test := range []struct {
		name   string
		err    error
		panics bool
		status int
		says   string
	}{
		{"denies", hooks.Deny("This file has not been approved for transfer."), false, 403, "This file has not been " +
			"approved for transfer."},
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
				<-released // without a look at its context
			}
			if test.panics {
				panic("hook")
			}
			return test.err
		}
		w := startTestServer(t, func(c *config) {
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
			do(t, "POST", w.url+"/s3/sign", jsonType, partV2),
			do(t, "POST", w.url+"/s3/success", formType, "key=uuid.txt&bucket=mybucket"),
			do(t, "DELETE", w.url+"/s3/delete/5176-887?key=uuid.txt&bucket=mybucket", "", ""),
		} {
			var said struct{ Error, ID string }
			err := json.Unmarshal([]byte(got.body), &said)
			if err != nil || got.status != test.status || !strings.Contains(said.Error, test.says) || said.ID == "" ||
				strings.Contains(got.body, "s3cret") {
				t.Errorf("the hook %s: %d %q, %v", test.name, got.status, got.body, err)
			}
		}
		for _, call := range w.store.drain() {
			if strings.HasPrefix(call, "DELETE") {
				t.Errorf("the hook %s, yet the store was asked to %s", test.name, call)
			}
		}
	}
}

// TestHooksAreAskedAgain has 100 callers ask at once, again and again: each gets the answer to its own question,
// whatever the hooks do to the others.
func TestHooksAreAskedAgain(t *testing.T) {
	released := make(chan struct{})
	w := startTestServer(t, func(c *config) {
		c.server.HookTimeout = 5 * time.Second // for a hang; a machine that has other things to do answers the rest sooner
		c.server.Hooks.ChallengeIsGood = func(_ context.Context, c *hooks.Challenge) error {
			switch c.HTTP.Header.Get("Ask") {
			case "hang":
				<-released
			case "panic":
				panic("hook")
			}
			return hooks.Deny(c.HTTP.Header.Get("Ask"))
		}
	})
	t.Cleanup(func() { close(released) })
	var callers sync.WaitGroup
	for i := range 100 {
		callers.Go(func() {
			for _, question := range []string{"panic", fmt.Sprintf("caller %d.", i), "hang", fmt.Sprintf("caller %d again.",
				i)} {
				want := question
				if question == "panic" || question == "hang" {
					want = "give its operator the id"
				}
				if got := do(t, "POST", w.url+"/s3/sign", jsonType, partV2, "Ask", question); !strings.Contains(got.body, want) {
					t.Errorf("asked to %s, the hook answered %q", question, got.body)
				}
			}
		})
	}
	callers.Wait()
}
