//go:build e2e

package e2e

import (
	"io"
	"maps"
	"net/http"
	"slices"
)

// The requests of a multipart upload, other than its parts.
func isInitiate(r *http.Request) bool {
	return r.Method == http.MethodPost && r.URL.Query().Has("uploads")
}
func isComplete(r *http.Request) bool {
	return r.Method == http.MethodPost && r.URL.Query().Has("uploadId")
}
func isAbort(r *http.Request) bool {
	return r.Method == http.MethodDelete && r.URL.Query().Has("uploadId")
}

func hasMethod(method string) func(*http.Request) bool {
	return func(r *http.Request) bool { return r.Method == method }
}

// isBlocked reports whether every part that is on its way waits for the budget to grow.
func (p *httpProxy) isBlocked() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.budget == 0 && len(p.inFlight) > 0 && len(p.inFlight) == p.waiting
}

// partsInFlight is how many parts of an upload are on their way: of the one whose part was started last. Those of
// others may wait for the budget although the browser has aborted them.
func (p *httpProxy) partsInFlight() (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, id := range p.inFlight {
		if p.lastPartRequest != nil && id.path == p.lastPartRequest.URL.Path {
			n++
		}
	}
	return n
}

// storedParts are the parts that the store has confirmed.
func (p *httpProxy) storedParts() []part {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Collect(maps.Keys(p.stored))
}

// sendCounts is how often the upload of each part was started.
func (p *httpProxy) sendCounts() map[part]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.started)
}

// partsSent is how many parts were started, repetitions included.
func (p *httpProxy) partsSent() (n int) {
	for _, times := range p.sendCounts() {
		n += times
	}
	return n
}

// partsSentFor is how many parts were started for an upload ID.
func (p *httpProxy) partsSentFor(uploadID string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.uploads[uploadID]
}

// lastPart is the request of the part that was started last.
func (p *httpProxy) lastPart() *http.Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lastPartRequest
}

// awaitBudget waits until bytes of this part may be sent, or its connection is reset.
func (p *httpProxy) awaitBudget(seq int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting++
	for resets := p.resets; (p.stalled || !p.mayPass(seq)) && p.resets == resets; {
		p.changed.Wait()
	}
	p.waiting--
}

func (p *httpProxy) mayPass(seq int) bool {
	return p.budget < 0 || p.budget > 0 && seq == slices.Min(slices.Collect(maps.Keys(p.inFlight)))
}

func (p *httpProxy) consume(n int) {
	p.update(func() {
		if p.budget > 0 {
			p.budget = max(0, p.budget-int64(n))
		}
	})
}

// A limitedBody is the body of a part, which is sent as the budget allows.
type limitedBody struct {
	io.ReadCloser
	proxy *httpProxy
	seq   int
}

func (b limitedBody) Read(p []byte) (int, error) {
	b.proxy.awaitBudget(b.seq)
	n, err := b.ReadCloser.Read(p)
	b.proxy.consume(n)
	return n, err
}
