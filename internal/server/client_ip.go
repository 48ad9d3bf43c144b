package server

import (
	"net/http"
	"net/netip"
	"slices"
	"sync"

	"github.com/go-chi/chi/v5/middleware"
)

// clientIP finds the client's address behind the trusted proxies.
func (s *server) clientIP(next http.Handler) http.Handler {
	next = s.warnOfProxy(next)
	if len(s.TrustedProxies) == 0 {
		return next
	}
	return middleware.ClientIPFromXFF(s.TrustedProxies...)(next)
}

// warnOfProxy logs once that a proxy forwards requests which TrustedProxies does not name. It may also be a client that
// sends such a header itself, so the header has no other effect.
func (s *server) warnOfProxy(next http.Handler) http.Handler {
	var once sync.Once
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		isForwarded := r.Header["X-Forwarded-For"] != nil || r.Header["X-Forwarded-Proto"] != nil
		if isForwarded && !s.isFromProxy(r) {
			once.Do(func() {
				s.Log.WarnContext(r.Context(), "forwarded headers ignored", "peer", r.RemoteAddr, "error",
					"X-Forwarded-For or X-Forwarded-Proto came from an address that P3S3F_TRUSTED_PROXIES does not list; "+
						"add the address if it is your proxy's; this is logged once")
			})
		}
		next.ServeHTTP(w, r)
	})
}

// remoteAddr returns the client's address: from a trusted proxy, or else that of the connection.
func remoteAddr(r *http.Request) string {
	if ip := middleware.GetClientIP(r.Context()); ip != "" {
		return ip
	}
	if address, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		return address.Addr().Unmap().String()
	}
	return r.RemoteAddr
}

// isHTTPS reports whether the browser uses HTTPS, to this server or to a trusted proxy that sends X-Forwarded-Proto.
func (s *server) isHTTPS(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	return r.Header.Get("X-Forwarded-Proto") == "https" && s.isFromProxy(r)
}

// isFromProxy reports whether a trusted proxy sent r.
func (s *server) isFromProxy(r *http.Request) bool {
	address, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && slices.ContainsFunc(s.TrustedProxies, func(p string) bool {
		prefix, err := netip.ParsePrefix(p)
		return err == nil && prefix.Contains(address.Addr().Unmap())
	})
}
