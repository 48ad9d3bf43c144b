package cli

import (
	"os"
	"strings"
	"testing"
)

// TestReadEnviron checks which of the environment and the file given with -env decides.
func TestReadEnviron(t *testing.T) {
	file := writeFile(t, "export P3S3F_OWN_UPLOADS_ONLY=1\nexport P3S3F_RATE=5\n")
	for _, test := range []struct {
		name string
		env  environ
		want string // P3S3F_RATE
	}{
		{"not in the environment", environ{}, "5"},
		{"another value in the environment", environ{"P3S3F_RATE": "7"}, "7"},
		{"empty in the environment", environ{"P3S3F_RATE": ""}, "5"},
	} {
		getenv, err := readEnviron(file, test.env)
		if err != nil || getenv("P3S3F_RATE") != test.want {
			t.Errorf("%s: %q, %v, want %q", test.name, getenv("P3S3F_RATE"), err, test.want)
		}
	}
}

// TestExport reads a file and looks for its variables in the process.
func TestExport(t *testing.T) {
	for _, test := range []struct{ line, env, want string }{
		{"SSL_CERT_FILE=/ca.pem", "", "/ca.pem"},
		{"SSL_CERT_DIR=/ca", "", "/ca"},
		{"HTTPS_PROXY=http://proxy", "", "http://proxy"},
		{"NO_PROXY=store", "", "store"},
		{"no_proxy=store", "", "store"},
		{"NO_PROXY=store", "other", "other"},
		{"AWS_CLIENT_SECRET_KEY=s3cret", "", ""},
	} {
		name, _, _ := strings.Cut(test.line, "=")
		t.Setenv(name, test.env)
		if _, err := readEnviron(writeFile(t, "export "+test.line+"\n"), environ{name: test.env}); err != nil {
			t.Errorf("%s: %v", test.line, err)
		}
		if got := os.Getenv(name); got != test.want {
			t.Errorf("%s with %q in the environment: the process has %q, want %q", test.line, test.env, got, test.want)
		}
	}
}
