package cli

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"s3-sign-srv/internal/s3admin"
)

const (
	demoStateFile    = ".demo.json" // in demo-data, no bucket's name: address and keys of the store, for the next time
	demoStartTimeout = 10 * time.Second
)

// demoStore is a versitygw. Its address and keys stay the same from one demo to the next, so that an open page, its
// cookie and half-uploaded files remain valid.
type demoStore struct {
	Address, AccessKey, SecretKey string

	ended chan struct{} // closed when the process has ended
}

// newDemoStore takes the last demo's address and keys, or a free address and random keys.
func newDemoStore() (*demoStore, error) {
	if err := os.MkdirAll(demoData, 0o755); err != nil {
		return nil, fmt.Errorf("the demo keeps its uploads in %s: %w", demoData, err)
	}
	file := filepath.Join(demoData, demoStateFile)
	s := &demoStore{ended: make(chan struct{})}
	text, err := os.ReadFile(file)
	if err != nil || json.Unmarshal(text, s) != nil || s.AccessKey == "" || s.SecretKey == "" {
		s.AccessKey, s.SecretKey = rand.Text(), rand.Text()
	}
	if err := s.findAddress(); err != nil {
		return nil, err
	}
	text, err = json.Marshal(s)
	if err != nil {
		return nil, err
	}
	return s, os.WriteFile(file, text, 0o600)
}

// findAddress keeps the address if it is free, and asks the system for a free loopback port otherwise.
func (s *demoStore) findAddress() error {
	for _, address := range []string{cmp.Or(s.Address, "127.0.0.1:0"), "127.0.0.1:0"} {
		l, err := net.Listen("tcp", address)
		if err == nil {
			s.Address = l.Addr().String()
			return l.Close()
		}
	}
	return errors.New("the demo found no free port on 127.0.0.1 for its store")
}

// start starts versitygw. stop kills it: what it has accepted is in files.
func (s *demoStore) start(stderr io.Writer) (stop func(), err error) {
	program, err := findVersitygw()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(program, "--quiet", "--port", s.Address, "posix", demoData)
	cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+s.AccessKey, "ROOT_SECRET_KEY="+s.SecretKey)
	cmd.Stderr, cmd.SysProcAttr = stderr, childAttributes()
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // on Linux, the kernel kills the child when the thread that started it ends
		err := cmd.Start()
		started <- err
		if err == nil {
			cmd.Wait()
			close(s.ended)
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("the demo store did not start: %w", err)
	}
	return func() { cmd.Process.Kill(); <-s.ended }, nil
}

// findVersitygw looks for versitygw beside this program, where make puts it, then in the PATH.
func findVersitygw() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	for _, name := range []string{filepath.Join(filepath.Dir(self), "versitygw"), "versitygw"} {
		if program, err := exec.LookPath(name); err == nil {
			return program, nil
		}
	}
	return "", errors.New("the demo needs the store versitygw beside this program; make run puts it there")
}

// settings returns getenv with the store's settings instead of the user's. HTTPS is off: the store has none.
func (s *demoStore) settings(getenv func(string) string) func(string) string {
	demo := map[string]string{
		"AWS_ENDPOINT":              "http://" + s.Address,
		"AWS_DEST_BUCKET":           demoBucket,
		"AWS_CLIENT_ACCESS_KEY":     s.AccessKey,
		"AWS_CLIENT_SECRET_KEY":     s.SecretKey,
		"AWS_CLIENT_OLD_ACCESS_KEY": "",
		"AWS_CLIENT_OLD_SECRET_KEY": "",
		"AWS_REGION":                "us-east-1",
		"AWS_SESSION_TOKEN":         "",
		"P3S3F_OWN_UPLOADS_ONLY":    "1",
		"P3S3F_USE_HTTPS":           "0",
		"P3S3F_ADDRESSING":          "path",
		"P3S3F_SIGNATURE_VERSION":   "4", // versitygw does not verify 2
	}
	return func(name string) string {
		if _, ok := demo[strings.TrimSuffix(name, "_FILE")]; ok {
			return demo[name]
		}
		return getenv(name)
	}
}

// prepare waits for the store, creates the bucket and puts basic_cors.xml on it.
func (s *demoStore) prepare(ctx context.Context, b *s3admin.Bucket) error {
	if err := s.await(ctx); err != nil {
		return err
	}
	rules, err := readCORS("", nil, nil)
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(demoData, demoBucket)); err != nil {
		if err := b.Create(ctx); err != nil {
			return err
		}
	}
	return b.PutCORS(ctx, rules)
}

// await returns once the store accepts connections.
func (s *demoStore) await(ctx context.Context) error {
	timeout := time.After(demoStartTimeout)
	for {
		if conn, err := net.Dial("tcp", s.Address); err == nil {
			return conn.Close()
		}
		select {
		case <-s.ended:
			return errors.New("the demo store has ended; its messages are above " +
				"(it needs a file system with extended attributes)")
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-timeout:
			return fmt.Errorf("the demo store did not listen on %s within %v", s.Address, demoStartTimeout)
		case <-time.After(5 * time.Millisecond):
		}
	}
}
