package cli

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// programs are the servers to compare: the built one, and uncheckedMain, which this test binary is under that name.
var programs = []struct{ name, path string }{{"unchecked", "unchecked"}, {"shipped", "../../bin/s3-sign-srv"}}

// BenchmarkStart measures the time until the built server listens, its memory then, and its size.
func BenchmarkStart(b *testing.B) {
	path := programs[1].path
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	memory := 0.0
	for b.Loop() {
		p := startProgram(b, path)
		b.StopTimer()
		memory = max(memory, p.peakMemory(b))
		p.stop()
		b.StartTimer()
	}
	b.ReportMetric(memory, "MB-memory")
	b.ReportMetric(float64(info.Size())/1e6, "MB-binary")
}

// BenchmarkSign measures both servers. Each runs in a process of its own, and this one sends the requests over
// loopback: every connection sends its next request when the last response has arrived.
func BenchmarkSign(b *testing.B) {
	for _, k := range kinds {
		for _, connections := range k.connections {
			for _, program := range programs {
				name := fmt.Sprintf("request=%s/connections=%d/server=%s", k.name, connections, program.name)
				b.Run(name, func(b *testing.B) {
					p := startProgram(b, program.path)
					measure(b, p, k.request(time.Now().UTC()), connections)
				})
			}
		}
	}
}

// measure reports requests per second, latencies, and the CPU time and memory of the program, which it stops.
func measure(b *testing.B, p *program, request []byte, connections int) {
	var group sync.WaitGroup
	var started atomic.Int64
	latencies, errs := make([][]time.Duration, connections), make([]error, connections)
	b.ResetTimer()
	for i := range connections {
		group.Go(func() {
			latencies[i], errs[i] = send(p.address, request, func() bool { return started.Add(1) <= int64(b.N) })
		})
	}
	group.Wait()
	b.StopTimer()
	if err := errors.Join(errs...); err != nil {
		b.Fatal(err)
	}
	memory := p.peakMemory(b)
	p.stop()
	all := slices.Concat(latencies...)
	slices.Sort(all)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
	b.ReportMetric(float64(all[(len(all)-1)/2]), "p50-ns")
	b.ReportMetric(float64(all[(len(all)-1)*99/100]), "p99-ns")
	cpu := p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime()
	b.ReportMetric(float64(cpu)/float64(b.N), "CPU-ns")
	b.ReportMetric(memory, "MB-memory")
	b.ReportMetric(0, "ns/op") // not shown: req/s says the same
}

// send repeats the request over one connection as long as more is true, and returns the latencies. All responses to the
// same request have the same length, which the first one shows: parsing them would take more CPU time than the server.
func send(address string, request []byte, more func() bool) (latencies []time.Duration, err error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	response := make([]byte, 4<<10)
	for more() {
		begin := time.Now()
		if _, err := conn.Write(request); err != nil {
			return nil, err
		}
		if latencies == nil {
			n, err := conn.Read(response)
			if err != nil {
				return nil, err
			}
			response = response[:n]
		} else if _, err := io.ReadFull(conn, response); err != nil {
			return nil, err
		}
		latencies = append(latencies, time.Since(begin))
		if !bytes.HasPrefix(response, []byte("HTTP/1.1 200 ")) {
			return nil, fmt.Errorf("the response is %s", response)
		}
	}
	return latencies, nil
}

// A program is a running server.
type program struct {
	cmd     *exec.Cmd
	address string
}

// startProgram runs a server with the shipped hooks and log, and waits until it prints its URL. The log is discarded,
// so that no disk slows the server down.
func startProgram(b *testing.B, path string, env ...string) *program {
	b.Helper()
	cmd := exec.Command(path)
	cmd.Env = append(append(os.Environ(), env...), "P3S3F_HOST_PORT=0", "P3S3F_OWN_UPLOADS_ONLY=0",
		"AWS_CLIENT_ACCESS_KEY=AKIAIOSFODNN7EXAMPLE",
		"AWS_CLIENT_SECRET_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
		"AWS_DEST_BUCKET=mybucket", "AWS_ENDPOINT=http://127.0.0.1:9312")
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	_, address, ok := strings.Cut(strings.TrimSpace(line), " http://")
	if err != nil || !ok {
		b.Fatalf("%s did not start: %q, %v", path, line, err)
	}
	return &program{cmd, strings.Replace(address, "localhost", "127.0.0.1", 1)}
}

func (p *program) stop() {
	p.cmd.Process.Signal(syscall.SIGTERM)
	p.cmd.Wait()
}

// peakMemory is the most memory that the program has used, in MB. The kernel's figure after its end would include this
// process, from which it was forked.
func (p *program) peakMemory(b *testing.B) (mb float64) {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	_, kB, _ := strings.Cut(string(text), "VmHWM:")
	if _, err := fmt.Sscan(kB, &mb); err != nil {
		b.Fatal(err)
	}
	return mb / 1000
}
