//go:build e2e

package e2e

import (
	"io"
	"maps"
	"net"
	"slices"
	"sync"
	"testing"
	"time"
)

// A tcpProxy forwards the browser's connections to the store. It can block or slow down what is sent to the store.
type tcpProxy struct {
	port   int
	target string

	mu      sync.Mutex
	changed sync.Cond
	sent    int64         // bytes sent to the store
	limit   int64         // number of bytes after which the proxy blocks; 0: no limit
	perByte time.Duration // how long a byte takes; 0: no time
	freeAt  time.Time     // when the bytes that were accepted are sent
	conns   map[net.Conn]bool
}

// startTCPProxy forwards to a loopback port. After limit bytes, and a buffer for each connection, it blocks until
// unblock is called.
func startTCPProxy(t *testing.T, target int, limit int64) *tcpProxy {
	t.Helper()
	return startTCPProxyAt(t, loopback(0), target, limit)
}

// startTCPProxyAt is startTCPProxy with an address to listen on.
func startTCPProxyAt(t *testing.T, address string, target int, limit int64) *tcpProxy {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	p := &tcpProxy{port: l.Addr().(*net.TCPAddr).Port, target: loopback(target), limit: limit, conns: map[net.Conn]bool{}}
	p.changed.L = &p.mu
	t.Cleanup(func() {
		l.Close()
		p.reset()
		p.unblock()
	})
	go p.accept(l)
	return p
}

// unblock lifts the limit.
func (p *tcpProxy) unblock() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.limit = 0
	p.changed.Broadcast()
}

// slowDown makes every byte that is sent to the store take a time.
func (p *tcpProxy) slowDown(perByte time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.perByte = perByte
}

// reset closes every open connection.
func (p *tcpProxy) reset() { closeAll(p.connections()) }

// connections are the open connections to clients and to the store.
func (p *tcpProxy) connections() []net.Conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Collect(maps.Keys(p.conns))
}

func closeAll(conns []net.Conn) {
	for _, c := range conns {
		c.Close()
	}
}

// limitReached reports whether the proxy blocks.
func (p *tcpProxy) limitReached() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.limitReachedLocked()
}

func (p *tcpProxy) limitReachedLocked() bool { return p.limit > 0 && p.sent >= p.limit }

// bytesSent is how many bytes were sent to the store.
func (p *tcpProxy) bytesSent() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sent
}

func (p *tcpProxy) accept(l net.Listener) {
	for {
		client, err := l.Accept()
		if err != nil {
			return // the test is over
		}
		store, err := net.Dial("tcp", p.target)
		if err != nil {
			client.Close()
			continue
		}
		p.track(client, store)
		go p.pipe(store, meteredConn{client, p})
		go p.pipe(client, store)
	}
}

// pipe copies until one side closes, and closes both.
func (p *tcpProxy) pipe(to, from net.Conn) {
	io.Copy(to, from)
	to.Close()
	from.Close()
	p.untrack(to)
}

func (p *tcpProxy) track(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		p.conns[c] = true
	}
}

func (p *tcpProxy) untrack(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
}

// wait waits until n more bytes may be sent, and for the time that they take.
func (p *tcpProxy) wait(n int) { time.Sleep(time.Until(p.reserve(n))) }

// sleepSlack is how much the proxy makes up for sleeps that last too long.
const sleepSlack = 10 * time.Millisecond

// reserve waits until n more bytes may be sent, and returns the time when they are sent.
func (p *tcpProxy) reserve(n int) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.limitReachedLocked() {
		p.changed.Wait()
	}
	p.sent += int64(n)
	if earliest := time.Now().Add(-sleepSlack); p.freeAt.Before(earliest) {
		p.freeAt = earliest
	}
	p.freeAt = p.freeAt.Add(time.Duration(n) * p.perByte)
	return p.freeAt
}

// A meteredConn is the browser's connection. What is read from it is sent to the store.
type meteredConn struct {
	net.Conn
	proxy *tcpProxy
}

func (m meteredConn) Read(b []byte) (int, error) {
	n, err := m.Conn.Read(b)
	m.proxy.wait(n)
	return n, err
}
