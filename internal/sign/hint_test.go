package sign

import (
	"errors"
	"strings"
	"testing"
	"time"

	"s3-sign-srv/internal/apierror"
)

// TestHints sends what a wrongly set client sends, and wants the sentence to name the setting to change.
func TestHints(t *testing.T) {
	now := time.Date(2026, 11, 23, 11, 56, 8, 0, time.UTC)
	v2 := func(edit ...string) string {
		return strings.NewReplacer(
			edit...).Replace(
			"POST\n\ntext/plain\n\nx-amz-acl:private\nx-amz-date:Mon, 23 Nov 2026 11:56:08 GMT\nx-amz-meta-qqfilename:a.txt\n" +
				"/mybucket/uuid.txt?uploads",
		)
	}
	v4 := func(edit ...string) string {
		return strings.NewReplacer(
			edit...).Replace(
			"AWS4-HMAC-SHA256\n20261123T115608Z\n20261123/us-east-1/s3/aws4_request\nPOST\n/uuid.txt\nuploads=\n" +
				"host:mybucket.s3.example.org\nx-amz-acl:private\n" +
				"x-amz-content-sha256:" + emptySHA256 + "\nx-amz-date:20261123T115608Z\n\nhost;x-amz-acl;x-amz-content-sha256;" +
				"x-amz-date\n" + emptySHA256,
		)
	}
	policy := func(edit ...string) string {
		return strings.NewReplacer(
			edit...).Replace(
			`{"expiration":"2026-11-23T12:01:08.000Z","conditions":[{"acl":"private"},{"bucket":"mybucket"},` +
				`{"x-amz-algorithm":"AWS4-HMAC-SHA256"},{"key":"uuid.txt"},` +
				`{"x-amz-credential":"AKIAIOSFODNN7EXAMPLE/20261123/us-east-1/s3/aws4_request"},{"x-amz-date":"20261123T115608Z"}` +
				`]}`,
		)
	}
	tests := []struct {
		mistake string
		version Version
		text    string // a policy, or a string to sign
		want    string // in the sentence; empty: signed
	}{
		{"none", V2, v2(), ""},
		{"none", V4, v4(), ""},
		{"none", V4, policy(), ""},
		{
			"host name as bucket, path-style",
			V2,
			v2("/mybucket/", "/s3.example.org/"),
			`set objectProperties.bucket to "mybucket"`,
		},
		{
			"host name as bucket, virtual-hosted",
			V2,
			v2("/mybucket/", "/mybucket.s3.example.org/"),
			`set objectProperties.bucket to "mybucket"`,
		},
		{"host name as bucket", V4, policy("mybucket", "s3.example.org"), `set objectProperties.bucket to "mybucket"`},
		{"another bucket", V2, v2("/mybucket/", "/other/"), "set objectProperties.bucket"},
		{
			"another endpoint",
			V4,
			v4("host:mybucket.s3.example.org", "host:mybucket.s3.amazonaws.com"),
			`set request.endpoint in client_conf.js to "https://mybucket.s3.example.org"`,
		},
		{"trailing slash, virtual-hosted", V4, v4("example.org\n", "example.org/\n"), "trailing slash from request.endpoint"},
		{
			"trailing slash, path-style",
			V4,
			v4("mybucket.s3.example.org\n", "s3.example.org/mybucket/\n"),
			"trailing slash from request.endpoint",
		},
		{"trailing slash", V2, v2("/mybucket/uuid", "/mybucket//uuid"), "trailing slash from request.endpoint"},
		{"region", V4, v4("us-east-1", "eu-west-2"), "objectProperties.region"},
		{"region", V4, policy("us-east-1", "eu-west-2"), "objectProperties.region"},
		{"access key", V4, policy("AKIAIOSFODNN7EXAMPLE", "AKIAOTHER"), "request.accessKey"},
		{"clock fast", V2, v2("11:56:08", "12:16:08"), "20 minutes ahead of"},
		{"clock slow", V4, v4("T115608Z", "T102508Z"), "1 hour 31 minutes behind"},
		{
			"clock slow",
			V2,
			policy(
				`{"x-amz-algorithm":"AWS4-HMAC-SHA256"},`,
				"",
				`,{"x-amz-credential":"AKIAIOSFODNN7EXAMPLE/20261123/us-east-1/s3/aws4_request"},{"x-amz-date":"20261123T115608Z"}`,
				"",
				"12:01:08",
				"11:46:08",
			),
			"15 minutes behind",
		},
		{"day of the scope", V4, v4("20261123/us", "20261122/us"), "crosses midnight"},
		{"no SHA-256 of a part", V4, strings.Replace(unsignedPart, "localhost:9312", "mybucket.s3.example.org", 1),
			"P3S3F_UNSIGNED_PAYLOAD=1"},
		{"no SHA-256 of an initiate request", V4, v4(emptySHA256, "UNSIGNED-PAYLOAD"), "must be given by the same SHA-256"},
		{"Content-MD5", V4, v4("host;", "content-md5;host;"), "Content-MD5 from request.params"},
		{"version 4 without the query", V2, v4(), "signature.version"},
		{"version 2 with the query", V4, v2(), "signature.version"},
		{"version 4 policy without the query", V2, policy(), "signature.version"},
		{"ACL", V2, v2("private", "public-read"), "P3S3F_ALLOWED_ACLS"},
		{
			"session token",
			V2,
			v2("\nx-amz-meta-qqfilename:a.txt", "\nx-amz-meta-qqfilename:a.txt\nx-amz-security-token:t"),
			"credentials.sessionToken",
		},
	}
	cfg := exampleConfig("https://s3.example.org")
	cfg.VirtualHosted = true
	s := New(cfg)
	for _, test := range tests {
		var err error
		if strings.HasPrefix(test.text, "{") {
			_, err = s.ParsePolicy(test.version, []byte(test.text), now)
		} else {
			_, err = s.ParseStringToSign(test.version, test.text, now)
		}
		var apiErr *apierror.Error
		if test.want == "" && err != nil ||
			test.want != "" && (!errors.As(err, &apiErr) || !strings.Contains(apiErr.Message, test.want)) {
			t.Errorf("%s, version %d:\n got %v\nwant … %s …", test.mistake, test.version, err, test.want)
		}
	}
}

