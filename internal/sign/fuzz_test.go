package sign

import (
	stdjson "encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"s3-sign-srv/internal/apierror"
)

// fuzzNow is the server's clock of the fuzz targets; the captured requests are inside its window.
var fuzzNow = time.Date(2026, 11, 23, 11, 58, 0, 0, time.UTC)

// fuzzSigners are one for each way in which a store may be addressed, and for each kind of limit.
func fuzzSigners(t testing.TB) map[string]*Signer {
	signers := map[string]*Signer{}
	for name, change := range map[string]func(*Config){
		"path-style, address": func(c *Config) { c.Endpoint.Host = "127.0.0.1:9312" },
		"path-style, name":    func(c *Config) { c.ACLs = []string{"public-read"} },
		"virtual-hosted":      func(c *Config) { c.VirtualHosted = true },
		"unsigned payload":    func(c *Config) { c.Endpoint.Scheme, c.UnsignedPayload = "https", true },
		"unsigned, no TLS":    func(c *Config) { c.UnsignedPayload = true },
		"limited, typed":      func(c *Config) { c.MaxBytes, c.ContentTypes = 15000000, []string{"text/plain", "image/*"} },
	} {
		cfg := exampleConfig("http://localhost:9312")
		change(&cfg)
		signers[name] = New(cfg)
	}
	return signers
}

// hostileStrings are some of the attacks of internal/server's tests, to begin from.
var hostileStrings = []string{
	"DELETE\n\n\n\nx-amz-date:Mon, 23 Nov 2026 11:56:08 GMT\n/mybucket/victim.txt",
	"GET\n\n\n1999999999\n/mybucket/secret",
	"PUT\n\n\n\nx-amz-copy-source:/other/secret\nx-amz-date:Mon, 23 Nov 2026 11:56:08 GMT\n/mybucket/u.txt?partNumber=1&" +
		"uploadId=U",
	"PUT\n\n\n\nx-amz-acl:public-read\nx-amz-date:Mon, 23 Nov 2026 11:56:08 GMT\n/mybucket/k?acl",
	"POST\n\n\n\nx-amz-date:Mon, 23 Nov 2026 11:56:08 GMT\nx-amz-meta-x:uploadId\n/other/evil.txt?uploads",
	"POST\n\ntext/plain;,text/html\n\nx-amz-date:Mon, 23 Nov 2026 11:56:08 GMT\nx-amz-meta-a:1\r\n" +
		"x-amz-acl:public-read\n/mybucket/../other/%2E%2e/x?uploads",
	"POST\nXrY7u+Ae7tCTyyK7j1rNww==\ntext/plain\n\nx-amz-date:Mon, 23 Nov 2026 11:56:08 GMT\n/mybucket/a\n" +
		"/mybucket/b?uploads&uploadId=U",
	"AWS4-HMAC-SHA256\n20261123T115608Z\n20261123/us-east-1/s3/aws4_request\nPOST\n/otherbucket/evil.txt\nuploads=\n" +
		"host:mybucket.localhost:9312\nx-amz-content-sha256:" + emptySHA256 + "\nx-amz-date:20261123T115608Z\n\nhost;" +
		"x-amz-content-sha256;x-amz-date\n" + emptySHA256,
	"AWS4-HMAC-SHA256\n20261123T115608Z\n20261123/us-east-1/s3/aws4_request\nPUT\n/k\nX-Amz-Expires=604800\n" +
		"host:localhost:9312/mybucket\nx-amz-content-sha256:UNSIGNED-PAYLOAD\nx-amz-date:20261123T115608Z\n\nhost;" +
		"x-amz-content-sha256;x-amz-date\nUNSIGNED-PAYLOAD",
	"AWS4-HMAC-SHA256\n20261123T115608Z\n20261123/us-east-1/iam/aws4_request\n" + emptySHA256,
	"AWS4-HMAC-SHA256\n20261123T115608Z\n20261123/us-east-1/s3/aws4_request\nPOST\n/k\nuploads=\n" +
		"content-type:text/plain;,text/html\nhost:localhost:9312\nx-amz-content-sha256:" + emptySHA256 +
		"\nx-amz-date:20261123T115608Z\n\ncontent-type;host;x-amz-content-sha256;x-amz-date\n" + emptySHA256,
}

// unsignedPart is a part without its SHA-256.
const unsignedPart = "AWS4-HMAC-SHA256\n20261123T115608Z\n20261123/us-east-1/s3/aws4_request\nPUT\n/k\n" +
	"partNumber=1&uploadId=U\nhost:localhost:9312\nx-amz-content-sha256:UNSIGNED-PAYLOAD\n" +
	"x-amz-date:20261123T115608Z\n\nhost;x-amz-content-sha256;x-amz-date\nUNSIGNED-PAYLOAD"

// seedStrings begins from the captured strings of a version and from attacks.
func seedStrings(f *testing.F, version int) {
	for _, row := range readCaptured(f) {
		var body struct{ Headers string }
		if row.Kind == "string-to-sign" && row.Version == version && stdjson.Unmarshal([]byte(row.Body), &body) == nil {
			f.Add(body.Headers)
		}
	}
	for _, text := range hostileStrings {
		f.Add(text)
	}
	f.Add(unsignedPart)
}

