package doctor

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"syscall"

	"s3-sign-srv/internal/apierror"
	"s3-sign-srv/internal/fineuploader"
	"s3-sign-srv/internal/s3"
	"s3-sign-srv/internal/s3admin"
)

// diagnose explains why the store does not do something, from the error of a request of Fine Uploader or of a call of
// the server.
func (r *run) diagnose(action string, err error) []Result {
	if _, responded := responseOf(err); !responded && signingError(err) == nil {
		return r.explainTransport(err)
	}
	cause, fix := r.explain(err)
	e, _ := responseOf(err)
	isDenied := e.code == "SignatureDoesNotMatch" || e.code == "AccessDenied"
	if isDenied && e.method == http.MethodPost && r.unsafeParams() != "" { // the other methods send no params
		cause, fix = "it or a proxy in front of it changes names with _ or a dot: "+r.unsafeParams(), renameParams
	}
	return failed(fmt.Sprintf("the store does not %s: %s", action, cause), fix)
}

const renameParams = "In request.params in client_conf.js, use only letters, digits and - in names."

// isUnsafe reports whether a name in request.params may not reach the store: radosgw makes - of _ in the name of a
// header before it checks a version 2 signature, and nginx drops headers with _ or a dot in the name.
func isUnsafe(name string) bool { return strings.ContainsAny(name, "_.") }

// unsafeParams returns the unsafe names in request.params, which no probe sends.
func (r *run) unsafeParams() string {
	params, _ := r.conf.Under("request.params")
	maps.DeleteFunc(params, func(name, _ string) bool { return !isUnsafe(name) })
	return strings.Join(slices.Sorted(maps.Keys(params)), ", ")
}

// signingError returns the error with which this server refused to sign, or nil if err is another error: those of
// internal/s3 have other codes.
func signingError(err error) *apierror.Error {
	var e *apierror.Error
	if errors.As(err, &e) && (e.Code == apierror.BadRequest || e.Code == apierror.Forbidden) {
		return e
	}
	return nil
}

// errorResponse summarizes an error response, to a request or to a call.
type errorResponse struct {
	method string
	status int
	code   string // of S3; may be empty
	fromS3 bool   // otherwise a proxy in front of the store has sent it
}

// responseOf returns the response behind err; responded is false if there was none.
func responseOf(err error) (e errorResponse, responded bool) {
	var sent *fineuploader.ResponseError
	if errors.As(err, &sent) {
		return errorResponse{sent.Method, sent.Status, sent.Code(), looksLikeS3(sent.Response)}, true
	}
	response := s3admin.Response(err)
	if response == nil {
		return errorResponse{}, false
	}
	e = errorResponse{
		status: response.StatusCode, code: s3.Code(err), fromS3: response.Header.Get("x-amz-request-id") != "",
	}
	if response.Request != nil {
		e.method = response.Request.Method
	}
	return e, true
}

// String returns the S3 code and the status.
func (e errorResponse) String() string {
	if e.code == "" || !e.fromS3 {
		return fmt.Sprintf("status %d", e.status)
	}
	return fmt.Sprintf("%s, status %d", e.code, e.status)
}

// explain says what the response means, and what to do about it.
func (e errorResponse) explain() (cause, fix string) {
	switch {
	case e.status == http.StatusInsufficientStorage, e.code == "XMinioStorageFull":
		return fmt.Sprintf("it is full (%v)", e), "Make room in the store."
	case !e.fromS3:
		return e.explainProxy()
	case e.code == "QuotaExceeded":
		return fmt.Sprintf("the quota of the bucket or of the key's user is used up (%v)", e),
			"Raise the quota, or delete objects."
	case e.code == "SignatureDoesNotMatch":
		return fmt.Sprintf("the signature does not match the request that arrived (%v)", e),
			"Look for a proxy that changes the host, the path or headers; it must forward them unchanged."
	case e.code == "EntityTooLarge":
		return fmt.Sprintf("the file is too large for it (%v)", e), "Raise the limit of the store."
	case e.status == http.StatusForbidden:
		return fmt.Sprintf("it denies the request (%v)", e), "Check the key's permissions and the bucket's policy."
	}
	return fmt.Sprintf("it fails (%v)", e), "Check the log of the store."
}

// explainProxy explains a response that is not the store's.
func (e errorResponse) explainProxy() (cause, fix string) {
	switch {
	case e.status == http.StatusRequestEntityTooLarge:
		return "a proxy in front of it rejects a body of this size (status 413)",
			"Raise the limit of the proxy above the size of a part, up to 32 MiB (nginx: client_max_body_size 0)."
	case e.status >= 500:
		return fmt.Sprintf("a proxy in front of it cannot reach it (status %d)", e.status),
			"Check that the store is running, and check the log of the proxy."
	}
	return fmt.Sprintf("a proxy in front of it rejects %s (status %d)", e.method, e.status),
		fmt.Sprintf("The proxy must forward %s to the store.", e.method)
}

// explainTransport explains why there was no response.
func (r *run) explainTransport(err error) []Result {
	host := r.host()
	var dns *net.DNSError
	proxy, _ := http.ProxyFromEnvironment(&http.Request{URL: r.set.Sign.Endpoint})
	switch {
	case errors.Is(err, context.Canceled):
		return skipped("interrupted")
	case certificateError(err) != nil:
		return failed(fmt.Sprintf("the certificate of %s is not valid: %v", host, certificateError(err)),
			"Give the store a certificate that browsers trust, that names its host, and that has not expired. "+
				"A private authority must be installed on this computer and in every browser. "+
				"Set this computer's clock right if it is wrong.")
	case proxy != nil:
		results := failed(fmt.Sprintf("%s is reached through the proxy %s, which does not respond", host, proxy.Host),
			"Correct HTTP_PROXY or HTTPS_PROXY in the environment, or add the store's host to NO_PROXY.")
		results[0].timedOut = isTimeout(err)
		return results
	case errors.As(err, &dns):
		return failed(fmt.Sprintf("the name %s cannot be resolved", dns.Name),
			"Correct the host in AWS_ENDPOINT, or the DNS configuration.")
	case errors.Is(err, http.ErrSchemeMismatch):
		return failed(host+" speaks http, but AWS_ENDPOINT says https",
			"Set AWS_ENDPOINT to http://"+host+", or give the store a certificate.")
	case isTimeout(err):
		return r.explainTimeout()
	case errors.Is(err, syscall.ECONNREFUSED):
		return failed("nothing listens at "+host, "Start the store, or correct host and port in AWS_ENDPOINT.")
	}
	return failed(host+" closes the connection without a response",
		"Check http or https, host and port in AWS_ENDPOINT, and the network.")
}

func (r *run) explainTimeout() []Result {
	results := failed(fmt.Sprintf("%s did not respond within %v", r.host(), Limit),
		"Check that the store is running and that AWS_ENDPOINT names it; a firewall may be in between.")
	if r.unsignedResponse.Header != nil {
		results = failed(fmt.Sprintf("%s responds, but not to this request within %v", r.host(), Limit),
			"Check the log of the store, and look for a proxy in front of it that holds back such requests.")
	}
	results[0].timedOut = true
	return results
}

// isTimeout reports whether err is the lack of a response in time.
func isTimeout(err error) bool {
	var netErr net.Error
	return errors.As(err, &netErr) && netErr.Timeout()
}

// certificateError returns what is wrong with the store's certificate, or nil if err is about something else.
func certificateError(err error) error {
	if e := (*tls.CertificateVerificationError)(nil); errors.As(err, &e) {
		return e.Err
	}
	return nil
}
