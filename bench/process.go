package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/go-chi/chi/v5"
)

// A process is a running server.
type process struct {
	cmd     *exec.Cmd
	address string
}

// environment is that of the shipped server, with the default hooks and log.
var environment = []string{
	"P3S3F_HOST_PORT=0",
	"P3S3F_OWN_UPLOADS_ONLY=0",
	"AWS_CLIENT_ACCESS_KEY=AKIAIOSFODNN7EXAMPLE",
	"AWS_CLIENT_SECRET_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
	"AWS_DEST_BUCKET=mybucket",
	"AWS_ENDPOINT=http://127.0.0.1:9312",
}

// start runs a server and waits until it prints its URL. The log is discarded, so that no disk slows the server down.
func start(env []string, command ...string) (*process, error) {
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
	for lines := bufio.NewScanner(out); lines.Scan(); {
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

// peakMemory is the most memory that the process has used, in MB.
func (p *process) peakMemory() (mb int) {
	_, rest, _ := strings.Cut(p.readProc("status"), "VmHWM:")
	fmt.Sscan(rest, &mb) // in kB
	return mb / 1000
}

// cpuTime is the CPU time of the process so far, including the kernel's for it.
func (p *process) cpuTime() time.Duration {
	_, rest, _ := strings.Cut(p.readProc("stat"), ") ")
	fields := strings.Fields(rest) // the third one and those after it, see proc(5)
	if len(fields) <= 15-3 {
		return 0
	}
	user, _ := strconv.Atoi(fields[14-3])
	system, _ := strconv.Atoi(fields[15-3])
	return time.Duration(user+system) * 10 * time.Millisecond // the kernel counts in hundredths of a second
}

func (p *process) readProc(file string) string {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/%s", p.cmd.Process.Pid, file))
	return string(text)
}

// serveConstant is the constant handler's server.
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
