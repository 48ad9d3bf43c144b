package server_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"testing"
	"unicode/utf8"

	"s3-sign-srv/internal/hooks"
)

// TestSession checks that the list has the caller's files, named by their metadata, newest first. It is empty if the
// server's key may not list. Invalid UTF-8 in a name, from another client, is replaced.
func TestSession(t *testing.T) {
	const uuid = "0e4b5c5a-aa56-40e3-80a0-f315d8d6b43a"
	denied := false
	var prefix string
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case denied:
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, "<Error><Code>AccessDenied</Code></Error>")
		case r.Method == http.MethodHead:
			switch path.Base(r.URL.Path) {
			case "other.txt":
				w.WriteHeader(http.StatusNotFound)
			case "latin.txt":
				w.Header().Set("x-amz-meta-qqfilename", "caf\xe9.txt")
			default:
				w.Header().Set("x-amz-meta-qqfilename", "my%20file%20%C3%A9.txt")
			}
		default:
			prefix = r.URL.Query().Get("prefix")
			fmt.Fprintf(w, `<ListBucketResult>
				<Contents><Key>%[1]sother.txt</Key><Size>1</Size><LastModified>2026-11-22T00:00:00Z</LastModified></Contents>
				<Contents><Key>%[1]slatin.txt</Key><Size>3</Size><LastModified>2026-11-21T00:00:00Z</LastModified></Contents>
				<Contents><Key>%[1]s%[2]s.txt</Key><Size>2</Size><LastModified>2026-11-23T00:00:00Z</LastModified></Contents>
				</ListBucketResult>`, prefix, uuid)
		}
	}))
	defer store.Close()
	s := startOwnedServer(t, func(c *config) {
		c.server.Bucket = bucketAt(store.URL)
		c.server.Client.Bucket = "mybucket"
	})
	cookie, owner := s.openPage(t)
	got := do(t, "GET", s.url+"/s3/session", "", "", "Cookie", cookie).body
	want := fmt.Sprintf(`[{"name":"my file é.txt",`+
		`"uuid":"%[1]s","size":2,"s3Key":"%[2]s/%[1]s.txt","s3Bucket":"mybucket"},`+
		`{"name":"other.txt","uuid":"%[3]s","size":1,"s3Key":"%[2]s/other.txt","s3Bucket":"mybucket"},`+
		`{"name":"caf%[5]c.txt","uuid":"%[4]s","size":3,"s3Key":"%[2]s/latin.txt","s3Bucket":"mybucket"}]`,
		uuid, owner, digestOf(owner+"/other.txt"), digestOf(owner+"/latin.txt"), utf8.RuneError)
	if got != want || prefix != owner+"/" {
		t.Errorf("prefix %q\n got %s\nwant %s", prefix, got, want)
	}
	denied = true
	if got := do(t, "GET", s.url+"/s3/session", "", "", "Cookie", cookie); got.status != 200 || got.body != "[]" {
		t.Errorf("without the right to list: %d %s", got.status, got.body)
	}
}

// TestSessionLeavesOut checks that the list never has a file that a report would reject, or that the hook leaves out. A
// file whose HEAD fails is listed, and logged.
func TestSessionLeavesOut(t *testing.T) {
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := path.Base(r.URL.Path)
		switch {
		case r.Method != http.MethodHead:
			io.WriteString(w, "<ListBucketResult>")
			for i, name := range []string{"a.png", "b.html", "c.none", "d.missing", "e.large.png"} {
				const entry = "<Contents><Key>%s%s</Key><Size>%d</Size></Contents>"
				fmt.Fprintf(w, entry, r.URL.Query().Get("prefix"), name, 250*(i+1))
			}
			io.WriteString(w, "</ListBucketResult>")
		case name == "d.missing":
			w.WriteHeader(http.StatusNotFound)
		default:
			kind := map[string][]string{".png": {"image/png"}, ".html": {"text/html"}}[path.Ext(name)]
			w.Header()["Content-Type"] = kind // nil: none
		}
	}))
	defer store.Close()
	for _, test := range []struct {
		name   string
		change func(*config)
		want   string // the names, or the status of an error
	}{
		{"no limits", func(*config) {}, "a.png b.html c.none d.missing e.large.png"},
		{"types; of one the type is not known", func(c *config) { c.sign.ContentTypes = []string{"image/*"} },
			"a.png d.missing e.large.png"},
		{"size", func(c *config) { c.server.MaxBytes = 1000 }, "a.png b.html c.none d.missing"},
		{"the hook leaves out", func(c *config) {
			c.server.Hooks.List = func(_ context.Context, uploads []*hooks.Upload) (kept []*hooks.Upload, err error) {
				for _, u := range uploads {
					if u.ContentType == "image/png" && strings.HasPrefix(u.Key, u.Owner+"/") && u.HTTP != nil {
						kept = append(kept, u)
					}
				}
				return kept, nil
			}
		}, "a.png e.large.png"},
		{"the hook leaves out all", func(c *config) {
			c.server.Hooks.List = func(context.Context, []*hooks.Upload) ([]*hooks.Upload, error) { return nil, nil }
		}, ""},
		{"the hook denies", func(c *config) {
			c.server.Hooks.List = func(_ context.Context, uploads []*hooks.Upload) ([]*hooks.Upload, error) {
				return uploads, hooks.Deny("No list.")
			}
		}, "403"},
		{"the hook panics", func(c *config) {
			c.server.Hooks.List = func(context.Context, []*hooks.Upload) ([]*hooks.Upload, error) { panic("hook") }
		}, "500"},
	} {
		s := startOwnedServer(t, func(c *config) {
			c.server.Bucket = bucketAt(store.URL)
			test.change(c)
		})
		cookie, owner := s.openPage(t)
		s.log.drain()
		got := do(t, "GET", s.url+"/s3/session", "", "", "Cookie", cookie)
		warning := `"msg":"earlier uploads are listed without name and type","key":"` + owner + `/d.missing"`
		if log := s.log.drain(); !strings.Contains(log, warning) || !strings.Contains(log, "shows no object") {
			t.Errorf("%s: the log has %s, want %s", test.name, log, warning)
		}
		result := fmt.Sprint(got.status)
		if got.status == http.StatusOK {
			var files []struct{ Name string }
			if err := json.Unmarshal([]byte(got.body), &files); err != nil {
				t.Errorf("%s: %v", test.name, err)
			}
			var names []string
			for _, file := range files {
				names = append(names, file.Name)
			}
			result = strings.Join(names, " ")
		}
		if result != test.want {
			t.Errorf("%s: %s, want %s", test.name, result, test.want)
		}
	}
}

// digestOf returns the uuid in a list for a key without one.
func digestOf(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:16])
}

// TestErrorKind checks that errors of the settings have the kind "setup", and errors of the file have none.
func TestErrorKind(t *testing.T) {
	s := startTestServer(t, func(c *config) { c.sign.ContentTypes = []string{"image/*"} })
	initiate := `{"headers":"POST\n\ntext/plain\n\nx-amz-date:Mon, 23 Nov 2026 11:56:08 GMT\n/mybucket/uuid.txt?uploads"}`
	for body, setup := range map[string]bool{
		strings.Replace(partV2, "/mybucket/", "/127.0.0.1/", 1): true,
		strings.Replace(partV2, "11:56:08", "12:56:08", 1):      true, // wrong clock
		initiate: false, // wrong type
	} {
		got := do(t, "POST", s.url+"/s3/sign", jsonType, body)
		if got.status != 403 || strings.Contains(got.body, `"kind":"setup"`) != setup {
			t.Errorf("%s: %d %s", body, got.status, got.body)
		}
	}
}
