package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/go-chi/chi/v5"
)

// process is a server under load.
type process struct {
	cmd     *exec.Cmd
	address string
}

// environment is the shipped server's: the default hooks and logging.
func environment() []string {
	return []string{
		"P3S3F_HOST_PORT=0", "AWS_CLIENT_ACCESS_KEY=AKIAIOSFODNN7EXAMPLE", "AWS_CLIENT_SECRET_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
		"AWS_DEST_BUCKET=mybucket", "AWS_ENDPOINT=http://127.0.0.1:9312",
	}
}

// start runs a server and returns once it has printed where it listens. Its log goes to nowhere, as
// a log file's would cost the disk.
func start(command, env []string) (*process, error) {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if _, address, ok := strings.Cut(lines.Text(), " http://"); ok {
			p.address = strings.Replace(address, "localhost", "127.0.0.1", 1)
			return p, nil
		}
	}
	p.stop()
	return nil, fmt.Errorf("%s did not start", command[0])
}

func (p *process) stop() {
	p.cmd.Process.Signal(syscall.SIGTERM)
	p.cmd.Wait()
}

var highWater = regexp.MustCompile(`VmHWM:\s+(\d+) kB`)

// peakMemory returns the largest resident size so far, in MB.
func (p *process) peakMemory() int {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	m := highWater.FindSubmatch(status)
	if err != nil || m == nil {
		return -1
	}
	kB, _ := strconv.Atoi(string(m[1]))
	return kB / 1000
}

const tick = 10 * time.Millisecond // of the kernel's processor times

// cpuTime returns the processor time so far, the kernel's on the process's behalf included.
func (p *process) cpuTime() time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:])) // from the third on, see proc(5)
	user, _ := strconv.Atoi(fields[14-3])
	system, _ := strconv.Atoi(fields[15-3])
	return time.Duration(user+system) * tick
}

// serveConstant is the server that does nothing: it reads the body and writes a constant.
func serveConstant() error {
	mux := chi.NewRouter()
	mux.Post("/s3/sign", func(w http.ResponseWriter, r *http.Request) {
		io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		io.WriteString(w, `{"signature":"t70qxrPvRhu3PYTdrFVa0DxJJ8A="}`)
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println("open http://" + listener.Addr().String())
	return http.Serve(listener, mux)
}
