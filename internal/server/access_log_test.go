package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"s3-sign-srv/internal/hooks"
	"s3-sign-srv/internal/server"
)

// TestAccessLog wants one line for each request with P3S3F_ACCESS_LOG, and none without it.
func TestAccessLog(t *testing.T) {
	for _, enabled := range []bool{true, false} {
		s := startTestServer(t, func(c *config) {
			c.server.AccessLog = enabled
			c.server.Hooks.Identify = func(context.Context, *http.Request) (string, error) { return "user/42", nil }
		})
		for _, test := range []struct{ method, path, body, want string }{
			{"GET", "/healthz", "", "GET /healthz 200 "},
			{"POST", "/s3/sign", partV2, "POST /s3/sign 200 user/42"},
			{"GET", "/nowhere?secret=1", "", "GET /nowhere 404 "},
		} {
			s.log.drain()
			do(t, test.method, s.url+test.path, jsonType, test.body)
			var found []string
			for text := range strings.Lines(s.log.drain()) {
				var line struct {
					Msg, Method, Path, Owner string
					Status                   int
					Remote                   string `json:"remote_addr"`
					Duration                 int64
				}
				if err := json.Unmarshal([]byte(text), &line); err != nil {
					t.Fatal(err)
				}
				if line.Msg == "request" && line.Duration > 0 && line.Remote == "127.0.0.1" {
					found = append(found, fmt.Sprintf("%s %s %d %s", line.Method, line.Path, line.Status, line.Owner))
				}
			}
			if enabled && (len(found) != 1 || found[0] != test.want) || !enabled && len(found) > 0 {
				t.Errorf("%s %s, access log %v: %q, want %q", test.method, test.path, enabled, found, test.want)
			}
		}
	}
}

// TestHookLog wants address, owner and duration in the lines of a hook.
func TestHookLog(t *testing.T) {
	s := startTestServer(t, func(c *config) {
		log := server.HookLog(c.server.Log).With("hook", "mine")
		c.server.Hooks.Identify = func(context.Context, *http.Request) (string, error) { return "user/42", nil }
		c.server.Hooks.ChallengeIsGood = func(ctx context.Context, c *hooks.Challenge) error {
			log.InfoContext(ctx, "challenge", "key", c.Key)
			return nil
		}
		log.InfoContext(context.Background(), "before any request")
	})
	do(t, "POST", s.url+"/s3/sign", jsonType, partV2)
	text := s.log.drain()
	for _, want := range []string{
		`"msg":"challenge","hook":"mine","key":"uuid.txt","remote_addr":"127.0.0.1","owner":"user/42","duration":`,
		`"msg":"before any request","hook":"mine"}`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
}

// TestProxyWarning sends forwarded headers from a peer that is trusted and from one that is not.
func TestProxyWarning(t *testing.T) {
	const want = "forwarded headers ignored"
	for _, test := range []struct {
		name     string
		proxies  []string
		header   string
		warnings int
	}{
		{"a proxy that is not trusted", nil, "X-Forwarded-For", 1},
		{"the scheme of a proxy that is not trusted", []string{"10.0.0.0/8"}, "X-Forwarded-Proto", 1},
		{"a trusted proxy", []string{"127.0.0.0/8"}, "X-Forwarded-For", 0},
		{"no proxy", nil, "Accept", 0},
	} {
		s := startTestServer(t, func(c *config) { c.server.TrustedProxies = test.proxies })
		for range 3 {
			do(t, "GET", s.url+"/healthz", "", "", test.header, "https")
		}
		if n := strings.Count(s.log.drain(), want); n != test.warnings {
			t.Errorf("%s: %d warnings", test.name, n)
		}
	}
}
