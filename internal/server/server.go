// Package server answers HTTP: the endpoints that Fine Uploader calls, and the page.
// A request goes one way: limits, decode, internal/sign, the hook, the answer; nothing flows back.
// Every route stands in routes, every error becomes a status in problemOf, every JSON answer leaves
// through respond. The server keeps nothing in memory that an upload needs, so any replica can answer
// any request. What a client did wrong is a 4xx with one sentence, logged once under a short id.
package server

import (
	"io/fs"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"s3-sign-srv/internal/cookie"
	"s3-sign-srv/internal/hooks"
	"s3-sign-srv/internal/s3"
	"s3-sign-srv/internal/sign"
)

// Config is what the server stands on. Signer, Bucket, Hooks, HookTimeout, Log
// and Now are required.
type Config struct {
	Signer      *sign.Signer
	Bucket      *s3.Bucket
	Hooks       hooks.Funcs
	HookTimeout time.Duration // how long a request waits for a hook
	Log         *slog.Logger
	Now         func() time.Time

	VerifySuccess bool // ask the store whether a reported upload is there
	AllowDelete   bool // without it, the delete routes do not exist

	OwnUploadsOnly bool          // every key must begin with its caller's owner and a slash
	Cookies        *cookie.Codec // of owners, required with OwnUploadsOnly

	MaxBytes       int64    // largest object that /s3/success takes; 0: no limit
	AllowedOrigins []string // sites, as scheme://host[:port], whose pages may use the server
	Rate           float64  // signatures and file lists a second for each client address, and as many reports and deletions; 0: no limit
	TrustedProxies []string // address prefixes whose X-Forwarded-For is believed

	Files  fs.FS  // has static/ and client_conf.js; nil: the server is an API alone
	Client Client // is put into client_conf.js, unless there is a static/client_conf.js
}

type server struct {
	Config
	headSemaphore chan struct{} // has a place for each question about a listed file that the store is asked at a time
}

// New returns the handler of everything.
func New(cfg Config) http.Handler {
	s := &server{cfg, make(chan struct{}, maxSessionHeads)}
	return s.clientIP(s.recover(secure(s.routes())))
}

// routes is every route there is.
func (s *server) routes() http.Handler {
	mux := chi.NewRouter()
	mux.NotFound(func(w http.ResponseWriter, r *http.Request) { s.writeError(w, r, errNotFound) })
	mux.MethodNotAllowed(s.methodNotAllowed(mux))

	mux.Get("/healthz", text("ok\n"))
	mux.Head("/healthz", text("ok\n"))

	signLimiter, writeLimiter := s.newLimiter(), s.newLimiter() // counted apart: an upload needs a signature before its report
	protected := mux.With(s.crossOrigin)
	protected.With(signLimiter).Post("/s3/sign", s.jsonHandler(s.sign))
	protected.With(writeLimiter).Post("/s3/success", s.jsonHandler(s.success))
	protected.With(writeLimiter).Put("/s3/success", s.jsonHandler(s.success))
	mux.Get("/s3/success", text("")) // as in the original; no effect
	mux.Head("/s3/success", text(""))
	if s.AllowDelete {
		protected.With(writeLimiter).Delete("/s3/delete/{uuid}", s.jsonHandler(s.deleteByPath))
		protected.With(writeLimiter).Post("/s3/delete", s.jsonHandler(s.deleteByForm))
	}

	if s.OwnUploadsOnly {
		mux.Get("/s3/owner", s.getOwner)
		mux.With(signLimiter).Get("/s3/session", s.session)
	}
	if s.Files != nil {
		page := mux.With(s.securePage)
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			page.Method(method, "/", s.file("static/index.html"))
			page.Method(method, "/success.html", s.file("static/success.html"))
			page.MethodFunc(method, "/static/client_conf.js", s.clientConf)
			page.MethodFunc(method, "/static/hash-worker.js", s.hashWorker)
			page.MethodFunc(method, "/static/*", s.static)
		}
	}
	return mux
}

// jsonHandler adapts an endpoint: a request in, a JSON answer or an error out.
func (s *server) jsonHandler(endpoint func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := endpoint(r)
		s.writeResult(w, r, body, err)
	}
}

// writeResult answers with body, or refuses with err if there is one.
func (s *server) writeResult(w http.ResponseWriter, r *http.Request, body any, err error) {
	if err == nil {
		err = writeJSON(w, http.StatusOK, body)
	}
	if err != nil {
		s.writeError(w, r, err)
		return
	}
	if s.Log.Enabled(r.Context(), slog.LevelDebug) {
		s.Log.DebugContext(r.Context(), "request served", "method", r.Method, "path", r.URL.Path, "remote_addr", remoteAddr(r))
	}
}

// methodNotAllowed names the methods that the path has: with 405, and to OPTIONS with 200, as the
// original did.
func (s *server) methodNotAllowed(mux *chi.Mux) http.HandlerFunc {
	methods := []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete}
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodOptions && s.preflight(w, r) {
			return
		}
		var allowed []string
		for _, method := range methods {
			if mux.Match(chi.NewRouteContext(), method, r.URL.Path) {
				allowed = append(allowed, method)
			}
		}
		w.Header().Set("Allow", strings.Join(append(allowed, http.MethodOptions), ", "))
		if r.Method != http.MethodOptions {
			s.writeError(w, r, errMethodNotAllowed)
		}
	}
}

// text answers with a fixed text; an empty one is the original's empty page.
func text(body string) http.HandlerFunc {
	kind := "text/plain; charset=utf-8"
	if body == "" {
		kind = "text/html; charset=utf-8"
	}
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.Write([]byte(body))
	}
}
