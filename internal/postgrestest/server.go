// Package postgrestest starts PostgreSQL for tests, in a temporary directory and on a free loopback port. It needs
// Debian's package postgresql.
package postgrestest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Password is that of the user tester, who may do everything.
const Password = "pass/word+of=tests"

// Server is a PostgreSQL server. It ends with this process.
type Server struct {
	dir, port  string
	credential *syscall.Credential // PostgreSQL does not run as root
	databases  atomic.Int32
	cmd        *exec.Cmd
	exited     chan error
}

// New makes the files of a server and starts it. Close removes them.
func New() (*Server, error) {
	dir, err := os.MkdirTemp("", "postgres")
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir}
	if err := errors.Join(s.create(), s.choosePort()); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := s.Start(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// create makes the files.
func (s *Server) create() error {
	password := filepath.Join(s.dir, "password")
	if err := os.WriteFile(password, []byte(Password), 0o600); err != nil {
		return err
	}
	if os.Geteuid() == 0 {
		if err := s.leaveRoot(password); err != nil {
			return err
		}
	}
	cmd, err := s.command("initdb", "--no-sync", "--username=tester", "--auth=scram-sha-256", "--pwfile="+password,
		"--encoding=UTF8", "--locale=C.UTF-8", "--pgdata="+filepath.Join(s.dir, "data"))
	if err != nil {
		return err
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return nil
}

// leaveRoot chooses another user for PostgreSQL, and gives the files to it.
func (s *Server) leaveRoot(password string) error {
	u, err := user.Lookup("nobody")
	if err != nil {
		return err
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	s.credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return errors.Join(os.Chown(s.dir, uid, gid), os.Chown(password, uid, gid))
}

func (s *Server) choosePort() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer l.Close()
	_, s.port, err = net.SplitHostPort(l.Addr().String())
	return err
}

// command returns a command of PostgreSQL, which Debian keeps outside of PATH.
func (s *Server) command(name string, args ...string) (*exec.Cmd, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if len(found) == 0 {
		return nil, fmt.Errorf("there is no %s below /usr/lib/postgresql; run make deps", name)
	}
	cmd := exec.Command(found[len(found)-1], args...)
	cmd.Dir, cmd.Env = s.dir, []string{"PATH=" + os.Getenv("PATH")}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGQUIT, Credential: s.credential}
	return cmd, nil
}

// Start starts the server again after Stop, and waits until it accepts connections.
func (s *Server) Start() (err error) {
	s.cmd, err = s.command("postgres", "-D", filepath.Join(s.dir, "data"), "-h", "127.0.0.1", "-p", s.port, "-k", s.dir)
	if err != nil {
		return err
	}
	started, exited := make(chan error), make(chan error, 1)
	s.exited = exited
	go func() {
		runtime.LockOSThread() // Pdeathsig is sent when the thread that started the child exits
		err := s.cmd.Start()
		started <- err
		if err == nil {
			exited <- s.cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		return err
	}
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		err := s.exec("SELECT 1")
		if err == nil || time.Now().After(end) {
			return err
		}
	}
}

// Stop ends all connections and the server.
func (s *Server) Stop() {
	s.cmd.Process.Signal(syscall.SIGINT) // "fast shutdown"
	<-s.exited
}

// Close ends the server and removes its files.
func (s *Server) Close() error {
	if s.cmd != nil && s.cmd.Process != nil {
		s.cmd.Process.Kill()
	}
	return os.RemoveAll(s.dir)
}

// exec runs a statement in the database postgres.
func (s *Server) exec(statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.url("postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, statement)
	return err
}

func (s *Server) url(database string) string {
	return "postgres://tester:pass%2Fword%2Bof%3Dtests@127.0.0.1:" + s.port + "/" + database
}

// NewDatabase creates a database and returns its URL.
func (s *Server) NewDatabase(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("test%d", s.databases.Add(1))
	if err := s.exec("CREATE DATABASE " + name); err != nil {
		t.Fatal(err)
	}
	return s.url(name)
}
