package doctor

import (
	"net/http"
	"strings"
	"testing"
)

// headers reads "Name: value" lines.
func headers(lines ...string) http.Header {
	h := http.Header{}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		h.Add("Access-Control-"+name, value)
	}
	return h
}

// TestJudge holds answers to preflights against what the Fetch standard says of them.
func TestJudge(t *testing.T) {
	const page = "https://page.example.org"
	put := crossing{"part", "PUT", "", []string{"authorization", "content-type"}}
	post := crossing{"form", "POST", "", nil}
	for _, test := range []struct {
		name   string
		c      crossing
		status int
		h      http.Header
		want   string
	}{
		{"all named", put, 200, headers("Allow-Origin: "+page, "Allow-Methods: POST, PUT", "Allow-Headers: Authorization,Content-Type"), ""},
		{"in two headers", put, 204, headers("Allow-Origin: *", "Allow-Methods: PUT", "Allow-Headers: authorization", "Allow-Headers: content-type"), ""},
		{"POST need not be named", post, 200, headers("Allow-Origin: *"), ""},
		{"any method", put, 200, headers("Allow-Origin: *", "Allow-Methods: *", "Allow-Headers: authorization, *"), ""},
		{"* is not for authorization", put, 200, headers("Allow-Origin: *", "Allow-Methods: PUT", "Allow-Headers: *"), "the header authorization is not allowed"},
		{"a missing header", put, 200, headers("Allow-Origin: *", "Allow-Methods: PUT", "Allow-Headers: authorization"), "the header content-type is not allowed"},
		{"a missing method", put, 200, headers("Allow-Origin: *", "Allow-Methods: POST, put"), "the method PUT is not allowed"},
		{"no origin", post, 200, headers(), "no Access-Control-Allow-Origin"},
		{"another origin", post, 200, headers("Allow-Origin: https://other.example.org"), "not from " + page},
		{"a slash at the end", post, 200, headers("Allow-Origin: " + page + "/"), "not from " + page},
		{"two origins", post, 200, headers("Allow-Origin: *", "Allow-Origin: "+page), "twice"},
		{"refused", post, 403, headers("Allow-Origin: *"), "status 403"},
		{"redirected", post, 307, headers("Allow-Origin: *"), "status 307"},
	} {
		got := judge(answer{status: test.status, header: test.h}, page, test.c)
		if got != test.want && (test.want == "" || !strings.Contains(got, test.want)) {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

func TestExposes(t *testing.T) {
	for value, want := range map[string]bool{"ETag": true, "x-amz-id, etag": true, "*": true, "x-etag": false, "": false} {
		if got := exposes(headers("Expose-Headers: "+value), "ETag"); got != want {
			t.Errorf("%q: %v", value, got)
		}
	}
}

// TestHeaders lists what a page sends, by what client_conf.js asks for. Chromium 156 was seen to ask
// leave for exactly these.
func TestHeaders(t *testing.T) {
	for _, test := range []struct{ env, conf, want string }{
		{"", "{}", "authorization content-type x-amz-acl x-amz-content-sha256 x-amz-date x-amz-meta-qqfilename"},
		{"P3S3F_SIGNATURE_VERSION=2", "{}", "authorization content-type x-amz-acl x-amz-date x-amz-meta-qqfilename"},
		{"", "{request: {params: {Dataset: 'a'}}}", "authorization content-type x-amz-acl x-amz-content-sha256 x-amz-date x-amz-meta-dataset x-amz-meta-qqfilename"},
		{"", "{request: {params: {n: 5, 'Cache-Control': 'no-store', 'content-encoding': 'gzip', 'X-Amz-Server-Side-Encryption': 'AES256'}}}", "authorization cache-control content-type x-amz-acl x-amz-content-sha256 x-amz-date x-amz-meta-content-encoding x-amz-meta-n x-amz-meta-qqfilename x-amz-server-side-encryption"},
		{"", "{request: {params: f()}}", "authorization content-type x-amz-acl x-amz-content-sha256 x-amz-date x-amz-meta-*"},
		{"", "{request: {params: {a: f()}}}", "authorization content-type x-amz-acl x-amz-content-sha256 x-amz-date x-amz-meta-*"},
		{"", "{objectProperties: {serverSideEncryption: true, reducedRedundancy: true}}", "authorization content-type x-amz-acl x-amz-content-sha256 x-amz-date x-amz-meta-qqfilename x-amz-server-side-encryption x-amz-storage-class"},
	} {
		e := examOf(t, test.conf, "", test.env)
		if got := strings.Join(Headers(e.cfg), " "); got != test.want {
			t.Errorf("%s %s:\n got %s\nwant %s", test.env, test.conf, got, test.want)
		}
	}
}
