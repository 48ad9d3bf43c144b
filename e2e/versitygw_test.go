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

// startVersitygw starts a gateway over an empty directory for the length of the test.
func startVersitygw(t *testing.T) *store {
	t.Helper()
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	binary, err := versitygwBinary()
	if err != nil {
		t.Fatal(err)
	}
	s := newStore("versitygw", port)
	p, err := startProcess("", nil, append([]string{binary,
		"--port", loopback(port), "--access", s.accessKey, "--secret", s.secretKey,
		"--virtual-domain", "localhost:" + strconv.Itoa(port), "--quiet",
		"posix"}, posixBackend(t)...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.stop)
	if err := p.listens(port, 10*time.Second); err != nil {
		t.Fatal(err)
	}
	return s
}

// posixBackend returns the arguments for a new data directory. versitygw keeps
// metadata in extended attributes, or beside the data where there are none.
func posixBackend(t *testing.T) []string {
	data := t.TempDir()
	if err := syscall.Setxattr(data, "user.e2e", []byte("?"), 0); err != nil {
		t.Logf("no extended attributes in %s (%v): versitygw uses a sidecar directory", data, err)
		return []string{"--sidecar", t.TempDir(), data}
	}
	return []string{data}
}

// versitygwBinary finds the gateway that `make` put beside the server.
func versitygwBinary() (string, error) {
	beside := filepath.Join(filepath.Dir(shared.binary), "versitygw")
	if _, err := os.Stat(beside); err == nil {
		return beside, nil
	}
	inPath, err := exec.LookPath("versitygw")
	if err != nil {
		return "", fmt.Errorf("versitygw is neither %s nor in PATH: run make first", beside)
	}
	return inPath, nil
}
