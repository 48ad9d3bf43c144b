//go:build e2e

package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// partSignRequest is the request of a browser that uploads a part to a store on a loopback port.
func (srv *server) partSignRequest(t *testing.T, storePort int) []byte {
	t.Helper()
	cookie := srv.newCookie(t)
	owner, _, _ := strings.Cut(cookie.Value, ".")
	now, digest := time.Now().UTC().Format(dateV4), strings.Repeat("41edece4", 8)
	toSign := strings.Join([]string{
		"AWS4-HMAC-SHA256", now, now[:8] + "/us-east-1/s3/aws4_request",
		"PUT", "/" + owner + "/part.bam", "partNumber=1&uploadId=upload",
		"host:" + loopback(storePort), "x-amz-content-sha256:" + digest, "x-amz-date:" + now, "",
		"host;x-amz-content-sha256;x-amz-date", digest,
	}, "\n")
	body := asJSON(map[string]string{"headers": toSign})
	return []byte(strings.Join([]string{
		"POST /s3/sign?v4=true HTTP/1.1", "Host: " + srv.host(), "Origin: http://" + srv.host(),
		"Cookie: " + cookie.Name + "=" + cookie.Value, "Content-Type: application/json; charset=UTF-8",
		fmt.Sprintf("Content-Length: %d", len(body)), "", body,
	}, "\r\n"))
}

// A load sends the same request over many connections, each as soon as the last response has arrived.
type load struct {
	address string
	request []byte
	done    chan struct{}
	group   sync.WaitGroup

	mu         sync.Mutex
	latencies  []time.Duration // of the connections that have ended
	completed  atomic.Int64    // complete responses with status 200
	failed     atomic.Int64    // incomplete responses, and other statuses
	unanswered atomic.Int64    // requests whose connection ended before the response: they were not accepted
}

// startLoad opens connections. Each sends a number of requests, 0 for any number, and stays open.
func startLoad(srv *server, request []byte, connections, requests int) *load {
	l := &load{address: srv.address(), request: request, done: make(chan struct{})}
	for range connections {
		l.group.Go(func() { l.reconnectLoop(requests) })
	}
	return l
}

// stop ends the load after the responses that are due.
func (l *load) stop() {
	close(l.done)
	l.group.Wait()
}

func (l *load) stopped() bool {
	select {
	case <-l.done:
		return true
	default:
		return false
	}
}

// reconnectLoop connects again when a connection ends, as a browser does.
func (l *load) reconnectLoop(requests int) {
	for !l.stopped() {
		conn, err := net.Dial("tcp", l.address)
		if err != nil {
			time.Sleep(10 * time.Millisecond)
			continue
		}
		l.sendLoop(conn, requests)
		conn.Close()
	}
}

func (l *load) sendLoop(conn net.Conn, requests int) {
	responses := bufio.NewReader(conn)
	var latencies []time.Duration
	defer func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.latencies = append(l.latencies, latencies...)
	}()
	for n := 1; !l.stopped(); n++ {
		sent := time.Now()
		conn.Write(l.request) // after an error there is no response
		if _, err := responses.Peek(1); err != nil {
			l.unanswered.Add(1)
			return
		}
		if err := readResponse(responses); err != nil {
			l.failed.Add(1)
			return
		}
		l.completed.Add(1)
		latencies = append(latencies, time.Since(sent))
		if n == requests {
			<-l.done
		}
	}
}

func readResponse(r *bufio.Reader) error {
	res, err := http.ReadResponse(r, nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("status %s", res.Status)
	}
	_, err = io.Copy(io.Discard, res.Body)
	return err
}

func (l *load) checkAllCompleted(t *testing.T) {
	t.Helper()
	if failed, unanswered := l.failed.Load(), l.unanswered.Load(); failed > 0 || unanswered > 0 {
		t.Errorf("of %d requests, %d failed and %d got no response", l.completed.Load(), failed, unanswered)
	}
}

// Slow clients send a byte a second, half of them of the request's header, half of its body. When the server closes a
// connection, another client takes its place.
type slowClients struct {
	done  chan struct{}
	group sync.WaitGroup
}

func startSlowClients(t *testing.T, srv *server, request []byte) *slowClients {
	t.Helper()
	s := &slowClients{done: make(chan struct{})}
	body := strings.Index(string(request), "\r\n\r\n") + 4
	var connected atomic.Int64
	for i := range slowClientCount {
		s.group.Go(func() {
			for again := false; s.send(srv.address(), request, body*(i%2), &connected, again); again = true {
			}
		})
	}
	allConnected := func() bool { return connected.Load() == slowClientCount }
	eventually(t, 30*time.Second, "the slow clients are connected", allConnected)
	return s
}

// send sends the first bytes at once, and the others one by one until the server closes the connection.
func (s *slowClients) send(address string, request []byte, atOnce int, connected *atomic.Int64, again bool) bool {
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
		case <-s.done:
			return false
		case <-time.After(time.Second):
		}
		_, err = conn.Write(request[i : i+1])
	}
	return true
}

func (s *slowClients) stop() {
	close(s.done)
	s.group.Wait()
}