// TestOnlyV2 refuses both V4 forms and signs both V2 forms.
func TestOnlyV2(t *testing.T) {
	for _, row := range readCaptured(t) {
		if row.Kind == "" || row.Expect != "sign" {
			continue
		}
		cfg := exampleConfig("http://localhost:9312")
		cfg.VirtualHosted, cfg.OnlyV2 = true, true
		_, err := row.parse(t, New(cfg))
		if rejected := err != nil && strings.Contains(err.Error(), "signature.version to 2"); rejected != (row.Version == 4) {
			t.Errorf("%s, version %d: %v", row.Scenario, row.Version, err)
		}
	}
}

// TestHosts lists the host lines that mean our bucket, and the request that is then signed.
func TestHosts(t *testing.T) {
	const path, virtual = false, true
	tests := []struct {
		endpoint   string
		addressing bool
		line       string
		host, uri  string // empty: refused
	}{
		{"https://s3.example.org", virtual, "mybucket.s3.example.org", "mybucket.s3.example.org", "/k"},
		{"https://s3.example.org", virtual, "mybucket.s3.example.org:443", "mybucket.s3.example.org", "/k"},
		{"https://s3.example.org", virtual, "s3.example.org", "s3.example.org", "/mybucket/k"},
		{"https://s3.example.org", virtual, "other.s3.example.org", "", ""},
		{"https://s3.example.org", virtual, "mybucket.s3-example.org", "", ""},
		{"https://s3.example.org", virtual, "mybucket.s3.example.org.evil.com", "", ""},
		{
			"https://s3.example.org",
			path,
			"mybucket.s3.example.org",
			"",
			"",
		}, // a store that reads only the path would take the key for the bucket
		{"https://s3.example.org", path, "https://s3.example.org", "s3.example.org", "/mybucket/k"},
		{"https://s3.example.org", path, "s3.example.org/other", "", ""},
		{"https://s3.example.org", path, "s3.example.org:443/mybucket", "s3.example.org", "/mybucket/k"},
		{"http://[::1]:9000", path, "[::1]:9000/mybucket", "[::1]:9000", "/mybucket/k"},
		{"http://127.0.0.1:9000", virtual, "mybucket.127.0.0.1:9000", "", ""},
		{"http://127.0.0.1:9000", path, "mybucket.127.0.0.1:9000", "", ""},
		{"https://s3.amazonaws.com", path, "mybucket.s3.amazonaws.com", "mybucket.s3.amazonaws.com", "/k"},
		{
			"https://s3.amazonaws.com",
			path,
			"mybucket.s3.us-east-1.amazonaws.com",
			"mybucket.s3.us-east-1.amazonaws.com",
			"/k",
		},
		{"https://s3.us-east-1.amazonaws.com", path, "mybucket.s3.amazonaws.com", "mybucket.s3.amazonaws.com", "/k"},
		{
			"https://s3.us-east-1.amazonaws.com",
			path,
			"s3-us-east-1.amazonaws.com/mybucket",
			"s3-us-east-1.amazonaws.com",
			"/mybucket/k",
		},
		{
			"https://s3.us-east-1.amazonaws.com",
			path,
			"mybucket.s3.dualstack.us-east-1.amazonaws.com",
			"mybucket.s3.dualstack.us-east-1.amazonaws.com",
			"/k",
		},
		{
			"https://s3.us-east-1.amazonaws.com.cn",
			path,
			"mybucket.s3.us-east-1.amazonaws.com.cn",
			"mybucket.s3.us-east-1.amazonaws.com.cn",
			"/k",
		},
		{"https://s3.us-east-1.amazonaws.com.cn", path, "mybucket.s3.amazonaws.com", "", ""},
		{"https://s3.us-east-1.amazonaws.com", path, "mybucket.s3.eu-west-2.amazonaws.com", "", ""},
		{"https://s3.evil.amazonaws.com.example.org", path, "mybucket.s3.amazonaws.com", "", ""},
	}
	for _, test := range tests {
		cfg := exampleConfig(test.endpoint)
		cfg.VirtualHosted = test.addressing
		form, err := New(cfg).findHost(test.line)
		if (err != nil) != (test.host == "") || form.host != test.host || err == nil && form.pathPrefix+"/k" != test.uri {
			t.Errorf("%s at %s: %+v %v, want %s %s", test.line, test.endpoint, form, err, test.host, test.uri)
		}
	}
}
