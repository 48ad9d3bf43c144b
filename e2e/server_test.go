//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// settings are the server's environment variables.
type settings map[string]string

// with returns a copy of s in which the values of other win.
func (s settings) with(other settings) settings {
	all := maps.Clone(s)
	maps.Copy(all, other)
	return all
}

// environment is the server's whole environment: the settings, and PATH and HOME of the tests.
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
		"P3S3F_HOST_PORT":        "0",
		"P3S3F_LOG_LEVEL":        "debug",
		"P3S3F_OWN_UPLOADS_ONLY": "0",
		"AWS_CLIENT_ACCESS_KEY":  b.accessKey,
		"AWS_CLIENT_SECRET_KEY":  b.secretKey,
		"AWS_DEST_BUCKET":        b.name,
		"AWS_ENDPOINT":           endpoint,
		"AWS_REGION":             region,
	}
}

// A server is a running s3-sign-srv.
type server struct {
	*process
	url string // of the page
	dir string // the working directory
}

// startServer runs the server in dir until the test ends. Then it must exit with code 0 on SIGTERM.
func startServer(t *testing.T, dir string, s settings, args ...string) *server {
	t.Helper()
	srv := launch(t, dir, s, append([]string{shared.binary}, args...)...)
	t.Cleanup(func() { srv.shutdown(t, func() { srv.signal(syscall.SIGTERM) }) })
	return srv
}

// launch runs a command that starts the server, and waits until the server prints the URL of its page. The server must
// not print its secret key.
func launch(t *testing.T, dir string, s settings, command ...string) *server {
	t.Helper()
	p, err := startProcess(dir, s.environment(), command...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.stop()
		if secret := s["AWS_CLIENT_SECRET_KEY"]; secret != "" && strings.Contains(p.output.String(), secret) {
			t.Error("the server printed its secret key")
		}
		if t.Failed() {
			t.Logf("output of %s:\n%s", p.cmd, p.output)
		}
	})
	srv := &server{process: p, dir: dir}
	if err := p.poll(30*time.Second, srv.readURL); err != nil {
		t.Fatal(err)
	}
	return srv
}

// readURL reads the URL of the page, or of the API without one, from the server's output.
func (srv *server) readURL() (found bool) {
	if srv.url, found = srv.output.after("open "); !found {
		srv.url, found = srv.output.after("serving the API at ")
	}
	return found
}

// host is the host and port of the page's URL.
func (srv *server) host() string { return strings.TrimPrefix(srv.url, "http://") }

// address is where the server listens.
func (srv *server) address() string { return "127.0.0.1:" + srv.port() }

func (srv *server) port() string {
	_, port, _ := strings.Cut(srv.host(), ":")
	return port
}

// localURL is the page's URL in a browser on this machine, and remoteURL in one on another machine.
func (srv *server) localURL() string { return srv.url }

func (srv *server) remoteURL() string {
	return strings.NewReplacer("localhost", remoteHost, "127.0.0.1", remoteHost).Replace(srv.url)
}

// newCookie is the cookie that the server gives to a new browser.
func (srv *server) newCookie(t *testing.T) *http.Cookie {
	t.Helper()
	res, err := http.Get(srv.url + "/s3/owner")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if len(res.Cookies()) != 1 {
		t.Fatalf("cookies for a new browser: got %v, want one", res.Cookies())
	}
	return res.Cookies()[0]
}

// warnings are the warnings and errors in the log since the server started: about requests, not settings.
func (srv *server) warnings() (lines []string) {
	_, log, _ := strings.Cut(srv.output.String(), srv.url)
	for line := range strings.Lines(log) {
		if strings.Contains(line, "level=WARN") || strings.Contains(line, "level=ERROR") {
			lines = append(lines, line)
		}
	}
	return lines
}

// shutdown stops the server and checks that it exits with code 0. A server that has already exited is left alone.
func (srv *server) shutdown(t *testing.T, stop func()) {
	t.Helper()
	if !srv.running() {
		return
	}
	stop()
	code, err := srv.exitCode(15 * time.Second)
	if err != nil || code != 0 {
		t.Errorf("exit code of the server: got %d, %v, want 0", code, err)
	}
}

// newWorkDir creates a directory to start the server in: the page with its bundle, and the two files that users edit.
// A developer's own client_conf.js in static/ is left out.
func newWorkDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "static"), os.DirFS("../static")); err != nil {
		t.Fatal(err)
	}
	own := filepath.Join(dir, "static", "client_conf.js")
	if err := os.Remove(own); err != nil && !errors.Is(err, fs.ErrNotExist) {
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
		return "", fmt.Errorf("there is no server to test (%w); run make first", err)
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
