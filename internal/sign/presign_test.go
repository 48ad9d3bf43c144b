package sign

import (
	stdjson "encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// presignSigners are those of the other fuzz tests, and two of stores without forms.
func presignSigners(t testing.TB) map[string]*Signer {
	signers := fuzzSigners(t)
	for name, limit := range map[string]int64{"no forms": 0, "no forms, limited": 15000000} {
		cfg := exampleConfig("https://s3.example.org")
		cfg.NoForms, cfg.MaxBytes = true, limit
		signers[name] = New(cfg)
	}
	cfg := exampleConfig("https://s3.example.org")
	cfg.OnlyV2 = true
	signers["only version 2"] = New(cfg)
	return signers
}

// honestPresigns are Uppy's requests for a key, in JSON, with and without what the plugin adds.
func honestPresigns(key string) []string {
	text, _ := stdjson.Marshal(key)
	const object = `"contentType":"text/plain","size":11,"metadata":{"qqfilename":"my file é.txt","a":"%2F ~/\u0000"}}`
	first := `"key":` + string(text)
	later := first + `,"uploadId":"2~U.abc-_123"`
	return []string{
		`{"method":"PUT",` + first + `,` + object, `{"method":"POST",` + first + `,` + object,
		`{"method":"PUT",` + first + `,"size":0,"acl":"private","contentType":"image/png"}`,
		`{"method":"PUT",` + later + `,"partNumber":2,"expiresIn":60}`, `{"method":"POST",` + later + `}`,
		`{"method":"PUT",` + later + `,"partNumber":1,"contentMD5":"1B2M2Y8AsgTpgAmY7PhCfg=="}`,
		`{"method":"DELETE",` + later + `}`, `{"method":"GET",` + later + `}`,
	}
}

// TestPresign reads what is presigned for honest requests as S3 does, at each kind of store.
func TestPresign(t *testing.T) {
	at := fuzzNow.Add(123456789 * time.Nanosecond)
	for name, s := range presignSigners(t) {
		for _, key := range []string{
			"uuid.txt", "dir one/файл é+(1)*!'~&=#%$.txt", "a//b", "%41%2F..", "🙂", strings.Repeat("é", 512),
		} {
			for _, body := range honestPresigns(key) {
				r, err := s.ParsePresign([]byte(body), at)
				if isForm := !strings.Contains(body, "uploadId") && methodOf(body) == "PUT"; s.cfg.OnlyV2 && !isForm {
					if !strings.Contains(fmt.Sprint(err), "signs version 2 only") {
						t.Errorf("%s: %s: %v", name, body, err)
					}
					continue
				}
				if err != nil {
					t.Errorf("%s: %s: %v", name, body, err)
					continue
				}
				checkPresigned(t, s, r, methodOf(body), at)
				again, err := s.WithKey(r, "owner/x")
				if err != nil {
					t.Errorf("%s: %s with another key: %v", name, body, err)
					continue
				}
				checkPresigned(t, s, again, methodOf(body), at)
			}
		}
	}
}

// methodOf is the method of a request of Uppy, which the browser sends to S3.
func methodOf(body string) string {
	var message struct{ Method string }
	stdjson.Unmarshal([]byte(body), &message) // what is signed is JSON
	return message.Method
}

// FuzzPresign: whatever is presigned is, as S3 reads it, one of the operations of an upload on our bucket, valid for at
// most 15 minutes, and what the hook is told.
func FuzzPresign(f *testing.F) {
	for _, key := range []string{"uuid.txt", "../other/x", "a\r\nb", "${filename}", "dir one/é+.txt"} {
		for _, body := range honestPresigns(key) {
			f.Add(body)
		}
	}
	for _, member := range []string{`"copySource":"/other/secret"`, `"expiresIn":604800`, `"acl":"public-read"`,
		`"uploadId":"a&acl"`, `"partNumber":10001`, `"key":"other"`, `"Key":"other"`, `"metadata":{"a\r\nb":"c"}`,
		`"contentType":"text/plain;,text/html"`, `"headers":{}`, `"size":99999999999`} {
		for _, body := range honestPresigns("k") {
			f.Add("{" + member + "," + body[1:])
		}
	}
	f.Add(`{"method":"GET","key":"secret"}`)
	f.Add(`{"method":"DELETE","key":"victim"}`)
	signers := presignSigners(f)
	f.Fuzz(func(t *testing.T, body string) {
		for _, s := range signers {
			r, err := s.ParsePresign([]byte(body), fuzzNow)
			if !wantError(t, r, err) {
				checkPresigned(t, s, r, methodOf(body), fuzzNow)
			}
		}
	})
}

// FuzzPresignParts puts requests together from parts, so that a change to one part meets a request that is right in all
// others.
func FuzzPresignParts(f *testing.F) {
	for _, method := range []string{"PUT", "POST", "DELETE", "GET", "HEAD"} {
		for _, id := range []string{"", "U", "..", "a&acl"} {
			for _, key := range []string{"uuid.txt", "a/../b", "é+ %2F", "/k"} {
				f.Add(method, key, id, 1, 60, "text/plain", int64(5), "qqfilename", "a b")
				f.Add(method, key, id, 0, 901, "", int64(-1), "", "")
			}
		}
	}
	signers := presignSigners(f)
	f.Fuzz(func(t *testing.T, method, key, id string, part, expires int, kind string, size int64, name, value string) {
		members := map[string]any{"method": method, "key": key}
		if id != "" {
			members["uploadId"] = id
		}
		if part != 0 {
			members["partNumber"] = part
		}
		if expires != 0 {
			members["expiresIn"] = expires
		}
		if kind != "" {
			members["contentType"] = kind
		}
		if size >= 0 {
			members["size"] = size
		}
		if name != "" {
			members["metadata"] = map[string]string{name: value}
		}
		body, err := stdjson.Marshal(members)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range signers {
			r, err := s.ParsePresign(body, fuzzNow)
			if !wantError(t, r, err) {
				checkPresigned(t, s, r, method, fuzzNow)
			}
		}
	})
}

// TestPresignErrors checks the sentences of errors that only Uppy's requests can get.
func TestPresignErrors(t *testing.T) {
	const uppy = "use an unmodified @uppy/aws-s3 6 and static/uppy/sign-server.js."
	signers := presignSigners(t)
	for _, test := range []struct{ signer, body, want string }{
		{"virtual-hosted", `{"method":"DELETE","key":"a"}`, "This server does not sign the deletion of an object; send it " +
			"to /s3/delete, which asks the hook and deletes the object itself."},
		{"virtual-hosted", `{"method":"GET","key":"a"}`, "This server presigns only the requests of an upload (PutObject, " +
			"CreateMultipartUpload, UploadPart, CompleteMultipartUpload, AbortMultipartUpload, ListParts); " + uppy},
		{"virtual-hosted", `{"method":"PUT","key":"a","x":1}`, "The body has a member that no request of Uppy has; " + uppy},
		{"virtual-hosted", `PUT`, "The body is not a request of Uppy in JSON; " + uppy},
		{"virtual-hosted", `{"method":"PUT","key":"a","expiresIn":901}`, "A presigned URL is valid for 1 to 900 seconds " +
			"here; set expiresIn to that, or leave it out."},
		{"no forms, limited", `{"method":"PUT","key":"a"}`, "The request does not give the size of the file, which this " +
			"server limits; " + uppy},
		{"no forms, limited", `{"method":"POST","key":"a","size":15000001}`, "The file is larger than the 15000000 bytes " +
			"that this server allows; upload a smaller one."},
		{"only version 2", `{"method":"POST","key":"a"}`, "This server signs version 2 only, with which Uppy can send a " +
			"file only in one form; set shouldUseMultipart to false, or use a store at which doctor does not warn at " +
			"\"unsigned headers\", and P3S3F_SIGNATURE_VERSION=4."},
		{"virtual-hosted", `{"method":"GET","key":"a","uploadId":"U","size":1}`, "Only the first request of an upload may " +
			"have contentType, size, acl or metadata; " + uppy},
		{"virtual-hosted", `{"method":"PUT","key":"","contentType":"a/b"}`, "The object key is empty; set " +
			"objectProperties.key in client_conf.js (Uppy: generateObjectKey)."},
	} {
		if _, err := signers[test.signer].ParsePresign([]byte(test.body), fuzzNow); fmt.Sprint(err) != test.want {
			t.Errorf("%s: got %v, want %s", test.body, err, test.want)
		}
	}
}
