package hooks

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"unicode/utf8"

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

// TestLogLineIsBounded reports an upload with more and longer fields than any page sends.
func TestLogLineIsBounded(t *testing.T) {
	var log bytes.Buffer
	h, err := New(func(string) string { return "" }, nil, slog.New(slog.NewJSONHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("é", 30_000)
	form := map[string]string{}
	for i := range 1000 {
		form[fmt.Sprintf("%04d%s", i, long)] = long
	}
	if _, err := h.Success(t.Context(), &Upload{Key: "k", UUID: long, Name: long, Form: form}); err != nil {
		t.Fatal(err)
	}
	if line := log.String(); len(line) > 16<<10 || !strings.Contains(line, `"more":980`) || !utf8.ValidString(line) {
		t.Errorf("%d bytes: %.300s", len(line), line)
	}
}
