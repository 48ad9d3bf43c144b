package hooks

import "testing"

// TestExampleSettings checks that settings of the example that cannot work are errors at startup.
func TestExampleSettings(t *testing.T) {
	const setIt = "set it to a file of this server's bucket, as b/DATASET/FILENAME, or unset it"
	for _, test := range []struct{ small, large, want string }{
		{"b/d/small.txt", "", ""},
		{"b/d/small.txt", "b/d/large.bam", ""},
		{"yes", "", `P3S3F_EXAMPLE_ALLOW_SMALL is "yes"; ` + setIt},
		{"b/d/small.txt", "other/d/large.bam", `P3S3F_EXAMPLE_ALLOW_LARGE is "other/d/large.bam"; ` + setIt},
		{"", "b/d/large.bam",
			"P3S3F_EXAMPLE_ALLOW_LARGE has no effect without P3S3F_EXAMPLE_ALLOW_SMALL; set both, or neither"},
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
		if got != test.want {
			t.Errorf("%q, %q: %q, want %q", test.small, test.large, got, test.want)
		}
	}
}
