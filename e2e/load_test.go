//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	keptAlive       = 1000
	busy            = 256 // of those kept alive
	slowClientCount = 500
)

// Slow clients disturb no other request, and leave no memory, descriptor or goroutine behind.
func TestSlowClientsUnderLoad(t *testing.T) {
	srv := startServer(t, newWorkDir(t), quietSettings())
	request := srv.partSignRequest(t, 9)
	fresh := openFiles(t, srv.pid())

	idle := startLoad(srv, request, keptAlive-busy, 1)
	for range 3 {
		slow := startSlowClients(t, srv, request)
		l := startLoad(srv, request, busy, 0)
		eventually(t, 30*time.Second, "many responses", func() bool { return l.completed.Load() > 40*busy })
		l.stop()
		l.checkAllCompleted(t)
		slow.stop()
	}
	idle.stop()
	if memory := peakMemory(t, srv.pid()); memory > 100*mb {
		t.Errorf("the server's peak memory: got %d MB, want at most 100", memory/mb)
	}
	allClosed := func() bool { return openFiles(t, srv.pid()) <= fresh }
	eventually(t, 30*time.Second, "the server closes its descriptors", allClosed)
	want := goroutines(t, startServer(t, newWorkDir(t), quietSettings()))
	if left := goroutines(t, srv); left > want {
		t.Errorf("goroutines after the load: got %d, want %d as in a new server\n%s", left, want, srv.output)
	}
}

// A server that is stopped under full load completes every request that it has accepted.
func TestShutdownUnderLoad(t *testing.T) {
	srv := startServer(t, newWorkDir(t), quietSettings().with(settings{"P3S3F_LOG_LEVEL": "debug"}))
	l := startLoad(srv, srv.partSignRequest(t, 9), busy, 0)
	eventually(t, 30*time.Second, "every connection has a response", func() bool { return l.completed.Load() > 10*busy })
	srv.shutdown(t, func() { srv.signal(syscall.SIGTERM) }) // with exit code 0: no request was cut off
	l.stop()
	if n := l.failed.Load(); n > 0 {
		t.Errorf("incomplete responses: got %d, want none", n)
	}
	if logged := int64(strings.Count(srv.output.String(), "path=/s3/sign")); logged != l.completed.Load() {
		t.Errorf("the server logged %d requests, %d responses arrived", logged, l.completed.Load())
	}
	t.Logf("%d responses", l.completed.Load())
}

// quietSettings are for a server that needs no store and logs errors only.
func quietSettings() settings {
	return settingsFor(&bucket{newStore("nowhere", 9), "mybucket"}, pathStyle.endpoint(9)).
		with(settings{"P3S3F_OWN_UPLOADS_ONLY": "1", "P3S3F_LOG_LEVEL": "error"})
}

// openFiles is how many files and sockets a process has open.
func openFiles(t *testing.T, pid int) int {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join("/proc", strconv.Itoa(pid), "fd"))
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// peakMemory is the most memory that a process has used, in bytes.
func peakMemory(t *testing.T, pid int) int64 {
	t.Helper()
	status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	var kB int64
	if _, err := fmt.Sscan(rest, &kB); err != nil {
		t.Fatalf("VmHWM: %v", err)
	}
	return kB * kib
}

// goroutines stops an idle server with SIGQUIT, which makes a Go program write the stack of every goroutine. Those of
// the garbage collector do not count: once started, they stay.
func goroutines(t *testing.T, srv *server) (n int) {
	t.Helper()
	eventually(t, 10*time.Second, "the server is idle", func() bool { return isIdle(srv.pid()) })
	srv.signal(syscall.SIGQUIT)
	if _, err := srv.exitCode(20 * time.Second); err != nil {
		t.Fatal(err)
	}
	for _, stack := range strings.Split(srv.output.String(), "\ngoroutine ")[1:] {
		if !strings.Contains(stack, "[GC worker") {
			n++
		}
	}
	return n
}
