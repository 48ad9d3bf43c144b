//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// radosgwBrokenSetups returns mistakes that are specific to Ceph.
func radosgwBrokenSetups() []brokenSetup {
	return []brokenSetup{
		{
			"CORS without ETag",
			cors(types.CORSRule{ExposeHeaders: []string{"x-amz-request-id"}}),
			"cors responses",
			"<ExposeHeader>ETag</ExposeHeader>",
		},
		{
			"CORS in rules of which Ceph reads the first",
			cors(types.CORSRule{AllowedMethods: []string{"POST"}}, types.CORSRule{AllowedMethods: []string{"PUT", "DELETE"}}),
			"cors preflights",
			"the method PUT is not allowed (part) Run: ",
		},
		{"CORS without ETag for one of two sites", func(t *testing.T, setup *doctorSetup) {
			setup.env["P3S3F_ALLOWED_ORIGINS"] = "https://app.example.org"
			cors(
				types.CORSRule{AllowedOrigins: []string{"http://localhost:5000"}},
				types.CORSRule{AllowedOrigins: []string{"https://app.example.org"}, ExposeHeaders: []string{"x-amz-request-id"}},
			)(t, setup)
		}, "cors responses", "a page from https://app.example.org cannot read"},
		{
			"a proxy that asks by a host that Ceph takes for a bucket",
			withHost("store.internal"),
			"endpoint",
			"proxy_set_header Host",
		},
		{
			"headers that Ceph drops from forms",
			edit("client_conf.js", "dataset:", `"Content-Disposition": "attachment", dataset:`),
			"look-up",
			"drops Content-Disposition of request.params from files in one piece " +
				"Set chunking.enabled and chunking.mandatory to true in client_conf.js",
		},
		{"a parameter whose name Ceph changes, under version 2", func(t *testing.T, setup *doctorSetup) {
			setup.env["P3S3F_SIGNATURE_VERSION"] = "2"
			setup.edit(t, "client_conf.js", "dataset:", "sample_id: 5, dataset:")
		}, "cors responses", "changes names with _ or a dot: sample_id In request.params"},
		{
			"a parameter whose name Ceph changes, under version 4",
			edit("client_conf.js", "dataset:", "sample_id: 5, dataset:"),
			"look-up",
			"changes the name x-amz-meta-sample_id In request.params in client_conf.js, use only letters",
		},
		{"a store that fails after it has started an upload with an unsigned header", withInterceptor(slowDown),
			"unsigned headers", "does not accept a multipart upload: it fails (SlowDown, status 503)"},
		{
			"storage class that is not set up",
			edit("client_conf.js", "region:", "reducedRedundancy: true, region:"),
			"storage class",
			"reducedRedundancy",
		},
		{
			"encryption without TLS",
			edit("client_conf.js", "region:", "serverSideEncryption: true, region:"),
			"encryption",
			"serverSideEncryption",
		},
	}
}

// versitygwBrokenSetups returns mistakes with a store that checks the region and accepts V4 only. It always exposes the
// ETag, so CORS without ETag is not one of them.
func versitygwBrokenSetups() []brokenSetup {
	return []brokenSetup{
		{"an https page and an http store", func(t *testing.T, setup *doctorSetup) {
			withResponseChanged(func(*http.Response) error { return nil })(t, setup)
			setup.env["HTTP_PROXY"], setup.env["AWS_ENDPOINT"] = setup.env["AWS_ENDPOINT"], "http://store.example.org"
			setup.args = []string{"-origin", "https://uploads.example.org"}
		}, "browsers", "the https page of https://uploads.example.org send to http://store.example.org"},
		{
			"encryption that is ignored",
			edit("client_conf.js", "region:", "serverSideEncryption: true, region:"),
			"encryption",
			"does not apply it",
		},
		{
			"a storage class that is ignored",
			edit("client_conf.js", "region:", "reducedRedundancy: true, region:"),
			"storage class",
			"does not apply it",
		},
		{"another region", set("AWS_REGION", "eu-west-2"), "region", "AWS_REGION=us-east-1"},
		{"version 2", set("P3S3F_SIGNATURE_VERSION", "2"), "signatures", "P3S3F_SIGNATURE_VERSION=4"},
		{"version 2 in client_conf.js", conf("version: 4", "version: 2"), "signatures", "signature.version to 4"},
		{"a store that hangs", storeThatHangs, "endpoint", "did not respond"},
		{"virtual hosts at a store without", pathOnly, "addressing", "P3S3F_ADDRESSING=path"},
	}
}

// oldCeph rejects forms without a content type, as radosgw did (tracker.ceph.com issue 20201).
func oldCeph(w http.ResponseWriter, _ *http.Request, body []byte) bool {
	typed := bytes.Contains(body, []byte(`name="Content-Type"`))
	if !bytes.Contains(body, []byte(`name="policy"`)) || typed {
		return false
	}
	w.WriteHeader(http.StatusForbidden)
	io.WriteString(w, "<Error><Code>AccessDenied</Code></Error>")
	return true
}

// slowDown rejects the part that doctor uploads to check unsigned headers.
func slowDown(w http.ResponseWriter, r *http.Request, _ []byte) bool {
	if r.Method != http.MethodPut || !strings.HasSuffix(r.URL.Path, "/unsigned") {
		return false
	}
	w.WriteHeader(http.StatusServiceUnavailable)
	io.WriteString(w, "<Error><Code>SlowDown</Code></Error>")
	return true
}

// closedPort points to a port where nothing listens.
func closedPort(t *testing.T, setup *doctorSetup) {
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	setup.env["AWS_ENDPOINT"] = "http://localhost:" + strconv.Itoa(port)
}

// webServer points to a web server, such as the console of a store.
func webServer(t *testing.T, setup *doctorSetup) {
	site := httptest.NewServer(http.FileServer(http.Dir("../static")))
	t.Cleanup(site.Close)
	setup.env["AWS_ENDPOINT"] = site.URL
}

// storeThatHangs points to a server that accepts connections and never responds.
func storeThatHangs(t *testing.T, setup *doctorSetup) {
	l, err := net.Listen("tcp", loopback(0))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	setup.env["AWS_ENDPOINT"] = "http://" + l.Addr().String()
}

// pathOnly moves to a versitygw that does not support virtual hosts, and makes the server sign for them.
func pathOnly(t *testing.T, setup *doctorSetup) {
	s := startPathOnly(t)
	setup.bucket = newBucket(t, s)
	setup.env = settingsFor(setup.bucket, fmt.Sprintf("http://localhost:%d", s.port))
	setup.env["P3S3F_ADDRESSING"] = "virtual"
}
