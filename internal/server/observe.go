package server

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/go-chi/chi/v5"

	"s3-sign-srv/internal/metrics"
	"s3-sign-srv/internal/sign"
)

// exchange is a request and its response, as metrics and log show them.
type exchange struct {
	http.ResponseWriter
	request   *http.Request
	start     time.Time
	status    int // 0: none was written yet
	operation sign.Operation
	version   sign.Version
	owner     atomic.Pointer[string] // nil: the caller was not identified; a hook that hangs may set it later
}

type exchangeKey struct{}

// exchangeOf returns the exchange that observe began.
func exchangeOf(ctx context.Context) *exchange { return ctx.Value(exchangeKey{}).(*exchange) }

// observe measures requests. It is in front of all other handlers of the router, which knows the route afterwards.
func (s *server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := &exchange{ResponseWriter: w, start: time.Now()}
		r = r.WithContext(context.WithValue(r.Context(), exchangeKey{}, x))
		x.request = r
		next.ServeHTTP(x, r)
		x.status = cmp.Or(x.status, http.StatusOK)
		s.logRequest(x)
		s.Metrics.ObserveRequest(metrics.Request{
			Route: chi.RouteContext(r.Context()).RoutePattern(), Operation: x.operation, Version: x.version,
			Status: x.status, Duration: time.Since(x.start),
		})
	})
}

// logRequest writes the line of the access log. Without one, it is written at level debug.
func (s *server) logRequest(x *exchange) {
	level, r := slog.LevelDebug, x.request
	if s.AccessLog {
		level = slog.LevelInfo
	}
	if s.Log.Enabled(r.Context(), level) {
		attrs := []slog.Attr{slog.String("method", fmt.Sprintf("%.10s", r.Method)),
			slog.String("path", fmt.Sprintf("%.200s", r.URL.Path)), slog.Int("status", x.status)}
		s.Log.LogAttrs(r.Context(), level, "request", append(attrs, x.attrs()...)...)
	}
}

// attrs say who sent the request, and how long it has taken so far.
func (x *exchange) attrs() []slog.Attr {
	attrs := []slog.Attr{slog.String("remote_addr", remoteAddr(x.request))}
	if owner := x.owner.Load(); owner != nil && *owner != "" {
		attrs = append(attrs, slog.String("owner", *owner))
	}
	return append(attrs, slog.Duration("duration", time.Since(x.start)))
}

// HookLog returns a logger for hooks. It adds remote_addr, owner and duration to each line that is logged with the
// context of a request.
func HookLog(to *slog.Logger) *slog.Logger { return slog.New(hookHandler{to.Handler()}) }

type hookHandler struct{ slog.Handler }

func (h hookHandler) Handle(ctx context.Context, record slog.Record) error {
	if x, ok := ctx.Value(exchangeKey{}).(*exchange); ok {
		record = record.Clone()
		record.AddAttrs(x.attrs()...)
	}
	return h.Handler.Handle(ctx, record)
}

func (h hookHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return hookHandler{h.Handler.WithAttrs(attrs)}
}

func (h hookHandler) WithGroup(name string) slog.Handler {
	return hookHandler{h.Handler.WithGroup(name)}
}

// WriteHeader remembers the status.
func (x *exchange) WriteHeader(status int) {
	if x.status == 0 {
		x.status = status
	}
	x.ResponseWriter.WriteHeader(status)
}

// Write writes a part of the body, which implies the status 200.
func (x *exchange) Write(p []byte) (int, error) {
	if x.status == 0 {
		x.status = http.StatusOK
	}
	return x.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (x *exchange) Unwrap() http.ResponseWriter { return x.ResponseWriter }
