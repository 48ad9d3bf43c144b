//go:build e2e

package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

const (
	keptAlive   = 1000
	busy        = 256 // of those kept alive
	slowSenders = 500
)

// Slow senders take nothing from the others: not their time, and, once they are gone, no memory, descriptor or goroutine.
func TestUnderLoad(t *testing.T) {
	srv := startServer(t, newWorkDir(t), quietSettings())
	request := signRequest(t, srv.url, 9)
	fresh := descriptors(t, srv.pid())

	idle := startLoad(srv.url, request, keptAlive-busy, 1)
	measure := func() time.Duration {
		l := startLoad(srv.url, request, busy, 0)
		time.Sleep(2 * time.Second)
		l.stop()
		if l.broken.Load() > 0 || l.unanswered.Load() > 0 {
			t.Errorf("of %d requests %d broke off and %d were not answered", l.whole.Load(), l.broken.Load(), l.unanswered.Load())
		}
		return l.percentile(0.99)
	}
	var alone, among []time.Duration
	for range 3 { // in turns, and the best of each counts: the machine has other things to do, too
		alone = append(alone, measure())
		slow := startSlowSenders(t, srv.url, request)
		among = append(among, measure())
		slow.stop()
	}
	if slices.Min(among) > 2*slices.Min(alone) {
		t.Errorf("p99 is %v among %d slow senders, %v without", among, slowSenders, alone)
	}
	memory := peakMemory(t, srv.pid())
	if memory > 100*mb {
		t.Errorf("the server took %d MB", memory/mb)
	}
	idle.stop()
	eventually(t, 30*time.Second, "no descriptor left", func() bool { return descriptors(t, srv.pid()) <= fresh })
	if left, want := goroutines(t, srv), goroutines(t, startServer(t, newWorkDir(t), quietSettings())); left > want {
		t.Errorf("%d goroutines after the load, %d in a new server\n%s", left, want, srv.output)
	}
	t.Logf("p99 alone %v, among slow senders %v; %d MB at most", alone, among, memory/mb)
}

// A server that is told to end under full load answers what it has accepted, whole.
func TestTerminateUnderLoad(t *testing.T) {
	srv := startServer(t, newWorkDir(t), quietSettings().with(settings{"P3S3F_LOG_LEVEL": "debug"}))
	l := startLoad(srv.url, signRequest(t, srv.url, 9), busy, 0)
	eventually(t, 30*time.Second, "every connection has an answer", func() bool { return l.whole.Load() > 10*busy })
	srv.end(t, func() { srv.signal(syscall.SIGTERM) }) // with exit code 0: nothing was cut off
	l.stop()
	if l.broken.Load() > 0 {
		t.Errorf("%d answers broke off", l.broken.Load())
	}
	if logged := int64(strings.Count(srv.output.String(), "path=/s3/sign")); logged != l.whole.Load() {
		t.Errorf("the server gave %d answers, %d arrived", logged, l.whole.Load())
	}
	t.Logf("%d answers", l.whole.Load())
}

// quietSettings are those of a server whose store need not be there.
func quietSettings() settings {
	return settingsFor(&bucket{newStore("nowhere", 9), "mybucket"}, pathStyle.endpoint(9)).
		with(settings{"P3S3F_OWN_UPLOADS_ONLY": "1", "P3S3F_LOG_LEVEL": "error"})
}

// signRequest is what a browser sends that has opened the page and uploads a part to a store on a loopback port.
func signRequest(t *testing.T, page string, storePort int) []byte {
	t.Helper()
	answer, err := http.Get(page + "/s3/owner")
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if len(answer.Cookies()) != 1 {
		t.Fatalf("a stranger gets the cookies %v", answer.Cookies())
	}
	cookie := answer.Cookies()[0]
	owner, _, _ := strings.Cut(cookie.Value, ".")
	now := time.Now().UTC()
	body := fmt.Sprintf(`{"headers":"AWS4-HMAC-SHA256\n%[1]s\n%[2]s/us-east-1/s3/aws4_request\nPUT\n/%[3]s/part.bam\npartNumber=1&uploadId=upload\nhost:%[4]s\nx-amz-content-sha256:%[5]s\nx-amz-date:%[1]s\n\nhost;x-amz-content-sha256;x-amz-date\n%[5]s"}`,
		now.Format("20060102T150405Z"), now.Format("20060102"), owner, loopback(storePort), strings.Repeat("41edece4", 8))
	host := hostOf(page)
	return []byte(strings.Join([]string{
		"POST /s3/sign?v4=true HTTP/1.1", "Host: " + host, "Origin: http://" + host, "Cookie: " + cookie.Name + "=" + cookie.Value,
		"Content-Type: application/json; charset=UTF-8", fmt.Sprintf("Content-Length: %d", len(body)), "", body,
	}, "\r\n"))
}

func hostOf(page string) string { return strings.TrimPrefix(page, "http://") }

// port is where the server listens.
func (srv *server) port() string {
	_, port, _ := strings.Cut(hostOf(srv.url), ":")
	return port
}

