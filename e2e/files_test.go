//go:build e2e

package e2e

import (
	"crypto/sha256"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

const (
	kib = 1 << 10
	mb  = 1000 * 1000
	mib = 1 << 20

	partSize = 5 * mib // Fine Uploader's; a larger file is uploaded in parts
)

// A testFile is a file on the user's disk. Its content is random and always the same; no two files, and no two parts
// of one, are alike.
type testFile struct {
	name string
	size int64
}

// testFiles are uploaded in every set-up. Each name is difficult in its own way.
var testFiles = []testFile{
	{"one byte.txt", 1},
	{"kibibyte.csv", kib},
	{"12 MB.png", 12 * mb},
	{"11 MB without extension", 11 * mb},
	{"reads.bam", 6 * mb},
	{"spaces  and (brackets), more.txt", 2 * kib},
	{"Füße größer als Äpfel.txt", 3 * kib},
	{"a+b & c=d #1 100%.txt", 4 * kib},
	{"a+b & c=d #1 100% in parts.txt", 6 * mb},
	{"日本語.tar.gz", 5 * kib},
	{"日本語 in parts.tar.gz", 6 * mb},
}

// Files for single tests.
var (
	smallFile       = testFile{"hello.txt", 2 * kib}
	longFile        = testFile{"long.bam", 8 * partSize}
	untypedFile     = testFile{"untyped", 7 * kib}
	untypedLongFile = testFile{"untyped and long", 6 * mb}
	umlautsFile     = testFile{"Füße größer als Äpfel.txt", 3 * kib}     // one of testFiles
	oddLongFile     = testFile{"a+b & c=d #1 100% in parts.txt", 6 * mb} // one of testFiles

	// Thirteen parts each; the last one is short.
	surveyFile       = testFile{"survey.bam", 64 * mb}
	secondSurveyFile = testFile{"second survey.bam", 65 * mb}
	thirdSurveyFile  = testFile{"third survey.bam", 66 * mb}
)

func writeTestFiles(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	more := []testFile{
		smallFile, longFile, untypedFile, untypedLongFile, surveyFile, secondSurveyFile, thirdSurveyFile,
	}
	for _, f := range slices.Concat(testFiles, more) {
		if err := os.WriteFile(filepath.Join(dir, f.name), f.content(), 0o600); err != nil {
			return err
		}
	}
	return nil
}

func (f testFile) content() []byte {
	var seed [32]byte
	h := fnv.New64a()
	h.Write([]byte(f.name))
	h.Sum(seed[:0])
	b := make([]byte, f.size)
	rand.NewChaCha8(seed).Read(b)
	return b
}

// parts is how many parts the file is uploaded in, 0 for a simple upload.
func (f testFile) parts() int64 {
	if f.size <= partSize {
		return 0
	}
	return (f.size + partSize - 1) / partSize
}

func (f testFile) path() string { return filepath.Join(shared.files, f.name) }

// sum is the SHA-256 of the file on disk.
func (f testFile) sum(t *testing.T) [sha256.Size]byte {
	t.Helper()
	b, err := os.ReadFile(f.path())
	if err != nil {
		t.Fatal(err)
	}
	return sha256.Sum256(b)
}

// ownFile writes a file that a test may change.
func ownFile(t *testing.T, name string, content []byte) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
