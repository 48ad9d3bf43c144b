package server

import (
	"maps"
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

// workerPolicy lets the worker that hashes parts load its own files and compile WebAssembly, and reach nobody.
const workerPolicy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'"

// constantHeaders sets headers to values made once: at the rate of uploads, making them anew shows.
func constantHeaders(next http.Handler, pairs ...string) http.Handler {
	constant := make(http.Header)
	for i := 0; i < len(pairs); i += 2 {
		constant.Set(pairs[i], pairs[i+1])
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		maps.Copy(w.Header(), constant)
		next.ServeHTTP(w, r)
	})
}

// secure puts on every answer what keeps it from being taken for another type or into another site.
func secure(next http.Handler) http.Handler {
	return constantHeaders(next,
		"X-Content-Type-Options", "nosniff",
		"Cross-Origin-Resource-Policy", "same-origin")
}

// securePage adds what keeps the page to itself.
func (s *server) securePage(next http.Handler) http.Handler {
	return constantHeaders(next,
		"Content-Security-Policy", contentSecurityPolicy(s.Signer.Origins()),
		"Referrer-Policy", "same-origin",
		"Cross-Origin-Opener-Policy", "same-origin")
}
