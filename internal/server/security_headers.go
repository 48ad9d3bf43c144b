package server

import (
	"net/http"
	"strings"
)

// securityHeaders sets headers on every response that keep it from being read as another type or embedded by another
// site.
func securityHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cross-Origin-Resource-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}

// pageHeaders sets headers on the page's files that limit what the page can load and who can embed it.
func (s *server) pageHeaders(next http.Handler) http.Handler {
	policy := contentSecurityPolicy(s.Signer.Origins())
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		w.Header().Set("Referrer-Policy", "same-origin")
		w.Header().Set("Cross-Origin-Opener-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}

// contentSecurityPolicy allows the page its own files and the store, and nothing else. The page has no inline script or
// style.
func contentSecurityPolicy(origins []string) string {
	store := strings.Join(origins, " ")
	return strings.Join([]string{
		"default-src 'none'",
		"script-src 'self'",
		"style-src 'self'",
		"img-src 'self' data: blob: " + store,
		"connect-src 'self' " + store,
		"font-src 'self'",
		"frame-src 'self'",
		"worker-src 'self' blob:",
		"base-uri 'none'",
		"form-action 'self' " + store,
		"frame-ancestors 'none'",
	}, "; ")
}

// workerPolicy allows the worker that hashes parts its own files and WebAssembly, and no connection.
const workerPolicy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'"
