package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf8"

	"s3-sign-srv/internal/hooks"
)

// TestErrorLogLine checks that the log line with the id of the response has the request, the actual and the expected
// value.
func TestErrorLogLine(t *testing.T) {
	s := startTestServer(t, func(c *config) {
		c.server.Hooks.ChallengeIsGood = func(context.Context, *hooks.Challenge) error { return hooks.Deny("No.") }
	})
	other := strings.Replace(partV2, "/mybucket/", "/other/", 1)
	for _, test := range []struct {
		body string
		want map[string]string
	}{
		{other, map[string]string{
			"request": "version 2, PUT /other/uuid.txt?partNumber=1&uploadId=UPID.abc-_123, of Mon, 23 Nov 2026 11:56:08 GMT",
			"actual":  "other", "expected": "mybucket",
			"msg": "request rejected", "level": "WARN", "method": "POST", "path": "/s3/sign", "remote_addr": "127.0.0.1",
		}},
		{strings.Replace(partV2, "11:56:08", "12:56:08", 1), map[string]string{
			"request": "version 2, PUT /mybucket/uuid.txt?partNumber=1&uploadId=UPID.abc-_123, " +
				"of Mon, 23 Nov 2026 12:56:08 GMT",
			"actual": "2026-11-23T12:56:08Z", "expected": "2026-11-23T11:56:08Z",
		}},
		{`{"expiration":"2026-11-23T12:01:08.000Z","conditions":[{"bucket":"other"},{"key":"k.txt"}]}`, map[string]string{
			"request": "version 2, POST of k.txt to other, until 2026-11-23T12:01:08.000Z",
			"actual":  "other", "expected": "mybucket",
		}},
		{strings.Replace(partV2, "uuid.txt", "%75uid.txt", 1), map[string]string{
			"actual":   "56:08 GMT\ufffd/mybucket/%75uid.txt?partNumber=1&uploadId=UPID.abc-_123",
			"expected": "56:08 GMT\ufffd/mybucket/uuid.txt?partNumber=1&uploadId=UPID.abc-_123",
		}},
		{`{"expiration":"2026-11-23T12:01:08.000Z","conditions":[{"bucket":"mybucket","bucket":"other"}]}`, map[string]string{
			"request": "", "expected": "a policy document",
			"actual": `jsontext: duplicate object member name "bucket" within "/conditions/0"`,
		}},
		{`{"headers":"x"} trailing`, map[string]string{
			"cause": `The body is not {"headers":"…"} with a string to sign and nothing else; use an unmodified Fine ` +
				`Uploader. (jsontext: invalid character 't' after top-level value after offset 16)`,
		}},
		{partV2, map[string]string{"error": "No.", "cause": `UploadPart of "uuid.txt", version 2: No.`}},
	} {
		s.log.drain()
		var response, line map[string]any
		if err := json.Unmarshal([]byte(do(t, "POST", s.url+"/s3/sign", jsonType, test.body).body), &response); err != nil {
			t.Fatal(err)
		}
		text := s.log.drain()
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		test.want["error_id"], _ = response["id"].(string)
		for name, want := range test.want {
			if actual, _ := line[name].(string); actual != want {
				t.Errorf("%s is %q, want %q in %s", name, line[name], want, text)
			}
		}
	}
}

// TestLogLineIsBounded checks that the log line has only the beginning of a long error of a hook or a store.
func TestLogLineIsBounded(t *testing.T) {
	long := "the database says: " + strings.Repeat("é", 100000)
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintf(w, "<Error><Code>AccessDenied</Code><Message>%s</Message></Error>", long)
	}))
	defer store.Close()
	var hook error
	s := startTestServer(t, func(c *config) {
		c.server.Bucket = bucketAt(store.URL)
		c.server.Hooks.Delete = func(context.Context, *hooks.Deletion) error { return hook }
	})
	for name, test := range map[string]struct {
		hook   error
		status int
		cause  string
	}{
		"a hook fails":          {errors.New(long), 500, "the database says: éé"},
		"a hook fails, wrapped": {fmt.Errorf("count: %w", errors.New(long)), 500, "count: the database says: éé"},
		"the store fails":       {nil, 502, "api error AccessDenied: the database says: éé"},
	} {
		hook = test.hook
		s.log.drain()
		got := do(t, "DELETE", s.url+deletePath, "", "")
		var line struct{ Cause string }
		text := s.log.drain()
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatalf("%s: %v: %.300s", name, err, text)
		}
		if n := utf8.RuneCountInString(line.Cause); got.status != test.status || !strings.Contains(line.Cause, test.cause) ||
			n != 2000 ||
			len(text) > maxLine {
			t.Errorf("%s: %d, the cause has %d characters, the line %d bytes: %.300s", name, got.status, n, len(text), text)
		}
	}
}
