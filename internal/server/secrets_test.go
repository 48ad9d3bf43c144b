package server_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"

	"s3-sign-srv/internal/hooks"
)

// TestSecrets sends every request, honest and hostile, to servers with stores and hooks that work and that fail, at
// debug level and with OwnUploadsOnly. No response and no log may have: the secret key, a signature except the
// requested one, the signatures of the server's own calls, a customer's encryption key, a security token, or the MAC of
// a cookie except in Set-Cookie.
func TestSecrets(t *testing.T) {
	for format, handler := range map[string]func(io.Writer) slog.Handler{
		"text": func(w io.Writer) slog.Handler {
			return slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug})
		},
		"json": func(w io.Writer) slog.Handler {
			return slog.NewJSONHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug})
		},
	} {
		t.Run(format, func(t *testing.T) {
			set, statuses := new(secretSet), map[string]map[int]int{}
			set.add("the secret key", secretKey)
			set.add("an encryption key", sseKey)
			set.add("a security token", sessionToken)
			closed := httptest.NewServer(nil)
			closed.Close()
			var run *secretRun
			for state, store := range map[string]string{"working": set.workingStore(t), "failing": set.failingStore(t),
				"unreachable": closed.URL} {
				run = newSecretRun(t, set, statuses, handler, store)
				run.sendAll(t, state == "working")
				log := run.log.drain()
				if !strings.Contains(log, "DEBUG") || strings.Count(log, "\n") < 50 {
					t.Errorf("the log with a store that is %s is short: %.300s", state, log)
				}
				for _, s := range set.find(log) {
					t.Errorf("the log with a store that is %s has %s: %s", state, s.what, lineWith(log, s.value))
				}
			}
			run.expectEveryRoute(t)
			for _, what := range []string{
				"a cookie's MAC", "a signature", "the signature of the server's own HEAD",
				"the signature of the server's own DELETE", "the signature of the server's own GET",
			} {
				if !set.has(what) {
					t.Errorf("the run had no secret of this kind: %s", what)
				}
			}
		})
	}
}

// unreliableHooks returns hooks that deny, fail or panic for some keys.
func unreliableHooks(h hooks.Funcs) hooks.Funcs {
	result := func(key string) error {
		switch {
		case strings.HasSuffix(key, "denied.txt"):
			return hooks.Deny("Not this one.")
		case strings.HasSuffix(key, "broken.txt"):
			return errors.New("the database is away")
		case strings.HasSuffix(key, "panics.txt"):
			panic("the hook panics")
		}
		return nil
	}
	return hooks.Funcs{
		ChallengeIsGood: func(ctx context.Context, c *hooks.Challenge) error {
			return errors.Join(h.ChallengeIsGood(ctx, c), result(c.Key))
		},
		Success: func(ctx context.Context, u *hooks.Upload) (hooks.Reply, error) {
			reply, err := h.Success(ctx, u)
			return reply, errors.Join(err, result(u.Key))
		},
		Delete: func(ctx context.Context, d *hooks.Deletion) error {
			return errors.Join(h.Delete(ctx, d), result(d.Key))
		},
		Deleted: h.Deleted,
		List:    h.List,
	}
}
