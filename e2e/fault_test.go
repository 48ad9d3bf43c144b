//go:build e2e

package e2e

import (
	"context"
	"io"
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

// A line is the way from the browser and the server to a store. It counts the parts that go up, and breaks as it is told.
type line struct {
	port  int
	store *httputil.ReverseProxy
	web   *http.Server

	entrance net.Listener

	mu      sync.Mutex
	changed sync.Cond
	budget  int64            // bytes of parts that may still go up, one part after the other, give or take a buffer; below 0: any number, side by side
	blocked int              // parts that wait for the budget to grow
	silent  bool             // requests are taken and not answered
	instead http.HandlerFunc // answers what it wants to answer in the store's place; nil: nothing
	conns   map[net.Conn]bool
	resets  int
	begun   map[part]int   // how often a part was begun to be sent
	stored  map[part]int   // how often the store confirmed it
	uploads map[string]int // how many parts were begun to be sent, by the id of the upload
	count   int            // of begun parts
	running map[int]bool   // parts on their way, by their number in count
	last    *http.Request  // the last part that was begun to be sent
}

// A part of an upload, numbered from 1. The path is that of the request: /BUCKET/KEY.
type part struct {
	path   string
	number int
}

// startLine leads to a store on a loopback port. Nothing of a part goes up beyond budget bytes, until it is opened.
func startLine(t *testing.T, target int, budget int64) *line {
	t.Helper()
	l := &line{budget: budget, conns: map[net.Conn]bool{}, running: map[int]bool{}, begun: map[part]int{}, stored: map[part]int{}, uploads: map[string]int{}}
	l.changed.L = &l.mu
	l.store = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: loopback(target)})
			r.Out.Host = r.In.Host // it is signed
		},
		Transport:      &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 16},
		ModifyResponse: l.answered,
		// What the store does not answer is not answered: the connection ends, as a plain TCP proxy's would.
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	l.web = &http.Server{Handler: l}
	t.Cleanup(func() {
		l.web.Close()
		l.open()
		l.speak()
	})
	l.port = l.listen(t, loopback(0))
	return l
}

// listen makes the line reachable at an address.
func (l *line) listen(t *testing.T, address string) (port int) {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	l.entrance = listener
	go l.web.Serve(tracked{listener, l})
	return listener.Addr().(*net.TCPAddr).Port
}

// move makes the line reachable at another address only. What is connected stays so.
func (l *line) move(t *testing.T, address string) {
	t.Helper()
	l.entrance.Close()
	l.port = l.listen(t, address)
}

func (l *line) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.awaitSpeech()
	if answer := l.substitute(); answer != nil {
		answer(w, r)
		return
	}
	l.forward(w, r)
}

func (l *line) forward(w http.ResponseWriter, r *http.Request) {
	if p, ok := partOf(r); ok {
		turn := l.begins(p, r)
		defer l.ends(turn)
		r.Body = metredBody{r.Body, l, turn}
	}
	l.store.ServeHTTP(w, r)
}

func partOf(r *http.Request) (part, bool) {
	number, err := strconv.Atoi(r.URL.Query().Get("partNumber"))
	return part{r.URL.Path, number}, r.Method == http.MethodPut && err == nil
}

// answered sees the store's answer before the browser does.
func (l *line) answered(answer *http.Response) error {
	if p, ok := partOf(answer.Request); ok && answer.StatusCode == http.StatusOK {
		l.change(func() { l.stored[p]++ })
	}
	l.awaitSpeech()
	return nil
}

func (l *line) begins(p part, r *http.Request) (turn int) {
	l.change(func() {
		l.count++
		turn = l.count
		l.running[turn] = true
		l.begun[p]++
		l.uploads[r.URL.Query().Get("uploadId")]++
		l.last = r.Clone(context.Background())
	})
	return turn
}

func (l *line) ends(turn int) { l.change(func() { delete(l.running, turn) }) }

// open lets everything go up from now on.
func (l *line) open() { l.change(func() { l.budget = -1 }) }

// allow lets so many bytes more go up.
func (l *line) allow(bytes int64) { l.change(func() { l.budget += bytes }) }

// hush takes requests and answers none of them, speak goes on.
func (l *line) hush()  { l.change(func() { l.silent = true }) }
func (l *line) speak() { l.change(func() { l.silent = false }) }

