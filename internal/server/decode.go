package server

import (
	"bytes"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"s3-sign-srv/internal/apierror"
)

// maxBody bounds every request body, in bytes. The largest honest one, a policy with 2 KB of metadata
// and a key of 1 KB, is under 10 KB.
const maxBody = 64 << 10

// usualBody is what is set aside before the first byte has come: a slow sender must not cost more.
const usualBody = 4 << 10

// readBody reads the body up to maxBody.
func readBody(r *http.Request) ([]byte, error) {
	if r.ContentLength > maxBody {
		return nil, errTooLarge
	}
	var body bytes.Buffer
	body.Grow(int(min(max(r.ContentLength, 0), usualBody)) + bytes.MinRead)
	source := r.Body
	if r.ContentLength < 0 {
		source = http.MaxBytesReader(nil, r.Body, maxBody)
	}
	_, err := body.ReadFrom(source)
	if err == nil {
		return body.Bytes(), nil
	}
	if toAPIError(err) == errTooLarge {
		return nil, errTooLarge
	}
	return nil, badRequest("The request's body did not arrive whole; try again.")
}

// readJSON wants a JSON body, as Fine Uploader sends it. The type is what makes a browser ask
// first (a preflight) before it sends one from another site.
func readJSON(r *http.Request) ([]byte, error) {
	kind, err := mediaType(r)
	if err != nil || kind != "application/json" && !(strings.HasPrefix(kind, "application/") && strings.HasSuffix(kind, "+json")) {
		return nil, apierror.New(apierror.UnsupportedMediaType, "The body must be sent as application/json; use an unmodified Fine Uploader, and have no other endpoint than signature.endpoint in client_conf.js lead here.")
	}
	return readBody(r)
}

// readForm wants a form body, each name once.
func readForm(r *http.Request) (map[string]string, error) {
	if kind, err := mediaType(r); err != nil || kind != "application/x-www-form-urlencoded" {
		return nil, apierror.New(apierror.UnsupportedMediaType, "The body must be sent as application/x-www-form-urlencoded; use an unmodified Fine Uploader, and do not have signature.endpoint in client_conf.js lead here.")
	}
	body, err := readBody(r)
	if err != nil {
		return nil, err
	}
	return parseQuery(string(body))
}

// mediaType returns the body's type without parameters; a compressed body has none that we read.
func mediaType(r *http.Request) (string, error) {
	if r.Header.Get("Content-Encoding") != "" {
		return "", mime.ErrInvalidMediaParameter
	}
	value := r.Header.Get("Content-Type")
	switch value { // as Fine Uploader sends it; the rest is for other clients
	case "application/json; charset=UTF-8", "application/json; charset=utf-8":
		return "application/json", nil
	}
	kind, _, err := mime.ParseMediaType(value)
	return kind, err
}

// parseQuery decodes name=value pairs, each name once.
func parseQuery(query string) (map[string]string, error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, badRequest("The form or query is not properly encoded; use an unmodified Fine Uploader.")
	}
	single := make(map[string]string, len(values))
	for name, list := range values {
		if len(list) != 1 {
			return nil, badRequest("The form or query has a name twice; give each of uploadSuccess.params, deleteFile.params and request.params a name of its own.")
		}
		if !utf8.ValidString(name) || !utf8.ValidString(list[0]) {
			return nil, badRequest("The form or query is not UTF-8; use an unmodified Fine Uploader.")
		}
		single[name] = list[0]
	}
	return single, nil
}
