package doctor

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// examOf returns a run over these two files, where they are not empty, with complete settings and edits to them.
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
	request: {endpoint: "http://s3.example.org:9000/mybucket", accessKey: "AKIAIOSFODNN7EXAMPLE",
		params: {dataset: "x"}},
	objectProperties: {bucket: "mybucket", host: "s3.example.org:9000"},
	signature: {version: 4}, chunking: {enabled: true}, deleteFile: {enabled: true}
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
		{name: "slash at the end", old: "9000/mybucket", new: "9000/mybucket/", status: Failed, want: "slash at the end"},
		{name: "another scheme", old: "http://s3", new: "https://s3", status: Failed, want: "Set request.endpoint"},
		{name: "no endpoint", old: `endpoint: "http://s3.example.org:9000/mybucket",`, status: Failed,
			want: "Set request.endpoint"},
		{name: "access key", old: "AKIAIOSFODNN7EXAMPLE", new: "ACCESSKEY", status: Failed,
			want: "Set request.accessKey to what AWS_CLIENT_ACCESS_KEY is (AKIA…)"},
		{name: "bucket guessed from the host", old: `bucket: "mybucket",`, status: Failed,
			want: `Set objectProperties.bucket to "mybucket"`},
		{name: "another bucket", old: `bucket: "mybucket"`, new: `bucket: "yours"`, status: Failed,
			want: `Set objectProperties.bucket to "mybucket"`},
		{name: "bucket of a function", old: `bucket: "mybucket"`,
			new: `bucket: function (id) { return {a: "b"}[id]; }`, status: Warning, want: "computes objectProperties.bucket"},
		{name: "host left to Fine Uploader", old: `, host: "s3.example.org:9000"`, status: OK},
		{name: "another host", old: `host: "s3.example.org:9000"`, new: `host: "s3.example.com"`, status: Failed,
			want: "not this server's S3 endpoint"},
		{name: "host with scheme", old: `host: "s3`, new: `host: "http://s3`, status: OK},
		{name: "region", old: `host:`, new: `region: "eu-west-1", host:`, status: Failed,
			want: `Set objectProperties.region to "us-east-1"`},
		{name: "region left out", env: "AWS_REGION=eu-west-1", status: Failed,
			want: `Set objectProperties.region to "eu-west-1"`},
		{name: "version 4 where 2 alone is signed", env: "P3S3F_SIGNATURE_VERSION=2", status: Failed,
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
		{name: "the last bracket left out", old: "deleteFile: {enabled: true}", new: "deleteFile: {enabled: true",
			status: Failed, want: "syntax error in line 6, column 2: unexpected ; in object literal"},
		{name: "typographic quotes", old: `bucket: "mybucket"`, new: `bucket: “mybucket”`, status: Failed,
			want: "unexpected “"},
		{name: "quote in a regular expression", old: "}\n}", new: "}\n}; if (x) /\"/.test(y)", status: OK, want: "agrees"},
		{name: "endpoint set by names in brackets", old: "}\n}",
			new: "}\n}; fine_u_conf[\"request\"].endpoint = \"http://s3.example.org:9000/other\"", status: Failed,
			want: `has request.endpoint "http://s3.example.org:9000/other"`},
		{name: "bucket set to a call", old: "}\n}", new: "}\n}; fine_u_conf.objectProperties.bucket = f()",
			status: Warning, want: "computes objectProperties.bucket"},
		{name: "no delete", env: "P3S3F_ALLOW_DELETE=0", status: Warning, want: "deleteFile.enabled"},
		{name: "a digest of every file", old: `dataset: "x"`, new: `"Content-MD5": md5, dataset: "x"`, status: Failed,
			want: "Take Content-MD5 out of request.params"},
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
		e := examOf(t, "", conf, test.env)
		results := e.checkClientConf(t.Context())
		message := results[0].Text + " " + results[0].Fix
		if len(results) != 1 || results[0].Status != test.status || !strings.Contains(message, test.want) {
			t.Errorf("%s: %+v, want %s with %q", test.name, results, test.status, test.want)
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

// TestReadScript reads a.b of the variable conf.
func TestReadScript(t *testing.T) {
	for _, test := range []struct {
		name, script string
		want         any
	}{
		{"var", `var conf = {a: {b: "c"}};`, "c"},
		{"const, names in quotes", `const conf={'a':{"b":'c'}}`, "c"},
		{"template literal", "conf = {a: {b: `c`}}", "c"},
		{"member of window", `window.conf = {a: {b: 5}}`, 5.0},
		{"number with an exponent", `conf = {a: {b: 5e3}}`, 5000.0},
		{"boolean, commas at the end", `conf = {a: {b: true,},}`, true},
		{"escapes", `conf = {a: {b: "it\'s \"\u00e9\""}}`, `it's "é"`},
		{"escaped backslash", `conf = {a: {b: 'c\\'}}`, `c\`},
		{"comments", `conf = {/* a: {b: "no"} */ a: { // b: "no"` + "\n" + `b: "c"}}`, "c"},
		{"byte order mark", "\ufeffvar conf = {a: {b: 1}}", 1.0},
		{"function before it", `conf = {x: function () { if (a) { return {b: "}"}; } }, a: {b: "c"}}`, "c"},
		{"method and getter before it", `conf = {x() { return [1, "]", {}]; }, get y() { return 1; }, a: {b: "c"}}`, "c"},
		{"arrow function before it", `conf = {x: (id) => ({b: id}), a: {b: "c"}}`, "c"},
		{"array before it", `conf = {x: [{b: 1}, {b: 2}], a: {b: "c"}}`, "c"},
		{"condition before it", `conf = {x: y ? "1" : "2", a: {b: "c"}}`, "c"},
		{"quote in a regular expression", `conf = {a: {b: "c"}}; if (x) /"/.test(y);`, "c"},
		{"not set", `conf = {a: {c: 1}}`, nil},
		{"sum", `conf = {a: {b: "c" + d}}`, computed{}},
		{"variable", `conf = {a: {b: d}}`, computed{}},
		{"negative number", `conf = {a: {b: -1}}`, computed{}},
		{"substitution", "conf = {a: {b: `c${d}`}}", computed{}},
		{"spread beside it", `conf = {a: {b: "c", ...shared}}`, computed{}},
		{"computed name", `conf = {a: {b: "c", [d]: "e"}}`, computed{}},
		{"object of a function", `conf = {a: f()}`, computed{}},
		{"later assignment", `conf = {a: {b: "c"}}; conf.a.b = "d";`, "d"},
		{"later assignment by names in brackets", `conf = {a: {b: "c"}}; conf["a"].b = "d";`, "d"},
		{"later assignment of the object", `conf = {a: {b: "c"}}; conf.a = {c: "d"};`, nil},
		{"later assignment to any member", `conf = {a: {b: "c"}}; conf.a[x] = "d";`, computed{}},
		{"later assignment of a call", `conf = {a: {b: "c"}}; conf.a.b = f({b: 1});`, computed{}},
		{"later assignment on a condition", `conf = {a: {b: "c"}}; if (x) { conf.a.b = "d"; }`, computed{}},
		{"later assignment in a function", `conf = {a: {b: "c"}}; function f() { conf.a.b = "d"; }`, computed{}},
		{"added to", `conf = {a: {b: "c"}}; conf.a.b += "d";`, computed{}},
		{"comparison", `conf = {a: {b: "c"}}; if (conf.a.b == "d" || conf.a.b <= "e") {}`, "c"},
		{"Object.assign", `conf = {a: {b: "c"}}; Object.assign(conf.a, {b: "d"}, {e: 1});`, "d"},
		{"Object.assign of other members", `conf = {a: {b: "c"}}; Object.assign(conf["a"], {e: 1});`, "c"},
		{"Object.assign of a variable", `conf = {a: {b: "c"}}; Object.assign(conf.a, d);`, computed{}},
	} {
		globals, err := readScript(test.script)
		conf, _ := globals["conf"].(object)
		if err != nil || conf == nil || conf.at("a.b") != test.want {
			t.Errorf("%s: %#v, %v, want %#v", test.name, globals, err, test.want)
		}
	}
	for script, assigned := range map[string]bool{
		"": false, "conf": false, "conf.a = {}": false, "other = {}": false, "conf == {}": false, "conf = f()": true,
		"Object.assign()": false, "conf = {...shared}": true,
	} {
		globals, err := readScript(script)
		if _, isObject := globals["conf"].(object); err != nil || isObject || globals["conf"] != nil != assigned {
			t.Errorf("%q: %#v, %v, want assigned %v", script, globals, err, assigned)
		}
	}
}

// TestSyntaxErrors finds what browsers do not parse, and nothing else.
func TestSyntaxErrors(t *testing.T) {
	for script, want := range map[string]string{
		`conf = {a: 1 b: 2}`:                              "line 1, column 14: unexpected b in object literal",
		"conf = {a: {b: \"x\" // why\n \"c\": 2}}":        `line 2, column 2: unexpected "c" in object literal`,
		"conf = {a: {\n b: true\n c: {}\n}}":              "line 3, column 2: unexpected c in object literal",
		"conf = {\n a: {b: f(1)}":                         "line 2, column 14: unexpected EOF in object literal",
		"conf = {\n a: f(1}\n}":                           "line 2, column 8: expected , or ) instead of } in arguments",
		"conf = {\n}};":                                   "line 2, column 2: unexpected } in expression",
		"conf = {\n a: \"b\n}":                            "line 2, column 5: unterminated string literal in expression",
		"conf = {a: “b”}":                                 "line 1, column 12: unexpected “ in expression",
		`conf = {a: 1, b: 2,}`:                            "",
		`conf = {a: 1 in b, c: x ? "y" : "z"}`:            "",
		`conf = {a: "b" + c ? "d" : "e"}`:                 "",
		`conf = {a: function () { l: for (;;) { } }}`:     "",
		"conf.a = 1\nlabel: f()":                          "",
		"conf = {a: /[{(\"]\\/“/g, b: c / d, e: (f) / g}": "",
		"conf = {a: `x${{b: `}`}}`} // “ ( it's":          "",
		"conf = {a: 'it’s “so”', b: `(`} /* { */":         "",
	} {
		actual := ""
		if _, err := readScript(script); err != nil {
			actual = err.Error()
		}
		if actual != want {
			t.Errorf("%s: %q, want %q", script, actual, want)
		}
	}
}

// FuzzReadScript parses any script to an end.
func FuzzReadScript(f *testing.F) {
	f.Add(healthyConf)
	f.Add("conf = {a: [}, b(: {,}")
	f.Add(`conf = {}; conf["a"].b[c] += 1; Object.assign(conf.a, {b: "\u{1f600}"}, ...d)`)
	f.Fuzz(func(t *testing.T, text string) {
		globals, err := readScript("conf = " + text)
		if conf, ok := globals["conf"].(object); ok && err == nil {
			conf.under("a")
		}
		imports("a.js", text)
	})
}
