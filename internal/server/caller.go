package server

import (
	"math"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/go-chi/chi/v5/middleware"
	"github.com/go-chi/httprate"
)

// crossOrigin refuses what a browser sends for a page of another site, unless AllowedOrigins names it; to
// such a page it gives leave to read the answer, cookies included. No origin is reflected.
func (s *server) crossOrigin(next http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	for _, origin := range s.AllowedOrigins {
		if err := protection.AddTrustedOrigin(origin); err != nil {
			panic("server: AllowedOrigins holds what is no origin: " + origin) // settings checked it
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.allowOrigin(w, r)
		if protection.Check(r) != nil {
			s.writeError(w, r, errCrossSite)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// allowOrigin reports whether r comes from an allowed origin, and if so tells the browser.
func (s *server) allowOrigin(w http.ResponseWriter, r *http.Request) bool {
	if len(s.AllowedOrigins) == 0 {
		return false
	}
	h := w.Header()
	h.Add("Vary", "Origin")
	origin := r.Header.Get("Origin")
	if !slices.Contains(s.AllowedOrigins, origin) {
		return false
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Allow-Credentials", "true")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin") // for <script crossorigin> of client_conf.js
	return true
}

// preflightHeaders are what Fine Uploader sends across sites, and the usual ones for
// signature.customHeaders.
const preflightHeaders = "content-type, x-requested-with, cache-control, authorization, x-csrf-token"

// preflight answers a browser that asks on behalf of an allowed origin, and reports whether it did.
func (s *server) preflight(w http.ResponseWriter, r *http.Request) bool {
	method := r.Header.Get("Access-Control-Request-Method")
	if method == "" || !s.allowOrigin(w, r) {
		return false
	}
	h := w.Header()
	h.Set("Access-Control-Allow-Methods", "POST, PUT, DELETE")
	h.Set("Access-Control-Allow-Headers", preflightHeaders)
	h.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
	return true
}

// rateWindow is how long a burst may last: Rate a second on the average, ten times that at once.
const rateWindow = 10 * time.Second

// newLimiter returns a middleware that answers 429 to an address that asks too often; all routes that it
// stands before are counted together.
func (s *server) newLimiter() func(http.Handler) http.Handler {
	if s.Rate <= 0 {
		return func(next http.Handler) http.Handler { return next }
	}
	inWindow := int(math.Ceil(s.Rate * rateWindow.Seconds()))
	key := func(r *http.Request) (string, error) { return httprate.CanonicalizeIP(remoteAddr(r)), nil }
	limiter := httprate.NewRateLimiter(inWindow, rateWindow, httprate.WithKeyFuncs(key), httprate.WithLimitHandler(func(w http.ResponseWriter, r *http.Request) {
		s.writeError(w, r, errRateLimited)
	}))
	return limiter.Handler
}

// clientIP finds the client's address behind the trusted proxies.
func (s *server) clientIP(next http.Handler) http.Handler {
	if len(s.TrustedProxies) == 0 {
		return next
	}
	return middleware.ClientIPFromXFF(s.TrustedProxies...)(next)
}

// remoteAddr returns the client's address: what a trusted proxy says, else the connection's.
func remoteAddr(r *http.Request) string {
	if ip := middleware.GetClientIP(r.Context()); ip != "" {
		return ip
	}
	if address, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		return address.Addr().Unmap().String()
	}
	return r.RemoteAddr
}
