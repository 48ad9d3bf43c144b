package server

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"

	"s3-sign-srv/internal/metrics"
	"s3-sign-srv/internal/sign"
)

// exchange is a request and its response, as metrics and log show them.
type exchange struct {
	http.ResponseWriter
	status    int // 0: none was written yet
	operation sign.Operation
	version   sign.Version
}

type exchangeKey struct{}

// exchangeOf returns the exchange that observe began.
func exchangeOf(ctx context.Context) *exchange { return ctx.Value(exchangeKey{}).(*exchange) }

// observe measures requests. It is in front of all other handlers of the router, which knows the route afterwards.
func (s *server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start, x := time.Now(), &exchange{ResponseWriter: w}
		r = r.WithContext(context.WithValue(r.Context(), exchangeKey{}, x))
		next.ServeHTTP(x, r)
		s.Metrics.ObserveRequest(metrics.Request{
			Route: chi.RouteContext(r.Context()).RoutePattern(), Operation: x.operation, Version: x.version,
			Status: cmp.Or(x.status, http.StatusOK), Duration: time.Since(start),
		})
	})
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
