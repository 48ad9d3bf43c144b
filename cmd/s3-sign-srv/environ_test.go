package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestReadEnviron checks which of the environment and the file given with -env decides.
func TestReadEnviron(t *testing.T) {
	file := filepath.Join(t.TempDir(), "my_p3s3f.env")
	if err := os.WriteFile(file, []byte("export P3S3F_OWN_UPLOADS_ONLY=1\nexport P3S3F_RATE=5\n"), 0o600); err != nil {
		t.Fatal(err)
	}
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
