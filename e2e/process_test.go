//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// A process is a child of this test binary. It leads its own process group, as a command in a shell does, and is killed
// when the test binary exits.
type process struct {
	cmd    *exec.Cmd
	output *outputBuffer
	exited chan struct{} // closed when the process has exited
}

// startProcess runs a command in dir with exactly the environment env.
func startProcess(dir string, env []string, command ...string) (*process, error) {
	p := &process{
		cmd:    exec.Command(command[0], command[1:]...),
		output: &outputBuffer{},
		exited: make(chan struct{}),
	}
	p.cmd.Dir, p.cmd.Env = dir, env
	p.cmd.Stdout, p.cmd.Stderr = p.output, p.output
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	p.cmd.WaitDelay = time.Second // do not wait for the output of grandchildren
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // Pdeathsig is sent when the thread that started the child exits
		err := p.cmd.Start()
		started <- err
		if err == nil {
			p.cmd.Wait()
			close(p.exited)
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

func (p *process) pid() int { return p.cmd.Process.Pid }

func (p *process) running() bool {
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// signal sends sig to the process alone.
func (p *process) signal(sig os.Signal) { p.cmd.Process.Signal(sig) }

// interrupt sends SIGINT to the whole group, as Ctrl-C in a terminal does.
func (p *process) interrupt() { syscall.Kill(-p.pid(), syscall.SIGINT) }

// stop kills the process and the rest of its group.
func (p *process) stop() {
	syscall.Kill(-p.pid(), syscall.SIGKILL)
	<-p.exited
}

// exitCode waits until the process exits. The code of a killed process is -1.
func (p *process) exitCode(within time.Duration) (int, error) {
	select {
	case <-p.exited:
		return p.cmd.ProcessState.ExitCode(), nil
	case <-time.After(within):
		return 0, fmt.Errorf("%s is still running after %v\n%s", p.cmd, within, p.output)
	}
}

// listens waits until the process accepts connections on a loopback port.
func (p *process) listens(port int, within time.Duration) error {
	return p.poll(within, func() bool {
		c, err := net.Dial("tcp", loopback(port))
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

// poll waits until the condition is true. It gives up when the process exits or the time is over.
func (p *process) poll(within time.Duration, condition func() bool) error {
	for end := time.Now().Add(within); !condition(); time.Sleep(10 * time.Millisecond) {
		if !p.running() {
			return fmt.Errorf("%s: %s\n%s", p.cmd, p.cmd.ProcessState, p.output)
		}
		if time.Now().After(end) {
			return fmt.Errorf("%s is not ready after %v\n%s", p.cmd, within, p.output)
		}
	}
	return nil
}

// An outputBuffer is what a process has written so far.
type outputBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (t *outputBuffer) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.Write(b)
}

func (t *outputBuffer) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}

// after returns the rest of the first complete line that starts with prefix.
func (t *outputBuffer) after(prefix string) (rest string, found bool) {
	for line := range strings.Lines(t.String()) {
		if rest, ok := strings.CutPrefix(line, prefix); ok && strings.HasSuffix(line, "\n") {
			return strings.TrimSpace(rest), true
		}
	}
	return "", false
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// Programs that cannot report the port they listen on get one from this range, each a different one. The range is below
// Linux's own ephemeral ports, so that no other test gets the port before the program listens.
const firstPort, lastPort = 20_000, 32_000

var portCount atomic.Int32

// freePort returns a port that is free on both loopback addresses.
func freePort() (int, error) {
	start := os.Getpid() // so that test binaries that run in parallel use different ports
	for range lastPort - firstPort {
		port := firstPort + (start+int(portCount.Add(1)))%(lastPort-firstPort)
		if isFree(loopback(port)) && isFree(fmt.Sprintf("[::1]:%d", port)) {
			return port, nil
		}
	}
	return 0, fmt.Errorf("no port from %d to %d is free", firstPort, lastPort)
}

func isFree(address string) bool {
	l, err := net.Listen("tcp", address)
	return err == nil && l.Close() == nil
}
