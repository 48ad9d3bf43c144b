package server_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"s3-sign-srv/internal/hooks"
	"s3-sign-srv/internal/metrics"
)

// discardWriter is a ResponseWriter that keeps only its header, as net/http's does between requests.
type discardWriter struct{ header http.Header }

func (n discardWriter) Header() http.Header         { return n.header }
func (n discardWriter) Write(p []byte) (int, error) { return len(p), nil }
func (n discardWriter) WriteHeader(int)             {}

func benchHandler(b *testing.B, h http.Handler, target, body string) {
	b.Helper()
	b.ReportAllocs()
	reader := strings.NewReader(body)
	r := httptest.NewRequest("POST", target, reader)
	r.Header.Set("Content-Type", jsonType)
	r.Header.Set("Origin", "http://localhost:5000")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	w := discardWriter{http.Header{}}
	for b.Loop() {
		reader.Reset(body)
		r.Body = io.NopCloser(reader)
		clear(w.header)
		h.ServeHTTP(w, r)
	}
	if w.header.Get("Content-Type") != "application/json; charset=utf-8" {
		b.Fatal(w.header)
	}
}

func BenchmarkPartV2(b *testing.B) {
	benchHandler(b, allowAll(b), "/s3/sign", partV2)
}

func BenchmarkPartV4(b *testing.B) {
	q := everyRequest("uuid.txt")["V4 UploadPart"]
	benchHandler(b, allowAll(b), q[1], q[3])
}

func BenchmarkPolicyV2(b *testing.B) {
	q := everyRequest("uuid.txt")["V2 PostObject"]
	benchHandler(b, allowAll(b), q[1], q[3])
}

func BenchmarkPolicyV4(b *testing.B) {
	q := everyRequest("uuid.txt")["V4 PostObject"]
	benchHandler(b, allowAll(b), q[1], q[3])
}

// allowAll is a server whose hook allows everything and logs nothing.
func allowAll(b *testing.B) http.Handler {
	s := &testServer{
		clock:    new(atomic.Pointer[time.Time]),
		store:    startFakeS3(b),
		log:      new(logBuffer),
		recorder: new(hookRecorder),
		metrics:  metrics.New("test"),
	}
	s.clock.Store(&now)
	return s.handler(b, func(c *config) {
		c.server.Hooks.ChallengeIsGood = func(context.Context, *hooks.Challenge) error { return nil }
	})
}
