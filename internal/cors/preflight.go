// Package cors applies the rules of the Fetch standard to responses: what a page of another origin may send and read.
package cors

import (
	"fmt"
	"net/http"
	"net/textproto"
	"slices"
	"strings"
)

// Request is a request before which a browser sends a preflight.
type Request struct {
	Operation string   // a name for messages
	Method    string   // of HTTP
	Path      string   // below the endpoint, with the query
	Headers   []string // that need permission, sorted, in lower case
}

// Preflight returns the preflight of a page of origin for r.
func (r Request) Preflight(endpoint, origin string) (*http.Request, error) {
	request, err := http.NewRequest(http.MethodOptions, endpoint+r.Path, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Origin", origin)
	request.Header.Set("Access-Control-Request-Method", r.Method)
	if len(r.Headers) > 0 {
		request.Header.Set("Access-Control-Request-Headers", strings.Join(r.Headers, ","))
	}
	return request, nil
}

// Validate returns why the response to a preflight does not allow a page of origin to send r; empty: it does (Fetch,
// "CORS-preflight fetch").
func (r Request) Validate(status int, h http.Header, origin string) string {
	if status/100 != 2 {
		return fmt.Sprintf("status %d", status)
	}
	if reason := Unreadable(h, origin); reason != "" {
		return reason
	}
	methods := list(h, "Access-Control-Allow-Methods")
	safe := r.Method == http.MethodPost // or GET or HEAD, which uploads do not use
	if !safe && !slices.Contains(methods, r.Method) && !slices.Contains(methods, "*") {
		return "the method " + r.Method + " is not allowed"
	}
	headers := list(h, "Access-Control-Allow-Headers")
	for _, name := range r.Headers {
		named := slices.ContainsFunc(headers, func(h string) bool { return strings.EqualFold(h, name) })
		// "*" covers every header except authorization, which must be named (Fetch, 4.8 step 7).
		if !named && (name == "authorization" || !slices.Contains(headers, "*")) {
			return "the header " + name + " is not allowed"
		}
	}
	return ""
}

// Unreadable returns why a page of origin may not read a response; empty: it may.
func Unreadable(h http.Header, origin string) string {
	allowed := h.Values("Access-Control-Allow-Origin")
	switch {
	case len(allowed) == 0:
		return "the response has no Access-Control-Allow-Origin"
	case len(allowed) > 1:
		return "the response has Access-Control-Allow-Origin twice"
	case allowed[0] != "*" && allowed[0] != origin:
		return fmt.Sprintf("the response is for pages from %s, not from %s", allowed[0], origin)
	}
	return ""
}

// Exposes reports whether a page may read a header of the response.
func Exposes(h http.Header, name string) bool {
	return slices.ContainsFunc(list(h, "Access-Control-Expose-Headers"), func(v string) bool {
		return v == "*" || strings.EqualFold(v, name)
	})
}

// list splits a header that holds a list.
func list(h http.Header, name string) (values []string) {
	for _, line := range h.Values(name) {
		for value := range strings.SplitSeq(line, ",") {
			values = append(values, textproto.TrimString(value))
		}
	}
	return values
}
