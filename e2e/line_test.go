//go:build e2e && speed

package e2e

import (
	"net"
	"sync"
	"testing"
	"time"
)

// A line forwards TCP connections with the round-trip time and the rate of a network. All its connections share the
// rate, which is that of each direction.
type line struct {
	port    int
	target  string
	rtt     time.Duration
	perByte time.Duration

	mu     sync.Mutex
	freeAt map[direction]time.Time // when all bytes that were accepted so far are sent
}

// A direction of a line.
type direction int

const (
	upstream direction = iota
	downstream
)

// startLine forwards to a loopback port until the test ends.
func startLine(t *testing.T, target int, rtt time.Duration, megabits int) *line {
	t.Helper()
	l, err := net.Listen("tcp", loopback(0))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	line := &line{
		port: l.Addr().(*net.TCPAddr).Port, target: loopback(target), rtt: rtt,
		perByte: 8 * time.Microsecond / time.Duration(megabits), freeAt: map[direction]time.Time{},
	}
	go line.accept(l)
	return line
}

func (l *line) accept(listener net.Listener) {
	for {
		client, err := listener.Accept()
		if err != nil {
			return // the test is over
		}
		server, err := net.Dial("tcp", l.target)
		if err != nil {
			client.Close()
			continue
		}
		connected := time.Now().Add(l.rtt)
		go l.pipe(server, client, upstream, connected)
		go l.pipe(client, server, downstream, connected)
	}
}

// A packet is on its way until it arrives.
type packet struct {
	content []byte
	arrives time.Time
}

const (
	packetSize = 32 << 10
	minWindow  = 256 << 10
	maxWindow  = 4 << 20 // Linux's default (tcp_wmem)
)

// window is how many bytes a connection may have on their way, as TCP adjusts it to a line without other traffic.
func (l *line) window() int { return max(minWindow, min(maxWindow, 2*int(l.rtt/l.perByte))) }

// pipe copies until one side closes, and closes both. A byte uses the window for a round trip, half of it as a packet.
func (l *line) pipe(to, from net.Conn, way direction, connected time.Time) {
	from.(*net.TCPConn).SetReadBuffer(minWindow)
	packets := make(chan packet, l.window()/2/packetSize)
	go func() {
		defer close(packets)
		for {
			content := make([]byte, packetSize)
			n, err := from.Read(content)
			if n > 0 {
				packets <- packet{content[:n], l.sentAt(way, n, connected).Add(l.rtt / 2)}
			}
			if err != nil {
				return
			}
		}
	}()
	for p := range packets {
		time.Sleep(time.Until(p.arrives))
		if _, err := to.Write(p.content); err != nil {
			break
		}
	}
	to.Close()
	from.Close()
	for range packets { // lets the reader end
	}
}

// sentAt returns when n more bytes are sent. None are sent before the connection is established.
func (l *line) sentAt(way direction, n int, connected time.Time) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := l.freeAt[way]
	for _, earliest := range []time.Time{time.Now(), connected} {
		if at.Before(earliest) {
			at = earliest
		}
	}
	l.freeAt[way] = at.Add(time.Duration(n) * l.perByte)
	return l.freeAt[way]
}
