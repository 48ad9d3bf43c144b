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
	policy := contentSecurityPolicy(s.storeSources())
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		w.Header().Set("Referrer-Policy", "same-origin")
		w.Header().Set("Cross-Origin-Opener-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}

// storeSources returns the addresses of the store for the policy. CSP 3 has no form for an IPv6 address or a name with
// an underscore: if the page uploads to such a host, the policy allows its scheme.
func (s *server) storeSources() string {
	var sources []string
	for _, origin := range s.Signer.Origins() {
		switch isUsed := strings.HasPrefix(s.Client.Endpoint+"/", origin+"/"); {
		case !strings.ContainsAny(origin, "[_"):
			sources = append(sources, origin)
		case isUsed:
			scheme, _, _ := strings.Cut(origin, "//")
			sources = append(sources, scheme)
		}
	}
	return strings.Join(sources, " ")
}

// contentSecurityPolicy allows the page its own files and the store, and nothing else. The page has no inline script or
// style.
func contentSecurityPolicy(store string) string {
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
