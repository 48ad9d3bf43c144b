package config

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// complete returns the required settings with edits.
func complete(edits ...string) func(string) string {
	env := map[string]string{
		"AWS_CLIENT_ACCESS_KEY": "AKIAIOSFODNN7EXAMPLE",
		"AWS_CLIENT_SECRET_KEY": "s3cret/that/nobody/may/see",
		"AWS_DEST_BUCKET":       "mybucket",
		"AWS_ENDPOINT":          "https://S3.example.org/",
	}
	for _, edit := range edits {
		name, value, _ := strings.Cut(edit, "=")
		env[name] = value
	}
	return func(name string) string { return env[name] }
}

// TestOnlyRequired loads the required settings alone.
func TestOnlyRequired(t *testing.T) {
	s, err := Load(complete())
	if err != nil {
		t.Fatal(err)
	}
	endpoint, host := s.Sign.BucketURL()
	got := fmt.Sprintln(s.Address(), s.HTTPS, s.VerifySuccess, s.AllowDelete, s.ServePage, s.LogLevel, s.LogJSON,
		s.Sign.Region, s.Sign.MaxBytes, s.Sign.ACLs, s.SignatureVersion, endpoint, host, s.OwnUploadsOnly, len(s.Warnings))
	want := "127.0.0.1:5000 false true true true INFO false us-east-1 0 [] 4 " +
		"https://s3.example.org/mybucket s3.example.org true 0\n"
	if got != want {
		t.Errorf("\n got %swant %s", got, want)
	}
	if strings.Contains(fmt.Sprintf("%+v", s), "s3cret") {
		t.Error("the settings print their secret")
	}
}

// TestEndpoint shows how a browser addresses the bucket.
func TestEndpoint(t *testing.T) {
	for _, test := range []struct{ env, endpoint, host string }{
		{"AWS_ENDPOINT=http://127.0.0.1:9000", "http://127.0.0.1:9000/mybucket", "127.0.0.1:9000"},
		{"AWS_ENDPOINT=https://s3.eu-west-2.amazonaws.com", "https://mybucket.s3.eu-west-2.amazonaws.com",
			"mybucket.s3.eu-west-2.amazonaws.com"},
		{"AWS_ENDPOINT=https://s3.amazonaws.com AWS_DEST_BUCKET=my.bucket", "https://s3.amazonaws.com/my.bucket",
			"s3.amazonaws.com"},
		{"AWS_ENDPOINT=https://s3.eu-west-1.amazonaws.com:443", "https://mybucket.s3.eu-west-1.amazonaws.com",
			"mybucket.s3.eu-west-1.amazonaws.com"},
		{"AWS_ENDPOINT=https://s3.amazonaws.com AWS_DEST_BUCKET=MyBucket", "https://s3.amazonaws.com/MyBucket",
			"s3.amazonaws.com"},
		{"AWS_ENDPOINT=http://[::1]:7070", "http://[::1]:7070/mybucket", "[::1]:7070"},
		{"AWS_ENDPOINT=http://My_Store:9000", "http://my_store:9000/mybucket", "my_store:9000"},
		{"AWS_ENDPOINT=https://S3.Größe.example./", "https://s3.xn--gre-6ka8i.example/mybucket",
			"s3.xn--gre-6ka8i.example"},
		{"AWS_ENDPOINT=https://bucket.vpce-1a2b.s3.us-east-1.vpce.amazonaws.com",
			"https://mybucket.bucket.vpce-1a2b.s3.us-east-1.vpce.amazonaws.com",
			"mybucket.bucket.vpce-1a2b.s3.us-east-1.vpce.amazonaws.com"},
		{"AWS_ENDPOINT=https://s3.cn-north-1.amazonaws.com.cn", "https://mybucket.s3.cn-north-1.amazonaws.com.cn",
			"mybucket.s3.cn-north-1.amazonaws.com.cn"},
		{"AWS_ENDPOINT=https://s3.amazonaws.com P3S3F_ADDRESSING=path", "https://s3.amazonaws.com/mybucket",
			"s3.amazonaws.com"},
		{"P3S3F_ADDRESSING=virtual", "https://mybucket.s3.example.org", "mybucket.s3.example.org"},
	} {
		s, err := Load(complete(strings.Fields(test.env)...))
		if err != nil {
			t.Errorf("%s: %v", test.env, err)
			continue
		}
		if endpoint, host := s.Sign.BucketURL(); endpoint != test.endpoint || host != test.host {
			t.Errorf("%s: %s %s", test.env, endpoint, host)
		}
	}
}

