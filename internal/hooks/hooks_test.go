package hooks

import (
	"context"
	"log/slog"
	"testing"

	"s3-sign-srv/internal/sign"
)

// TestShippedHooks is of the bodies as shipped: change it, or delete it, with them.
func TestShippedHooks(t *testing.T) {
	env := map[string]string{
		"AWS_DEST_BUCKET":           "b",
		"P3S3F_EXAMPLE_ALLOW_SMALL": "b/d/small.txt",
		"P3S3F_EXAMPLE_ALLOW_LARGE": "b/d/large.bam",
	}
	with := func(env map[string]string) *Hooks {
		h, err := New(func(name string) string { return env[name] }, nil, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	challenge := func(op sign.Operation, name string) *Challenge {
		return &Challenge{
			Request: &sign.Request{Operation: op, Bucket: "b", Metadata: map[string]string{"dataset": "d", "qqfilename": name}},
		}
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
		{env, sign.PostObject, "other.txt", "This file has not been approved for transfer, check upload is to correct " +
			"dataset."},
		{env, sign.CreateMultipartUpload, "", "This file has not been approved for transfer, check upload is to correct " +
			"dataset."},
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
