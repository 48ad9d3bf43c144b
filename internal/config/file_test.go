package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestValueFromFile names files with the values of settings. FILE is the file's path.
func TestValueFromFile(t *testing.T) {
	const secret = "s3cret/that/nobody/may/see"
	for _, test := range []struct{ name, content, env, want string }{
		{"a value", secret, "AWS_CLIENT_SECRET_KEY_FILE=FILE AWS_CLIENT_SECRET_KEY=", ""},
		{"a line", secret + "\n", "AWS_CLIENT_SECRET_KEY_FILE=FILE AWS_CLIENT_SECRET_KEY=", ""},
		{"a line of Windows", secret + "\r\n", "AWS_CLIENT_SECRET_KEY_FILE=FILE AWS_CLIENT_SECRET_KEY=", ""},
		{"white space at the end", secret + " \n", "AWS_CLIENT_SECRET_KEY_FILE=FILE AWS_CLIENT_SECRET_KEY=",
			"AWS_CLIENT_SECRET_KEY has white space around it; remove it"},
		{"both set", secret, "AWS_CLIENT_SECRET_KEY_FILE=FILE",
			"AWS_CLIENT_SECRET_KEY and AWS_CLIENT_SECRET_KEY_FILE are both set; remove one of them"},
		{"no file", "", "AWS_CLIENT_SECRET_KEY_FILE=FILE.no AWS_CLIENT_SECRET_KEY=",
			"AWS_CLIENT_SECRET_KEY cannot be read: AWS_CLIENT_SECRET_KEY_FILE is FILE.no (no such file or directory); " +
				"set it to a file that the server may read"},
		{"an empty file", "\n", "AWS_CLIENT_SECRET_KEY_FILE=FILE AWS_CLIENT_SECRET_KEY=",
			"AWS_CLIENT_SECRET_KEY is empty: AWS_CLIENT_SECRET_KEY_FILE is FILE, which has no text; write the value into it"},
		{"an optional setting", "", "P3S3F_COOKIE_SECRET_FILE=FILE",
			"P3S3F_COOKIE_SECRET is empty: P3S3F_COOKIE_SECRET_FILE is FILE, which has no text; write the value into it"},
		{"a wrong value", "s3cret", "P3S3F_COOKIE_SECRET_FILE=FILE",
			"P3S3F_COOKIE_SECRET has a placeholder or a secret of less than 32 characters; set it to one from " +
				"openssl rand -hex 32, followed by a comma and the former one if there is one"},
		{"a setting that no file can hold", "", "AWS_DEST_BUCKET_FILE=FILE", ""},
	} {
		file := filepath.Join(t.TempDir(), "value")
		if err := os.WriteFile(file, []byte(test.content), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := Load(complete(strings.Fields(strings.ReplaceAll(test.env, "FILE=FILE", "FILE="+file))...))
		text := ""
		if err != nil {
			text = strings.ReplaceAll(err.Error(), file, "FILE")
		}
		if text != test.want || err == nil && c.Sign.SecretKey.Reveal() != secret {
			t.Errorf("%s: %q, want %q", test.name, text, test.want)
		}
	}
}

// TestSecretsHaveFiles wants a file for every setting that must not be shown.
func TestSecretsHaveFiles(t *testing.T) {
	for _, s := range Settings() {
		if s.Secret && !s.File && s.Name != "AWS_SESSION_TOKEN" { // which is not used
			t.Errorf("%s is secret, but cannot be read from a file; set File", s.Name)
		}
	}
}
