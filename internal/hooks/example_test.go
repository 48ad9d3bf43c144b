package hooks

import "testing"

// TestExampleSettings wants a setting of the example that cannot work to stop the server, by name.
func TestExampleSettings(t *testing.T) {
	for _, test := range []struct{ small, large, wants string }{
		{"b/d/small.txt", "", ""},
		{"b/d/small.txt", "b/d/large.bam", ""},
		{"yes", "", `P3S3F_EXAMPLE_ALLOW_SMALL is "yes"; set it to a file of this server's bucket, as b/DATASET/FILENAME, ` +
			`or unset it`},
		{"b/d/small.txt", "other/d/large.bam", `P3S3F_EXAMPLE_ALLOW_LARGE is "other/d/large.bam"; set it to a file of this ` +
			`server's bucket, as b/DATASET/FILENAME, or unset it`},
		{"", "b/d/large.bam", "P3S3F_EXAMPLE_ALLOW_LARGE has no effect without " +
			"P3S3F_EXAMPLE_ALLOW_SMALL; set both, or neither"},
	} {
		got := ""
		env := map[string]string{
			"AWS_DEST_BUCKET":           "b",
			"P3S3F_EXAMPLE_ALLOW_SMALL": test.small,
			"P3S3F_EXAMPLE_ALLOW_LARGE": test.large,
		}
		if _, err := readExampleAllowList(func(name string) string { return env[name] }); err != nil {
			got = err.Error()
		}
		if got != test.wants {
			t.Errorf("%q, %q: %q", test.small, test.large, got)
		}
	}
}
