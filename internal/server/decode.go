package server

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"s3-sign-srv/internal/apierror"
)

// maxBody is the limit for request bodies, in bytes. The largest honest one, a policy with 2 KB of metadata and a key
// of 1 KB, is under 10 KB.
const maxBody = 64 << 10

// readBody reads the body up to maxBody.
func readBody(r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, errTooLarge
	case err != nil:
		return nil, badRequest("The body of the request did not arrive completely; try again.")
	}
	return body, nil
}

// readJSON reads a JSON body. A page of another site cannot send this media type without a preflight. The error for
// another type ends with advice.
func readJSON(r *http.Request, advice string) ([]byte, error) {
	kind, err := mediaType(r)
	isJSON := kind == "application/json" || strings.HasPrefix(kind, "application/") && strings.HasSuffix(kind, "+json")
	if err != nil || !isJSON {
		return nil, apierror.New(apierror.UnsupportedMediaType, "The body must be sent as application/json; "+advice)
	}
	return readBody(r)
}

// readForm reads a form body with each name once. A name that is also in the query is an error, because another parser
// might look there first.
func readForm(r *http.Request) (map[string]string, error) {
	if kind, err := mediaType(r); err != nil || kind != "application/x-www-form-urlencoded" {
		return nil, apierror.New(apierror.UnsupportedMediaType, "The body must be sent as "+
			"application/x-www-form-urlencoded; use an unmodified Fine Uploader, and do not use this address as "+
			"signature.endpoint in client_conf.js.")
	}
	body, err := readBody(r)
	if err != nil {
		return nil, err
	}
	form, err := parseQuery(string(body))
	if err != nil {
		return nil, err
	}
	query, err := parseQuery(r.URL.RawQuery)
	for name := range query {
		if _, both := form[name]; both || name == "key" || name == "bucket" {
			return nil, badRequest("A name of the form is also in the query; " +
				"remove it from uploadSuccess.endpoint or deleteFile.endpoint.")
		}
	}
	return form, err
}

// mediaType returns the type of the body without parameters. A compressed body is not read.
func mediaType(r *http.Request) (string, error) {
	if r.Header.Get("Content-Encoding") != "" {
		return "", mime.ErrInvalidMediaParameter
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return kind, err
}

// parseQuery parses name=value pairs with each name once.
func parseQuery(query string) (map[string]string, error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, badRequest("The form or query is not properly encoded; use an unmodified Fine Uploader.")
	}
	single := make(map[string]string, len(values))
	for name, list := range values {
		if len(list) != 1 {
			return nil, badRequest("The form or query has a name twice; use different names in uploadSuccess.params, " +
				"deleteFile.params and request.params.")
		}
		if !utf8.ValidString(name) || !utf8.ValidString(list[0]) {
			return nil, badRequest("The form or query is not UTF-8; use an unmodified Fine Uploader.")
		}
		single[name] = list[0]
	}
	return single, nil
}

// pop removes name from form and returns its value.
func pop(form map[string]string, name string) string {
	value := form[name]
	delete(form, name)
	return value
}
