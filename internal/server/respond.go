package server

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"runtime/debug"
	"strings"

	"github.com/go-json-experiment/json"

	"s3-sign-srv/internal/bucket"
	"s3-sign-srv/internal/hooks"
	"s3-sign-srv/internal/sign"
)

// problem is an error as the client gets to see it.
type problem struct {
	status int
	text   string // one sentence
}

func (p *problem) Error() string { return p.text }

// The problems that the server itself finds.
var (
	notFound         = &problem{http.StatusNotFound, "There is nothing at this address; the server's README lists its routes."}
	unusableConf     = &problem{http.StatusNotFound, "The file static/client_conf.js cannot be read; make it a hard link in place of a symbolic one, by ln -f my_client_conf.js static/client_conf.js, or let the server read it."}
	methodNotAllowed = &problem{http.StatusMethodNotAllowed, "This address does not take this method; the Allow header lists those it takes."}
	crossSite        = &problem{http.StatusForbidden, "A page of another site asked; serve the page from this server, or name its origin in P3S3F_ALLOWED_ORIGINS."}
	stranger         = &problem{http.StatusUnauthorized, "This browser is not known here, or its cookie has expired; reload the page, with cookies allowed, and try again."}
	notYours         = &problem{http.StatusForbidden, "This key belongs to somebody else: yours begin with your owner id and a slash; reload the page, or set objectProperties.key as \"Your own page\" in the README does."}
	tooOften         = &problem{http.StatusTooManyRequests, "Too many requests came from this address; wait some seconds and try again."}
	tooLarge         = &problem{http.StatusRequestEntityTooLarge, "The request is larger than the 64 KiB that any request of an upload needs; use an unmodified Fine Uploader."}
)

func badRequest(text string) error { return &problem{http.StatusBadRequest, text} }

// problemOf is the one table from errors to statuses. What it does not know is a 500, whose text
// stays in the log.
func problemOf(err error) *problem {
	var (
		own     *problem
		refusal *sign.Refusal
		denial  *hooks.Denial
		store   *bucket.Error
		body    *http.MaxBytesError
	)
	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &refusal) && refusal.Kind == sign.Malformed:
		return &problem{http.StatusBadRequest, refusal.Text}
	case refusal != nil:
		return &problem{http.StatusForbidden, refusal.Text}
	case errors.As(err, &denial) && denial.Login:
		return &problem{http.StatusUnauthorized, strings.ToValidUTF8(denial.Text, "?")}
	case denial != nil:
		return &problem{http.StatusForbidden, strings.ToValidUTF8(denial.Text, "?")}
	case errors.As(err, &store) && store.Missing:
		return &problem{http.StatusNotFound, store.Text}
	case store != nil:
		return &problem{http.StatusBadGateway, store.Text}
	case errors.As(err, &body):
		return tooLarge
	}
	return &problem{http.StatusInternalServerError, "The server could not decide about this request; try again, and tell its operator the id of this answer."}
}

// failure is the JSON of every error. Fine Uploader shows the error and ignores the rest.
type failure struct {
	Error string `json:"error"`
	ID    string `json:"id"`             // of the one log line about it
	Kind  string `json:"kind,omitempty"` // of what the page has more to say about, see kind
}

// refuse answers with err and logs it, once.
func (s *server) refuse(w http.ResponseWriter, r *http.Request, err error) {
	p := problemOf(err)
	id := fmt.Sprintf("%08x", rand.Uint32())
	attrs := []any{"id", id, "status", p.status, "error", p.text, "method", fmt.Sprintf("%.10s", r.Method), "path", fmt.Sprintf("%.200s", r.URL.Path), "peer", peer(r)}
	var refusal *sign.Refusal
	if errors.As(err, &refusal) {
		attrs = append(attrs, "request", refusal.Request)
		if refusal.Got != "" || refusal.Want != "" {
			attrs = append(attrs, "got", refusal.Got, "want", refusal.Want)
		}
	} else if cause := cause(err, p); cause != "" {
		attrs = append(attrs, "cause", cause)
	}
	switch {
	case r.Context().Err() != nil:
		s.Log.InfoContext(r.Context(), "the client went away", attrs...)
	case p.status >= http.StatusInternalServerError:
		s.Log.ErrorContext(r.Context(), "failed", attrs...)
	default:
		s.Log.WarnContext(r.Context(), "refused", attrs...)
	}
	if err := respond(w, p.status, failure{p.text, id, kind(err)}); err != nil {
		panic("server: a problem that cannot be JSON: " + err.Error()) // problemOf makes its texts UTF-8
	}
}

// kind tells the page of an error that is not the file's: "setup" where the settings are wrong, "address" where the server
// does not answer there.
func kind(err error) string {
	var refusal *sign.Refusal
	switch {
	case errors.As(err, &refusal) && refusal.Setup, errors.Is(err, crossSite), errors.Is(err, notYours):
		return "setup"
	case errors.Is(err, notFound), errors.Is(err, methodNotAllowed):
		return "address"
	}
	return ""
}

// cause returns what err knows beyond p's text, cut to what a log line can bear.
func cause(err error, p *problem) string {
	var store *bucket.Error
	if errors.As(err, &store) {
		err = store.Unwrap()
	}
	if err == nil || err.Error() == p.text {
		return ""
	}
	return fmt.Sprintf("%.2000s", err.Error())
}

// Header values of every JSON answer, made once; nothing writes to them.
var (
	jsonHeader = []string{"application/json; charset=utf-8"}
	noStore    = []string{"no-store"}
)

// respond writes body as JSON. It is encoded before the status is sent; where that fails, a hook's reply as
// a rule, nothing is written.
func respond(w http.ResponseWriter, status int, body any) error {
	encoded, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("an answer cannot be JSON: %w", err)
	}
	h := w.Header()
	h["Content-Type"], h["Cache-Control"] = jsonHeader, noStore
	w.WriteHeader(status)
	w.Write(encoded)
	return nil
}

// recover turns a panic, of a hook most likely, into a 500 of its own request.
func (s *server) recover(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if v := recover(); v == http.ErrAbortHandler {
				panic(v)
			} else if v != nil {
				s.refuse(w, r, fmt.Errorf("panic: %v\n%s", v, debug.Stack()))
			}
		}()
		next.ServeHTTP(w, r)
	})
}