// FuzzStringV2: whatever is signed is, as S3 reads it, one of the four operations on our bucket, byte
// for byte what came, and what the hook is told.
func FuzzStringV2(f *testing.F) {
	seedStrings(f, 2)
	signers := fuzzSigners(f)
	f.Fuzz(func(t *testing.T, text string) {
		for _, s := range signers {
			r, err := s.ParseStringToSign(V2, text, fuzzNow)
			if wantError(t, r, err) {
				continue
			}
			checkString(t, s, r, fuzzNow)
			if r.text != text {
				t.Errorf("rebuilt as %q, came as %q", r.text, text)
			}
		}
	})
}

// FuzzStringV4 is the same for version 4, where the path and host of a path-style endpoint are corrected.
func FuzzStringV4(f *testing.F) {
	seedStrings(f, 4)
	signers := fuzzSigners(f)
	for name, s := range signers {
		if _, err := s.ParseStringToSign(V4, unsignedPart, fuzzNow); (err == nil) != (name == "unsigned payload") {
			f.Fatalf("%s: a part without its SHA-256: %v", name, err)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, s := range signers {
			r, err := s.ParseStringToSign(V4, text, fuzzNow)
			if wantError(t, r, err) {
				continue
			}
			checkString(t, s, r, fuzzNow)
			if want := corrected(s, text); r.text != want {
				t.Errorf("rebuilt as %q, want %q", r.text, want)
			}
			again, err := s.ParseStringToSign(V4, r.text, fuzzNow)
			if isVirtual := strings.Contains(r.text, "\nhost:"+s.cfg.Bucket+"."); isVirtual &&
				(err != nil || again.text != r.text) {
				t.Errorf("what was rebuilt, %q, is not rebuilt as itself: %v", r.text, err)
			}
		}
	})
}

// FuzzParts puts strings of both versions together from parts, so that a change to one part meets a string
// that is right in all others. What is signed must be what FuzzStringV2 and FuzzStringV4 want.
func FuzzParts(f *testing.F) {
	for _, target := range [][2]string{{"POST", "uploads"}, {"PUT", "partNumber=1&" +
		"uploadId=UPID.abc-_123"}, {"POST", "uploadId=2~a"}, {"DELETE", "uploadId=U"}, {"PUT", "partNumber=10000&" +
		"uploadId=U&acl"}, {"GET", "uploadId=U"}} {
		for _, path := range []string{"uuid.txt", "dir%20one/%D1%84%C3%A9%2B%281%29%2A%21%27~%26%3D%23%25.txt", "../other/x",
			"%2E%2E/x", "a//b", "%241", "otherbucket/k"} {
			f.Add(target[0], path, target[1], "mybucket.localhost:9312", "x-amz-meta-qqfilename:a%20b.txt")
			f.Add(target[0], path, target[1], "localhost:9312/mybucket", "")
			f.Add(target[0], path, target[1], "http://127.0.0.1:9312", "x-amz-copy-source:/other/secret")
		}
	}
	for _, header := range []string{"x-amz-acl:public-read", "x-amz-storage-class:REDUCED_REDUNDANCY",
		"x-amz-server-side-encryption:AES256", "x-amz-meta-a:", "x-amz-security-token:t",
		"x-amz-meta-a:1\nx-amz-meta-b:%C3%A9", "content-type:image/png", "content-type:"} {
		f.Add("POST", "k", "uploads", "localhost:9312", header)
	}
	f.Add("PUT", "k", "partNumber=1&uploadId=U", "localhost:9312", "content-type:")
	f.Add("POST", "k", "uploadId=U", "localhost:9312", "content-type:"+completeType)
	f.Add("DELETE", "k", "uploadId=U", "localhost:9312", "content-type:")
	signers := fuzzSigners(f)
	for version, text := range compose("PUT", "a%20b", "partNumber=1&uploadId=U", "mybucket.localhost:9312", "") {
		if _, err := signers["virtual-hosted"].ParseStringToSign(version, text, fuzzNow); err != nil {
			f.Fatalf("the honest %q is refused: %v", text, err)
		}
	}
	typed := compose("POST", "a%20b", "uploads", "localhost:9312", "content-type:image/png")[V4]
	r, err := signers["limited, typed"].ParseStringToSign(V4, typed, fuzzNow)
	if err != nil || r.ContentType != "image/png" {
		f.Fatalf("the honest %q: %+v, %v", typed, r, err)
	}
	f.Fuzz(func(t *testing.T, method, path, query, host, header string) {
		for _, s := range signers {
			for version, text := range compose(method, path, query, host, header) {
				r, err := s.ParseStringToSign(version, text, fuzzNow)
				if wantError(t, r, err) {
					continue
				}
				checkString(t, s, r, fuzzNow)
				want := text
				if version == V4 {
					want = corrected(s, text)
				}
				if r.text != want {
					t.Errorf("rebuilt as %q, want %q", r.text, want)
				}
			}
		}
	})
}

