package doctor

import (
	"slices"
	"strings"
	"testing"
)

// TestHeaders lists what a page sends, by what client_conf.js asks for. Chromium 156 was seen to ask
// leave for exactly these.
func TestHeaders(t *testing.T) {
	const always = "authorization content-type x-amz-acl x-amz-date x-amz-meta-qqfilename"
	const v4 = "x-amz-content-sha256 " // always, under version 4
	for _, test := range []struct{ env, conf, want string }{
		{"", "{}", v4},
		{"P3S3F_SIGNATURE_VERSION=2", "{}", ""},
		{"", "{request: {params: {Dataset: 'a'}}}", v4 + "x-amz-meta-dataset"},
		{"", `{request: {params: {n: 5, 'Cache-Control': 'no-store', 'content-encoding': 'gzip',
			'X-Amz-Server-Side-Encryption': 'AES256'}}}`,
			v4 + "cache-control x-amz-meta-content-encoding x-amz-meta-n x-amz-server-side-encryption"},
		{"", "{request: {params: f()}}", v4 + "x-amz-meta-*"},
		{"", "{request: {params: {a: f()}}}", v4 + "x-amz-meta-*"},
		{"", "{objectProperties: {serverSideEncryption: true, reducedRedundancy: true}}",
			v4 + "x-amz-server-side-encryption x-amz-storage-class"},
	} {
		r := testRun(t, test.conf, "", test.env)
		want := strings.Fields(always + " " + test.want)
		if strings.Contains(test.want, "x-amz-meta-*") { // covers the name of the file
			want = slices.DeleteFunc(want, func(name string) bool { return name == "x-amz-meta-qqfilename" })
		}
		slices.Sort(want)
		if got := Headers(r.cfg); !slices.Equal(got, want) {
			t.Errorf("%s %s:\n got %s\nwant %s", test.env, test.conf, got, want)
		}
	}
}
