//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// startVersitygw starts a gateway with an empty directory. It is stopped when the test ends.
func startVersitygw(t *testing.T) *store {
	t.Helper()
	return newVersitygw(t).store
}

// A versitygw is a store that can be killed and restarted with the same data.
type versitygw struct {
	*store
	*process
	command []string
	env     []string
}

// newVersitygw starts a gateway with options in environment variables.
func newVersitygw(t *testing.T, env ...string) *versitygw {
	t.Helper()
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	binary, err := versitygwBinary()
	if err != nil {
		t.Fatal(err)
	}
	g := &versitygw{store: newStore("versitygw", port), env: env}
	g.command = append([]string{binary,
		"--port", loopback(port), "--access", g.accessKey, "--secret", g.secretKey,
		"--virtual-domain", "localhost:" + strconv.Itoa(port), "--quiet",
		"posix"}, posixBackend(t)...)
	g.start(t)
	t.Cleanup(func() { g.process.stop() })
	return g
}

// start starts the gateway.
func (g *versitygw) start(t *testing.T) {
	t.Helper()
	var err error
	if g.process, err = startProcess("", g.env, g.command...); err != nil {
		t.Fatal(err)
	}
	if err := g.listens(g.port, 30*time.Second); err != nil {
		t.Fatal(err)
	}
}

// posixBackend returns the arguments for a new data directory. versitygw keeps metadata in extended attributes, or in a
// sidecar directory if the file system has none.
func posixBackend(t *testing.T) []string {
	data := t.TempDir()
	if err := syscall.Setxattr(data, "user.e2e", []byte("?"), 0); err != nil {
		t.Logf("no extended attributes in %s (%v): versitygw uses a sidecar directory", data, err)
		return []string{"--sidecar", t.TempDir(), data}
	}
	return []string{data}
}

// versitygwBinary finds the gateway in the server's directory, where make installs it, or in PATH.
func versitygwBinary() (string, error) {
	built := filepath.Join(filepath.Dir(shared.binary), "versitygw")
	if _, err := os.Stat(built); err == nil {
		return built, nil
	}
	inPath, err := exec.LookPath("versitygw")
	if err != nil {
		return "", fmt.Errorf("versitygw is neither at %s nor in PATH; run make first", built)
	}
	return inPath, nil
}