// TestOrigin shows where a browser on the same computer finds the page.
func TestOrigin(t *testing.T) {
	for _, test := range []struct {
		host, port string
		https      bool
		want       string
	}{
		{"127.0.0.1", "5000", false, "http://localhost:5000"},
		{"::1", "80", false, "http://localhost"},
		{"0.0.0.0", "0", true, "https://localhost:5000"},
		{"fd00::1", "443", true, "https://[fd00::1]"},
		{"Uploads.Example.org", "443", false, "http://uploads.example.org:443"},
	} {
		if got := (Config{Host: test.host, Port: test.port, HTTPS: test.https}).Origin(); got != test.want {
			t.Errorf("%+v: %s", test, got)
		}
	}
}

// TestErrors sets one variable wrongly. The error names it and says what to do.
func TestErrors(t *testing.T) {
	for _, test := range []struct{ env, want string }{
		{"AWS_CLIENT_ACCESS_KEY=", "AWS_CLIENT_ACCESS_KEY is not set"},
		{"AWS_CLIENT_ACCESS_KEY=XXXXXXXXXXXXXXXXXXXX", "AWS_CLIENT_ACCESS_KEY still is the placeholder"},
		{"AWS_CLIENT_SECRET_KEY=", "AWS_CLIENT_SECRET_KEY is not set"},
		{"AWS_CLIENT_SECRET_KEY=XXXX", "AWS_CLIENT_SECRET_KEY still is the placeholder"},
		{"AWS_CLIENT_SECRET_KEY=s3cret/that/nobody/may/see ", "AWS_CLIENT_SECRET_KEY has white space"},
		{"AWS_CLIENT_ACCESS_KEY=YOUR-ACCESS-KEY", "AWS_CLIENT_ACCESS_KEY still is the placeholder"},
		{"AWS_CLIENT_SECRET_KEY=YOUR-SECRET-KEY", "AWS_CLIENT_SECRET_KEY still is the placeholder"},
		{"AWS_CLIENT_ACCESS_KEY=s3cret/that/nobody/may/see AWS_CLIENT_SECRET_KEY=AKIAIOSFODNN7EXAMPLE",
			"if the two are swapped"},
		{"AWS_CLIENT_ACCESS_KEY=s3cret= AWS_CLIENT_SECRET_KEY=AKIAIOSFODNN7EXAMPLE", "if the two are swapped"},
		{"P3S3F_COOKIE_SECRET=s3cret",
			"P3S3F_COOKIE_SECRET has a placeholder or a secret of less than 32 characters; set it to"},
		{"P3S3F_COOKIE_SECRET=0123456789abcdef0123456789abcdef,s3cret", "less than 32 characters"},
		{"P3S3F_COOKIE_SECRET=XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX", "a placeholder"},
		{"AWS_DEST_BUCKET=somebucket", "AWS_DEST_BUCKET still is the placeholder"},
		{"AWS_DEST_BUCKET=", "AWS_DEST_BUCKET is not set"},
		{"AWS_DEST_BUCKET=s3://mybucket", "without s3:// or slashes"},
		{"AWS_DEST_BUCKET=my..bucket", "cannot be a bucket's name"},
		{"AWS_ENDPOINT=", "AWS_ENDPOINT is not set"},
		{"AWS_ENDPOINT=s3.example.org", "such as https://s3.example.org"},
		{"AWS_ENDPOINT=http://localhost:", "such as https://s3.example.org"},
		{"AWS_ENDPOINT=https://some.s3.server.ac.uk", "AWS_ENDPOINT still is the placeholder"},
		{"AWS_ENDPOINT=https://s3.example.org/mybucket", "AWS_ENDPOINT has a path; set it to https://s3.example.org and"},
		{"AWS_ENDPOINT=https://mybucket.s3.example.org",
			"AWS_ENDPOINT begins with the bucket's name; set it to https://s3.example.org"},
		{"AWS_ENDPOINT=https://127.0.0.1:99999", "AWS_ENDPOINT has the port 99999; set it to one of 1 to 65535"},
		{"AWS_ENDPOINT=https://a..b", `AWS_ENDPOINT has the host "a..b", which is neither a name for browsers`},
		{"AWS_ENDPOINT=http://127.1:9000", "nor a complete IP address"},
		{"AWS_ENDPOINT=http://[fe80::1%25eth0]:9000", "nor a complete IP address"},
		{"AWS_ENDPOINT=capacitor://localhost", "such as https://s3.example.org"},
		{"AWS_ENDPOINT=https://MyBucket.s3.example.org",
			"AWS_ENDPOINT begins with the bucket's name; set it to https://s3.example.org"},
		{"AWS_ENDPOINT=https://AKIAIOSFODNN7EXAMPLE:s3cret/that/nobody/may/see@s3.example.org",
			"has keys in it, or a password; set it to scheme, host and port alone"},
		{"AWS_ENDPOINT=s3://AKIAIOSFODNN7EXAMPLE:s3cret@s3.example.org", "has keys in it"},
		{"AWS_ENDPOINT=https://s3.example.org?x=y", "more in it than an address"},
		{"AWS_REGION=us/east", "AWS_REGION is"},
		{"P3S3F_HOST_PORT=http", "P3S3F_HOST_PORT"},
		{"P3S3F_HOST_PORT=65536", "P3S3F_HOST_PORT"},
		{"P3S3F_USE_HTTPS=yes", "P3S3F_USE_HTTPS is \"yes\"; set it to 0 or 1"},
		{"P3S3F_USE_HTTPS=1 P3S3F_SRV_CRT=/a.crt", "P3S3F_SRV_KEY is not set"},
		{"P3S3F_USE_HTTPS=1 P3S3F_SRV_KEY=/a.key", "P3S3F_SRV_CRT is not set"},
		{"P3S3F_ADDRESSING=virtual AWS_ENDPOINT=http://127.0.0.1:9000",
			"P3S3F_ADDRESSING is virtual, but AWS_ENDPOINT is an IP address"},
		{"P3S3F_ADDRESSING=virtual AWS_DEST_BUCKET=MyBucket",
			"P3S3F_ADDRESSING is virtual, but AWS_DEST_BUCKET has capitals, which browsers write in lower case"},
		{"P3S3F_ADDRESSING=dns", "path or virtual"},
		{"P3S3F_SIGNATURE_VERSION=3", "2 or 4"},
		{"P3S3F_ALLOWED_ACLS=public-read,everyone", `lists "everyone"`},
		{"P3S3F_ALLOWED_ACLS=all,public-read,everyone", `lists "all" and "everyone"`},
		{"P3S3F_ALLOWED_TYPES=image", `lists "image"`},
		{"P3S3F_ALLOWED_ORIGINS=*", `lists "*"`},
		{"P3S3F_ALLOWED_ORIGINS=https://u:s3cret@a.example.org", `lists "a.example.org"`},
		{"P3S3F_ALLOWED_ORIGINS=null", `lists "null"`},
		{"P3S3F_ALLOWED_ORIGINS=https://a.example.org,https://b.example.org/app", `lists "https://b.example.org/app"; name`},
		{"P3S3F_ALLOWED_ORIGINS=https://*.example.org", "P3S3F_ALLOWED_ORIGINS"},
		{"P3S3F_ALLOWED_ORIGINS=htps://app.example.org", "name each site by scheme, host and port"},
		{"P3S3F_RATE=often", "P3S3F_RATE"},
		{"P3S3F_RATE=0", "P3S3F_RATE"},
		{"P3S3F_RATE=NaN", "P3S3F_RATE"},
		{"P3S3F_TRUSTED_PROXIES=nginx", `lists "nginx"`},
		{"P3S3F_MAX_BYTES=5GB", "P3S3F_MAX_BYTES"},
		{"P3S3F_LOG_LEVEL=loud", "P3S3F_LOG_LEVEL"},
		{"P3S3F_LOG_FORMAT=xml", "json or text"},
	} {
		edits := strings.Fields(test.env)
		if strings.HasSuffix(test.env, " ") {
			edits = []string{test.env}
		}
		_, err := Load(complete(edits...))
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want one line with %q", test.env, err, test.want)
		}
		if err != nil && (strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), "t0ken")) {
			t.Errorf("%s: the error shows a secret: %v", test.env, err)
		}
	}
}

