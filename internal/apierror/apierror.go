// Package apierror defines the error for a request that fails for a known reason. Every package returns it;
// internal/server maps its Code to an HTTP status and sends its Message to the client.
package apierror

import (
	"fmt"
	"strings"
	"unicode"
)

// Code classifies an Error.
type Code int

// The codes. Any error that is not an Error is Internal.
const (
	Internal             Code = iota
	BadRequest                // the request is malformed
	Unauthenticated           // the caller is not known
	Forbidden                 // well formed, but not allowed
	NotFound                  // no such object or route
	MethodNotAllowed          // the route does not take the method
	Conflict                  // the object has changed
	TooLarge                  // the body is too large
	UnsupportedMediaType      // the body has the wrong Content-Type
	RateLimited               // too many requests from one address
	StoreFailed               // the S3 store failed or did not respond
	HookFailed                // the application behind a hook gave no valid response
	Unavailable               // a service that the request needs did not respond
)

// codeNames are for metrics.
var codeNames = map[Code]string{
	Internal: "internal", BadRequest: "bad_request", Unauthenticated: "unauthenticated", Forbidden: "forbidden",
	NotFound: "not_found", MethodNotAllowed: "method_not_allowed", Conflict: "conflict", TooLarge: "too_large",
	UnsupportedMediaType: "unsupported_media_type", RateLimited: "rate_limited",
	Unavailable: "unavailable", StoreFailed: "store_failed", HookFailed: "hook_failed",
}

// String returns the name of the code, such as "rate_limited".
func (c Code) String() string { return codeNames[c] }

// Kind tells the page that an error does not concern a single file.
type Kind string

// The kinds. An error that concerns only its own request has none.
const (
	KindSetup   Kind = "setup"   // page and server are configured differently: bucket, endpoint, region, keys, clock
	KindAddress Kind = "address" // the request went to a URL that the server does not have
)

// Error is a failed request.
type Error struct {
	Code    Code
	Kind    Kind   // optional
	Message string // one sentence for the user, without secrets

	// For the log. What a client wrote is sanitized and cut short.
	Request  string // description of the S3 request that was to be signed; empty if it could not be parsed
	Actual   string // what was received
	Expected string
	Err      error // the cause; may be nil
}

// New returns an Error without details.
func New(code Code, message string) *Error { return &Error{Code: code, Message: message} }

// Error returns the message.
func (e *Error) Error() string { return e.Message }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// WithDetail sets Actual and Expected, each cut to 200 bytes, and returns e.
func (e *Error) WithDetail(actual, expected string) *Error {
	e.Actual, e.Expected = sanitize(actual, 200), sanitize(expected, 200)
	return e
}

// WithRequest sets Request, cut to 800 bytes, and returns e.
func (e *Error) WithRequest(description string) *Error {
	e.Request = sanitize(description, 800)
	return e
}

// sanitize returns at most the first maxBytes of s, with control characters replaced.
func sanitize(s string, maxBytes int) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return unicode.ReplacementChar
		}
		return c
	}, fmt.Sprintf("%.*s", maxBytes, s))
}
