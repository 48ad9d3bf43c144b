//go:build e2e

package e2e

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"syscall"
	"testing"
	"time"
)

// The server starts with an edited copy of the shipped settings file, sourced by a shell or read with -env. It needs no
// other file.
func TestStartWithEnvFile(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		command []string
	}{
		{"sourced", []string{"bash", "-c", "source my_p3s3f.env && " + shared.binary}},
		{"read", []string{shared.binary, "-env", "my_p3s3f.env"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBucket(t, shared.radosgw)
			dir := t.TempDir()
			editEnv(t, filepath.Join(dir, "my_p3s3f.env"), settingsFor(b, pathStyle.endpoint(b.port)))
			srv := launch(t, dir, nil, test.command...)
			page := openTab(t, srv.url)
			page.choose(smallFile)
			page.awaitStatus(30*time.Second, 1, done)
			b.checkObject(t, page.uploadOf(smallFile).Key, smallFile, page.dataset())
			srv.shutdown(t, func() { syscall.Kill(-srv.pid(), syscall.SIGTERM) })
		})
	}
}

// editEnv writes a copy of the shipped p3s3f.env with other values.
func editEnv(t *testing.T, path string, s settings) {
	t.Helper()
	b, err := os.ReadFile("../p3s3f.env")
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	for _, name := range slices.Sorted(maps.Keys(s)) {
		line := "export " + name + "='" + s[name] + "'"
		known := regexp.MustCompile(`(?m)^#? *export ` + name + `=.*$`)
		if known.MatchString(text) {
			text = known.ReplaceAllLiteralString(text, line)
		} else {
			text += line + "\n"
		}
	}
	writeFile(t, path, text)
}
