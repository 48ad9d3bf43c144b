package doctor

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// testRun returns a run over these two files, where they are not empty, with complete settings and edits to them.
func testRun(t *testing.T, shared, own string, edits ...string) *run {
	t.Helper()
	files := fstest.MapFS{"static/index.html": {Data: []byte("<!doctype html>")}}
	for name, object := range map[string]string{"client_conf.js": shared, "static/client_conf.js": own} {
		if object != "" {
			files[name] = &fstest.MapFile{Data: []byte("var fine_u_conf = " + object + ";\n")}
		}
	}
	return newRun(Config{Getenv: environment(edits...), Files: files, Now: time.Now})
}

func environment(edits ...string) func(string) string {
	env := map[string]string{
		"AWS_CLIENT_ACCESS_KEY":  "AKIAIOSFODNN7EXAMPLE",
		"AWS_CLIENT_SECRET_KEY":  "s3cret/that/nobody/may/see",
		"AWS_DEST_BUCKET":        "mybucket",
		"AWS_ENDPOINT":           "http://s3.example.org:9000",
		"P3S3F_OWN_UPLOADS_ONLY": "1",
	}
	for _, edit := range edits {
		name, value, _ := strings.Cut(edit, "=")
		env[name] = value
	}
	return func(name string) string { return env[name] }
}

// healthyConf agrees with environment.
const healthyConf = `{
	request: {endpoint: "http://s3.example.org:9000/mybucket", accessKey: "AKIAIOSFODNN7EXAMPLE",
		params: {dataset: "x"}},
	objectProperties: {bucket: "mybucket", host: "s3.example.org:9000"},
	signature: {version: 4, endpoint: "/s3/sign"}, chunking: {enabled: true}, uploadSuccess: {endpoint: "/s3/success"},
	deleteFile: {enabled: true, endpoint: "/s3/delete"}
}`

