package server_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"s3-sign-srv/internal/hooks"
	"s3-sign-srv/internal/ledger"
	"s3-sign-srv/internal/sign"
)

// ledgerServer is a server with a ledger of expected files and a store that has the objects in sizes. The header X-User
// names the caller.
type ledgerServer struct {
	*testServer
	ledger  *ledger.Ledger
	sizes   map[string]int // by key
	success error          // of the hook
}

func startLedgerServer(t *testing.T, manifest string) *ledgerServer {
	t.Helper()
	s := &ledgerServer{sizes: map[string]int{}}
	store := httptest.NewServer(http.HandlerFunc(s.serveStore))
	t.Cleanup(store.Close)
	var err error
	s.ledger, err = ledger.Open(t.Context(), ledger.Config{
		Address: sign.NewSecret("sqlite:" + filepath.Join(t.TempDir(), "ledger.db")), Bucket: "mybucket",
		Log: slog.New(slog.DiscardHandler), Now: now.UTC,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.ledger.Close() })
	files, err := ledger.ReadManifest(strings.NewReader(manifest))
	if err == nil {
		_, err = s.ledger.Import(t.Context(), files)
	}
	if err != nil {
		t.Fatal(err)
	}
	s.testServer = startOwnedServer(t, func(c *config) {
		c.server.Bucket, c.server.Ledger, c.server.MaxBytes = bucketAt(store.URL), s.ledger, 1000
		c.server.Hooks.Identify = func(_ context.Context, r *http.Request) (string, error) {
			return r.Header.Get("X-User"), nil
		}
		c.server.Hooks.Success = func(context.Context, *hooks.Upload) (hooks.Reply, error) { return nil, s.success }
	})
	return s
}

// serveStore looks up, lists and deletes the objects.
func (s *ledgerServer) serveStore(w http.ResponseWriter, r *http.Request) {
	key := strings.TrimPrefix(r.URL.Path, "/mybucket/")
	size, exists := s.sizes[key]
	switch {
	case r.Method == http.MethodDelete:
		delete(s.sizes, key)
	case r.Method == http.MethodHead && !exists:
		w.WriteHeader(http.StatusNotFound)
	case r.Method == http.MethodHead:
		w.Header().Set("ETag", `"e1"`)
		w.Header().Set("Content-Length", fmt.Sprint(size))
	default:
		io.WriteString(w, "<ListBucketResult>")
		for key := range s.sizes {
			fmt.Fprintf(w, "<Contents><Key>%s</Key></Contents>", key)
		}
		io.WriteString(w, "</ListBucketResult>")
	}
}

// take sends a request of Fine Uploader: a policy, a step of a multipart upload, a report or a deletion.
func (s *ledgerServer) take(t *testing.T, request, key, name string) response {
	t.Helper()
	user, _, _ := strings.Cut(key, "/")
	const text = `{"headers":"%s\n\n%s\n\n%sx-amz-date:Mon, 23 Nov 2026 11:56:08 GMT%s\n/mybucket/%s?%s"}`
	meta := `\nx-amz-meta-dataset:D1\nx-amz-meta-qqfilename:` + name
	target, kind, body := "/s3/sign", jsonType, ""
	switch request {
	case "form":
		body = fmt.Sprintf(`{"expiration":"2026-11-23T12:01:07.688Z","conditions":[{"acl":"private"},`+
			`{"bucket":"mybucket"},{"success_action_status":"200"},{"key":"%s"},{"x-amz-meta-dataset":"D1"},`+
			`{"x-amz-meta-qqfilename":"%s"}]}`, key, name)
	case "initiate":
		body = fmt.Sprintf(text, "POST", "", `x-amz-acl:private\n`, meta, key, "uploads")
	case "part":
		body = fmt.Sprintf(text, "PUT", "", "", "", key, "partNumber=1&uploadId=id")
	case "complete":
		body = fmt.Sprintf(text, "POST", "application/xml; charset=UTF-8", "", "", key, "uploadId=id")
	case "abort":
		body = fmt.Sprintf(text, "DELETE", "", "", "", key, "uploadId=id")
	case "report":
		target, kind, body = "/s3/success", formType, "bucket=mybucket&key="+url.QueryEscape(key)
	case "delete":
		target, kind, body = "/s3/delete", formType, "bucket=mybucket&qquuid=1&_method=DELETE&key="+url.QueryEscape(key)
	}
	return do(t, "POST", s.url+target, kind, body, "X-User", user)
}

