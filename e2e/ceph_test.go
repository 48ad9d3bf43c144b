//go:build e2e

package e2e

import (
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// The bundle of `make static CEPH=1` names a content type for every file, for a Ceph that refuses files
// without one; the usual bundle sends what the browser knows, which for an odd name is nothing.
func TestCephBundleNamesContentType(t *testing.T) {
	t.Parallel()
	const named = "application/octet-stream"
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
				if usual[i] == named {
					t.Errorf("%s: the usual bundle sent %s: this store cannot show the difference", f.name, named)
				}
				if ceph[i] != named {
					t.Errorf("%s: stored as %q, want %s", f.name, ceph[i], named)
				}
			}
		})
	}
}

// untypedFiles go up as a form and in parts.
var untypedFiles = []testFile{untypedFile, untypedLongFile}

// uploadUntyped returns the stored content types of the untyped files.
func uploadUntyped(t *testing.T, dir string, env settings, b *bucket) (types []string) {
	t.Helper()
	page := openTab(t, startServer(t, dir, env).url)
	page.choose(untypedFiles...)
	page.await(60*time.Second, len(untypedFiles), done)
	for _, f := range untypedFiles {
		types = append(types, b.get(t, page.uploadOf(f).Key).contentType)
	}
	return types
}

// buildBundle does what `make static` does, into another directory.
func buildBundle(t *testing.T, to string, args ...string) {
	t.Helper()
	out, err := exec.Command("node", append([]string{"../bundle/build.mjs", "--out", to}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("build the bundle: %v\n%s", err, out)
	}
}
