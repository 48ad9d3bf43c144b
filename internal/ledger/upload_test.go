package ledger

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"s3-sign-srv/internal/apierror"
	"s3-sign-srv/internal/sign"
)

const (
	form     = string(sign.PostObject)
	initiate = string(sign.CreateMultipartUpload)
	part     = string(sign.UploadPart)
	complete = string(sign.CompleteMultipartUpload)
	abort    = string(sign.AbortMultipartUpload)
)

// TestUploads takes steps with expected files and checks the refusals, and the state of each file at the end.
func TestUploads(t *testing.T) {
	const there, busy, lost = "there already, under the key %q", "being uploaded already, under the key %q", "taken over"
	const manifest = "dataset,name,size,sha256,owner\n" +
		"D1,reads.bam,,,\nD1,notes.txt,5,,\nD2,hers.txt,,,ada\nD2,sum.txt,," + sum + ",\n"
	exactly := func(n int64) *sign.SizeRange { return &sign.SizeRange{Min: n, Max: n} }
	tests := map[string][]step{
		"only expected files of a data set that has some": {
			{do: form, key: "ada/1", dataset: "D1", name: "other.bam",
				refusal: `"other.bam" is not expected in the data set "D1"`},
			{do: form, key: "ada/1", dataset: "D3", name: "other.bam"},
			{do: form, key: "ada/2", name: "no data set"},
			{do: form, key: "ada/3", dataset: "D\x003", name: "nul\x00"},
			{do: "stored", key: "ada/3", dataset: "D\x003", name: "nul\x00"},
		},
		"chunked, from begin to end": {
			{do: initiate, key: "ada/1", dataset: "D1", name: "reads.bam"},
			{do: part, key: "ada/1"},
			{do: initiate, key: "bob/2", dataset: "D1", name: "reads.bam", refusal: fmt.Sprintf(busy, "ada/1")},
			{do: complete, key: "ada/1"},
			{do: "stored", key: "ada/1", dataset: "D1", name: "reads.bam"},
			{do: initiate, key: "ada/2", dataset: "D1", name: "reads.bam", refusal: fmt.Sprintf(there, "ada/1")},
			{do: "accepted", key: "ada/1"},
			{do: "stored", key: "ada/1", dataset: "D1", name: "reads.bam"}, // repeated: the response was lost
			{do: "accepted", key: "ada/1"},
			{do: part, key: "ada/1", refusal: "complete already"},
			{do: initiate, key: "ada/1", dataset: "D1", name: "reads.bam", refusal: fmt.Sprintf(there, "ada/1")},
			{do: initiate, key: "ada/1", dataset: "D3", name: "any", refusal: `key "ada/1" belongs to a file that is there`},
		},
		"the owner takes over at once": {
			{do: initiate, key: "ada/1", dataset: "D1", name: "reads.bam"},
			{do: part, key: "ada/1"},
			{do: initiate, key: "ada/2", dataset: "D1", name: "reads.bam"},
			{do: part, key: "ada/1", refusal: lost},
			{do: complete, key: "ada/1", refusal: lost},
			{do: abort, key: "ada/1"},
			{do: part, key: "ada/2"},
			{do: "stored", key: "ada/2", dataset: "D1", name: "reads.bam"},
			{do: "accepted", key: "ada/2"},
		},
		"of two uploads of an owner, the first to report wins": {
			{do: form, key: "ada/1", dataset: "D1", name: "reads.bam"},
			{do: form, key: "ada/2", dataset: "D1", name: "reads.bam"},
			{do: "stored", key: "ada/1", dataset: "D1", name: "reads.bam"},
			{do: "stored", key: "ada/2", dataset: "D1", name: "reads.bam", refusal: fmt.Sprintf(there, "ada/1")},
			{do: "accepted", key: "ada/1"},
			{do: "accepted", key: "ada/2"}, // without effect: it is refused
		},
		"others take over an hour after the last request": {
			{do: initiate, key: "ada/1", dataset: "D1", name: "reads.bam"},
			{do: "59m"},
			{do: part, key: "ada/1"},
			{do: "59m"},
			{do: initiate, key: "bob/2", dataset: "D1", name: "reads.bam", refusal: fmt.Sprintf(busy, "ada/1")},
			{do: "2m"},
			{do: initiate, key: "bob/2", dataset: "D1", name: "reads.bam"},
			{do: part, key: "ada/1", refusal: lost},
			{do: "stored", key: "ada/1", dataset: "D1", name: "reads.bam", refusal: fmt.Sprintf(busy, "bob/2")},
			{do: part, key: "ada/1", refusal: "was refused: This file is being uploaded already"},
			{do: "stored", key: "bob/2", dataset: "D1", name: "reads.bam"},
			{do: "accepted", key: "bob/2"},
		},
		"without an owner, nobody takes over at once": {
			{do: initiate, key: "/1", dataset: "D1", name: "reads.bam"},
			{do: initiate, key: "/2", dataset: "D1", name: "reads.bam", refusal: fmt.Sprintf(busy, "/1")},
			{do: initiate, key: "/1", dataset: "D1", name: "reads.bam"}, // repeated
		},
		"an aborted upload gives up its claim": {
			{do: initiate, key: "ada/1", dataset: "D1", name: "reads.bam"},
			{do: part, key: "ada/1"},
			{do: abort, key: "ada/1"},
			{do: part, key: "ada/1", refusal: lost},
			{do: form, key: "bob/2", dataset: "D1", name: "reads.bam"},
			{do: abort, key: "ada/1"},
			{do: "stored", key: "bob/2", dataset: "D1", name: "reads.bam"},
		},
		"a refused file can be uploaded again": {
			{do: form, key: "ada/1", dataset: "D1", name: "reads.bam"},
			{do: "stored", key: "ada/1", dataset: "D1", name: "reads.bam"},
			{do: "refused", key: "ada/1"},
			{do: form, key: "bob/2", dataset: "D1", name: "reads.bam"},
			{do: "stored", key: "ada/1", dataset: "D1", name: "reads.bam", refusal: fmt.Sprintf(busy, "bob/2")},
			{do: initiate, key: "bob/3", dataset: "D1", name: "reads.bam"},
			{do: part, key: "bob/3"},
			{do: "stored", key: "bob/3", dataset: "D1", name: "reads.bam"},
			{do: "accepted", key: "bob/3"},
		},
		"a refused upload does not stop the next one of its owner": {
			{do: form, key: "ada/1", dataset: "D1", name: "reads.bam"},
			{do: "stored", key: "ada/1", dataset: "D1", name: "reads.bam"},
			{do: "refused", key: "ada/1"},
			{do: initiate, key: "ada/2", dataset: "D1", name: "reads.bam"},
			{do: "stored", key: "ada/1", dataset: "D1", name: "reads.bam", refusal: fmt.Sprintf(busy, "ada/2")},
			{do: "31s"},
			{do: part, key: "ada/2"},
		},
		"a deleted file can be uploaded again": {
			{do: form, key: "ada/1", dataset: "D1", name: "reads.bam"},
			{do: "stored", key: "ada/1", dataset: "D1", name: "reads.bam"},
			{do: "accepted", key: "ada/1"},
			{do: "deleted", key: "ada/1"},
			{do: part, key: "ada/1", refusal: "was deleted"},
			{do: form, key: "bob/2", dataset: "D1", name: "reads.bam"},
		},
		"size": {
			{do: form, key: "ada/1", dataset: "D1", name: "notes.txt", sizes: &sign.SizeRange{Min: 6, Max: 9},
				refusal: "another size than the expected 5 bytes"},
			{do: form, key: "ada/1", dataset: "D1", name: "notes.txt", sizes: &sign.SizeRange{Min: 0, Max: 9}},
			{do: "stored", key: "ada/1", dataset: "D1", name: "notes.txt", sizes: exactly(4), refusal: "another size"},
			{do: form, key: "bob/2", dataset: "D1", name: "notes.txt"},
			{do: "stored", key: "bob/2", dataset: "D1", name: "notes.txt", sizes: exactly(5)},
		},
		"SHA-256": {
			{do: form, key: "ada/1", dataset: "D2", name: "sum.txt", sha256: strings.Repeat("1", 64),
				refusal: "another SHA-256"},
			{do: form, key: "ada/1", dataset: "D2", name: "sum.txt", sha256: strings.ToUpper(sum)},
			{do: "stored", key: "ada/1", dataset: "D2", name: "sum.txt", sha256: strings.ToUpper(sum)},
		},
		"owner": {
			{do: form, key: "bob/1", dataset: "D2", name: "hers.txt", refusal: "expected from another user"},
			{do: form, key: "ada/1", dataset: "D2", name: "hers.txt"},
		},
		"begun before there was a ledger": {
			{do: part, key: "ada/1"},
			{do: complete, key: "ada/1"},
			{do: initiate, key: "bob/2", dataset: "D1", name: "reads.bam"},
			{do: "stored", key: "ada/1", dataset: "D1", name: "reads.bam", refusal: fmt.Sprintf(busy, "bob/2")},
			{do: "stored", key: "ada/3", dataset: "D1", name: "unknown", refusal: "not expected"},
			{do: "stored", key: "ada/4", dataset: "D2", name: "hers.txt"},
		},
	}
	forEach(t, func(t *testing.T, l fixture) {
		for name, steps := range tests {
			t.Run(name, func(t *testing.T) {
				l.Bucket = name // has nothing yet
				l.parts.Purge()
				l.expect(t, manifest)
				for i, s := range steps {
					checkRefusal(t, fmt.Sprintf("step %d, %s of %s", i, s.do, s.key), l.take(t.Context(), s), s.refusal)
				}
			})
		}
	})
}