// TestKeysOfOtherShapes loads key pairs of other stores than AWS.
func TestKeysOfOtherShapes(t *testing.T) {
	for _, pair := range []string{
		"AWS_CLIENT_ACCESS_KEY=minioadmin AWS_CLIENT_SECRET_KEY=minioadmin",
		"AWS_CLIENT_ACCESS_KEY=GOOG1E" + strings.Repeat("A", 55) + " AWS_CLIENT_SECRET_KEY=" + strings.Repeat("s", 40),
	} {
		if _, err := Load(complete(strings.Fields(pair)...)); err != nil {
			t.Errorf("%s: %v", pair, err)
		}
	}
}

// TestParseOrigin shows how browsers write a site.
func TestParseOrigin(t *testing.T) {
	for value, want := range map[string]string{
		"https://app.example.org":       "https://app.example.org",
		"https://App.Example.org/":      "https://app.example.org",
		"HTTPS://app.example.org:443":   "https://app.example.org",
		"http://app.example.org:80":     "http://app.example.org",
		"https://app.example.org:80":    "https://app.example.org:80",
		"http://app.example.org:0443":   "http://app.example.org:443",
		"http://localhost:5000":         "http://localhost:5000",
		"http://[::1]:5000":             "http://[::1]:5000",
		"http://[0:0::1]:80":            "http://[::1]",
		"https://größe.example":         "https://xn--gre-6ka8i.example",
		"https://例え。テスト":                "https://xn--r8jz45g.xn--zckzah",
		"https://faß.example":           "https://xn--fa-hia.example",
		"https://app.example.org.":      "https://app.example.org",
		"http://my_app:3000":            "http://my_app:3000",
		"capacitor://localhost":         "capacitor://localhost",
		"ionic://localhost":             "ionic://localhost",
		"tauri://localhost":             "tauri://localhost",
		"chrome-extension://abcdefghij": "chrome-extension://abcdefghij",
		"moz-extension://0e4b5c5a-aa56": "moz-extension://0e4b5c5a-aa56",
		"safari-web-extension://0E4B5C": "safari-web-extension://0E4B5C",
		"https://app.example.org:":      "", "https://u@app.example.org": "", "https://*.example.org": "",
		"https://app.example.org/x": "", "https://app.example.org?x": "", "https://app.example.org#x": "",
		"http://127.1": "", "http://0x7f.0.0.1": "", "http://0x7f000001": "", "http://[fe80::1%25eth0]": "",
		"http://[::ffff:127.0.0.1]": "", "http://a..b": "", "http://a b": "", "http://xn--0": "",
		"app.example.org": "", "ftp://app.example.org": "", "htps://app.example.org": "", "tauri://*": "", "tauri:": "",
		"chrome-extension://": "", "chrome-extension://a/b": "", "file:///": "", "null": "", "*": "", "": "",
	} {
		got, err := ParseOrigin(value)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q %v, want %q", value, got, err, want)
		}
		if again, err := ParseOrigin(want); want != "" && (again != want || err != nil) {
			t.Errorf("%q: %q %v", want, again, err)
		}
	}
}

