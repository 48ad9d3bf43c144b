package server

import (
	"net/http"
	"strings"
)

// contentSecurityPolicy lets the page use its own files and the store, and nothing else. The page has
// no inline script or style.
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

// secure puts the security headers on every answer.
func (s *server) secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h["Content-Security-Policy"] = []string{s.policy}
		h["X-Content-Type-Options"] = []string{"nosniff"}
		h["Referrer-Policy"] = []string{"same-origin"}
		h["Cross-Origin-Opener-Policy"] = []string{"same-origin"}
		h["Cross-Origin-Resource-Policy"] = []string{"same-origin"}
		next.ServeHTTP(w, r)
	})
}
