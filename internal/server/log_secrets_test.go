package server_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"unicode"

	"s3-sign-srv/internal/hooks"
)

// TestLogHoldsNoSecretAndNoForgery sends everything in this package, good and bad, to a server with
// hooks that log all they can, and wants no secret, no signature and no forged line in the log.
func TestLogHoldsNoSecretAndNoForgery(t *testing.T) {
	debug := &slog.HandlerOptions{Level: slog.LevelDebug}
	for name, handler := range map[string]func(io.Writer) slog.Handler{
		"text": func(w io.Writer) slog.Handler { return slog.NewTextHandler(w, debug) },
		"json": func(w io.Writer) slog.Handler { return slog.NewJSONHandler(w, debug) },
	} {
		t.Run(name, func(t *testing.T) {
			log := new(logBuffer)
			w := startTestServer(t, func(c *config) {
				c.server.Log = slog.New(handler(log))
				c.server.Hooks = loggingHooks(c.server.Log)
			})
			given := sendEverything(t, w)
			if len(given) < 8 {
				t.Errorf("only %d requests were signed", len(given))
			}
			expectClean(t, name, log.drain(), append(given, secrets...))
		})
	}
}

// loggingHooks hooks log all that they are told but the HTTP request. Those of internal/hooks are the
// user's to edit, so no test outside that package may lean on them.
func loggingHooks(log *slog.Logger) hooks.Funcs {
	return hooks.Funcs{
		Identify: func(context.Context, *http.Request) (string, error) { return "", hooks.ErrUnauthenticated },
		ChallengeIsGood: func(ctx context.Context, c *hooks.Challenge) error {
			log.InfoContext(
				ctx,
				"challenge",
				"operation",
				c.Operation,
				"key",
				c.Key,
				"metadata",
				c.Metadata,
				"headers",
				c.Headers,
				"type",
				c.ContentType,
			)
			return nil
		},
		Success: func(ctx context.Context, u *hooks.Upload) (hooks.Reply, error) {
			log.InfoContext(ctx, "success", "key", u.Key, "uuid", u.UUID, "name", u.Name, "metadata", u.Metadata, "form", u.Form)
			return nil, nil
		},
		Delete: func(ctx context.Context, d *hooks.Deletion) error {
			log.InfoContext(ctx, "delete", "key", d.Key, "uuid", d.UUID, "form", d.Form)
			return nil
		},
	}
}

// sendEverything sends all attacks and all that is honest, some with names that would forge log lines,
// and returns the signatures and policies that were given out.
func sendEverything(t *testing.T, w *testServer) (given []string) {
	t.Helper()
	const forged = `%22%7D%0A%7B%22level%22%3A%22ERROR%22%7D%1B%5B2J%0Alevel%3DERROR`
	const hidden = `%7F%C2%85%C2%9B2J%E2%80%AEtxt%E2%81%A6`
	everything := slices.Concat(
		stringV2(
			swap(initiate2, "my%20file%20%C3%A9.txt", hidden),
			swap(initiate2, "/uuid.txt", "/%E2%80%AEtxt.exe"),
		),
		stringV4(swap(initiate4, "my%20file%20%C3%A9.txt", hidden)),
		bodyV2(swap(policy2, "my%20file%20%C3%A9.txt", hidden)),
		forms(
			"POST",
			"/s3/success",
			swap(success, "name=my+file+%C3%A9.txt", "name="+hidden),
			success+"&"+hidden+"="+hidden,
			swap(success, "key=uuid.txt", "key=%E2%80%AEtxt.exe"),
		),
		deletes(deletePath+"&"+hidden+"="+hidden),
		stringV2(
			initiate2,
			part2,
			complete2,
			abort2,
			swap(initiate2, "my%20file%20%C3%A9.txt", forged),
		),
		stringV4(initiate4, part4),
		bodyV2(policy2, swap(policy2, "my%20file%20%C3%A9.txt", forged)),
		bodyV4(policy4),
		forms(
			"POST",
			"/s3/success",
			success,
			swap(success, "name=my+file+%C3%A9.txt", "name="+forged),
			success+"&"+forged+"="+forged,
			swap(success, "uuid=", "uuid="+forged),
		),
		deletes(deletePath, deletePath+"&"+forged+"="+forged),
	)
	for _, r := range hostileRows() {
		everything = append(everything, r.attacks...)
	}
	for _, a := range everything {
		got := w.send(t, a)
		var signed struct{ Policy, Signature string }
		if json.Unmarshal([]byte(got.body), &signed) == nil && signed.Signature != "" {
			given = append(given, signed.Signature)
		}
		if signed.Policy != "" {
			given = append(given, signed.Policy)
		}
		if strings.Contains(got.body, secretKey) || strings.Contains(got.body, sseKey) ||
			strings.Contains(got.body, sessionToken) {
			t.Errorf("%s %.200s is answered with a secret: %s", a.method, a.target, got.body)
		}
	}
	return given
}

// expectClean wants every log line whole, of the server's own making, printable and without a secret. What slog's
// handlers leave as it is, DEL in text and what is valid in JSON, the logger of cmd/s3-sign-srv escapes: TestLogs
// is there.
func expectClean(t *testing.T, handler, text string, secrets []string) {
	t.Helper()
	mark := map[string]string{"text": `\u202etxt`, "json": "\u202etxt"}[handler]
	if strings.Count(text, mark) < 8 {
		t.Errorf("%d hidden marks were logged, want at least 8", strings.Count(text, mark))
	}
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		isWhole := strings.HasPrefix(line, "time=2") &&
			!strings.ContainsFunc(line, func(c rune) bool { return c != 0x7f && !unicode.IsPrint(c) })
		if handler == "json" {
			isWhole = strings.HasPrefix(line, `{"time":"2`) && json.Valid([]byte(line)) &&
				!strings.ContainsAny(line, "\x00\x1b\r\u2028")
		}
		if !isWhole {
			t.Errorf("a forged line, or one with control characters: %.300q", line)
		}
		for _, secret := range secrets {
			if strings.Contains(line, secret) {
				t.Errorf("%q is in the log: %.500s", secret, line)
			}
		}
	}
}