// compose writes a string of each version that is right but for what the parts bring in.
func compose(method, path, query, host, header string) map[Version]string {
	const date, day, hash = "20261123T115608Z", "20261123", emptySHA256
	contentType := map[bool]string{true: completeType}[method == "POST" && strings.HasPrefix(query, "uploadId=")]
	byVersion := map[Version]string{
		V2: "x-amz-date:Mon, 23 Nov 2026 11:56:08 GMT",
		V4: "host:" + host + "\nx-amz-content-sha256:" + hash + "\nx-amz-date:" + date,
	}
	for version, lines := range byVersion {
		all := strings.Split(lines, "\n")
		if header != "" {
			all = append(all, strings.Split(header, "\n")...)
		}
		slices.Sort(all)
		headers := strings.Join(all, "\n") + "\n"
		if version == V2 {
			byVersion[V2] = method + "\n\n" + contentType + "\n\n" + headers + "/mybucket/" + path + "?" + query
			continue
		}
		var names []string
		for _, line := range all {
			name, _, _ := strings.Cut(line, ":")
			names = append(names, name)
		}
		canonicalQuery := map[bool]string{true: "uploads=", false: query}[query == "uploads"]
		byVersion[V4] = strings.Join(
			[]string{
				"AWS4-HMAC-SHA256",
				date,
				day + "/us-east-1/s3/aws4_request",
				method,
				"/" + path,
				canonicalQuery,
				headers,
				strings.Join(names, ";"),
				hash,
			},
			"\n",
		)
	}
	return byVersion
}

// corrected is text as the browser really sends it: the host without scheme, path or default port, and on
// a path-style endpoint the bucket in front of the key.
func corrected(s *Signer, text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		host, ok := strings.CutPrefix(line, "host:")
		if !ok {
			continue
		}
		host = strings.TrimPrefix(strings.TrimPrefix(host, "http://"), "https://")
		if !strings.HasPrefix(host, s.cfg.Bucket+".") {
			host = strings.TrimSuffix(host, "/"+s.cfg.Bucket)
			lines[4] = "/" + s.cfg.Bucket + lines[4]
		}
		lines[i] = "host:" + host
		break
	}
	return strings.Join(lines, "\n")
}

// wantError reports whether err refuses, and wants its sentence fit to be shown.
func wantError(t *testing.T, r *Request, err error) bool {
	t.Helper()
	if err == nil {
		return false
	}
	apiErr, ok := err.(*apierror.Error)
	if !ok || r != nil || !strings.HasSuffix(apiErr.Message, ".") ||
		strings.ContainsAny(apiErr.Message, "\n\r\x00\x1b") {
		t.Errorf("refused with %#v and the request %v", err, r)
	}
	return true
}

// FuzzPolicy: whatever policy is signed says, to a store that reads names in any case, one exact key in
// our bucket, for at most 15 minutes, and nothing that the hook is not told.
func FuzzPolicy(f *testing.F) {
	for _, row := range readCaptured(f) {
		if row.Kind == "policy" {
			f.Add(row.Version == 4, row.Body)
		}
	}
	const good = `{"expiration":"2026-11-23T12:01:07.688Z","conditions":[{"bucket":"mybucket"},{"key":"uuid.txt"}]}`
	for _, more := range []string{`["content-length-range","1",15000000]`, `["content-length-range",0,` +
		`9223372036854775807]`, `["eq","$Content-Type","text/plain;,text/html"]`, `["starts-with","$key",` +
		`""]`, `{"bUcKeT":"other"}`, `["EQ","$Bucket","other"]`, `{"acl":"public-read"}`,
		`{"x-amz-meta-a":"%C3%A9"}`, `{"x-amz-storage-class":"REDUCED_REDUNDANCY"}`,
		`{"x-amz-server-side-encryption":"AES256"}`, `{"Cache-Control":"no-cache"}`,
		`{"Content-MD5":"XrY7u+Ae7tCTyyK7j1rNww=="}`, `{"success_action_redirect":"https://evil.example/"}`} {
		f.Add(false, strings.Replace(good, `{"key"`, more+`,{"key"`, 1))
	}
	f.Add(false, `{"conditions":[{"bucket":"mybucket"}],"Conditions":[],`+good[1:])
	f.Add(
		true,
		strings.Replace(
			good,
			`{"key"`,
			`["eq","$x-amz-algorithm","AWS4-HMAC-SHA256"],`+
				`{"x-amz-credential":"AKIAIOSFODNN7EXAMPLE/20261123/us-east-1/s3/aws4_request"},["eq","$x-amz-date",`+
				`"20261123T115608Z"],{"key"`,
			1,
		),
	)
	signers := fuzzSigners(f)
	f.Fuzz(func(t *testing.T, v4 bool, document string) {
		version := V2
		if v4 {
			version = V4
		}
		for _, s := range signers {
			r, err := s.ParsePolicy(version, []byte(document), fuzzNow)
			if !wantError(t, r, err) {
				checkPolicy(t, s, r, []byte(document), fuzzNow)
			}
		}
	})
}
