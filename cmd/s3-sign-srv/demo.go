package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"time"

	assets "s3-sign-srv"
	"s3-sign-srv/internal/s3admin"
)

const (
	demoBucket = "demo"
	demoData   = "demo-data"  // demo-data/demo/OWNER/FILE holds an upload
	demoAccess = ".demo.json" // in demo-data, no bucket's name: address and keys of the store, for the next time
	demoStart  = 10 * time.Second
)

// serveDemo runs the server on a versitygw of its own, which verifies every signature as S3 does.
func serveDemo(ctx context.Context, getenv func(string) string, stdout, stderr io.Writer) error {
	store, err := newStore()
	if err != nil {
		return err
	}
	if getenv("P3S3F_USE_HTTPS") == "1" {
		fmt.Fprintln(stderr, "P3S3F_USE_HTTPS=1 has no effect on the demo: its store has no certificate, and a page that came by HTTPS could not reach it")
	}
	getenv = store.environment(getenv)
	p, err := newPlace(getenv) // before the store: a wrong setting or a taken port needs no store to be told
	if err != nil {
		return err
	}
	defer p.listener.Close()
	if err := store.start(stderr); err != nil {
		return err
	}
	defer store.stop()
	if err := store.prepare(ctx, s3admin.New(bucketConfig(p.set))); err != nil {
		if ctx.Err() != nil {
			return nil // a signal came first
		}
		return err
	}
	fmt.Fprintf(stdout, "demo store at http://%s, uploads appear in %s\n", store.Address, filepath.Join(demoData, demoBucket))

	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	context.AfterFunc(store.ended, func() { cancel(errors.New("the demo store has ended unexpectedly")) })
	err = p.serve(ctx, getenv, stdout, stderr)
	if cause := context.Cause(ctx); err == nil && cause != nil && store.ended.Err() != nil {
		return cause
	}
	return err
}

// demoStore is a versitygw. Its address and keys stay the same from one demo to the next, so that a page
// left open, its cookie and half-uploaded files are still good.
type demoStore struct {
	Address, AccessKey, SecretKey string

	process *os.Process
	words   *mutable        // what it says
	ended   context.Context // done once the process is
}

// newStore takes the last demo's address and keys, or a free address and random keys.
func newStore() (*demoStore, error) {
	if err := os.MkdirAll(demoData, 0o755); err != nil {
		return nil, fmt.Errorf("the demo keeps its uploads in %s: %w", demoData, err)
	}
	file := filepath.Join(demoData, demoAccess)
	s := new(demoStore)
	if text, err := os.ReadFile(file); err != nil || json.Unmarshal(text, s) != nil || s.AccessKey == "" || s.SecretKey == "" {
		s.AccessKey, s.SecretKey = rand.Text(), rand.Text()
	}
	if err := s.findAddress(); err != nil {
		return nil, err
	}
	text, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	return s, os.WriteFile(file, text, 0o600)
}

// findAddress keeps the address if nobody uses it, and else asks the system for a free loopback port.
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

// start starts versitygw.
func (s *demoStore) start(stderr io.Writer) error {
	program, err := findStore()
	if err != nil {
		return err
	}
	s.words = &mutable{to: stderr}
	cmd := exec.Command(program, "--quiet", "--port", s.Address, "posix", demoData)
	cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+s.AccessKey, "ROOT_SECRET_KEY="+s.SecretKey)
	cmd.Stderr = s.words
	ended, done := context.WithCancel(context.Background())
	s.ended = ended
	if err := startChild(cmd, done); err != nil {
		return fmt.Errorf("the demo store did not start: %w", err)
	}
	s.process = cmd.Process
	return nil
}

// mutable passes on what is written to it until it is muted.
type mutable struct {
	to    io.Writer
	muted atomic.Bool
}

func (m *mutable) Write(p []byte) (int, error) {
	if m.muted.Load() {
		return len(p), nil
	}
	return m.to.Write(p)
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

// environment lays the store's settings over getenv. The page must share the store's scheme: no HTTPS.
func (s *demoStore) environment(getenv func(string) string) func(string) string {
	demo := map[string]string{
		"AWS_ENDPOINT":            "http://" + s.Address,
		"AWS_DEST_BUCKET":         demoBucket,
		"AWS_CLIENT_ACCESS_KEY":   s.AccessKey,
		"AWS_CLIENT_SECRET_KEY":   s.SecretKey,
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
func (s *demoStore) prepare(ctx context.Context, b *s3admin.Bucket) error {
	if err := s.await(ctx); err != nil {
		return err
	}
	cors, err := fs.ReadFile(assets.FS("."), "basic_cors.xml")
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(demoData, demoBucket)); err != nil {
		if err := b.Create(ctx); err != nil {
			return err
		}
	}
	return b.PutCORS(ctx, cors)
}

// await returns once the store accepts connections.
func (s *demoStore) await(ctx context.Context) error {
	tooLate := time.After(demoStart)
	for {
		if conn, err := net.Dial("tcp", s.Address); err == nil {
			return conn.Close()
		}
		select {
		case <-s.ended.Done():
			return errors.New("the demo store has ended; its words are above (it needs a file system with extended attributes)")
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tooLate:
			return fmt.Errorf("the demo store did not listen on %s within %v", s.Address, demoStart)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// stop ends the store and waits until it has ended; what it says of that is of no interest.
func (s *demoStore) stop() {
	s.words.muted.Store(true)
	s.process.Signal(os.Interrupt)
	select {
	case <-s.ended.Done():
	case <-time.After(3 * time.Second):
		s.process.Kill()
		<-s.ended.Done()
	}
}
