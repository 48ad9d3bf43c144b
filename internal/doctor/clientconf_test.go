package doctor

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// examOf prepares an examination in a new directory with these two files, where they are not empty, and
// a healthy environment with edits laid over it.
func examOf(t *testing.T, shared, own string, edits ...string) *run {
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
	request: {endpoint: "http://s3.example.org:9000/mybucket", accessKey: "AKIAIOSFODNN7EXAMPLE", params: {dataset: "x"}},
	objectProperties: {bucket: "mybucket", host: "s3.example.org:9000"},
	signature: {version: 4}, chunking: {enabled: true}, deleteFile: {enabled: true}
}`

// TestClientConf changes one thing in a healthy pair of settings and client_conf.js.
func TestClientConf(t *testing.T) {
	for _, test := range []struct {
		name, old, new string // in healthyConf
		env            string
		status         Status
		want           string // in the text or the fix
	}{
		{name: "healthy", status: OK, want: "agrees"},
		{name: "virtual-hosted", old: "http://s3.example.org:9000/mybucket", new: "http://mybucket.s3.example.org:9000", env: "P3S3F_ADDRESSING=virtual", status: OK, want: "agrees"},
		{name: "virtual-hosted, not set", old: "http://s3.example.org:9000/mybucket", new: "http://mybucket.s3.example.org:9000", status: Failed, want: `Set request.endpoint to "http://s3.example.org:9000/mybucket"`},
		{name: "slash at the end", old: "9000/mybucket", new: "9000/mybucket/", status: Failed, want: "slash at the end"},
		{name: "another scheme", old: "http://s3", new: "https://s3", status: Failed, want: "Set request.endpoint"},
		{name: "no endpoint", old: `endpoint: "http://s3.example.org:9000/mybucket",`, status: Failed, want: "Set request.endpoint"},
		{name: "access key", old: "AKIAIOSFODNN7EXAMPLE", new: "ACCESSKEY", status: Failed, want: "Set request.accessKey to what AWS_CLIENT_ACCESS_KEY is (AKIA…)"},
		{name: "bucket guessed from the host", old: `bucket: "mybucket",`, status: Failed, want: `Set objectProperties.bucket to "mybucket"`},
		{name: "another bucket", old: `bucket: "mybucket"`, new: `bucket: "yours"`, status: Failed, want: `Set objectProperties.bucket to "mybucket"`},
		{name: "bucket of a function", old: `bucket: "mybucket"`, new: `bucket: function (id) { return {a: "b"}[id]; }`, status: Warning, want: "computes objectProperties.bucket"},
		{name: "host left to Fine Uploader", old: `, host: "s3.example.org:9000"`, status: OK},
		{name: "another host", old: `host: "s3.example.org:9000"`, new: `host: "s3.example.com"`, status: Failed, want: "not this server's S3 endpoint"},
		{name: "host with scheme", old: `host: "s3`, new: `host: "http://s3`, status: OK},
		{name: "region", old: `host:`, new: `region: "eu-west-1", host:`, status: Failed, want: `Set objectProperties.region to "us-east-1"`},
		{name: "region left out", env: "AWS_REGION=eu-west-1", status: Failed, want: `Set objectProperties.region to "eu-west-1"`},
		{name: "version 4 where 2 alone is signed", env: "P3S3F_SIGNATURE_VERSION=2", status: Failed, want: "signature.version to 2"},
		{name: "version 2", old: "version: 4", new: "version: 2", env: "P3S3F_SIGNATURE_VERSION=2", status: OK},
		{name: "public ACL", old: `host:`, new: `acl: "public-read", host:`, status: Failed, want: `objectProperties.acl to "private"`},
		{name: "public ACL allowed", old: `host:`, new: `acl: "public-read", host:`, env: "P3S3F_ALLOWED_ACLS=public-read", status: OK},
		{name: "no size limit", env: "P3S3F_MAX_BYTES=100000000", status: Failed, want: "validation.sizeLimit"},
		{name: "size limit", old: `signature:`, new: `validation: {sizeLimit: 100000000}, signature:`, env: "P3S3F_MAX_BYTES=100000000", status: OK},
		{name: "small parts", old: `chunking: {`, new: `chunking: {partSize: 1000000, `, status: Failed, want: "chunking.partSize to 5242880"},
		{name: "comma left out", old: `"mybucket",`, new: `"mybucket"`, status: Failed, want: `has no comma, or no bracket, after "mybucket"`},
		{name: "the last bracket left out", old: "deleteFile: {enabled: true}", new: "deleteFile: {enabled: true", status: Failed, want: "is not closed"},
		{name: "no delete", env: "P3S3F_ALLOW_DELETE=0", status: Warning, want: "deleteFile.enabled"},
		{name: "a digest of every file", old: `dataset: "x"`, new: `"Content-MD5": md5, dataset: "x"`, status: Failed, want: "Take Content-MD5 out of request.params"},
		{name: "headers of their own", old: `dataset: "x"`, new: `"Cache-Control": "no-store", "Content-Disposition": "attachment"`, status: OK},
		{name: "a customer's key", old: `dataset: "x"`, new: `"x-amz-server-side-encryption-customer-key": "k"`, status: Failed, want: "objectProperties.serverSideEncryption instead"},
		{name: "an unusable parameter", old: `dataset: "x"`, new: `"a b": "x"`, status: Failed, want: "request.params"},
	} {
		conf := strings.Replace(healthyConf, test.old, test.new, 1)
		if test.old != "" && conf == healthyConf {
			t.Fatalf("%s: %q is not there", test.name, test.old)
		}
		e := examOf(t, "", conf, test.env)
		results := e.checkClientConf(t.Context())
		if len(results) != 1 || results[0].Status != test.status || !strings.Contains(results[0].Text+" "+results[0].Fix, test.want) {
			t.Errorf("%s: %+v, want %s with %q", test.name, results, test.status, test.want)
		}
	}
}

