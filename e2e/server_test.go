//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A settings map is the environment that the server's documentation describes.
type settings map[string]string

// with returns a copy of s in which the values of other win.
func (s settings) with(other settings) settings {
	all := maps.Clone(s)
	maps.Copy(all, other)
	return all
}

// environment is what the server gets: PATH and HOME of the tests, and the settings, nothing else.
func (s settings) environment() []string {
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}
	for _, name := range slices.Sorted(maps.Keys(s)) {
		env = append(env, name+"="+s[name])
	}
	return env
}

// settingsFor are the settings of a server that signs for b, reached at endpoint.
func settingsFor(b *bucket, endpoint string) settings {
	return settings{
		"P3S3F_HOST_PORT":       "0",
		"P3S3F_LOG_LEVEL":       "debug",
		"AWS_CLIENT_ACCESS_KEY": b.accessKey,
		"AWS_CLIENT_SECRET_KEY": b.secretKey,
		"AWS_DEST_BUCKET":       b.name,
		"AWS_ENDPOINT":          endpoint,
		"AWS_REGION":            region,
	}
}

// A server is a running s3-sign-srv.
type server struct {
	*process
	url string // of the page
	dir string // the working directory
}

// startServer runs the server in dir until the test ends; then it must obey SIGTERM and exit 0.
func startServer(t *testing.T, dir string, s settings, args ...string) *server {
	t.Helper()
	srv := launch(t, dir, s, append([]string{shared.binary}, args...)...)
	t.Cleanup(func() { srv.end(t, func() { srv.signal(syscall.SIGTERM) }) })
	return srv
}

// launch runs a command line that starts the server, and waits until it says where its page is.
// The server may write what it likes, but not its secret.
func launch(t *testing.T, dir string, s settings, command ...string) *server {
	t.Helper()
	p, err := startProcess(dir, s.environment(), command...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.stop()
		if secret := s["AWS_CLIENT_SECRET_KEY"]; secret != "" && strings.Contains(p.output.String(), secret) {
			t.Error("the server wrote its secret key")
		}
		if t.Failed() {
			t.Logf("%s wrote\n%s", p.cmd, p.output)
		}
	})
	srv := &server{process: p, dir: dir}
	if err := p.poll(30*time.Second, srv.saysWhere); err != nil {
		t.Fatal(err)
	}
	return srv
}

func (srv *server) saysWhere() (said bool) {
	srv.url, said = srv.output.after("open ")
	return said
}

// here is where the page is for a browser on this machine, and elsewhere where it is for one on another.
func (srv *server) here() string { return srv.url }

func (srv *server) elsewhere() string {
	return strings.NewReplacer("localhost", elsewhere, "127.0.0.1", elsewhere).Replace(srv.url)
}

// complaints are the warnings and errors in the log since the server has started: about requests, not settings.
func (srv *server) complaints() (lines []string) {
	_, log, _ := strings.Cut(srv.output.String(), srv.url)
	for line := range strings.Lines(log) {
		if strings.Contains(line, "level=WARN") || strings.Contains(line, "level=ERROR") {
			lines = append(lines, line)
		}
	}
	return lines
}

// end asks the server to end, and wants the exit code 0. A server that was ended before is left alone.
func (srv *server) end(t *testing.T, ask func()) {
	t.Helper()
	if !srv.running() {
		return
	}
	ask()
	code, err := srv.exitCode(15 * time.Second)
	if err != nil || code != 0 {
		t.Errorf("the server did not end well: exit code %d, %v", code, err)
	}
}

// newWorkDir makes the directory that a user starts the server in: the page with its bundle, and the
// two files to edit. What a developer has made for himself in static/ stays out.
func newWorkDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "static"), os.DirFS("../static")); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "static", "client_conf.js")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	for _, name := range []string{"client_conf.js", "basic_cors.xml"} {
		copyFile(t, filepath.Join("..", name), filepath.Join(dir, name))
	}
	if _, err := os.Stat(filepath.Join(dir, "static", "s3.fine-uploader.js")); err != nil {
		t.Fatalf("%v: run make static first", err)
	}
	return dir
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, to, string(b))
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func serverBinary() (string, error) {
	path := os.Getenv("S3_SIGN_SRV_BIN")
	if path == "" {
		path = "../bin/s3-sign-srv"
	}
	path, err := filepath.Abs(path) // the server runs in other directories
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("no server to test (%w): run make first", err)
	}
	return path, nil
}

func appendFile(t *testing.T, path, text string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, path, string(b)+text)
}
