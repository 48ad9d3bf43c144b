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

// The ways to start the server with a file of settings. The file is the shipped one, edited.
func TestStartWithEnvFile(t *testing.T) {
	t.Parallel()
	for _, way := range []struct {
		name    string
		command []string
	}{
		{"sourced", []string{"bash", "-c", "source my_p3s3f.env && " + shared.binary}},
		{"read", []string{shared.binary, "-env", "my_p3s3f.env"}},
	} {
		t.Run(way.name, func(t *testing.T) {
			b := newBucket(t, shared.radosgw)
			dir := newWorkDir(t)
			editEnv(t, filepath.Join(dir, "my_p3s3f.env"), settingsFor(b, pathStyle.endpoint(b.port)))
			srv := launch(t, dir, nil, way.command...)
			page := openTab(t, srv.url)
			page.choose(smallFile)
			page.await(30*time.Second, 1, done)
			b.holds(t, page.uploadOf(smallFile).Key, smallFile, eval[string](page, `fine_u_conf.request.params.dataset`))
			srv.end(t, func() { syscall.Kill(-srv.pid(), syscall.SIGTERM) })
		})
	}
}

// editEnv writes the shipped p3s3f.env with other values, as a user's editor would.
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