// TestCookieSecrets reads the secrets in their order, and shows none.
func TestCookieSecrets(t *testing.T) {
	first, second := strings.Repeat("1", 32), strings.Repeat("2", 32)
	c, err := Load(complete("P3S3F_COOKIE_SECRET=" + first + ", " + second + "\n"))
	if err != nil || len(c.CookieSecrets) != 2 || c.CookieSecrets[0].Reveal() != first ||
		c.CookieSecrets[1].Reveal() != second || strings.Contains(fmt.Sprintf("%+v", c), "1111") {
		t.Errorf("%v %d secrets", err, len(c.CookieSecrets))
	}
}

// TestQuotes loads values with the quotes of an env file, as Docker passes them on. Every setting is named.
func TestQuotes(t *testing.T) {
	for _, quote := range []string{`'`, `"`} {
		_, err := Load(func(string) string { return quote + "s3cret" + quote })
		for _, name := range Names() {
			want := name + " has quotes around its value, which bash would remove and Docker's env files keep; remove them"
			if !slices.Contains(strings.Split(err.Error(), "\n"), want) {
				t.Errorf("%s: want %q in\n%v", name, want, err)
			}
		}
		if strings.Contains(err.Error(), "s3cret") {
			t.Error(err)
		}
	}
}

// TestAllErrorsAtOnce loads an empty environment.
func TestAllErrorsAtOnce(t *testing.T) {
	_, err := Load(func(string) string { return "" })
	if err == nil || strings.Count(err.Error(), "\n") != 3 {
		t.Errorf("want the four required variables, a line each:\n%v", err)
	}
}

// TestWarnings loads settings that work, but may not be what the operator wants.
func TestWarnings(t *testing.T) {
	for _, test := range []struct{ env, want string }{
		{"", ""},
		{"P3S3F_THREADED=0", ""},
		{"P3S3F_THREADED=1", "P3S3F_THREADED has no effect"},
		{"P3S3F_OWN_UPLOADS_ONLY=0", "any visitor may overwrite"},
		{"P3S3F_OWN_UPLOADS_ONLY=", ""}, // an empty value is the default
		{"P3S3F_VERIFY_SUCCESS=0 P3S3F_MAX_BYTES=5", "nothing checks the real size"},
		{"AWS_SESSION_TOKEN=t0ken", "AWS_SESSION_TOKEN has no effect"},
		{"AWS_CLIENT_ACCESS_KEY=minio-root-user AWS_CLIENT_SECRET_KEY=minio123", "longer than AWS_CLIENT_SECRET_KEY"},
	} {
		c, err := Load(complete(strings.Fields(test.env)...))
		warnings := strings.Join(c.Warnings, "\n")
		if err != nil || (warnings == "") != (test.want == "") || !strings.Contains(warnings, test.want) ||
			len(c.Warnings) > 1 || strings.Contains(warnings, "t0ken") || strings.Contains(warnings, "minio123") {
			t.Errorf("%s: %q, %v, want %q", test.env, c.Warnings, err, test.want)
		}
	}
}
