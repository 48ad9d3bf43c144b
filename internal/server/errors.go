package server

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"s3-sign-srv/internal/apierror"
)

// The errors that the server itself finds.
var (
	errNotFound = &apierror.Error{
		Code: apierror.NotFound, Kind: apierror.KindAddress,
		Message: "There is nothing at this address; see the list of routes in docs/protocol.md.",
	}
	errMethodNotAllowed = &apierror.Error{
		Code: apierror.MethodNotAllowed, Kind: apierror.KindAddress,
		Message: "This address does not accept this method; the Allow header lists the methods that it accepts.",
	}
	errUnreadableConf = apierror.New(apierror.NotFound, "The file static/client_conf.js cannot be read; "+
		"replace a symbolic link by a hard link with ln -f my_client_conf.js static/client_conf.js, "+
		"or give the server read access.")
	errNotOwner = &apierror.Error{
		Code: apierror.Forbidden, Kind: apierror.KindSetup,
		Message: "This key belongs to another owner: yours begin with your owner id and a slash; reload the page, " +
			"set objectProperties.key as docs/integration.md shows, or set P3S3F_OWN_UPLOADS_ONLY=0 in the server's " +
			"settings if your page has no owners.",
	}
	errRateLimited = apierror.New(apierror.RateLimited,
		"Too many requests came from this address; wait a few seconds and try again.")
	errTooLarge = apierror.New(apierror.TooLarge,
		"The request is larger than 64 KiB, which no request of an upload needs; use an unmodified Fine Uploader.")
	errInternal = apierror.New(apierror.Internal,
		"The server could not process this request; try again, and give its operator the id of this response.")
)

// errCrossSite rejects r as the request of another site's page. Without Sec-Fetch-Site, which browsers send only to
// https and localhost, it may also come from a page of this server through a proxy that replaces Host.
func errCrossSite(r *http.Request) error {
	e := &apierror.Error{Code: apierror.Forbidden, Kind: apierror.KindSetup}
	e.Message = "The request came from a page of another site; serve the page from this server, " +
		"or add its origin to P3S3F_ALLOWED_ORIGINS."
	if r.Header.Get("Sec-Fetch-Site") == "" {
		e.Message = "A proxy in front of this server replaced the Host header, or the request came from a page of another " +
			"site; let the proxy pass on Host as the browser sent it, or add the page's origin to P3S3F_ALLOWED_ORIGINS."
	}
	return e.WithDetail(fmt.Sprintf("Origin %.90s, Host %.90s", r.Header.Get("Origin"), r.Host), "the same host in both")
}

func badRequest(message string) error { return apierror.New(apierror.BadRequest, message) }

// toAPIError finds the *apierror.Error in err. An error without one is internal: its text stays in the log.
func toAPIError(err error) *apierror.Error {
	if known := (*apierror.Error)(nil); errors.As(err, &known) {
		return known
	}
	return errInternal
}

// statuses is the one table from error codes to HTTP statuses.
var statuses = map[apierror.Code]int{
	apierror.Internal:             http.StatusInternalServerError,
	apierror.BadRequest:           http.StatusBadRequest,
	apierror.Unauthenticated:      http.StatusUnauthorized,
	apierror.Forbidden:            http.StatusForbidden,
	apierror.NotFound:             http.StatusNotFound,
	apierror.MethodNotAllowed:     http.StatusMethodNotAllowed,
	apierror.Conflict:             http.StatusConflict,
	apierror.TooLarge:             http.StatusRequestEntityTooLarge,
	apierror.UnsupportedMediaType: http.StatusUnsupportedMediaType,
	apierror.RateLimited:          http.StatusTooManyRequests,
	apierror.StoreFailed:          http.StatusBadGateway,
	apierror.HookFailed:           http.StatusBadGateway,
	apierror.Unavailable:          http.StatusServiceUnavailable,
}

// message returns e's message as valid UTF-8; a hook may return any text.
func message(e *apierror.Error) string { return strings.ToValidUTF8(e.Message, "?") }
