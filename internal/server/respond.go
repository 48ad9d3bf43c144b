package server

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"runtime/debug"

	"github.com/go-json-experiment/json"

	"s3-sign-srv/internal/apierror"
)

// errorResponse is the JSON of every error. Fine Uploader shows the error and ignores the rest.
type errorResponse struct {
	Error string        `json:"error"`
	ID    string        `json:"id"` // error_id in the log
	Kind  apierror.Kind `json:"kind,omitempty"`
}

// writeError responds with err and logs it, once.
func (s *server) writeError(w http.ResponseWriter, r *http.Request, err error) {
	e := toAPIError(err)
	response := errorResponse{message(e), fmt.Sprintf("%08x", rand.Uint32()), e.Kind}
	status := statuses[e.Code]
	s.Metrics.CountError(e)
	s.logError(r, err, e, status, response.ID)
	if err := writeJSON(w, status, response); err != nil {
		panic("server: an error response cannot be encoded: " + err.Error()) // message returns valid UTF-8
	}
}

// logError writes the log line of an error.
func (s *server) logError(r *http.Request, err error, e *apierror.Error, status int, id string) {
	attrs := []any{
		"error_id", id, "status", status, "error", message(e),
		"method", fmt.Sprintf("%.10s", r.Method), "path", fmt.Sprintf("%.200s", r.URL.Path), "remote_addr", remoteAddr(r),
	}
	if e.Request != "" {
		attrs = append(attrs, "request", e.Request)
	}
	if e.Actual != "" || e.Expected != "" {
		attrs = append(attrs, "actual", e.Actual, "expected", e.Expected)
	}
	if cause := cause(err, e); cause != "" {
		attrs = append(attrs, "cause", cause)
	}
	switch {
	case r.Context().Err() != nil:
		s.Log.InfoContext(r.Context(), "client disconnected", attrs...)
	case status >= http.StatusInternalServerError:
		s.Log.ErrorContext(r.Context(), "request failed", attrs...)
	case e.Kind == apierror.KindAddress || e.Code == apierror.RateLimited: // scanners cause many of them
		s.Log.InfoContext(r.Context(), "request rejected", attrs...)
	default:
		s.Log.WarnContext(r.Context(), "request rejected", attrs...)
	}
}

// cause returns the text of err, if it differs from e's message, cut to 2000 characters.
func cause(err error, e *apierror.Error) string {
	if e.Err != nil {
		err = e.Err
	}
	if err == nil || errors.Is(err, e) && err.Error() == e.Message {
		return ""
	}
	return fmt.Sprintf("%.2000s", err.Error())
}

// writeJSON writes body as JSON. It encodes before it sends the status; if that fails, because of a hook's reply as
// a rule, nothing is written.
func writeJSON(w http.ResponseWriter, status int, body any) error {
	encoded, err := json.Marshal(body, json.Deterministic(true))
	if err != nil {
		return fmt.Errorf("a response cannot be encoded as JSON: %w", err)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
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
				s.writeError(w, r, fmt.Errorf("panic: %v\n%s", v, debug.Stack()))
			}
		}()
		next.ServeHTTP(w, r)
	})
}
