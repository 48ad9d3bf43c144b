package server

import (
	"net/http"
	"net/netip"
	"slices"

	"github.com/go-chi/chi/v5/middleware"
)

// clientIP finds the client's address behind the trusted proxies.
func (s *server) clientIP(next http.Handler) http.Handler {
	if len(s.TrustedProxies) == 0 {
		return next
	}
	return middleware.ClientIPFromXFF(s.TrustedProxies...)(next)
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
	address, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && r.Header.Get("X-Forwarded-Proto") == "https" &&
		slices.ContainsFunc(s.TrustedProxies, func(p string) bool {
			prefix, err := netip.ParsePrefix(p)
			return err == nil && prefix.Contains(address.Addr().Unmap())
		})
}
