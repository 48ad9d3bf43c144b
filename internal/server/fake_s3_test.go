package server_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
)

// fakeS3 records the calls. Every object exists, but lists are empty. Every call succeeds.
type fakeS3 struct {
	url  string
	etag atomic.Pointer[string]

	mu    sync.Mutex
	calls []string // "METHOD request-target"
}

func startFakeS3(t testing.TB) *fakeS3 {
	t.Helper()
	s := new(fakeS3)
	etag := `"simple-etag"`
	s.etag.Store(&etag)
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	s.url = web.URL
	return s
}

func (s *fakeS3) ServeHTTP(w http.ResponseWriter, r *http.Request) {
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

// drain returns the calls since the last one.
func (s *fakeS3) drain() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := s.calls
	s.calls = nil
	return calls
}
