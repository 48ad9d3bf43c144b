//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// localBrokenSetups returns mistakes that have nothing to do with the store.
func localBrokenSetups() []brokenSetup {
	return []brokenSetup{
		{"secret key left as shipped", set("AWS_CLIENT_SECRET_KEY", "XXXXXXXX"), "settings", "AWS_CLIENT_SECRET_KEY"},
		{
			"documents' placeholder",
			set("AWS_CLIENT_ACCESS_KEY", "YOUR-ACCESS-KEY"),
			"settings",
			"AWS_CLIENT_ACCESS_KEY still is the placeholder",
		},
		{"the two keys swapped", func(_ *testing.T, setup *doctorSetup) {
			setup.env["AWS_CLIENT_ACCESS_KEY"], setup.env["AWS_CLIENT_SECRET_KEY"] = setup.secretKey, setup.accessKey
		}, "settings", "if the two are swapped"},
		{"no endpoint", set("AWS_ENDPOINT", ""), "settings", "AWS_ENDPOINT"},
		{
			"bucket in the endpoint",
			func(_ *testing.T, setup *doctorSetup) { setup.env["AWS_ENDPOINT"] += "/" + setup.name },
			"settings",
			"AWS_ENDPOINT has a path",
		},
		{"https without a certificate", set("P3S3F_USE_HTTPS", "1"), "settings", "P3S3F_SRV_CRT"},
		{"the bucket in capitals in the host", func(_ *testing.T, setup *doctorSetup) {
			host := strings.ToUpper(setup.name) + ".localhost"
			setup.env["AWS_ENDPOINT"] = strings.Replace(setup.env["AWS_ENDPOINT"], "localhost", host, 1)
		}, "settings", "AWS_ENDPOINT begins with the bucket's name"},
		{"nobody listens", closedPort, "endpoint", "nothing listens"},
		{"unknown host name", set("AWS_ENDPOINT", "http://nowhere.invalid"), "endpoint", "nowhere.invalid"},
		{"https at an http store", func(_ *testing.T, setup *doctorSetup) {
			setup.env["AWS_ENDPOINT"] = strings.Replace(setup.env["AWS_ENDPOINT"], "http:", "https:", 1)
		}, "endpoint", "https"},
		{
			"store with a certificate of its own making",
			withTLSProxy(certificate{}, false),
			"endpoint",
			"signed by unknown authority",
		},
		{"store with an expired certificate", withTLSProxy(certificate{expired: true}, true), "endpoint", "expired"},
		{
			"store with another's certificate",
			withTLSProxy(certificate{host: "s3.example.org"}, true),
			"endpoint",
			"not localhost",
		},
		{"store whose certificate is not valid yet", withTLSProxy(certificate{future: true}, true), "endpoint", "clock"},
		{"https that hangs", func(t *testing.T, setup *doctorSetup) {
			storeThatHangs(t, setup)
			setup.env["AWS_ENDPOINT"] = strings.Replace(setup.env["AWS_ENDPOINT"], "http:", "https:", 1)
		}, "endpoint", "did not respond within 10s"},
		{"a proxy that nobody runs", func(_ *testing.T, setup *doctorSetup) {
			setup.env["AWS_ENDPOINT"], setup.env["HTTP_PROXY"] = "http://s3.example.org", "http://127.0.0.1:9"
		}, "endpoint", "HTTP_PROXY"},
		{"a redirect to https", withInterceptor(func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
			http.Redirect(w, r, "https://localhost"+r.RequestURI, http.StatusMovedPermanently)
			return true
		}), "endpoint", "redirects to https://localhost"},
		{
			"a proxy without its store",
			rejecting(http.StatusBadGateway, anyRequest),
			"endpoint",
			"cannot reach it (status 502)",
		},
		{"a web site", webServer, "endpoint", "not an S3 store"},
		{
			"client_conf.js with a digest that version 4 cannot sign",
			edit("client_conf.js", "dataset:", `"Content-MD5": md5, dataset:`),
			"client_conf.js",
			"Remove Content-MD5 from request.params",
		},
		{
			"client_conf.js with a parameter that is no header",
			edit("client_conf.js", "dataset:", `"data set": "x", dataset:`),
			"client_conf.js",
			"characters that a header cannot have",
		},
		{"client_conf.js with another bucket", func(t *testing.T, setup *doctorSetup) {
			setup.customConf(t, fmt.Sprintf("bucket: %q", setup.name), `bucket: "somebucket"`)
		}, "client_conf.js", "objectProperties.bucket"},
		{"client_conf.js with a slash after the endpoint", func(t *testing.T, setup *doctorSetup) {
			setup.customConf(t, "/"+setup.name+`"`, "/"+setup.name+`/"`)
		}, "client_conf.js", "Set request.endpoint to"},
		{"client_conf.js with another access key", func(t *testing.T, setup *doctorSetup) {
			setup.customConf(t, setup.accessKey, "AKIAIOSFODNN7EXAMPLE")
		}, "client_conf.js", "request.accessKey"},
		{"client_conf.js with another host", conf(`host: "localhost`, `host: "127.0.0.1`), "client_conf.js", "S3 endpoint"},
		{
			"client_conf.js with another region",
			conf(`region: "us-east-1"`, `region: "eu-west-1"`),
			"client_conf.js",
			"objectProperties.region",
		},
		{
			"client_conf.js with a public ACL",
			edit("client_conf.js", "region:", `acl: "public-read", region:`),
			"client_conf.js",
			"objectProperties.acl",
		},
		{
			"client_conf.js with another signing address",
			edit("client_conf.js", `"/s3/sign"`, `"/s3/signature"`),
			"client_conf.js",
			`Set signature.endpoint to "/s3/sign"`,
		},
		{
			"client_conf.js with v4 in the signing address",
			edit("client_conf.js", `"/s3/sign"`, `"/s3/sign?v4=true"`),
			"client_conf.js",
			`Set signature.endpoint to "/s3/sign"`,
		},
		{
			"client_conf.js with another success address",
			conf(`"/s3/success"`, `"/s3/succes"`),
			"client_conf.js",
			`Set uploadSuccess.endpoint to "/s3/success"`,
		},
		{
			"client_conf.js with another delete address",
			conf(`"/s3/delete"`, `"/s3/success"`),
			"client_conf.js",
			`Set deleteFile.endpoint to "/s3/delete"`,
		},
		{"client_conf.js without a bracket, under version 2", func(t *testing.T, setup *doctorSetup) {
			setup.customConf(t, "version: 4", "version: 4")
			setup.edit(t, "static/client_conf.js", "expected: true\n  },", "expected: true")
		}, "client_conf.js", "unexpected objectProperties in object literal"},
		{
			"client_conf.js with a word processor's quotes",
			edit("client_conf.js", `bucket: "BUCKET"`, `bucket: “BUCKET”`),
			"client_conf.js",
			"unexpected “ in expression",
		},
		{
			"client_conf.js for another page",
			edit("client_conf.js", "var fine_u_conf", "var conf"),
			"client_conf.js",
			"does not set the variable fine_u_conf",
		},
		{"client_conf.js that is a folder", func(t *testing.T, setup *doctorSetup) {
			remove("client_conf.js")(t, setup)
			if err := os.Mkdir(filepath.Join(setup.dir, "client_conf.js"), 0o700); err != nil {
				t.Fatal(err)
			}
		}, "client_conf.js", "client_conf.js cannot be read"},
		{
			"client_conf.js without a comma",
			edit("client_conf.js", `bucket: "BUCKET",`, `bucket: "BUCKET"`),
			"client_conf.js",
			"comma",
		},
	}
}