// TestClientConf changes one thing in settings and a client_conf.js that agree.
func TestClientConf(t *testing.T) {
	for _, test := range []struct {
		name, old, new string // in healthyConf
		env            string
		status         Status
		want           string // in the text or the fix
	}{
		{name: "healthy", status: OK, want: "agrees"},
		{name: "virtual-hosted", old: "http://s3.example.org:9000/mybucket",
			new: "http://mybucket.s3.example.org:9000", env: "P3S3F_ADDRESSING=virtual", status: OK, want: "agrees"},
		{name: "virtual-hosted, not set", old: "http://s3.example.org:9000/mybucket",
			new: "http://mybucket.s3.example.org:9000", status: Failed,
			want: `Set request.endpoint to "http://s3.example.org:9000/mybucket"`},
		{name: "slash at the end", old: "9000/mybucket", new: "9000/mybucket/", status: Failed,
			want: `Set request.endpoint to "http://s3.example.org:9000/mybucket".`},
		{name: "another scheme", old: "http://s3", new: "https://s3", status: Failed, want: "Set request.endpoint"},
		{name: "no endpoint", old: `endpoint: "http://s3.example.org:9000/mybucket",`, status: Failed,
			want: "Set request.endpoint"},
		{name: "access key", old: "AKIAIOSFODNN7EXAMPLE", new: "ACCESSKEY", status: Failed,
			want: "Set request.accessKey to the value of AWS_CLIENT_ACCESS_KEY (AKIA…)"},
		{name: "bucket guessed from the host", old: `bucket: "mybucket",`, status: Failed,
			want: `Set objectProperties.bucket to "mybucket"`},
		{name: "another bucket", old: `bucket: "mybucket"`, new: `bucket: "yours"`, status: Failed,
			want: `signs for the bucket "mybucket" only`},
		{name: "bucket of a function", old: `bucket: "mybucket"`,
			new: `bucket: function (id) { return {a: "b"}[id]; }`, status: OK},
		{name: "host left to Fine Uploader", old: `, host: "s3.example.org:9000"`, status: OK},
		{name: "another host", old: `host: "s3.example.org:9000"`, new: `host: "s3.example.com"`, status: Failed,
			want: "not this server's S3 endpoint"},
		{name: "host with scheme", old: `host: "s3`, new: `host: "http://s3`, status: OK},
		{name: "region", old: `host:`, new: `region: "eu-west-1", host:`, status: Failed,
			want: `signs for the region "us-east-1"`},
		{name: "region left out", env: "AWS_REGION=eu-west-1", status: Failed,
			want: `signs for the region "eu-west-1"`},
		{name: "version 4 where only 2 is signed", env: "P3S3F_SIGNATURE_VERSION=2", status: Failed,
			want: "signature.version to 2"},
		{name: "version 2", old: "version: 4", new: "version: 2", env: "P3S3F_SIGNATURE_VERSION=2", status: OK},
		{name: "public ACL", old: `host:`, new: `acl: "public-read", host:`, status: Failed,
			want: `objectProperties.acl to "private"`},
		{name: "public ACL allowed", old: `host:`, new: `acl: "public-read", host:`,
			env: "P3S3F_ALLOWED_ACLS=public-read", status: OK},
		{name: "no size limit", env: "P3S3F_MAX_BYTES=100000000", status: Failed, want: "validation.sizeLimit"},
		{name: "size limit", old: `signature:`, new: `validation: {sizeLimit: 100000000}, signature:`,
			env: "P3S3F_MAX_BYTES=100000000", status: OK},
		{name: "small parts", old: `chunking: {`, new: `chunking: {partSize: 1000000, `, status: Failed,
			want: "chunking.partSize to 5242880"},
		{name: "comma left out", old: `"mybucket",`, new: `"mybucket"`, status: Failed,
			want: `line 4, column 40: unexpected host in object literal`},
		{name: "the last bracket left out", old: "\"/s3/delete\"}\n}", new: "\"/s3/delete\"}\n",
			status: Failed, want: "syntax error in line 7, column 1: unexpected ; in object literal"},
		{name: "no signing address", old: `, endpoint: "/s3/sign"`, status: Failed,
			want: `has signature.endpoint ""`},
		{name: "another signing address", old: `"/s3/sign"`, new: `"/s3/signature"`, status: Failed,
			want: `Set signature.endpoint to "/s3/sign"`},
		{name: "signing address without a slash", old: `"/s3/sign"`, new: `"s3/sign"`, status: OK},
		{name: "signing address of this server", old: `"/s3/sign"`, new: `"http://localhost:5000/s3/sign"`, status: OK},
		{name: "signing address elsewhere", old: `"/s3/sign"`, new: `"https://sign.example.org/s3/sign"`, status: Warning,

			want: "doctor does not know whether requests to it reach this server"},
		{name: "signing address below a prefix", old: `"/s3/sign"`, new: `"/uploads/s3/sign"`, status: Warning,
			want: "Make sure that a proxy removes the prefix"},
		{name: "signing address with v4", old: `"/s3/sign"`, new: `"/s3/sign?v4=true"`, status: Failed,
			want: `Set signature.endpoint to "/s3/sign"`},
		{name: "no success address", old: `endpoint: "/s3/success"`, status: Failed, want: `has uploadSuccess.endpoint ""`},
		{name: "another delete address", old: `"/s3/delete"`, new: `"/s3/success"`, status: Failed,
			want: `Set deleteFile.endpoint to "/s3/delete"`},
		{name: "typographic quotes", old: `bucket: "mybucket"`, new: `bucket: “mybucket”`, status: Failed,
			want: "unexpected “"},
		{name: "quote in a regular expression", old: "}\n}", new: "}\n}; if (x) /\"/.test(y)", status: OK, want: "agrees"},
		{name: "endpoint set by names in brackets", old: "}\n}",
			new: "}\n}; fine_u_conf[\"request\"].endpoint = \"http://s3.example.org:9000/other\"", status: Warning,
			want: "computes fine_u_conf"},
		{name: "bucket set to a call", old: "}\n}", new: "}\n}; fine_u_conf.objectProperties.bucket = f()",
			status: OK},
		{name: "no delete", env: "P3S3F_ALLOW_DELETE=0", status: Warning, want: "deleteFile.enabled"},
		{name: "a digest of every file", old: `dataset: "x"`, new: `"Content-MD5": md5, dataset: "x"`, status: Failed,
			want: "Remove Content-MD5 from request.params"},
		{name: "headers of their own", old: `dataset: "x"`,
			new: `"Cache-Control": "no-store", "Content-Disposition": "attachment"`, status: OK},
		{name: "a customer's key", old: `dataset: "x"`, new: `"x-amz-server-side-encryption-customer-key": "k"`,
			status: Failed, want: "objectProperties.serverSideEncryption instead"},
		{name: "an unusable parameter", old: `dataset: "x"`, new: `"a b": "x"`, status: Failed, want: "request.params"},
	} {
		conf := strings.Replace(healthyConf, test.old, test.new, 1)
		if test.old != "" && conf == healthyConf {
			t.Fatalf("%s: %q is not there", test.name, test.old)
		}
		r := testRun(t, "", conf, test.env)
		results := r.checkClientConf(t.Context())
		message := results[0].Text + " " + results[0].Fix
		if len(results) != 1 || results[0].Status != test.status || !strings.Contains(message, test.want) {
			t.Errorf("%s: %+v, want %s with %q", test.name, results, test.status, test.want)
		}
	}
}

