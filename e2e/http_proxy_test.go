//go:build e2e

package e2e

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"testing"
)

// An httpProxy stands between a store and its clients, the browser and the server. It counts the parts that are
// uploaded, holds them back, and fails on request.
type httpProxy struct {
	port     int
	store    *httputil.ReverseProxy
	server   *http.Server
	listener net.Listener

	mu      sync.Mutex
	changed sync.Cond
	// budget is how many bytes of parts may still be uploaded, give or take a buffer: then one part goes after the
	// other. Below 0 there is no limit, and parts go side by side.
	budget   int64
	waiting  int              // parts that wait for the budget to grow
	stalled  bool             // requests are accepted and not answered
	override http.HandlerFunc // answers in the store's place; nil: the store answers
	conns    map[net.Conn]bool
	resets   int

	started         map[part]int   // how often the upload of a part was started
	stored          map[part]int   // how often the store confirmed a part
	uploads         map[string]int // how many parts were started, by upload ID
	startedCount    int
	inFlight        map[int]part  // parts on their way, by sequence number
	lastPartRequest *http.Request // of the part that was started last
}

// A part of an upload, numbered from 1. The path is that of the request: /BUCKET/KEY.
type part struct {
	path   string
	number int
}

// startHTTPProxy forwards to a store on a loopback port. After budget bytes, parts wait until unblock is called.
func startHTTPProxy(t *testing.T, target int, budget int64) *httpProxy {
	t.Helper()
	return startProxy(t, target, budget, nil)
}

// startProxy is startHTTPProxy with HTTPS if there is a configuration for it.
func startProxy(t *testing.T, target int, budget int64, https *tls.Config) *httpProxy {
	t.Helper()
	p := &httpProxy{
		budget: budget, conns: map[net.Conn]bool{}, inFlight: map[int]part{},
		started: map[part]int{}, stored: map[part]int{}, uploads: map[string]int{},
	}
	p.changed.L = &p.mu
	p.store = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: loopback(target)})
			r.Out.Host = r.In.Host // it is signed
		},
		Transport:      &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 16},
		ModifyResponse: p.modifyResponse,
		// If the store does not respond, close the connection, as a TCP proxy would.
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	noLog := log.New(io.Discard, "", 0) // it would have the handshakes that the browser gives up
	p.server = &http.Server{Handler: p, TLSConfig: https, Protocols: new(http.Protocols), ErrorLog: noLog}
	p.server.Protocols.SetHTTP1(true) // in HTTP/2, parts that wait would block the others of their connection
	t.Cleanup(func() {
		p.server.Close()
		p.unblock()
		p.unstall()
	})
	p.port = p.listen(t, loopback(0))
	return p
}

// listen serves an address.
func (p *httpProxy) listen(t *testing.T, address string) (port int) {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	p.listener = listener
	if p.server.TLSConfig != nil {
		go p.server.ServeTLS(trackingListener{listener, p}, "", "")
	} else {
		go p.server.Serve(trackingListener{listener, p})
	}
	return listener.Addr().(*net.TCPAddr).Port
}

// moveTo serves another address only. Open connections stay open.
func (p *httpProxy) moveTo(t *testing.T, address string) {
	t.Helper()
	p.listener.Close()
	p.port = p.listen(t, address)
}

func (p *httpProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.awaitUnstalled()
	if override := p.overrideHandler(); override != nil {
		override(w, r)
		return
	}
	p.forward(w, r)
}

func (p *httpProxy) forward(w http.ResponseWriter, r *http.Request) {
	if id, ok := partFromRequest(r); ok {
		seq := p.partStarted(id, r)
		defer p.partEnded(seq)
		r.Body = limitedBody{r.Body, p, seq}
	}
	p.store.ServeHTTP(w, r)
}

func partFromRequest(r *http.Request) (part, bool) {
	number, err := strconv.Atoi(r.URL.Query().Get("partNumber"))
	return part{r.URL.Path, number}, r.Method == http.MethodPut && err == nil
}

// modifyResponse sees the store's response before the browser does.
func (p *httpProxy) modifyResponse(response *http.Response) error {
	if id, ok := partFromRequest(response.Request); ok && response.StatusCode == http.StatusOK {
		p.update(func() { p.stored[id]++ })
	}
	p.awaitUnstalled()
	return nil
}

func (p *httpProxy) partStarted(id part, r *http.Request) (seq int) {
	p.update(func() {
		p.startedCount++
		seq = p.startedCount
		p.inFlight[seq] = id
		p.started[id]++
		p.uploads[r.URL.Query().Get("uploadId")]++
		p.lastPartRequest = r.Clone(context.Background())
	})
	return seq
}

func (p *httpProxy) partEnded(seq int) { p.update(func() { delete(p.inFlight, seq) }) }

// unblock lifts the limit on uploaded bytes.
func (p *httpProxy) unblock() { p.update(func() { p.budget = -1 }) }

// allow raises the limit on uploaded bytes.
func (p *httpProxy) allow(bytes int64) { p.update(func() { p.budget += bytes }) }

// stall accepts requests and answers none of them, until unstall is called.
func (p *httpProxy) stall()   { p.update(func() { p.stalled = true }) }
func (p *httpProxy) unstall() { p.update(func() { p.stalled = false }) }

// respond answers requests in the store's place, until restore is called.
func (p *httpProxy) respond(override http.HandlerFunc) { p.update(func() { p.override = override }) }
func (p *httpProxy) restore()                          { p.respond(nil) }

// respondTo answers the requests that match in the store's place, until restore is called.
func (p *httpProxy) respondTo(match func(*http.Request) bool, override http.HandlerFunc) {
	p.respond(func(w http.ResponseWriter, r *http.Request) {
		if match(r) {
			override(w, r)
			return
		}
		p.forward(w, r)
	})
}

// disconnect closes every connection and every new one, until restore is called.
func (p *httpProxy) disconnect() {
	p.respond(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	p.reset()
}

func (p *httpProxy) overrideHandler() http.HandlerFunc {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.override
}

// connections are the open ones.
func (p *httpProxy) connections() []net.Conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Collect(maps.Keys(p.conns))
}

// reset closes every open connection with a TCP reset.
func (p *httpProxy) reset() { p.drop(p.connections()) }

// drop closes these connections with a TCP reset.
func (p *httpProxy) drop(conns []net.Conn) {
	for _, c := range conns {
		c.(*net.TCPConn).SetLinger(0)
		c.Close()
	}
	p.update(func() { p.resets++ })
}

// update changes the state and wakes whatever waits for it.
func (p *httpProxy) update(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
	p.changed.Broadcast()
}

func (p *httpProxy) awaitUnstalled() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.stalled {
		p.changed.Wait()
	}
}

// A trackingListener records which of its connections are open.
type trackingListener struct {
	net.Listener
	proxy *httpProxy
}

func (l trackingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.proxy.update(func() { l.proxy.conns[conn] = true })
	return trackedConn{conn.(*net.TCPConn), l.proxy}, nil
}

type trackedConn struct {
	*net.TCPConn
	proxy *httpProxy
}

func (c trackedConn) Close() error {
	c.proxy.update(func() { delete(c.proxy.conns, c.TCPConn) })
	return c.TCPConn.Close()
}

// respondAsStore responds as a store does that allows every page.
func respondAsStore(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	io.WriteString(w, body)
}
