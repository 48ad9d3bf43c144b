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

// A proxy stands between the browser and the store, on TCP, and can hold back what goes up.
type proxy struct {
	port   int
	target string

	mu     sync.Mutex
	opened sync.Cond
	sent   int64         // bytes that went up
	limit  int64         // bytes after which nothing more goes up; 0: no limit
	pace   time.Duration // of one byte that goes up; 0: as fast as it comes
	free   time.Time     // when the line will have carried what it has been given
	conns  map[net.Conn]bool
}

// startProxy forwards to a loopback port. After limit bytes (a buffer more for each connection)
// nothing goes up, until open is called.
func startProxy(t *testing.T, target int, limit int64) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", loopback(0))
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{port: l.Addr().(*net.TCPAddr).Port, target: loopback(target), limit: limit, conns: map[net.Conn]bool{}}
	p.opened.L = &p.mu
	t.Cleanup(func() {
		l.Close()
		p.reset()
		p.open()
	})
	go p.accept(l)
	return p
}

// open lets everything through from now on.
func (p *proxy) open() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.limit = 0
	p.opened.Broadcast()
}

// slow makes the line take so long for each byte that goes up, from now on.
func (p *proxy) slow(pace time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pace = pace
}

// reset closes every connection that is open now.
func (p *proxy) reset() { closeAll(p.connections()) }

// connections are those open now, both sides of each.
func (p *proxy) connections() []net.Conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Collect(maps.Keys(p.conns))
}

func closeAll(conns []net.Conn) {
	for _, c := range conns {
		c.Close()
	}
}

// full reports whether the limit is reached.
func (p *proxy) full() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.isFull()
}

func (p *proxy) isFull() bool { return p.limit > 0 && p.sent >= p.limit }

// uploaded is how many bytes have gone up.
func (p *proxy) uploaded() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sent
}

func (p *proxy) accept(l net.Listener) {
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
		p.hold(client, store)
		go p.join(store, metered{client, p})
		go p.join(client, store)
	}
}

// join copies until one side ends, which ends both.
func (p *proxy) join(to, from net.Conn) {
	io.Copy(to, from)
	to.Close()
	from.Close()
	p.release(to)
}

func (p *proxy) hold(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		p.conns[c] = true
	}
}

func (p *proxy) release(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
}

// pass waits until n more bytes may go up, and for as long as the line takes to carry them.
func (p *proxy) pass(n int) { time.Sleep(time.Until(p.send(n))) }

// oversleep is what a line may make up for: a sleep lasts longer than it was asked to.
const oversleep = 10 * time.Millisecond

// send waits until n more bytes may go up, and says when the line will have carried them.
func (p *proxy) send(n int) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.isFull() {
		p.opened.Wait()
	}
	p.sent += int64(n)
	if earliest := time.Now().Add(-oversleep); p.free.Before(earliest) {
		p.free = earliest
	}
	p.free = p.free.Add(time.Duration(n) * p.pace)
	return p.free
}

// metered is the browser's side of a connection; what is read from it goes up.
type metered struct {
	net.Conn
	proxy *proxy
}

func (m metered) Read(b []byte) (int, error) {
	n, err := m.Conn.Read(b)
	m.proxy.pass(n)
	return n, err
}
