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

// TestSecrets drives every route, good and bad, with every kind of store and hook, and everything that is hostile,
// at debug level and with ownership on. It wants neither in an answer nor in the log: the secret key, a signature
// but the one that the answer is about, the signatures of the server's own calls, a customer's encryption key, a
// security token, or the part of a cookie that nobody can make up, but in Set-Cookie.
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
			v, asked := new(secretSet), map[string]map[int]int{}
			v.hide("the secret key", secretKey)
			v.hide("an encryption key", sseKey)
			v.hide("a security token", sessionToken)
			closed := httptest.NewServer(nil)
			closed.Close()
			var run *secretRun
			for mood, store := range map[string]string{"willing": v.workingStore(t), "quarrelsome": v.failingStore(t),
				"away": closed.URL} {
				run = newSecretRun(t, v, asked, handler, store)
				run.everything(t, mood == "willing")
				log := run.log.drain()
				if !strings.Contains(log, "DEBUG") || strings.Count(log, "\n") < 50 {
					t.Errorf("the log with a store that is %s is short: %.300s", mood, log)
				}
				for _, s := range v.found(log) {
					t.Errorf("the log with a store that is %s has %s: %s", mood, s.what, lineWith(log, s.value))
				}
			}
			run.expectEveryRoute(t)
			for _, what := range []string{"a cookie's MAC", "a signature", "the signature of the server's own " +
				"HEAD", "the signature of the server's own DELETE", "the signature of the server's own GET"} {
				if !v.holds(what) {
					t.Errorf("there was nothing to find of: %s", what)
				}
			}
		})
	}
}

// unreliableHooks hooks deny, fail and panic where the key says so.
func unreliableHooks(h hooks.Funcs) hooks.Funcs {
	mood := func(key string) error {
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
			return errors.Join(h.ChallengeIsGood(ctx, c), mood(c.Key))
		},
		Success: func(ctx context.Context, u *hooks.Upload) (hooks.Reply, error) {
			reply, err := h.Success(ctx, u)
			return reply, errors.Join(err, mood(u.Key))
		},
		Delete: func(ctx context.Context, d *hooks.Deletion) error { return errors.Join(h.Delete(ctx, d), mood(d.Key)) },
	}
}
