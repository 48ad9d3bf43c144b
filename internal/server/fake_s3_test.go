package server_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
)

// A fakeS3 stands in for S3: it notes the calls, has every object but lists none, and obeys.
type store struct {
	url  string
	etag atomic.Pointer[string]

	mu    sync.Mutex
	calls []string // "METHOD request-target"
}

func startFakeS3(t testing.TB) *store {
	t.Helper()
	s := new(store)
	etag := `"simple-etag"`
	s.etag.Store(&etag)
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	s.url = web.URL
	return s
}

func (s *store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.calls = append(s.calls, r.Method+" "+r.RequestURI)
	s.mu.Unlock()
	switch r.Method {
	case http.MethodDelete:
		w.WriteHeader(http.StatusNoContent)
		return
	case http.MethodGet:
		io.WriteString(w, "<ListBucketResult/>")
		return
	}
	w.Header().Set("ETag", *s.etag.Load())
	w.Header().Set("Content-Length", "11")
}

// drain returns the calls since it was last asked.
func (s *store) drain() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := s.calls
	s.calls = nil
	return calls
}
