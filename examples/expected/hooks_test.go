package main

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"s3-sign-srv/internal/apierror"
	"s3-sign-srv/internal/hooks"
	"s3-sign-srv/internal/sign"
)

//go:embed expected.sql
var schema string

// newDatabase returns the file of a database with two expected files, and further ones.
func newDatabase(t *testing.T, names ...string) (file string, db *sql.DB) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "of the app.db")
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if _, err := db.Exec(schema); err != nil {
		t.Fatal(err)
	}
	for _, name := range append(names, "reads.bam", "notes.txt") {
		if _, err := db.Exec(`INSERT INTO expected (dataset, name) VALUES ('D1', ?)`, name); err != nil {
			t.Fatal(err)
		}
	}
	return file, db
}

// startApplication starts an application with one session.
func startApplication(t *testing.T) (address string) {
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
	return app.URL
}

// newTestHooks returns the hooks, with a database and an application.
func newTestHooks(t *testing.T, names ...string) (hooks.Funcs, *sql.DB) {
	t.Helper()
	file, db := newDatabase(t, names...)
	events := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(events.Close)
	getenv := map[string]string{"APP_DATABASE": file, "APP_WHOAMI": startApplication(t), "APP_EVENTS": events.URL}
	h, err := newHooks(t.Context(), hooks.Config{
		Getenv: func(name string) string { return getenv[name] }, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return h, db
}

// TestUploads calls the hooks for several uploads, step by step.
func TestUploads(t *testing.T) {
	const notExpected, taken, tooLarge = "not expected", "taken over", "bytes"
	const k1, k2, k3 = "user/42/k1.bam", "user/42/k2.bam", "user/42/k3.txt"
	h, db := newTestHooks(t)
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
		{do: "success", key: k1, dataset: "D1", size: 1e9, rejected: taken},
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
			var reply hooks.Reply
			deleted := false
			u := &hooks.Upload{Key: step.key, ETag: `"e"`, Size: step.size, ContentType: step.kind, Metadata: metadata}
			u.Delete = func(context.Context) error { deleted = true; return nil }
			reply, err = h.Success(t.Context(), u)
			listed, listErr := h.List(t.Context(), []*hooks.Upload{u})
			isListed := step.rejected == "" || step.rejected == taken // the list knows no other upload
			if deleted == (step.rejected == "") || slices.Contains(listed, u) != isListed || listErr != nil {
				t.Errorf("step %d, %s: deleted %t, listed %v, %v", i, step.key, deleted, listed, listErr)
			}
			if err == nil && reply["dataset"] != step.dataset {
				t.Errorf("step %d: the page receives %v", i, reply)
			}
		} else {
			err = h.ChallengeIsGood(t.Context(), &hooks.Challenge{Request: &sign.Request{
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
	if err := h.Deleted(t.Context(), &hooks.Deletion{Key: k2}); err != nil {
		t.Error(err)
	}
	err = db.QueryRow(`SELECT COUNT(*) FROM expected WHERE etag IS NOT NULL`).Scan(&recorded)
	if err != nil || recorded != 1 {
		t.Errorf("after a deletion %d files are recorded, want 1, %v", recorded, err)
	}
}

// TestIdentify checks both ways to identify the caller.
func TestIdentify(t *testing.T) {
	h, _ := newTestHooks(t)
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

// TestParallelUploads begins and reports 20 different files at the same time. A database that is busy fails none.
func TestParallelUploads(t *testing.T) {
	var names []string
	for i := range 20 {
		names = append(names, fmt.Sprintf("%d.bam", i))
	}
	h, _ := newTestHooks(t, names...)
	var uploads sync.WaitGroup
	for _, name := range names {
		uploads.Go(func() {
			if err := upload(t.Context(), h, "user/42/"+name, name); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	uploads.Wait()
}

// TestOneWinner uploads the same expected file 20 times at once. One upload succeeds, all others are rejected.
func TestOneWinner(t *testing.T) {
	h, db := newTestHooks(t)
	var mu sync.Mutex
	accepted := 0
	var uploads sync.WaitGroup
	for i := range 20 {
		uploads.Go(func() {
			err := upload(t.Context(), h, fmt.Sprintf("user/42/%d.bam", i), "reads.bam")
			mu.Lock()
			defer mu.Unlock()
			var rejection *apierror.Error
			if err == nil {
				accepted++
			} else if !errors.As(err, &rejection) {
				t.Error(err)
			}
		})
	}
	uploads.Wait()
	var recorded int
	err := db.QueryRow(`SELECT COUNT(*) FROM expected WHERE etag IS NOT NULL`).Scan(&recorded)
	if accepted != 1 || recorded != 1 || err != nil {
		t.Errorf("%d uploads were accepted and %d recorded, want 1; %v", accepted, recorded, err)
	}
}

// upload calls the hooks for a file of one part.
func upload(ctx context.Context, h hooks.Funcs, key, name string) error {
	metadata := map[string]string{"dataset": "D1", "qqfilename": name}
	for _, operation := range []sign.Operation{
		sign.CreateMultipartUpload, sign.UploadPart, sign.CompleteMultipartUpload,
	} {
		request := &sign.Request{Operation: operation, Key: key, PartNumber: 1, Metadata: metadata}
		if err := h.ChallengeIsGood(ctx, &hooks.Challenge{Request: request}); err != nil {
			return err
		}
	}
	_, err := h.Success(ctx, &hooks.Upload{Key: key, ETag: `"e"`, Size: 1, Metadata: metadata,
		Delete: func(context.Context) error { return nil }})
	return err
}

// TestCannotStart starts the hooks with databases that cannot be used.
func TestCannotStart(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.db")
	db, err := sql.Open("sqlite", empty)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`CREATE TABLE other (x)`); err != nil {
		t.Fatal(err)
	}
	db.Close()
	for _, test := range []struct{ name, file, want string }{
		{"no file", filepath.Join(t.TempDir(), "app.db"), "unable to open database file"},
		{"no table", empty, "no such table: expected"},
		{"not set", "", "APP_DATABASE"},
	} {
		_, err := newHooks(t.Context(), hooks.Config{Getenv: func(name string) string {
			return map[string]string{"APP_DATABASE": test.file}[name]
		}})
		if err == nil || !strings.HasPrefix(err.Error(), "APP_DATABASE: ") || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}
}
