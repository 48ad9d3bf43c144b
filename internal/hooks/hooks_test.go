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

// TestShippedHooks tests the hooks as shipped.
func TestShippedHooks(t *testing.T) {
	env := map[string]string{
		"AWS_DEST_BUCKET":           "b",
		"P3S3F_EXAMPLE_ALLOW_SMALL": "b/d/small.txt",
		"P3S3F_EXAMPLE_ALLOW_LARGE": "b/d/large.bam",
	}
	with := func(env map[string]string) Funcs {
		h, err := New(t.Context(), Config{
			Getenv: func(name string) string { return env[name] }, Log: slog.New(slog.DiscardHandler),
		})
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
	const notApproved = "This file has not been approved for transfer, check upload is to correct dataset."
	for _, test := range []struct {
		env  map[string]string
		op   sign.Operation
		name string
		want string
	}{
		{nil, sign.PostObject, "anything", ""},
		{env, sign.PostObject, "small.txt", ""},
		{env, sign.CreateMultipartUpload, "large.bam", ""},
		{env, sign.PostObject, "other.txt", notApproved},
		{env, sign.CreateMultipartUpload, "", notApproved},
		{env, sign.UploadPart, "", ""}, // parts have no metadata
	} {
		got := ""
		if err := with(test.env).ChallengeIsGood(context.Background(), challenge(test.op, test.name)); err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%s of %q with %v: %q, want %q", test.op, test.name, test.env, got, test.want)
		}
	}
}

// TestLogLineIsBounded checks that a report with many long fields gives a short log line.
func TestLogLineIsBounded(t *testing.T) {
	var log bytes.Buffer
	h, err := New(t.Context(), Config{
		Getenv: func(string) string { return "" }, Log: slog.New(slog.NewJSONHandler(&log, nil)),
	})
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
