package hooks_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	_ "modernc.org/sqlite" // the driver that the guide uses

	"s3-sign-srv/internal/apierror"
	"s3-sign-srv/internal/hooks"
	"s3-sign-srv/internal/sign"
)

// guideBlocks returns the Go blocks of docs/hooks.md.
func guideBlocks(t *testing.T) (blocks []string) {
	t.Helper()
	guide, err := os.ReadFile("../../docs/hooks.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(guide), -1) {
		blocks = append(blocks, block[1])
	}
	if len(blocks) < 5 {
		t.Fatalf("docs/hooks.md has %d blocks of Go", len(blocks))
	}
	return blocks
}

// TestGuideIsThisCode checks that guide_code_test.go has each of them, byte by byte.
func TestGuideIsThisCode(t *testing.T) {
	code, err := os.ReadFile("guide_code_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range guideBlocks(t) {
		if !strings.Contains(string(code), "\n"+block) {
			t.Errorf("docs/hooks.md has a block that is not in guide_code_test.go:\n%s", block)
		}
	}
}

// TestGuideReplacesHooks checks that the blocks compile in place of hooks.go, without hooks_test.go.
func TestGuideReplacesHooks(t *testing.T) {
	const head = `package hooks
import ("context"; "crypto/hmac"; "crypto/sha256"; "database/sql"; "encoding/base64"; "encoding/json"; "errors"; "fmt"
	"io"; "log/slog"; "net/http"; "path"; "slices"; "strconv"; "strings"; "time"
	"s3-sign-srv/internal/sign")
`
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	code, overlay := filepath.Join(t.TempDir(), "hooks.go"), filepath.Join(t.TempDir(), "overlay.json")
	replace, err := json.Marshal(map[string]any{"Replace": map[string]string{
		filepath.Join(here, "hooks.go"): code, filepath.Join(here, "hooks_test.go"): ""}})
	if err != nil {
		t.Fatal(err)
	}
	for file, text := range map[string]string{code: head + strings.Join(guideBlocks(t), "\n"), overlay: string(replace)} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command("go", "vet", "-overlay", overlay, ".",
		"../../cmd/s3-sign-srv").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// guide returns the hooks of the guide, with a database of two expected files and an application with one session.
func guide(t *testing.T) (hooks.Funcs, *sql.DB) {
	t.Helper()
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch session, _ := r.Cookie("session"); {
		case session == nil:
			w.WriteHeader(http.StatusUnauthorized)
		case session.Value == "of-42":
			fmt.Fprint(w, `{"id":42}`)
		case session.Value == "redirected":
			http.Redirect(w, r, "/login", http.StatusFound)
		default:
			fmt.Fprint(w, `{}`)
		}
	}))
	t.Cleanup(app.Close)
	database := filepath.Join(t.TempDir(), "app.db")
	getenv := map[string]string{"APP_DATABASE": database, "APP_WHOAMI": app.URL}
	h, err := New(t.Context(), Config{
		Getenv: func(name string) string { return getenv[name] }, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close(context.Background()) })
	db, err := sql.Open("sqlite", database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if _, err := db.Exec(`CREATE TABLE expected (dataset TEXT, name TEXT, s3key TEXT, etag TEXT);
		INSERT INTO expected (dataset, name) VALUES ('D1', 'reads.bam'), ('D1', 'notes.txt')`); err != nil {
		t.Fatal(err)
	}
	return h, db
}

