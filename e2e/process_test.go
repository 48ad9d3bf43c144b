//go:build e2e

package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// A process is a child of this test binary. It leads its own process group,
// as a command typed into a shell does, and dies with the test binary.
type process struct {
	cmd    *exec.Cmd
	output *transcript
	exited chan struct{} // closed when the process is over
}

// startProcess runs a command in dir with exactly the environment env.
func startProcess(dir string, env []string, command ...string) (*process, error) {
	p := &process{
		cmd:    exec.Command(command[0], command[1:]...),
		output: &transcript{},
		exited: make(chan struct{}),
	}
	p.cmd.Dir, p.cmd.Env = dir, env
	p.cmd.Stdout, p.cmd.Stderr = p.output, p.output
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	p.cmd.WaitDelay = time.Second // a surviving grandchild must not keep Wait waiting for its output
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // Pdeathsig comes when the thread that started the child ends
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

// interrupt does what Ctrl-C in a terminal does: SIGINT to the whole group.
func (p *process) interrupt() { syscall.Kill(-p.pid(), syscall.SIGINT) }

// stop ends the process at once, and what it left in its group.
func (p *process) stop() {
	syscall.Kill(-p.pid(), syscall.SIGKILL)
	<-p.exited
}

// exitCode waits for the end of the process. A process that was killed has the code -1.
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

// poll asks until the answer is yes; it gives up when the process dies or the time is over.
func (p *process) poll(within time.Duration, yes func() bool) error {
	for end := time.Now().Add(within); !yes(); time.Sleep(10 * time.Millisecond) {
		if !p.running() {
			return fmt.Errorf("%s: %s\n%s", p.cmd, p.cmd.ProcessState, p.output)
		}
		if time.Now().After(end) {
			return fmt.Errorf("%s is not ready after %v\n%s", p.cmd, within, p.output)
		}
	}
	return nil
}

// A transcript is all that a process has written so far.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (t *transcript) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.Write(b)
}

func (t *transcript) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}

// after returns what follows prefix on the first complete line that starts with it.
func (t *transcript) after(prefix string) (rest string, found bool) {
	for line := range strings.Lines(t.String()) {
		if rest, ok := strings.CutPrefix(line, prefix); ok && strings.HasSuffix(line, "\n") {
			return strings.TrimSpace(rest), true
		}
	}
	return "", false
}

// eventually asks until the answer is yes, and fails the test when it takes too long.
func eventually(t *testing.T, within time.Duration, what string, yes func() bool) {
	t.Helper()
	for end := time.Now().Add(within); !yes(); time.Sleep(25 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not seen within %v: %s", within, what)
		}
	}
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// Programs that cannot choose a port and tell get one from this range, once each. It is below the ports that
// Linux gives away itself, which it might give to another test before the program listens.
const firstPort, lastPort = 20_000, 32_000

var portsTried atomic.Int32

// freePort returns a port that nobody listens on at this moment, on neither loopback address.
func freePort() (int, error) {
	start := os.Getpid() // runs beside each other are to have different ports
	for range lastPort - firstPort {
		port := firstPort + (start+int(portsTried.Add(1)))%(lastPort-firstPort)
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

// descendants returns the living processes below pid, from what /proc says.
func descendants(pid int) (pids []int) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range stats {
		child, err := readStat(file)
		if err == nil && child.parent == pid {
			pids = append(append(pids, child.pid), descendants(child.pid)...)
		}
	}
	return pids
}

// A stat is what the kernel says of a process or a thread.
type stat struct {
	pid, parent int
	state       string        // "S": it sleeps, "Z": a zombie; see proc(5)
	took        time.Duration // of the processors
}

// readStat reads "PID (NAME) STATE PPID …"; the name may hold spaces and brackets.
func readStat(file string) (stat, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return stat{}, err
	}
	pid, _, _ := strings.Cut(string(b), " ")
	fields := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:])) // from the third on
	if len(fields) <= 15-3 {
		return stat{}, fmt.Errorf("%s holds %q", file, b)
	}
	number := func(text string) int {
		n, wrong := strconv.Atoi(text)
		err = errors.Join(err, wrong)
		return n
	}
	s := stat{pid: number(pid), parent: number(fields[4-3]), state: fields[0], took: ticks(number(fields[14-3]) + number(fields[15-3]))}
	return s, err
}

// ticks is a time of the kernel's accounts, which count hundredths of a second.
func ticks(n int) time.Duration { return time.Duration(n) * 10 * time.Millisecond }

// alive reports whether pid still runs; a zombie does not.
func alive(pid int) bool {
	s, err := readStat(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && s.state != "Z"
}

// resting reports whether every thread of pid sleeps.
func resting(pid int) bool {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	return !slices.ContainsFunc(threads, func(file string) bool {
		s, err := readStat(file)
		return err == nil && s.state != "S" // else it has ended
	})
}