// answer answers requests in the store's place, until the line is mended.
func (l *line) answer(instead http.HandlerFunc) { l.change(func() { l.instead = instead }) }
func (l *line) mend()                           { l.answer(nil) }

// answerTo has instead answer what it is asked by which, and the store the rest.
func (l *line) answerTo(which func(*http.Request) bool, instead http.HandlerFunc) {
	l.answer(func(w http.ResponseWriter, r *http.Request) {
		if which(r) {
			instead(w, r)
			return
		}
		l.forward(w, r)
	})
}

// What a browser asks of an upload, but for its parts.
func beginsUpload(r *http.Request) bool {
	return r.Method == http.MethodPost && r.URL.Query().Has("uploads")
}
func endsUpload(r *http.Request) bool {
	return r.Method == http.MethodPost && r.URL.Query().Has("uploadId")
}
func abortsUpload(r *http.Request) bool {
	return r.Method == http.MethodDelete && r.URL.Query().Has("uploadId")
}

// answerAs answers as a store that lets every page in.
func answerAs(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	io.WriteString(w, body)
}

// cut ends every connection and every new request, until the line is mended.
func (l *line) cut() {
	l.answer(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	l.reset()
}

func (l *line) substitute() http.HandlerFunc {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.instead
}

// connections are those that are open now.
func (l *line) connections() []net.Conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Collect(maps.Keys(l.conns))
}

// reset ends every open connection with a TCP reset.
func (l *line) reset() { l.drop(l.connections()) }

// drop ends these connections with a TCP reset.
func (l *line) drop(conns []net.Conn) {
	for _, c := range conns {
		c.(*net.TCPConn).SetLinger(0)
		c.Close()
	}
	l.change(func() { l.resets++ })
}

// stuck reports whether every part that is on its way waits for the budget to grow.
func (l *line) stuck() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.budget == 0 && len(l.running) > 0 && len(l.running) == l.blocked
}

// underWay is how many parts are on their way.
func (l *line) underWay() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.running)
}

// confirmed are the parts that the store has confirmed.
func (l *line) confirmed() []part {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Collect(maps.Keys(l.stored))
}

// times tells how often each part was begun to be sent up to now.
func (l *line) times() map[part]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.begun)
}

// sentFor is how many parts were begun to be sent for an upload.
func (l *line) sentFor(uploadID string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.uploads[uploadID]
}

// lastPart is the request of the part that was begun to be sent last.
func (l *line) lastPart() *http.Request {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last
}

// sent is how many parts were begun to be sent up to now.
func (l *line) sent() (n int) {
	for _, times := range l.times() {
		n += times
	}
	return n
}

func (l *line) change(what func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	what()
	l.changed.Broadcast()
}

func (l *line) awaitSpeech() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.silent {
		l.changed.Wait()
	}
}

// awaitBudget waits until something of this part may go up, or its connection is reset.
func (l *line) awaitBudget(turn int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.blocked++
	for resets := l.resets; (l.silent || !l.mayPass(turn)) && l.resets == resets; {
		l.changed.Wait()
	}
	l.blocked--
}

func (l *line) mayPass(turn int) bool {
	return l.budget < 0 || l.budget > 0 && turn == slices.Min(slices.Collect(maps.Keys(l.running)))
}

func (l *line) spend(n int) {
	l.change(func() {
		if l.budget > 0 {
			l.budget = max(0, l.budget-int64(n))
		}
	})
}

// A metredBody is that of a part, which goes up as the budget allows.
type metredBody struct {
	io.ReadCloser
	line *line
	turn int
}

func (b metredBody) Read(p []byte) (int, error) {
	b.line.awaitBudget(b.turn)
	n, err := b.ReadCloser.Read(p)
	b.line.spend(n)
	return n, err
}

// A tracked listener knows which of its connections are open.
type tracked struct {
	net.Listener
	line *line
}

func (l tracked) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.line.change(func() { l.line.conns[conn] = true })
	return trackedConn{conn.(*net.TCPConn), l.line}, nil
}

type trackedConn struct {
	*net.TCPConn
	line *line
}

func (c trackedConn) Close() error {
	c.line.change(func() { delete(c.line.conns, c.TCPConn) })
	return c.TCPConn.Close()
}