// TestGuideUploads calls the hooks for several uploads, step by step.
func TestGuideUploads(t *testing.T) {
	const notExpected, taken, tooLarge = "not expected", "taken over", "bytes"
	const k1, k2, k3 = "user/42/k1.bam", "user/42/k2.bam", "user/42/k3.txt"
	h, db := guide(t)
	for i, step := range []struct {
		do            sign.Operation // or "success"
		key           string
		dataset, name string
		part          int
		size          int64
		kind          string
		rejected      string // part of the sentence
	}{
		{do: sign.CreateMultipartUpload, key: k1, dataset: "D2", name: "reads.bam", rejected: notExpected},
		{do: sign.CreateMultipartUpload, key: k1, dataset: "D1", name: "other.bam", rejected: notExpected},
		{do: sign.CreateMultipartUpload, key: k1, dataset: "D1", name: "reads.bam"},
		{do: sign.CreateMultipartUpload, key: k1, dataset: "D1", name: "reads.bam"}, // repeated: the response was lost
		{do: sign.UploadPart, key: k1, part: 1},
		{do: sign.UploadPart, key: k2, part: 1, rejected: taken},
		{do: sign.CreateMultipartUpload, key: k2, dataset: "D1", name: "reads.bam"}, // the same file, from another browser
		{do: sign.UploadPart, key: k1, part: 2, rejected: taken},
		{do: sign.AbortMultipartUpload, key: k1},
		{do: sign.UploadPart, key: k2, part: 2}, // resumed: no new first request
		{do: sign.CompleteMultipartUpload, key: k2},
		{do: "success", key: k2, dataset: "D1", size: 1e9},
		{do: "success", key: k2, dataset: "D1", size: 1e9}, // repeated: the response was lost
		{do: sign.PostObject, key: k2, dataset: "D1", name: "reads.bam", rejected: "there already"},

		{do: sign.PostObject, key: k3, dataset: "D1", name: "notes.txt"},
		{do: sign.PostObject, key: "user/42/k4.exe", dataset: "D1", name: "notes.txt", rejected: "of this kind"},
		{do: sign.UploadPart, key: k3, part: 2},
		{do: sign.UploadPart, key: k3, part: 3, rejected: tooLarge}, // two parts of 5 MiB come before it
		{do: "success", key: k3, size: 10_000_001, kind: "text/plain", rejected: tooLarge},
		{do: "success", key: k3, size: 10_000_000, kind: "text/html", rejected: "text/html"},
		{do: "success", key: k3, size: 10_000_000, kind: "text/plain"},
	} {
		var err error
		metadata := map[string]string{"dataset": step.dataset, "qqfilename": step.name}
		if step.do == "success" {
			var reply Reply
			deleted := false
			u := &Upload{Key: step.key, ETag: `"e"`, Size: step.size, ContentType: step.kind, Metadata: metadata}
			u.Delete = func(context.Context) error { deleted = true; return nil }
			reply, err = h.Success(t.Context(), u)
			listed, listErr := h.List(t.Context(), []*Upload{u})
			if accepted := step.rejected == ""; deleted == accepted || slices.Contains(listed, u) != accepted || listErr != nil {
				t.Errorf("step %d, %s: deleted %t, listed %v, %v", i, step.key, deleted, listed, listErr)
			}
			if err == nil && reply["dataset"] != step.dataset {
				t.Errorf("step %d: the page receives %v", i, reply)
			}
		} else {
			err = h.ChallengeIsGood(t.Context(), &Challenge{Request: &sign.Request{
				Operation: step.do, Key: step.key, PartNumber: step.part, Metadata: metadata,
			}})
		}
		var rejection *apierror.Error
		if err != nil && !errors.As(err, &rejection) {
			t.Errorf("step %d, %s %s: the hook failed: %v", i, step.do, step.key, err)
		} else if (rejection != nil) != (step.rejected != "") ||
			rejection != nil && !strings.Contains(rejection.Message, step.rejected) {
			t.Errorf("step %d, %s %s: %v, want %q", i, step.do, step.key, err, step.rejected)
		}
	}
	var recorded int
	err := db.QueryRow(`SELECT COUNT(*) FROM expected WHERE etag = '"e"'`).Scan(&recorded)
	if err != nil || recorded != 2 {
		t.Errorf("%d of 2 files are recorded, %v", recorded, err)
	}
	if h.Delete(t.Context(), &Deletion{Key: k1}) == nil {
		t.Error("a file may be deleted")
	}
}

// TestGuideIdentifies checks both ways to identify the caller.
func TestGuideIdentifies(t *testing.T) {
	h, _ := guide(t)
	cookie := sessionCookie{[]byte("shared with the application")}
	other := sessionCookie{[]byte("guessed")}
	seal := func(by sessionCookie, signed string) string { return signed + "." + by.mac(signed) }
	byApplication := func(r *http.Request) (string, error) { return h.Identify(r.Context(), r) }
	for _, test := range []struct {
		name  string
		by    func(*http.Request) (string, error)
		value string
		owner string
		login bool // rejected with 401; if false and without an owner, the hook fails
	}{
		{"application: no cookie", byApplication, "", "", true},
		{"application: logged in", byApplication, "of-42", "user/42", false},
		{"application: invalid response", byApplication, "of-nobody", "", false},
		{"application: redirects", byApplication, "redirected", "", false},
		{"cookie: none", cookie.owner, "", "", true},
		{"cookie: valid", cookie.owner, seal(cookie, "42.99999999999"), "user/42", false},
		{"cookie: expired", cookie.owner, seal(cookie, "42.1700000000"), "", true},
		{"cookie: no expiry", cookie.owner, seal(cookie, "42"), "", true},
		{"cookie: by another key", cookie.owner, seal(other, "42.99999999999"), "", true},
		{"cookie: no MAC", cookie.owner, "42.99999999999", "", true},
		{"cookie: malformed", cookie.owner, "42", "", true},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		if test.value != "" {
			r.AddCookie(&http.Cookie{Name: "session", Value: test.value})
		}
		owner, err := test.by(r)
		var rejection *apierror.Error
		if errors.As(err, &rejection); owner != test.owner ||
			(rejection != nil && rejection.Code == apierror.Unauthenticated) != test.login ||
			(err == nil) != (owner != "") {
			t.Errorf("%s: %q %v", test.name, owner, err)
		}
	}
}
