package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"s3-sign-srv/internal/apierror"
	"s3-sign-srv/internal/fineuploader"
)

// TestExplainResponse checks what is said about each error response.
func TestExplainResponse(t *testing.T) {
	for _, test := range []struct {
		response   errorResponse
		cause, fix string
	}{
		{errorResponse{"POST", 403, "AccessDenied", true}, "it denies the request (AccessDenied, status 403)",
			"the key's permissions"},
		{errorResponse{"POST", 403, "QuotaExceeded", true}, "quota", "Raise the quota"},
		{errorResponse{"POST", 403, "SignatureDoesNotMatch", true}, "does not match the request that arrived", "proxy"},
		{errorResponse{"PUT", 507, "", false}, "it is full (status 507)", "Make room"},
		{errorResponse{"PUT", 507, "XMinioStorageFull", true}, "it is full (XMinioStorageFull, status 507)", "Make room"},
		{errorResponse{"PUT", 400, "EntityTooLarge", true}, "too large", "limit"},
		{errorResponse{"PUT", 413, "", false}, "a proxy in front of it rejects a body of this size", "client_max_body_size"},
		{errorResponse{"PUT", 502, "", false}, "cannot reach it (status 502)", "Check that the store is running"},
		{errorResponse{"DELETE", 405, "", false}, "a proxy in front of it rejects DELETE (status 405)", "forward DELETE"},
		{errorResponse{"PUT", 500, "InternalError", true}, "it fails (InternalError, status 500)", "the log of the store"},
	} {
		cause, fix := test.response.explain()
		if !strings.Contains(cause, test.cause) || !strings.Contains(fix, test.fix) {
			t.Errorf("%+v: %q, %q", test.response, cause, fix)
		}
	}
}

// TestDiagnoseUnsafeParams checks that names in request.params are blamed only if the response can come from them.
func TestDiagnoseUnsafeParams(t *testing.T) {
	for _, test := range []struct{ method, code, text string }{
		{"POST", "SignatureDoesNotMatch", "changes names with _ or a dot: data_set"},
		{"POST", "AccessDenied", "changes names with _ or a dot: data_set"},
		{"POST", "QuotaExceeded", "the quota of the bucket or of the key's user is used up"},
		{"PUT", "SignatureDoesNotMatch", "the signature does not match"},
		{"DELETE", "AccessDenied", "it denies the request"},
	} {
		r := testRun(t, strings.Replace(healthyConf, "dataset", "data_set", 1), "")
		err := &fineuploader.ResponseError{Response: fineuploader.Response{
			Method: test.method, Status: http.StatusForbidden, Header: http.Header{},
			Body: []byte("<Error><Code>" + test.code + "</Code></Error>"),
		}}
		if result := r.diagnose("accept a file", err)[0]; !strings.Contains(result.Text, test.text) {
			t.Errorf("%s, %s: %+v", test.method, test.code, result)
		}
	}
}

// TestExplainTransport checks what is said about each error without a response, in one line.
func TestExplainTransport(t *testing.T) {
	untrusted := &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}
	for _, test := range []struct {
		err       error
		text, fix string
	}{
		{errors.New("connection reset\nby peer"), "closes the connection", "http or https"},
		{context.DeadlineExceeded, "did not respond within 10s", "firewall"},
		{&net.DNSError{Name: "s3.example.org", IsNotFound: true}, "the name s3.example.org cannot be resolved",
			"AWS_ENDPOINT"},
		{untrusted, "not valid: x509: certificate signed by unknown authority", "private authority"},
		{http.ErrSchemeMismatch, "speaks http, but AWS_ENDPOINT says https", "Set AWS_ENDPOINT to http://s3.example.org"},
	} {
		r := testRunAt(t, "https://s3.example.org")
		result := r.explainTransport(fmt.Errorf("request: %w", test.err))[0]
		if result.Status != Failed || !strings.Contains(result.Text, test.text) ||
			!strings.Contains(result.Fix, test.fix) || strings.Contains(result.Text, "\n") {
			t.Errorf("%v: %+v", test.err, result)
		}
	}
}

// TestMayHaveArrived checks which errors mean that the store may have done something.
func TestMayHaveArrived(t *testing.T) {
	response := func(status int) error {
		return &fineuploader.ResponseError{Response: fineuploader.Response{Status: status}}
	}
	for _, test := range []struct {
		err  error
		want bool
	}{
		{nil, false},
		{apierror.New(apierror.Forbidden, ""), false},
		{response(403), false},
		{&net.OpError{Op: "dial", Err: errors.New("refused")}, false},
		{&tls.CertificateVerificationError{Err: x509.HostnameError{Host: "a"}}, false},
		{response(200), true},
		{response(504), true},
		{context.DeadlineExceeded, true},
		{&net.OpError{Op: "read", Err: errors.New("reset")}, true},
	} {
		if got := mayHaveArrived(test.err); got != test.want {
			t.Errorf("%#v: %v", test.err, got)
		}
	}
}
