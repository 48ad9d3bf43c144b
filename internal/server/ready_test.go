package server_test

import (
	"context"
	"testing"

	"s3-sign-srv/internal/apierror"
	"s3-sign-srv/internal/server"
)

// TestReady asks a server that is ready, and one that is not. Both are healthy.
func TestReady(t *testing.T) {
	for _, test := range []struct {
		name   string
		err    error
		status int
		body   string
	}{
		{"ready", nil, 200, "ok\n"},
		{"not ready", apierror.New(apierror.Unavailable, "The server is shutting down."), 503,
			"The server is shutting down.\n"},
	} {
		s := startTestServer(t, func(c *config) { c.server.Ready = func(context.Context) error { return test.err } })
		if got := do(t, "GET", s.url+"/readyz", "", ""); got.status != test.status || got.body != test.body {
			t.Errorf("%s: %d %q", test.name, got.status, got.body)
		}
		if got := do(t, "GET", s.url+"/healthz", "", ""); got.status != 200 || got.body != "ok\n" {
			t.Errorf("%s, healthy: %d %q", test.name, got.status, got.body)
		}
	}
}

// TestCodesHaveNames wants a name in the metrics for every error code.
func TestCodesHaveNames(t *testing.T) {
	for _, code := range server.Codes() {
		if code.String() == "" {
			t.Errorf("the error code %d has no name", code)
		}
	}
}