// A load sends the same request over many connections, each as soon as the last answer has come.
type load struct {
	address string
	request []byte
	over    chan struct{}
	group   sync.WaitGroup

	mu         sync.Mutex
	latencies  []time.Duration // of the connections that are over
	whole      atomic.Int64    // answers that came whole, with status 200
	broken     atomic.Int64    // answers that came in part, or with another status
	unanswered atomic.Int64    // requests on connections that ended before the first byte of an answer: not accepted
}

// startLoad opens so many connections; each sends so many requests and stays open, 0 for any number.
func startLoad(page string, request []byte, connections, requests int) *load {
	l := &load{address: strings.Replace(hostOf(page), "localhost", "127.0.0.1", 1), request: request, over: make(chan struct{})}
	for range connections {
		l.group.Go(func() { l.converse(requests) })
	}
	return l
}

// stop ends the load after the answers that are due.
func (l *load) stop() {
	close(l.over)
	l.group.Wait()
}

func (l *load) stopped() bool {
	select {
	case <-l.over:
		return true
	default:
		return false
	}
}

// converse connects again when a connection ends, as a browser does, while there is somebody to connect to.
func (l *load) converse(requests int) {
	for !l.stopped() {
		conn, err := net.Dial("tcp", l.address)
		if err != nil {
			time.Sleep(10 * time.Millisecond)
			continue
		}
		l.talk(conn, requests)
		conn.Close()
	}
}

func (l *load) talk(conn net.Conn, requests int) {
	answers := bufio.NewReader(conn)
	var latencies []time.Duration
	defer func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.latencies = append(l.latencies, latencies...)
	}()
	for n := 1; !l.stopped(); n++ {
		sent := time.Now()
		conn.Write(l.request) // an error shows in the answer
		if _, err := answers.Peek(1); err != nil {
			l.unanswered.Add(1)
			return
		}
		if err := readAnswer(answers); err != nil {
			l.broken.Add(1)
			return
		}
		l.whole.Add(1)
		latencies = append(latencies, time.Since(sent))
		if n == requests {
			<-l.over
		}
	}
}

func readAnswer(r *bufio.Reader) error {
	answer, err := http.ReadResponse(r, nil)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the status is %s", answer.Status)
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return err
}

func (l *load) percentile(share float64) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	slices.Sort(l.latencies)
	return l.latencies[int(share*float64(len(l.latencies)-1))]
}

// Slow senders send a byte a second, half of them of the head of a request, half of the body. When the server
// has enough of one, the next takes its place.
type slow struct {
	over  chan struct{}
	group sync.WaitGroup
}

func startSlowSenders(t *testing.T, page string, request []byte) *slow {
	t.Helper()
	s := &slow{over: make(chan struct{})}
	address := startLoad(page, nil, 0, 0).address
	body := strings.Index(string(request), "\r\n\r\n") + 4
	var connected atomic.Int64
	for i := range slowSenders {
		s.group.Go(func() {
			for again := false; s.send(address, request, body*(i%2), &connected, again); again = true {
			}
		})
	}
	eventually(t, 30*time.Second, "the slow senders are connected", func() bool { return connected.Load() == slowSenders })
	return s
}

// send sends the first bytes at once, and the others one by one until the server closes the connection.
func (s *slow) send(address string, request []byte, atOnce int, connected *atomic.Int64, again bool) bool {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return false
	}
	defer conn.Close()
	if !again {
		connected.Add(1)
	}
	_, err = conn.Write(request[:atOnce])
	for i := atOnce; err == nil; i++ {
		select {
		case <-s.over:
			return false
		case <-time.After(time.Second):
		}
		_, err = conn.Write(request[i : i+1])
	}
	return true
}

func (s *slow) stop() {
	close(s.over)
	s.group.Wait()
}

// descriptors is how many files and sockets a process has open.
func descriptors(t *testing.T, pid int) int {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join("/proc", strconv.Itoa(pid), "fd"))
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// peakMemory is the most that a process has had in memory, in bytes.
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

// waitsToAsk matches the stack of a goroutine that waits to ask the hooks again, and is in none.
var waitsToAsk = regexp.MustCompile(`runtime\.chanrecv1\(.*\n.*\n.*/internal/server\.askers\.work\(`)

// goroutines ends the server, once it rests, with SIGQUIT, at which Go programs write down what each goroutine is doing.
// Those of the garbage collector stay once they are started, and so do up to 64 that wait to ask the hooks again: they do
// not count. One that is still in a hook does.
func goroutines(t *testing.T, srv *server) int {
	t.Helper()
	eventually(t, 10*time.Second, "a server that rests", func() bool { return resting(srv.pid()) })
	srv.signal(syscall.SIGQUIT)
	if _, err := srv.exitCode(20 * time.Second); err != nil {
		t.Fatal(err)
	}
	kept, count := 0, 0
	for _, stack := range strings.Split(srv.output.String(), "\ngoroutine ")[1:] {
		switch {
		case strings.Contains(stack, "[GC worker"):
		case waitsToAsk.MatchString(stack):
			kept++
		default:
			count++
		}
	}
	if kept > 64 {
		t.Errorf("%d goroutines wait for a question to the hooks", kept)
	}
	return count
}
