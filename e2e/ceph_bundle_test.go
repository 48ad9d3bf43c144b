//go:build e2e

package e2e

import (
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// The bundle of make static CEPH=1 sends a content type for every file, for Ceph versions that reject files without
// one. The usual bundle sends the browser's content type, which is empty for unknown file names.
func TestCephBundleNamesContentType(t *testing.T) {
	t.Parallel()
	const octetStream = "application/octet-stream"
	for _, version := range []int{2, 4} {
		t.Run(map[int]string{2: "V2", 4: "V4"}[version], func(t *testing.T) {
			b := newBucket(t, shared.radosgw)
			dir := newWorkDir(t)
			b.clientConf(virtualStyle, b.port, version).write(t, dir)
			env := settingsFor(b, virtualStyle.endpoint(b.port)).with(settings{"P3S3F_ADDRESSING": "virtual"})

			buildBundle(t, filepath.Join(dir, "static"))
			usual := uploadUntyped(t, dir, env, b)
			buildBundle(t, filepath.Join(dir, "static"), "--ceph")
			ceph := uploadUntyped(t, dir, env, b)

			for i, f := range untypedFiles {
				if usual[i] == octetStream {
					t.Errorf("%s: the usual bundle sent %s, so the test proves nothing", f.name, octetStream)
				}
				if ceph[i] != octetStream {
					t.Errorf("content type of %s: got %q, want %s", f.name, ceph[i], octetStream)
				}
			}
		})
	}
}

// untypedFiles are uploaded as a form and in parts.
var untypedFiles = []testFile{untypedFile, untypedLongFile}

// uploadUntyped returns the stored content types of the untyped files.
func uploadUntyped(t *testing.T, dir string, env settings, b *bucket) (types []string) {
	t.Helper()
	page := openTab(t, startServer(t, dir, env).url)
	page.choose(untypedFiles...)
	page.awaitStatus(60*time.Second, len(untypedFiles), done)
	for _, f := range untypedFiles {
		types = append(types, b.get(t, page.uploadOf(f).Key).contentType)
	}
	return types
}

// buildBundle builds the bundle in a directory, as make static does in static/.
func buildBundle(t *testing.T, to string, args ...string) {
	t.Helper()
	build := exec.Command("node", append([]string{"../bundle/build.mjs", "--out", to}, args...)...)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the bundle: %v\n%s", err, out)
	}
}