// TestUnsignedPayload sets signature.unsignedPayload in static/client_conf.js, for a page and a server that agree
// otherwise.
func TestUnsignedPayload(t *testing.T) {
	conf := strings.Replace(healthyConf, "version: 4", "version: 4, unsignedPayload: true", 1)
	for _, test := range []struct {
		scheme, env string
		status      Status
	}{
		{"https", "P3S3F_UNSIGNED_PAYLOAD=1", OK},
		{"https", "P3S3F_UNSIGNED_PAYLOAD=0", Failed},
		{"http", "P3S3F_UNSIGNED_PAYLOAD=0", OK}, // the page ignores it
	} {
		endpoint := test.scheme + "://s3.example.org:9000"
		conf := strings.ReplaceAll(conf, "http://s3.example.org:9000", endpoint)
		results := testRun(t, "", conf, "AWS_ENDPOINT="+endpoint, test.env).checkClientConf(t.Context())
		if len(results) != 1 || results[0].Status != test.status ||
			test.status == Failed && !strings.Contains(results[0].Fix, "P3S3F_UNSIGNED_PAYLOAD=1") {
			t.Errorf("%+v: %+v", test, results)
		}
	}
}

// TestSharedClientConf checks the client_conf.js that the server fills its settings into.
func TestSharedClientConf(t *testing.T) {
	shipped, err := os.ReadFile("../../client_conf.js")
	if err != nil {
		t.Fatal(err)
	}
	_, object, _ := strings.Cut(string(shipped), "var fine_u_conf = ")
	const endpoints = `signature: {endpoint: "/s3/sign"}, uploadSuccess: {endpoint: "/s3/success"}`
	for _, test := range []struct {
		name, shared string
		status       Status
	}{
		{"none", "", Failed},
		{"shipped", object, OK},
		{"with placeholders", `{objectProperties: {bucket: "BUCKET", host: "HOST"}, ` + endpoints + `}`, OK},
		{"with an ACL that is not allowed", `{objectProperties: {acl: "public-read"}, ` + endpoints + `}`, Failed},
		{"not an object", `make()`, Warning},
	} {
		if results := testRun(t, test.shared, "").checkClientConf(t.Context()); results[0].Status != test.status {
			t.Errorf("%s: %+v, want %s", test.name, results, test.status)
		}
	}
}
