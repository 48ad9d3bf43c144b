package config

import (
	"fmt"
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
		{"AWS_ENDPOINT=https://minio.example.org AWS_DEST_BUCKET=minio P3S3F_ADDRESSING=path",
			"https://minio.example.org/minio", "minio.example.org"},
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
		{"AWS_CLIENT_ACCESS_KEY=s3cretNUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEYab AWS_CLIENT_SECRET_KEY=AKIAIOSFODNN7EXAMPLE",
			"AWS_CLIENT_SECRET_KEY has the form of an access key; exchange it with"},
		{"AWS_CLIENT_ACCESS_KEY=s3cretNUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEYab AWS_CLIENT_SECRET_KEY=ASIAIOSFODNN7EXAMPLE",
			"AWS_CLIENT_SECRET_KEY has the form of an access key"},
		{"P3S3F_COOKIE_SECRET=s3cret",
			"P3S3F_COOKIE_SECRET has a placeholder or a secret of less than 32 characters; set it to"},
		{"P3S3F_COOKIE_SECRET=0123456789abcdef0123456789abcdef,s3cret", "less than 32 characters"},
		{"P3S3F_COOKIE_SECRET=XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX", "a placeholder"},
		{"P3S3F_HOOKS_URL=https://app.example.org/hooks", "P3S3F_HOOKS_SECRET is not set, and P3S3F_HOOKS_URL needs it"},
		{"P3S3F_HOOKS_SECRET=" + hooksSecret, "P3S3F_HOOKS_SECRET has no effect without P3S3F_HOOKS_URL; set both"},
		{"P3S3F_HOOKS_SECRET=" + hooksSecret + " P3S3F_HOOKS_URL=app:8000", "P3S3F_HOOKS_URL is not a web address; set it"},
		{"P3S3F_HOOKS_SECRET=" + hooksSecret + " P3S3F_HOOKS_URL=https://u:s3cret@app/hooks", "has a user or password in it"},
		{"P3S3F_HOOKS_SECRET=" + hooksSecret + " P3S3F_HOOKS_URL=https://app/hooks#a", "P3S3F_HOOKS_URL has a fragment"},
		{"P3S3F_HOOKS_URL=https://app/hooks P3S3F_HOOKS_SECRET=s3cret", "P3S3F_HOOKS_SECRET has a placeholder, or a secret"},
		{"P3S3F_HOOKS_URL=https://app/hooks P3S3F_HOOKS_SECRET=whsec_c2hvcnQ=", "that is not whsec_ and 24 to 64 bytes"},
		{"P3S3F_HOOKS_URL=https://app/hooks P3S3F_HOOKS_SECRET=whsec_XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX=",
			"P3S3F_HOOKS_SECRET has a placeholder"},
		{"AWS_CLIENT_OLD_ACCESS_KEY=AKIAIOSFODNN7OLDPAIR", "AWS_CLIENT_OLD_SECRET_KEY is not set; AWS_CLIENT_OLD_ACCESS_KEY"},
		{"AWS_CLIENT_OLD_SECRET_KEY=s3cret/old", "AWS_CLIENT_OLD_ACCESS_KEY is not set; AWS_CLIENT_OLD_SECRET_KEY needs it"},
		{"AWS_CLIENT_OLD_ACCESS_KEY=AKIAIOSFODNN7EXAMPLE AWS_CLIENT_OLD_SECRET_KEY=s3cret/old",
			"AWS_CLIENT_OLD_ACCESS_KEY is the same as AWS_CLIENT_ACCESS_KEY; set it to the former access key"},
		{"AWS_DEST_BUCKET=somebucket", "AWS_DEST_BUCKET still is the placeholder"},
		{"AWS_DEST_BUCKET=", "AWS_DEST_BUCKET is not set"},
		{"AWS_DEST_BUCKET=s3://mybucket", "without s3:// or slashes"},
		{"AWS_DEST_BUCKET=my..bucket", "cannot be a bucket's name"},
		{"AWS_ENDPOINT=", "AWS_ENDPOINT is not set"},
		{"AWS_ENDPOINT=s3.example.org", "such as https://s3.example.org"},
		{"AWS_ENDPOINT=http://localhost:", "such as https://s3.example.org"},
		{"AWS_ENDPOINT=https://some.s3.server.ac.uk", "AWS_ENDPOINT still is the placeholder"},
		{"AWS_ENDPOINT=https://s3.example.org/mybucket", "AWS_ENDPOINT has a path; set it to https://s3.example.org and"},
		{"AWS_ENDPOINT=https://mybucket.s3.example.org", "AWS_ENDPOINT begins with the bucket's name; " +
			"set it to https://s3.example.org, or set P3S3F_ADDRESSING=path if the store's own name begins with it"},
		{"AWS_ENDPOINT=https://mybucket.s3.example.org P3S3F_ADDRESSING=virtual",
			"AWS_ENDPOINT begins with the bucket's name"},
		{"AWS_ENDPOINT=https://127.0.0.1:99999", "AWS_ENDPOINT has the port 99999; set it to one of 1 to 65535"},
		{"AWS_ENDPOINT=https://a..b", `has the host "a..b", which browsers do not accept as a host name`},
		{"AWS_ENDPOINT=http://127.1:9000", "a complete address such as 127.0.0.1"},
		{"AWS_ENDPOINT=http://[fe80::1%25eth0]:9000", "a complete address such as 127.0.0.1"},
		{"AWS_ENDPOINT=capacitor://localhost", "such as https://s3.example.org"},
		{"AWS_ENDPOINT=https://MyBucket.s3.example.org",
			"AWS_ENDPOINT begins with the bucket's name; set it to https://s3.example.org"},
		{"AWS_ENDPOINT=https://AKIAIOSFODNN7EXAMPLE:s3cret/that/nobody/may/see@s3.example.org",
			"has keys in it, or a password; use scheme, host and port only"},
		{"AWS_ENDPOINT=s3://AKIAIOSFODNN7EXAMPLE:s3cret@s3.example.org", "has keys in it"},
		{"AWS_ENDPOINT=https://s3.example.org?x=y", "has a query or fragment; use scheme, host and port only"},
		{"AWS_ENDPOINT=https://s3.example.org?", "has a query or fragment"},
		{"AWS_ENDPOINT=https://s3.example.org#x", "has a query or fragment"},
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
		{"P3S3F_SHUTDOWN_DELAY=5s", `P3S3F_SHUTDOWN_DELAY is "5s"; set it to a whole number of seconds, 0 to 300`},
		{"P3S3F_METRICS_ADDRESS=9464", `P3S3F_METRICS_ADDRESS is "9464"; set it to an address and a port, as 127.0.0.1:9464`},
		{"P3S3F_METRICS_ADDRESS=:9464", `P3S3F_METRICS_ADDRESS is ":9464"; set it to an address and a port`},
		{"P3S3F_METRICS_ADDRESS=127.0.0.1:http", "P3S3F_METRICS_ADDRESS"},
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

// TestAllErrorsAtOnce loads an empty environment.
func TestAllErrorsAtOnce(t *testing.T) {
	_, err := Load(func(string) string { return "" })
	if err == nil || strings.Count(err.Error(), "\n") != 3 {
		t.Errorf("want the four required variables, a line each:\n%v", err)
	}
}

// hooksSecret is a secret of 32 bytes.
const hooksSecret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

// TestWarnings loads settings that work, but may not be what the operator wants.
func TestWarnings(t *testing.T) {
	for _, test := range []struct{ env, want string }{
		{"", ""},
		{"P3S3F_THREADED=0", ""},
		{"P3S3F_THREADED=1", "P3S3F_THREADED has no effect"},
		{"P3S3F_OWN_UPLOADS_ONLY=0", "any visitor may overwrite"},
		{"P3S3F_OWN_UPLOADS_ONLY=", ""}, // an empty value is the default
		{"P3S3F_UNSIGNED_PAYLOAD=1 AWS_ENDPOINT=https://s3.example.org", ""},
		{"P3S3F_UNSIGNED_PAYLOAD=1 AWS_ENDPOINT=http://s3.example.org", "P3S3F_UNSIGNED_PAYLOAD has no effect"},
		{"P3S3F_UNSIGNED_PAYLOAD=1 AWS_ENDPOINT=https://s3.example.org P3S3F_SIGNATURE_VERSION=2",
			"P3S3F_UNSIGNED_PAYLOAD has no effect"},
		{"P3S3F_VERIFY_SUCCESS=0 P3S3F_MAX_BYTES=5", "nothing checks the real size"},
		{"P3S3F_HOOKS_URL=http://127.0.0.1:8000/hooks P3S3F_HOOKS_SECRET=" + hooksSecret, ""},
		{"P3S3F_HOOKS_URL=http://app.localhost/hooks P3S3F_HOOKS_SECRET=" + hooksSecret, ""},
		{"P3S3F_HOOKS_URL=https://app.example.org/hooks P3S3F_HOOKS_SECRET=" + hooksSecret, ""},
		{"P3S3F_HOOKS_URL=http://app:8000/hooks P3S3F_HOOKS_SECRET=" + hooksSecret + "," + hooksSecret,
			"the cookies of visitors, and the decisions, can be read and changed on the way"},
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
