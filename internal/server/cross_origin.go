package server

import (
	"fmt"
	"net/http"
	"slices"
)

// crossOrigin rejects what a browser sends for a page of another site, unless AllowedOrigins contains it. Pages of
// those sites may read the response, also with cookies. No origin is reflected.
func (s *server) crossOrigin(next http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	for _, origin := range s.AllowedOrigins {
		if err := protection.AddTrustedOrigin(origin); err != nil {
			panic("server: invalid origin in AllowedOrigins: " + origin) // internal/config has checked it
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.allowOrigin(w, r)
		if protection.Check(r) != nil {
			s.writeError(w, r, errCrossSite(r))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// allowOrigin reports whether r comes from an allowed origin, and if so sets the CORS headers.
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
	h.Set("Access-Control-Expose-Headers", "Retry-After")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin") // for <script crossorigin> of client_conf.js
	return true
}

// preflight responds to the preflight of an allowed origin, and reports whether r was one. Its page may send every
// header that it asks for, because signature.customHeaders may have any name.
func (s *server) preflight(w http.ResponseWriter, r *http.Request) bool {
	method, headers := r.Header.Get("Access-Control-Request-Method"), r.Header.Get("Access-Control-Request-Headers")
	if method == "" {
		return false
	}
	if !s.allowOrigin(w, r) {
		s.Log.InfoContext(r.Context(), "preflight rejected", "error", "P3S3F_ALLOWED_ORIGINS does not list the origin",
			"origin", fmt.Sprintf("%.200s", r.Header.Get("Origin")), "method", fmt.Sprintf("%.10s", method),
			"path", fmt.Sprintf("%.200s", r.URL.Path), "headers", fmt.Sprintf("%.200s", headers), "remote_addr", remoteAddr(r))
		return false
	}
	h := w.Header()
	h.Set("Access-Control-Allow-Methods", "POST, PUT, DELETE")
	h.Set("Access-Control-Allow-Headers", headers)
	h.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
	return true
}
