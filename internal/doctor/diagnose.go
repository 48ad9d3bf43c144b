package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"s3-sign-srv/internal/apierror"
	"s3-sign-srv/internal/s3"
	"s3-sign-srv/internal/s3admin"
)

// diagnose tells why the store did not do what it was asked, from the error of a request of the page's or of
// a call of the server's.
func (e *run) diagnose(what string, err error) []Result {
	if e := signingError(err); e != nil {
		text, fix := splitSentence(e.Message)
		return failed(fmt.Sprintf("this server refuses to sign what it takes to %s: %s", what, text), fix)
	}
	r, answered := replyTo(err)
	if !answered {
		return e.explainTransport(err)
	}
	cause, fix := r.remedy()
	return failed(fmt.Sprintf("the store does not %s: %s", what, cause), fix)
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

// reply is an answer in short, whether it came to a request or to a call.
type reply struct {
	method string
	status int
	code   string // S3's word, if it gives one
	s3     bool   // else something in front of the store has answered
}

// replyTo returns the answer that err tells of; answered is false where none came.
func replyTo(err error) (r reply, answered bool) {
	var mine *storeError
	if errors.As(err, &mine) {
		return reply{mine.method, mine.status, mine.code, looksLikeS3(mine.answer)}, true
	}
	theirs := s3admin.Response(err)
	if theirs == nil {
		return reply{}, false
	}
	r = reply{status: theirs.StatusCode, code: s3.Code(err), s3: theirs.Header.Get("x-amz-request-id") != ""}
	if theirs.Request != nil {
		r.method = theirs.Request.Method
	}
	return r, true
}

// String is S3's word and the status.
func (r reply) String() string {
	if r.code == "" || !r.s3 {
		return fmt.Sprintf("status %d", r.status)
	}
	return fmt.Sprintf("%s, status %d", r.code, r.status)
}

// remedy says what an answer means that is no good one, and what to do about it.
func (r reply) remedy() (cause, fix string) {
	const inFront = "something in front of the store "
	switch {
	case r.status == http.StatusInsufficientStorage, r.code == "XMinioStorageFull":
		return fmt.Sprintf("it is full (%v)", r), "Make room there."
	case !r.s3 && r.status == http.StatusRequestEntityTooLarge:
		return inFront + "takes no body of this size (status 413)", "Raise its limit to more than a part, 5 MiB (nginx: client_max_body_size 0)."
	case !r.s3 && r.status >= 500:
		return fmt.Sprintf(inFront+"does not reach it (status %d)", r.status), "Look whether the store runs, and at the log of the proxy before it."
	case !r.s3:
		return fmt.Sprintf(inFront+"refuses %s (status %d)", r.method, r.status), fmt.Sprintf("Have it pass %s on to the store.", r.method)
	case r.code == "QuotaExceeded":
		return fmt.Sprintf("the quota of the bucket or of the key's user is used up (%v)", r), "Raise the quota, or remove from the bucket what is not needed."
	case r.code == "SignatureDoesNotMatch":
		return fmt.Sprintf("the signature is not for what arrived (%v)", r), "Look for a proxy that changes the host, the path or headers, and have it pass them on as they came."
	case r.code == "EntityTooLarge":
		return fmt.Sprintf("the file is too large for it (%v)", r), "Raise the store's own limit."
	case r.status == http.StatusForbidden:
		return fmt.Sprintf("it refuses (%v)", r), "Look at the key's permissions and the bucket's policy."
	}
	return fmt.Sprintf("it fails (%v)", r), "Look at the store's log."
}

// explainTransport tells why no answer came.
func (e *run) explainTransport(err error) []Result {
	host := e.host()
	var dns *net.DNSError
	var record tls.RecordHeaderError
	switch {
	case errors.Is(err, context.Canceled):
		return skipped("interrupted")
	case tlsFault(err) != "":
		return e.explainTLS(err)
	case e.proxy() != nil:
		return []Result{{
			Status: Failed, Text: fmt.Sprintf("%s is asked by way of the proxy %s, which gives no answer", host, e.proxy().Host),
			Fix: "Correct HTTP_PROXY or HTTPS_PROXY in the environment, or name the store's host in NO_PROXY.", late: isLate(err),
		}}
	case errors.As(err, &dns):
		return failed(fmt.Sprintf("the name %s cannot be found", dns.Name), "Correct the host in AWS_ENDPOINT, or the network's name service.")
	case errors.As(err, &record), strings.Contains(err.Error(), "HTTP response to HTTPS client"):
		return failed(host+" speaks http, and was asked by https", "Set AWS_ENDPOINT to http://"+host+", or give the store a certificate.")
	case isLate(err) && e.unsignedResponse.header != nil:
		return []Result{{Status: Failed, Text: fmt.Sprintf("%s answers, but not to this within %v", host, Limit), Fix: "Look at the store's log, and for a proxy before it that holds such requests back.", late: true}}
	case isLate(err):
		return []Result{{Status: Failed, Text: fmt.Sprintf("%s did not answer within %v", host, Limit), Fix: "Check that the store is up and that AWS_ENDPOINT names it; a firewall may be in between.", late: true}}
	case errors.Is(err, syscall.ECONNREFUSED):
		return failed("nothing listens at "+host, "Start the store, or correct host and port in AWS_ENDPOINT.")
	case e.set.Sign.Endpoint.Scheme == "http" && speaksTLS(host):
		return e.speaksHTTPS()
	}
	return failed(fmt.Sprintf("%s breaks the connection off without an answer", host), "Check http or https, host and port in AWS_ENDPOINT, and the network.")
}

func (e *run) speaksHTTPS() []Result {
	return failed(e.host()+" speaks https, and was asked by http", "Set AWS_ENDPOINT to https://"+e.host()+".")
}

// speaksTLS reports whether a TLS handshake succeeds with host.
func speaksTLS(host string) bool {
	dialer := &net.Dialer{Timeout: Limit}
	conn, err := tls.DialWithDialer(dialer, "tcp", host, &tls.Config{InsecureSkipVerify: true}) // nothing is sent
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

// isLate reports whether err is for want of an answer in time.
func isLate(err error) bool {
	var timed net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timed) && timed.Timeout()
}

// proxy is what the environment puts between this computer and the store, nil if nothing.
func (e *run) proxy() *url.URL {
	if e.set.Sign.Endpoint == nil {
		return nil
	}
	proxy, _ := http.ProxyFromEnvironment(&http.Request{URL: e.set.Sign.Endpoint})
	return proxy
}

// explainTLS tells what to do about a certificate.
func (e *run) explainTLS(err error) []Result {
	var invalid x509.CertificateInvalidError
	text := fmt.Sprintf("the certificate of %s is not good: %s", e.host(), tlsFault(err))
	if errors.As(err, &invalid) && invalid.Reason == x509.Expired {
		return failed(fmt.Sprintf("%s, and this computer's clock says %s", text, e.cfg.Now().UTC().Format("2006-01-02 15:04 MST")), "Renew the certificate, or set the clock right if it is wrong.")
	}
	return failed(text, "Give the store a certificate that browsers trust and that names its host; a house's own authority must be known to this computer and to every browser.")
}

// tlsFault says what is wrong with a certificate, empty where that is not the matter.
func tlsFault(err error) string {
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &authority):
		return "nobody that this computer trusts has signed it"
	case errors.As(err, &name):
		return "it is not for " + name.Host
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired && strings.Contains(invalid.Detail, "is before"):
		return "it is not valid before " + invalid.Cert.NotBefore.Format(time.DateOnly)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "it expired on " + invalid.Cert.NotAfter.Format(time.DateOnly)
	case errors.As(err, &invalid):
		return oneLine(invalid.Error())
	}
	return ""
}
