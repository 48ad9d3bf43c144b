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

	"github.com/go-chi/chi/v5"

	"s3-sign-srv/internal/hooks"
)

// nowhere is a ResponseWriter that keeps only its header, as net/http's does between requests.
type nowhere struct{ header http.Header }

func (n nowhere) Header() http.Header         { return n.header }
func (n nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (n nowhere) WriteHeader(int)             {}

func benchHandler(b *testing.B, h http.Handler, target, body string) {
	b.Helper()
	b.ReportAllocs()
	reader := strings.NewReader(body)
	r := httptest.NewRequest("POST", target, reader)
	r.Header.Set("Content-Type", jsonType)
	r.Header.Set("Origin", "http://localhost:5000")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	w := nowhere{http.Header{}}
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

// BenchmarkConstant is the same router with a handler that reads the body and writes a constant.
func BenchmarkConstant(b *testing.B) {
	mux := chi.NewRouter()
	mux.Post("/s3/sign", func(w http.ResponseWriter, r *http.Request) {
		io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		io.WriteString(w, `{"signature":"t70qxrPvRhu3PYTdrFVa0DxJJ8A="}`)
	})
	benchHandler(b, mux, "/s3/sign", partV2)
}

func BenchmarkPartV2(b *testing.B) {
	benchHandler(b, agreeing(b), "/s3/sign", partV2)
}

func BenchmarkPartV4(b *testing.B) {
	q := everyRequest("uuid.txt")["V4 UploadPart"]
	benchHandler(b, agreeing(b), q[1], q[3])
}

func BenchmarkPolicyV2(b *testing.B) {
	q := everyRequest("uuid.txt")["V2 PostObject"]
	benchHandler(b, agreeing(b), q[1], q[3])
}

func BenchmarkPolicyV4(b *testing.B) {
	q := everyRequest("uuid.txt")["V4 PostObject"]
	benchHandler(b, agreeing(b), q[1], q[3])
}

// agreeing is a server whose hook agrees without a word.
func agreeing(b *testing.B) http.Handler {
	w := &world{clock: new(atomic.Pointer[time.Time]), store: startStore(b), log: new(logBuffer), told: new(witness)}
	w.clock.Store(&now)
	return w.handler(b, func(c *config) {
		c.server.Hooks.ChallengeIsGood = func(context.Context, *hooks.Challenge) error { return nil }
	})
}
