package server_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"testing"
	"unicode/utf8"
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
