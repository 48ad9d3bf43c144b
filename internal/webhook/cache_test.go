package webhook

import (
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"s3-sign-srv/internal/hooks"
	"s3-sign-srv/internal/sign"
)

// TestIdentifyCache counts the messages of two requests, the second of which differs.
func TestIdentifyCache(t *testing.T) {
	const cacheable = `{"allow":true,"owner":"user/42","cache_seconds":60}`
	for _, test := range []struct {
		name     string
		response string
		change   func(*http.Request)
		messages int
	}{
		{"the same caller", cacheable, func(*http.Request) {}, 1},
		{"the same caller, whose own cookie was renewed", cacheable, func(r *http.Request) {
			r.Header["Cookie"] = []string{"s3_sign_srv=o3; session=s1; theme=dark"}
		}, 1},
		{"another session", cacheable, func(r *http.Request) { r.Header.Set("Cookie", "session=s2; theme=dark") }, 2},
		{"no cookie", cacheable, func(r *http.Request) { r.Header.Del("Cookie") }, 2},
		{"another token", cacheable, func(r *http.Request) { r.Header.Set("Authorization", "Bearer t2") }, 2},
		{"the cookie as a token", cacheable, func(r *http.Request) {
			r.Header.Del("Cookie")
			r.Header.Set("Authorization", "session=s1; theme=dark")
		}, 2},
		{"another owner of the hook in Go", cacheable, func(r *http.Request) { r.Header.Set("Test-Owner", "user/1") }, 2},
		{"not to be cached", `{"allow":true,"owner":"user/42"}`, func(*http.Request) {}, 2},
		{"rejected", `{"allow":false,"message":"No.","cache_seconds":60}`, func(*http.Request) {}, 2},
		{"invalid", `{"allow":true,"cache_seconds":60,"x":1}`, func(*http.Request) {}, 2},
	} {
		a := startApplication(t)
		a.respond(http.StatusOK, test.response)
		f := hooksOf(t, a.URL)
		var results []string
		for _, change := range []func(*http.Request){func(*http.Request) {}, test.change} {
			r := browserRequest()
			change(r)
			results = append(results, describe(f.Identify(t.Context(), r)))
		}
		if n := len(a.drain()); n != test.messages || results[0] != results[1] {
			t.Errorf("%s: %d messages, want %d; %q", test.name, n, test.messages, results)
		}
	}
}

// TestChallengeCache counts the messages of a part and another request.
func TestChallengeCache(t *testing.T) {
	part := sign.Request{Operation: sign.UploadPart, Bucket: "b", Key: "k", UploadID: "u", PartNumber: 1, Version: sign.V4}
	for _, test := range []struct {
		name     string
		change   func(*hooks.Challenge)
		response string
		messages int
	}{
		{"next part", func(c *hooks.Challenge) { c.PartNumber = 2 }, `{"allow":true,"cache_seconds":60}`, 1},
		{"another upload", func(c *hooks.Challenge) { c.UploadID = "v" }, `{"allow":true,"cache_seconds":60}`, 2},
		{"another key", func(c *hooks.Challenge) { c.Key = "l" }, `{"allow":true,"cache_seconds":60}`, 2},
		{"another owner", func(c *hooks.Challenge) { c.Owner = "user/43" }, `{"allow":true,"cache_seconds":60}`, 2},
		{"end of the upload", func(c *hooks.Challenge) { c.Operation, c.PartNumber = sign.CompleteMultipartUpload, 0 },
			`{"allow":true,"cache_seconds":60}`, 2},
		{"not to be cached", func(*hooks.Challenge) {}, `{"allow":true}`, 2},
		{"rejected", func(*hooks.Challenge) {}, `{"allow":false,"message":"No.","cache_seconds":60}`, 2},
	} {
		a := startApplication(t)
		a.respond(http.StatusOK, test.response)
		f := hooksOf(t, a.URL)
		for _, change := range []func(*hooks.Challenge){func(*hooks.Challenge) {}, test.change} {
			request := part
			c := &hooks.Challenge{Owner: "user/42", Request: &request}
			change(c)
			f.ChallengeIsGood(t.Context(), c)
		}
		if n := len(a.drain()); n != test.messages {
			t.Errorf("%s: %d messages, want %d", test.name, n, test.messages)
		}
	}
	for _, operation := range []sign.Operation{
		sign.PostObject, sign.CreateMultipartUpload, sign.CompleteMultipartUpload, sign.AbortMultipartUpload,
	} {
		a := startApplication(t)
		a.respond(http.StatusOK, `{"allow":true,"cache_seconds":60}`)
		f := hooksOf(t, a.URL)
		for range 2 {
			f.ChallengeIsGood(t.Context(), &hooks.Challenge{Request: &sign.Request{Operation: operation, Key: "k"}})
		}
		if n := len(a.drain()); n != 2 {
			t.Errorf("%s twice: %d messages, want 2", operation, n)
		}
	}
}

// TestCacheIsBounded fills the cache, and lets time pass, which is simulated.
func TestCacheIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCache()
		for i := range maxCached + 1 {
			key, err := keyOf(i)
			if err != nil {
				t.Fatal(err)
			}
			c.add(key, fmt.Sprint(i), 60)
		}
		first, _ := keyOf(0)
		last, _ := keyOf(maxCached)
		if _, ok := c.get(first); ok {
			t.Errorf("more than %d responses are kept", maxCached)
		}
		time.Sleep(59 * time.Second)
		if owner, ok := c.get(last); !ok || owner != fmt.Sprint(maxCached) {
			t.Errorf("after 59 s: %q, %t", owner, ok)
		}
		time.Sleep(time.Second)
		if _, ok := c.get(last); ok {
			t.Error("after 60 s the response is still used")
		}
	})
}