const sum = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// checkRefusal checks that err is a refusal with that sentence, or nil.
func checkRefusal(t *testing.T, what string, err error, sentence string) {
	t.Helper()
	var refusal *apierror.Error
	switch {
	case err == nil && sentence == "":
	case !errors.As(err, &refusal) || refusal.Code == apierror.Unavailable:
		t.Errorf("%s: %v %v, want %q", what, err, errors.Unwrap(err), sentence)
	case sentence == "" || !strings.Contains(refusal.Message, sentence):
		t.Errorf("%s: %q, want %q", what, refusal.Message, sentence)
	}
}

// TestStates checks what the ledger says of uploads and expected files after each step.
func TestStates(t *testing.T) {
	forEach(t, func(t *testing.T, l fixture) {
		l.expect(t, "dataset,name\nD1,a\n")
		for _, test := range []struct {
			step
			expected   string
			unaccepted bool
		}{
			{step{do: "0s"}, "D1/a: open", false},
			{step{do: initiate, key: "ada/1", dataset: "D1", name: "a"}, "D1/a: begun ada/1", true},
			{step{do: "stored", key: "ada/1", dataset: "D1", name: "a"}, "D1/a: stored ada/1", true},
			{step{do: "accepted", key: "ada/1"}, "D1/a: accepted ada/1", false},
			{step{do: "refused", key: "ada/1"}, "D1/a: refused ada/1", true},
			{step{do: "accepted", key: "ada/1"}, "D1/a: refused ada/1", true},
			{step{do: "stored", key: "ada/1", dataset: "D1", name: "a"}, "D1/a: stored ada/1", true},
			{step{do: "accepted", key: "ada/1"}, "D1/a: accepted ada/1", false},
			{step{do: "deleted", key: "ada/1"}, "D1/a: deleted ada/1", true},
		} {
			if err := l.take(t.Context(), test.step); err != nil {
				t.Fatalf("%s: %v", test.do, err)
			}
			unaccepted, err := l.Unaccepted(t.Context(), []string{"ada/1", "unknown"})
			if err != nil || unaccepted["ada/1"] != test.unaccepted || unaccepted["unknown"] {
				t.Errorf("%s: %v is not accepted, %v", test.do, unaccepted, err)
			}
			if got := l.states(t); !slices.Equal(got, []string{test.expected}) {
				t.Errorf("%s: %q, want %q", test.do, got, test.expected)
			}
		}
	})
}
