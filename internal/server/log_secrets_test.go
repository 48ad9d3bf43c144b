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

// TestLogHasNoSecretsOrForgedLines sends every request of this package to a server with hooks that log all their
// arguments. The log must have no secret, no signature and no forged line.
func TestLogHasNoSecretsOrForgedLines(t *testing.T) {
	debug := &slog.HandlerOptions{Level: slog.LevelDebug}
	for name, handler := range map[string]func(io.Writer) slog.Handler{
		"text": func(w io.Writer) slog.Handler { return slog.NewTextHandler(w, debug) },
		"json": func(w io.Writer) slog.Handler { return slog.NewJSONHandler(w, debug) },
	} {
		t.Run(name, func(t *testing.T) {
			log := new(logBuffer)
			s := startTestServer(t, func(c *config) {
				c.server.Log = slog.New(handler(log))
				c.server.Hooks = loggingHooks(c.server.Log)
			})
			issued := sendEverything(t, s)
			if len(issued) < 8 {
				t.Errorf("only %d requests were signed", len(issued))
			}
			expectClean(t, name, log.drain(), append(issued, secrets...))
		})
	}
}

// loggingHooks returns hooks that log their arguments, except the HTTP request. The shipped hooks log less.
func loggingHooks(log *slog.Logger) hooks.Funcs {
	return hooks.Funcs{
		Identify: func(context.Context, *http.Request) (string, error) { return "", hooks.ErrUnauthenticated },
		ChallengeIsGood: func(ctx context.Context, c *hooks.Challenge) error {
			log.InfoContext(ctx, "challenge", "operation", c.Operation, "key", c.Key, "metadata", c.Metadata,
				"headers", c.Headers, "type", c.ContentType)
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
		Deleted: func(context.Context, *hooks.Deletion) error { return nil },
	}
}

// sendEverything sends all attacks and honest requests, some with names that would forge log lines. It returns the
// signatures and policies that it got.
func sendEverything(t *testing.T, s *testServer) (issued []string) {
	t.Helper()
	const forged = `%22%7D%0A%7B%22level%22%3A%22ERROR%22%7D%1B%5B2J%0Alevel%3DERROR`
	const hidden = `%7F%C2%85%C2%9B2J%E2%80%AEtxt%E2%81%A6`
	everything := slices.Concat(
		stringV2(swap(initiate2, "my%20file%20%C3%A9.txt", hidden),
			swap(initiate2, "/uuid.txt", "/%E2%80%AEtxt.exe")),
		stringV4(swap(initiate4, "my%20file%20%C3%A9.txt", hidden)),
		bodyV2(swap(policy2, "my%20file%20%C3%A9.txt", hidden)),
		forms("POST", "/s3/success", swap(success, "name=my+file+%C3%A9.txt", "name="+hidden),
			success+"&"+hidden+"="+hidden, swap(success, "key=uuid.txt", "key=%E2%80%AEtxt.exe")),
		deletes(deletePath+"&"+hidden+"="+hidden),
		stringV2(initiate2, part2, complete2, abort2, swap(initiate2, "my%20file%20%C3%A9.txt", forged)),
		stringV4(initiate4, part4),
		bodyV2(policy2, swap(policy2, "my%20file%20%C3%A9.txt", forged)),
		bodyV4(policy4),
		forms("POST", "/s3/success", success, swap(success, "name=my+file+%C3%A9.txt", "name="+forged),
			success+"&"+forged+"="+forged, swap(success, "uuid=", "uuid="+forged)),
		deletes(deletePath, deletePath+"&"+forged+"="+forged),
	)
	for _, r := range hostileRows() {
		everything = append(everything, r.attacks...)
	}
	for _, a := range everything {
		got := s.send(t, a)
		var signed struct{ Policy, Signature string }
		if json.Unmarshal([]byte(got.body), &signed) == nil && signed.Signature != "" {
			issued = append(issued, signed.Signature)
		}
		if signed.Policy != "" {
			issued = append(issued, signed.Policy)
		}
		if strings.Contains(got.body, secretKey) || strings.Contains(got.body, sseKey) ||
			strings.Contains(got.body, sessionToken) {
			t.Errorf("%s %.200s gets a response with a secret: %s", a.method, a.target, got.body)
		}
	}
	return issued
}

// expectClean checks that every log line is complete, printable and without a secret. What slog's handlers do not
// escape, the logger of internal/cli does; its test is TestLogs there.
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