// TestLedger sends the requests of several uploads and checks the responses, the state of the expected file and the
// list of earlier uploads.
func TestLedger(t *testing.T) {
	fails := errors.New("the hook's database fails")
	for _, test := range []struct {
		name  string
		steps []ledgerStep
	}{
		{name: "forms", steps: []ledgerStep{
			{do: "form", key: "ada/1", file: "b", status: 403, message: `\"b\" is not expected in the data set \"D1\"`},
			{do: "form", key: "ada/1", file: "a", status: 200, state: "begun ada/1"},
			{do: "form", key: "bob/2", file: "a", status: 409, message: `already, under the key \"ada/1\"`},
			{do: "report", key: "ada/1", status: 404, message: "no object"},
			{do: "report", key: "ada/1", size: 5, status: 200, state: "accepted ada/1", listed: true},
			{do: "report", key: "ada/1", status: 200, state: "accepted ada/1", listed: true},
			{do: "form", key: "bob/2", file: "a", status: 409, message: `there already, under the key \"ada/1\"`},
			{do: "delete", key: "ada/1", status: 200, state: "deleted ada/1"},
			{do: "form", key: "bob/2", file: "a", status: 200, state: "begun bob/2"},
		}},
		{name: "chunked, taken over by its owner", steps: []ledgerStep{
			{do: "initiate", key: "ada/1", file: "a", status: 200},
			{do: "part", key: "ada/1", status: 200},
			{do: "initiate", key: "ada/2", file: "a", status: 200, state: "begun ada/2"},
			{do: "part", key: "ada/1", status: 409, message: "taken over"},
			{do: "abort", key: "ada/1", status: 200, state: "begun ada/2"},
			{do: "complete", key: "ada/2", status: 200},
			{do: "report", key: "ada/2", size: 5, status: 200, state: "accepted ada/2", listed: true},
		}},
		{name: "an object that is not reported", steps: []ledgerStep{
			{do: "form", key: "ada/1", file: "a", size: 5, status: 200, state: "begun ada/1"},
		}},
		{name: "another size", steps: []ledgerStep{
			{do: "form", key: "ada/1", file: "a", status: 200},
			{do: "report", key: "ada/1", size: 4, status: 403, message: "another size than the expected 5",
				state: "refused ada/1"},
		}},
		{name: "too large for the server", steps: []ledgerStep{
			{do: "form", key: "ada/1", file: "large", status: 200},
			{do: "report", key: "ada/1", size: 1001, status: 403, message: "accepts at most 1000"},
			{do: "form", key: "bob/2", file: "large", status: 200},
		}},
		{name: "refused by the hook, and accepted later", steps: []ledgerStep{
			{do: "form", key: "ada/1", file: "a", status: 200},
			{do: "report", key: "ada/1", size: 5, success: hooks.Deny("A virus."), status: 403, message: "A virus.",
				state: "refused ada/1"},
			{do: "report", key: "ada/1", status: 200, state: "accepted ada/1", listed: true},
		}},
		{name: "the hook fails, and accepts later", steps: []ledgerStep{
			{do: "form", key: "ada/1", file: "a", status: 200},
			{do: "report", key: "ada/1", size: 5, success: fails, status: 500, state: "stored ada/1"},
			{do: "report", key: "ada/1", success: hooks.NotLoggedIn("Log in."), status: 401, state: "stored ada/1"},
			{do: "report", key: "ada/1", status: 200, state: "accepted ada/1", listed: true},
		}},
		{name: "stored before there was a ledger", steps: []ledgerStep{
			{do: "part", key: "ada/1", size: 5, status: 200},
			{do: "report", key: "ada/1", size: 5, status: 200, listed: true},
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := startLedgerServer(t, "dataset,name,size\nD1,a,5\nD1,large,\n")
			for i, step := range test.steps {
				s.success = step.success
				if step.size > 0 {
					s.sizes[step.key] = step.size
				}
				got := s.take(t, step.do, step.key, step.file)
				if got.status != step.status || !strings.Contains(got.body, step.message) {
					t.Errorf("step %d, %s of %s: %d %s, want %d %s",
						i, step.do, step.key, got.status, got.body, step.status, step.message)
				}
				s.checkState(t, step)
			}
		})
	}
}

// A ledgerStep is a request, its response, and the state then.
type ledgerStep struct {
	do, key, file string
	size          int   // of the object that the store has from now on
	success       error // of the hook
	status        int
	message       string
	state         string // of the expected file a, with the key; empty: not checked
	listed        bool   // in the list of earlier uploads
}

// checkState checks the expected file "a" and the list.
func (s *ledgerServer) checkState(t *testing.T, step ledgerStep) {
	t.Helper()
	for e, err := range s.ledger.Expected(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if got := e.State + " " + e.Key; e.Name == "a" && step.state != "" && got != step.state {
			t.Errorf("after %s of %s: %s, want %s", step.do, step.key, got, step.state)
		}
	}
	user, _, _ := strings.Cut(step.key, "/")
	list := do(t, "GET", s.url+"/s3/session", "", "", "X-User", user)
	if listed := strings.Contains(list.body, `"s3Key":"`+step.key); list.status != 200 || listed != step.listed {
		t.Errorf("after %s of %s: listed %t, want %t: %s", step.do, step.key, listed, step.listed, list.body)
	}
}

// TestLedgerAway checks the responses while the database does not respond.
func TestLedgerAway(t *testing.T) {
	s := startLedgerServer(t, "dataset,name\nD1,a\n")
	s.sizes["ada/1"] = 5
	s.ledger.Close()
	for _, request := range []string{"form", "initiate", "part", "complete", "abort", "report", "delete"} {
		got := s.take(t, request, "ada/1", "a")
		if got.status != 503 || !strings.Contains(got.body, "database does not respond; try again in a minute") {
			t.Errorf("%s: %d %s", request, got.status, got.body)
		}
	}
	s.sizes["ada/1"] = 5 // was deleted
	if got := do(t, "GET", s.url+"/s3/session", "", "", "X-User", "ada"); got.status != 503 {
		t.Errorf("session: %d %s", got.status, got.body)
	}
	if log := s.log.drain(); strings.Count(log, "request failed") != 8 || !strings.Contains(log, "P3S3F_DATABASE") {
		t.Errorf("log: %s", log)
	}
}