// TestSharedClientConf examines the one that the server fills in: only what it leaves alone can be wrong.
func TestSharedClientConf(t *testing.T) {
	shipped, err := os.ReadFile("../../client_conf.js")
	if err != nil {
		t.Fatal(err)
	}
	_, object, _ := strings.Cut(string(shipped), "var fine_u_conf = ")
	for _, test := range []struct {
		name, shared string
		status       Status
	}{
		{"none", "", Failed},
		{"shipped", object, OK},
		{"with placeholders", `{objectProperties: {bucket: "BUCKET", host: "HOST"}}`, OK},
		{"with an ACL that is not allowed", `{objectProperties: {acl: "public-read"}}`, Failed},
		{"not an object", `make()`, Warning},
	} {
		if results := examOf(t, test.shared, "").checkClientConf(t.Context()); results[0].Status != test.status {
			t.Errorf("%s: %+v, want %s", test.name, results, test.status)
		}
	}
}

// TestReadScript reads one option out of scripts of many forms.
func TestReadScript(t *testing.T) {
	for _, test := range []struct {
		script string
		want   any // at a.b
	}{
		{`var conf = {a: {b: "c"}};`, "c"},
		{`const conf={'a':{"b":'c'}}`, "c"},
		{"conf = {a: {b: `c`}}", "c"},
		{`window.conf = {a: {b: 5}}`, 5.0},
		{`conf = {a: {b: true,},}`, true},
		{`conf = {a: {b: "it\'s \"\u00e9\""}}`, `it's "é"`},
		{`conf = {/* a: {b: "no"} */ a: { // b: "no"` + "\n" + `b: "c"}}`, "c"},
		{`conf = {x: function () { if (a) { return {b: "}"}; } }, a: {b: "c"}}`, "c"},
		{`conf = {x() { return [1, "]", {}]; }, get y() { return 1; }, a: {b: "c"}}`, "c"},
		{`conf = {x: (id) => ({b: id}), a: {b: "c"}}`, "c"},
		{`conf = {x: [{b: 1}, {b: 2}], a: {b: "c"}}`, "c"},
		{`conf = {x: y ? "1" : "2", a: {b: "c"}}`, "c"},
		{`conf = {a: {b: "c" + d}}`, computed{}},
		{`conf = {a: {b: d}}`, computed{}},
		{`conf = {a: {b: -1}}`, computed{}},
		{"conf = {a: {b: `c${d}`}}", computed{}},
		{`conf = {a: {c: 1}}`, nil},
		{`conf = {a: {b: "c"}}; conf.a.b = "d";`, "d"},
		{`conf = {a: {b: "c"}}; if (conf.a.b == "d") {}`, "c"},
		{`conf = {a: {b: "c"}}; conf.a.b = f({b: 1});`, computed{}},
		{`conf = {a: {b: "c"`, "c"},
		{`conf = {`, nil},
		{`conf = {a: {b: "c`, computed{}},
	} {
		if r := readScript(test.script, "conf"); !r.read || r.found["a.b"] != test.want {
			t.Errorf("%s: %#v, %v, want %#v", test.script, r.found["a.b"], r.read, test.want)
		}
	}
	for script, assigned := range map[string]bool{"": false, "conf": false, "conf.a = {}": false, "other = {}": false, "conf == {}": false, "conf = f()": true} {
		if r := readScript(script, "conf"); r.read || r.assigned != assigned {
			t.Errorf("%q: an object was found, or assigned %v", script, r.assigned)
		}
	}
}

// TestUnreadable finds what a browser stumbles over, and takes nothing else for it.
func TestUnreadable(t *testing.T) {
	for script, want := range map[string]string{
		`conf = {a: 1 b: 2}`:                              "line 1 has no comma, or no bracket, after 1",
		"conf = {a: {b: \"x\" // why\n \"c\": 2}}":        `line 1 has no comma, or no bracket, after "x"`,
		"conf = {a: {\n b: true\n c: {}\n}}":              "line 2 has no comma, or no bracket, after true",
		"conf = {\n a: {b: f(1)}":                         "the { in line 1 is not closed",
		"conf = {\n a: f(1}\n}":                           "the ( in line 2 is not closed before the } in line 2",
		"conf = {\n}};":                                   "the } in line 2 closes nothing",
		"conf = {\n a: \"b\n}":                            "the quote in line 2 is not closed",
		"conf = {a: “b”}":                                 "line 1 has the quote “, which is none to a browser",
		`conf = {a: 1, b: 2,}`:                            "",
		`conf = {a: 1 in b, c: x ? "y" : "z"}`:            "",
		`conf = {a: "b" + c ? "d" : "e"}`:                 "",
		`conf = {a: function () { l: for (;;) { } }}`:     "",
		"conf.a = 1\nlabel: f()":                          "",
		"conf = {a: /[{(\"]\\/“/g, b: c / d, e: (f) / g}": "",
		"conf = {a: `x${{b: `}`}}`} // “ ( it's":          "",
		"conf = {a: 'it’s “so”', b: `(`} /* { */":         "",
	} {
		if got := readScript(script, "conf").fault; got != want {
			t.Errorf("%s: %q, want %q", script, got, want)
		}
	}
}

// FuzzReadScript wants an end, whatever the script.
func FuzzReadScript(f *testing.F) {
	f.Add(healthyConf)
	f.Add("conf = {a: [}, b(: {,}")
	f.Fuzz(func(t *testing.T, script string) { readScript("conf = "+script, "conf") })
}
