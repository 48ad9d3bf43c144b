package hooks

import (
	"context"
	"log/slog"
	"testing"

	"s3-sign-srv/internal/sign"
)

// TestShippedHooks is of the bodies as shipped: change it, or delete it, with them.
func TestShippedHooks(t *testing.T) {
	env := map[string]string{"AWS_DEST_BUCKET": "b", "P3S3F_EXAMPLE_ALLOW_SMALL": "b/d/small.txt", "P3S3F_EXAMPLE_ALLOW_LARGE": "b/d/large.bam"}
	with := func(env map[string]string) *Hooks {
		h, err := New(func(name string) string { return env[name] }, nil, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	challenge := func(op sign.Operation, name string) *Challenge {
		return &Challenge{Request: &sign.Request{Operation: op, Bucket: "b", Metadata: map[string]string{"dataset": "d", "qqfilename": name}}}
	}
	for _, test := range []struct {
		env   map[string]string
		op    sign.Operation
		name  string
		wants string
	}{
		{nil, sign.PostObject, "anything", ""},
		{env, sign.PostObject, "small.txt", ""},
		{env, sign.CreateMultipartUpload, "large.bam", ""},
		{env, sign.PostObject, "other.txt", "This file has not been approved for transfer, check upload is to correct dataset."},
		{env, sign.CreateMultipartUpload, "", "This file has not been approved for transfer, check upload is to correct dataset."},
		{env, sign.UploadPart, "", ""}, // parts carry no metadata
	} {
		got := ""
		if err := with(test.env).ChallengeIsGood(context.Background(), challenge(test.op, test.name)); err != nil {
			got = err.Error()
		}
		if got != test.wants {
			t.Errorf("%s of %q with %v: %q", test.op, test.name, test.env, got)
		}
	}
}

// TestExampleSettings wants a setting of the example that cannot work to stop the server, by name.
func TestExampleSettings(t *testing.T) {
	for _, test := range []struct{ small, large, wants string }{
		{"b/d/small.txt", "", ""},
		{"b/d/small.txt", "b/d/large.bam", ""},
		{"yes", "", `P3S3F_EXAMPLE_ALLOW_SMALL is "yes"; set it to a file of this server's bucket, as b/DATASET/FILENAME, or unset it`},
		{"b/d/small.txt", "other/d/large.bam", `P3S3F_EXAMPLE_ALLOW_LARGE is "other/d/large.bam"; set it to a file of this server's bucket, as b/DATASET/FILENAME, or unset it`},
		{"", "b/d/large.bam", "P3S3F_EXAMPLE_ALLOW_LARGE has no effect without P3S3F_EXAMPLE_ALLOW_SMALL; set both, or none"},
	} {
		got := ""
		if err := checkExample("b", test.small, test.large); err != nil {
			got = err.Error()
		}
		if got != test.wants {
			t.Errorf("%q, %q: %q", test.small, test.large, got)
		}
	}
}
