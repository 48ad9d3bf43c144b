package server_test

import (
	"context"
	"encoding/json"
	"maps"
	"net/url"
	"strings"
	"testing"

	"s3-sign-srv/internal/hooks"
	"s3-sign-srv/internal/sign"
)

// uppyResponse is the response to a presign request.
type uppyResponse struct {
	URL, Bucket, Key string
	Headers, Fields  map[string]string
}

// presign sends a request of Uppy.
func (s *testServer) presign(t *testing.T, body string, headers ...string) (p uppyResponse) {
	t.Helper()
	got := do(t, "POST", s.url+"/s3/presign", jsonType, body, headers...)
	if err := json.Unmarshal([]byte(got.body), &p); err != nil || got.status != 200 {
		t.Fatalf("%s: %d %s", body, got.status, got.body)
	}
	return p
}

// TestPresignHook checks that hooks receive the requests of both clients in the same form.
func TestPresignHook(t *testing.T) {
	s := startTestServer(t, func(c *config) { c.sign.ACLs = []string{"public-read"} })
	const object = `"key":"dir one/uuid.txt","contentType":"text/plain","size":11,"acl":"public-read",` +
		`"metadata":{"qqfilename":"my file é.txt","dataset":"D S"}}`
	const part = `"key":"dir one/uuid.txt","uploadId":"U"`
	for _, body := range []string{`{"method":"PUT",` + object, `{"method":"POST",` + object,
		`{"method":"PUT","partNumber":7,` + part + `}`, `{"method":"GET",` + part + `}`} {
		s.presign(t, body, "Cookie", "session=s1")
	}
	do(t, "POST", s.url+"/s3/sign", jsonType, `{"headers":`+quoteJSON(initiate2)+`}`)
	challenges, _, _ := s.recorder.drain()
	if len(challenges) != 5 {
		t.Fatal(challenges)
	}
	for i, c := range challenges[:2] {
		if c.Client != hooks.Uppy || c.Key != "dir one/uuid.txt" || c.ContentType != "text/plain" || c.ACL != "public-read" ||
			!maps.Equal(c.Metadata, map[string]string{"qqfilename": "my file é.txt", "dataset": "D S"}) ||
			c.Bucket != "mybucket" || !c.IsInitiate() || c.Expires.Sub(now) != sign.MaxExpiry || !c.Time.Equal(now) {
			t.Errorf("first request %d: %+v", i, c.Request)
		}
		if cookie, err := c.HTTP.Cookie("session"); err != nil || cookie.Value != "s1" {
			t.Errorf("cookie %v, %v", cookie, err)
		}
	}
	put, create, upload, list, fineUploader := challenges[0], challenges[1], challenges[2], challenges[3], challenges[4]
	if put.Operation != sign.PostObject || *put.Size != (sign.SizeRange{Min: 11, Max: 11}) ||
		create.Operation != sign.CreateMultipartUpload {
		t.Errorf("%s with the size %v, and %s", put.Operation, put.Size, create.Operation)
	}
	if upload.Operation != sign.UploadPart || upload.PartNumber != 7 || upload.UploadID != "U" || upload.IsInitiate() ||
		list.Operation != sign.ListParts || list.UploadID != "U" || list.IsInitiate() {
		t.Errorf("later requests: %+v, %+v", upload.Request, list.Request)
	}
	if fineUploader.Client != hooks.FineUploader {
		t.Errorf("the client of /s3/sign is %q", fineUploader.Client)
	}
}

// TestPresignOwner checks that the server puts the owner in front of a new key, once, and nowhere else.
func TestPresignOwner(t *testing.T) {
	s := startOwnedServer(t)
	_, a := s.openPage(t)
	cookie, b := s.openPage(t)
	for key, want := range map[string]string{
		"uuid.txt":           b + "/uuid.txt",
		b + "/uuid.txt":      b + "/uuid.txt",
		a + "/uuid.txt":      b + "/" + a + "/uuid.txt",
		b:                    b + "/" + b,
		b + "x/y":            b + "/" + b + "x/y",
		"dir one/файл é.txt": b + "/dir one/файл é.txt",
	} {
		for _, method := range []string{"PUT", "POST"} {
			p := s.presign(t, `{"method":"`+method+`","key":`+quoteJSON(key)+`}`, "Cookie", cookie)
			signed := p.Fields["key"]
			if method == "POST" {
				u, err := url.Parse(p.URL)
				if err != nil {
					t.Fatal(err)
				}
				signed = strings.TrimPrefix(u.Path, "/mybucket/")
			}
			if challenges, _, _ := s.recorder.drain(); p.Key != want || signed != want || p.Bucket != "mybucket" ||
				len(challenges) != 1 || challenges[0].Key != want || challenges[0].Owner != b {
				t.Errorf("%s of %q: the key is %q, signed is %q, hooks %v", method, key, p.Key, signed, challenges)
			}
		}
	}
	tooLong := quoteJSON(strings.Repeat("k", sign.MaxKeyBytes-len(b)))
	for _, body := range []string{`{"method":"PUT","key":` + tooLong + `}`, `{"method":"POST","key":` + tooLong + `}`} {
		got := do(t, "POST", s.url+"/s3/presign", jsonType, body, "Cookie", cookie)
		if got.status != 400 || !strings.Contains(got.body, "1024 bytes") {
			t.Errorf("a key that the owner makes too long: %d %s", got.status, got.body)
		}
	}
	got := do(t, "POST", s.url+"/s3/presign", jsonType, put5)
	if got.status != 401 || !strings.Contains(got.body, "This browser is not known here") {
		t.Errorf("without a cookie: %d %s", got.status, got.body)
	}
}

// TestHookCannotForge has a hook that changes its argument. What is signed stays what was checked.
func TestHookCannotForge(t *testing.T) {
	s := startTestServer(t, func(c *config) {
		c.server.Hooks.ChallengeIsGood = func(_ context.Context, c *hooks.Challenge) error {
			c.Operation, c.Key, c.UploadID, c.PartNumber, c.Bucket = sign.PutObject, "victim.txt", "V", 9, "other"
			c.Request = &sign.Request{Operation: sign.ListParts}
			return nil
		}
	})
	p := s.presign(t, part5)
	u, err := url.Parse(p.URL)
	if err != nil || u.Path != "/mybucket/uuid.txt" || u.Query().Get("partNumber") != "1" ||
		u.Query().Get("uploadId") != "UPID.abc-_123" || p.Key != "uuid.txt" || p.Bucket != "mybucket" {
		t.Errorf("%+v, %v", p, err)
	}
}
