// Package server handles HTTP: the routes that Fine Uploader and Uppy call, and the pages.
// A request goes one way: limits, decoding, internal/sign, the hook, the response. Every route is in routes, every
// error gets its status from the table statuses, and every JSON response is written by writeJSON. The server keeps
// nothing in memory that an upload needs, so any replica can handle any request. A client's mistake is a 4xx with one
// sentence, logged once with an id.
package server

import (
	"context"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/go-chi/chi/v5"

	"s3-sign-srv/internal/cookie"
	"s3-sign-srv/internal/hooks"
	"s3-sign-srv/internal/ledger"
	"s3-sign-srv/internal/metrics"
	"s3-sign-srv/internal/s3"
	"s3-sign-srv/internal/sign"
)

// Config is what the server needs. Signer, Bucket, Hooks, HookTimeout, Log, Metrics and Now are required.
type Config struct {
	Signer      *sign.Signer
	Bucket      *s3.Bucket
	Hooks       hooks.Funcs
	HookTimeout time.Duration // how long a request waits for a hook
	Log         *slog.Logger
	Metrics     *metrics.Metrics
	Now         func() time.Time

	Ledger *ledger.Ledger // records uploads; nil: nothing does

	AccessLog bool // log every request

	VerifySuccess bool // check in the store that a reported upload exists
	AllowDelete   bool // without it, there are no delete routes

	OwnUploadsOnly bool          // every key must begin with its caller's owner and a slash
	Cookies        *cookie.Codec // of owners, required with OwnUploadsOnly

	MaxBytes       int64    // of the largest file; 0: no limit
	AllowedOrigins []string // sites, as scheme://host[:port], whose pages may use the server
	TrustedProxies []string // address prefixes whose X-Forwarded-For is trusted

	// Rate is the number of requests per second and client address, averaged over rateWindow: for signatures, lists
	// and what else calls the hook Identify, and separately for success reports and deletions. 0: no limit.
	Rate float64

	// Ready says in one sentence why a load balancer should send no requests; nil, or the result nil: it may.
	Ready func(ctx context.Context) error

	Files  fs.FS  // has static/ and client_conf.js; nil: the server is an API only
	Client Client // is added to client_conf.js, unless there is a static/client_conf.js
}

type server struct {
	Config
	headSemaphore chan struct{} // limits the HEAD calls for session lists
	versions      sync.Map      // of embedded files, by name
}

// New returns the handler for all routes.
func New(cfg Config) http.Handler {
	s := &server{Config: cfg, headSemaphore: make(chan struct{}, maxSessionHeads)}
	return s.clientIP(s.routes())
}

// routes returns all routes.
func (s *server) routes() http.Handler {
	mux := chi.NewRouter()
	mux.Use(s.observe, s.recover, securityHeaders)
	mux.NotFound(func(w http.ResponseWriter, r *http.Request) { s.writeError(w, r, errNotFound) })
	mux.MethodNotAllowed(s.methodNotAllowed(mux))

	healthy, emptyPage := text("text/plain; charset=utf-8", "ok\n"), text("text/html; charset=utf-8", "")
	mux.Get("/healthz", healthy)
	mux.Head("/healthz", healthy)
	mux.Get("/readyz", s.readyz)
	mux.Head("/readyz", s.readyz)
	mux.Get("/s3/success", emptyPage) // as in the original; no effect
	mux.Head("/s3/success", emptyPage)

	// Counted separately, because an upload needs a signature before its report.
	signLimiter, writeLimiter := s.newLimiter(), s.newLimiter()
	protected := mux.With(s.crossOrigin)
	protected.With(signLimiter).Post("/s3/sign", s.jsonHandler(s.sign))
	protected.With(signLimiter).Post("/s3/presign", s.jsonHandler(s.presign))
	protected.With(writeLimiter).Post("/s3/success", s.jsonHandler(s.success))
	protected.With(writeLimiter).Put("/s3/success", s.jsonHandler(s.success))
	if s.AllowDelete {
		protected.With(writeLimiter).Delete("/s3/delete/{uuid}", s.jsonHandler(s.deleteByPath))
		protected.With(writeLimiter).Post("/s3/delete", s.jsonHandler(s.deleteByForm))
	}

	if s.OwnUploadsOnly {
		mux.With(signLimiter).Get("/s3/owner", s.getOwner)
		mux.With(signLimiter).Get("/s3/session", s.session)
	}
	if s.Files != nil {
		page := mux.With(s.pageHeaders)
		files := page.With(compress) // client_conf.js is not: it depends on the caller
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			files.MethodFunc(method, "/", s.index)
			files.Method(method, "/uppy.html", s.file("static/uppy.html"))
			files.Method(method, "/success.html", s.file("static/success.html"))
			page.With(signLimiter).MethodFunc(method, "/static/client_conf.js", s.clientConf)
			files.MethodFunc(method, "/static/hash-worker.js", s.hashWorker)
			files.MethodFunc(method, "/static/*", s.static)
		}
	}
	return mux
}

// readyz handles GET /readyz, which load balancers call.
func (s *server) readyz(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if s.Ready != nil {
		if err := s.Ready(r.Context()); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
	}
	io.WriteString(w, "ok\n")
}

// jsonHandler turns a function from a request to a JSON response or an error into a handler.
func (s *server) jsonHandler(f func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := f(r)
		s.writeResult(w, r, body, err)
	}
}

// writeResult writes body, or err if there is one.
func (s *server) writeResult(w http.ResponseWriter, r *http.Request, body any, err error) {
	if err == nil {
		err = writeJSON(w, http.StatusOK, body)
	}
	if err != nil {
		s.writeError(w, r, err)
	}
}

// methodNotAllowed lists the methods of the path: with 405, and for OPTIONS with 200, as the original did.
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

// text returns a handler that writes a fixed text.
func text(contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.Write([]byte(body))
	}
}
