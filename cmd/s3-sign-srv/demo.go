package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"s3-sign-srv/internal/settings"
)

const (
	demoBucket = "demo"
	demoData   = "demo-data" // demo-data/demo/OWNER/FILE holds an upload
	demoStart  = 10 * time.Second
)

// serveDemo runs the server on a versitygw of its own, which verifies every signature as S3 does.
func serveDemo(ctx context.Context, getenv func(string) string, stdout, stderr io.Writer) error {
	store, err := startStore(stderr)
	if err != nil {
		return err
	}
	defer store.stop()
	getenv = store.environment(getenv)
	if err := store.prepare(ctx, getenv); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "demo store at http://%s, uploads appear in %s\n", store.address, filepath.Join(demoData, demoBucket))

	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	context.AfterFunc(store.ended, func() { cancel(errors.New("the demo store has ended unexpectedly")) })
	err = serve(ctx, getenv, stdout, stderr)
	if cause := context.Cause(ctx); err == nil && cause != nil && store.ended.Err() != nil {
		return cause
	}
	return err
}

// demoStore is a running versitygw.
type demoStore struct {
	address, accessKey, secretKey string
	process                       *os.Process
	ended                         context.Context // done once the process is
}

// startStore starts versitygw on a free loopback port with random keys.
func startStore(stderr io.Writer) (*demoStore, error) {
	program, err := findStore()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(demoData, 0o755); err != nil {
		return nil, fmt.Errorf("the demo keeps its uploads in %s: %w", demoData, err)
	}
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	s := &demoStore{address: address, accessKey: rand.Text(), secretKey: rand.Text()}
	cmd := exec.Command(program, "--quiet", "--port", address, "posix", demoData)
	cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+s.accessKey, "ROOT_SECRET_KEY="+s.secretKey)
	cmd.Stderr = stderr
	ended, done := context.WithCancel(context.Background())
	s.ended = ended
	if err := startChild(cmd, done); err != nil {
		return nil, fmt.Errorf("the demo store did not start: %w", err)
	}
	s.process = cmd.Process
	return s, nil
}

// findStore looks for versitygw where make puts it, beside this program, then in the PATH.
func findStore() (string, error) {
	if self, err := os.Executable(); err == nil {
		beside := filepath.Join(filepath.Dir(self), "versitygw")
		if info, err := os.Stat(beside); err == nil && info.Mode().IsRegular() {
			return beside, nil
		}
	}
	program, err := exec.LookPath("versitygw")
	if err != nil {
		return "", errors.New("the demo needs the store versitygw beside this program; make run puts it there")
	}
	return program, nil
}

// freeAddress asks the system for a loopback port that nobody uses.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// environment lays the store's settings over getenv. The page must share the store's scheme: no HTTPS.
func (s *demoStore) environment(getenv func(string) string) func(string) string {
	demo := map[string]string{
		"AWS_ENDPOINT":            "http://" + s.address,
		"AWS_DEST_BUCKET":         demoBucket,
		"AWS_CLIENT_ACCESS_KEY":   s.accessKey,
		"AWS_CLIENT_SECRET_KEY":   s.secretKey,
		"AWS_REGION":              "us-east-1",
		"AWS_SESSION_TOKEN":       "",
		"P3S3F_OWN_UPLOADS_ONLY":  "1",
		"P3S3F_USE_HTTPS":         "0",
		"P3S3F_ADDRESSING":        "path",
		"P3S3F_SIGNATURE_VERSION": "4", // versitygw refuses 2
	}
	return func(name string) string {
		if value, ok := demo[name]; ok {
			return value
		}
		return getenv(name)
	}
}

// prepare waits for the store, makes the bucket and puts basic_cors.xml on it.
func (s *demoStore) prepare(ctx context.Context, getenv func(string) string) error {
	if err := s.await(ctx); err != nil {
		return err
	}
	set, err := settings.Read(getenv)
	if err != nil {
		return fmt.Errorf("the settings need mending:\n%w", err)
	}
	cors, err := os.ReadFile("basic_cors.xml")
	if err != nil {
		return fmt.Errorf("the demo puts basic_cors.xml on its bucket; start it where that file is: %w", err)
	}
	b := newBucket(set)
	if _, err := os.Stat(filepath.Join(demoData, demoBucket)); err != nil {
		if err := b.Create(ctx); err != nil {
			return err
		}
	}
	return b.PutCORS(ctx, cors)
}

// await returns once the store accepts connections.
func (s *demoStore) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, demoStart)
	defer cancel()
	for {
		if conn, err := net.Dial("tcp", s.address); err == nil {
			return conn.Close()
		}
		select {
		case <-s.ended.Done():
			return errors.New("the demo store has ended; its words are above (it needs a file system with extended attributes)")
		case <-ctx.Done():
			return fmt.Errorf("the demo store did not listen on %s within %v", s.address, demoStart)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// stop ends the store and waits until it has ended.
func (s *demoStore) stop() {
	s.process.Signal(os.Interrupt)
	select {
	case <-s.ended.Done():
	case <-time.After(3 * time.Second):
		s.process.Kill()
		<-s.ended.Done()
	}
}
