package doctor

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"s3-sign-srv/internal/apierror"
)

// TestRemedy says what to do about each answer that is no good one.
func TestRemedy(t *testing.T) {
	for _, test := range []struct {
		r          reply
		cause, fix string
	}{
		{reply{"POST", 403, "AccessDenied", true}, "it refuses (AccessDenied, status 403)", "the key's permissions"},
		{reply{"POST", 403, "QuotaExceeded", true}, "quota", "Raise the quota"},
		{reply{"POST", 403, "SignatureDoesNotMatch", true}, "not for what arrived", "proxy"},
		{reply{"PUT", 507, "", false}, "it is full (status 507)", "Make room"},
		{reply{"PUT", 507, "XMinioStorageFull", true}, "it is full (XMinioStorageFull, status 507)", "Make room"},
		{reply{"PUT", 400, "EntityTooLarge", true}, "too large", "limit"},
		{reply{"PUT", 413, "", false}, "something in front of the store takes no body of this size", "client_max_body_size"},
		{reply{"PUT", 502, "", false}, "does not reach it (status 502)", "Look whether the store runs"},
		{reply{"DELETE", 405, "", false}, "something in front of the store refuses DELETE (status 405)", "pass DELETE on"},
		{reply{"PUT", 500, "InternalError", true}, "it fails (InternalError, status 500)", "the store's log"},
	} {
		if cause, fix := test.r.remedy(); !strings.Contains(cause, test.cause) || !strings.Contains(fix, test.fix) {
			t.Errorf("%+v: %q, %q", test.r, cause, fix)
		}
	}
}

// TestExplainTransport names the cause of every silence, in one line.
func TestExplainTransport(t *testing.T) {
	now := time.Date(2026, 11, 24, 22, 0, 0, 0, time.UTC)
	certificate := &x509.Certificate{NotBefore: now.AddDate(1, 0, 0), NotAfter: now.AddDate(-1, 0, 0)}
	for _, test := range []struct {
		err  error
		want string
		fix  string
	}{
		{errors.New("connection reset\nby peer"), "breaks the connection off", "http or https"},
		{context.DeadlineExceeded, "did not answer within 10s", "firewall"},
		{&net.DNSError{Name: "s3.example.org", IsNotFound: true}, "the name s3.example.org cannot be found", "AWS_ENDPOINT"},
		{x509.UnknownAuthorityError{}, "nobody that this computer trusts", "authority"},
		{x509.CertificateInvalidError{Cert: certificate, Reason: x509.Expired, Detail: "current time … is after …"}, "it expired on 2025-11-24, and this computer's clock says 2026-11-24 22:00 UTC", "Renew"},
		{x509.CertificateInvalidError{Cert: certificate, Reason: x509.Expired, Detail: "current time … is before …"}, "not valid before 2027-11-24, and this computer's clock says", "clock right"},
	} {
		e := examAt(t, "https://s3.example.org")
		e.cfg.Now = func() time.Time { return now }
		got := e.explainTransport(fmt.Errorf("asked: %w", test.err))
		if got[0].Status != Failed || !strings.Contains(got[0].Text, test.want) || !strings.Contains(got[0].Fix, test.fix) || strings.Contains(got[0].Text, "\n") {
			t.Errorf("%v: %+v", test.err, got)
		}
	}
}

// TestMayHaveArrived keeps in mind what may have come about without an answer.
func TestMayHaveArrived(t *testing.T) {
	for _, test := range []struct {
		err  error
		want bool
	}{
		{nil, false},
		{apierror.New(apierror.Forbidden, ""), false},
		{&storeError{answer: answer{status: 403}}, false},
		{&net.OpError{Op: "dial", Err: errors.New("refused")}, false},
		{x509.HostnameError{Host: "a"}, false},
		{&storeError{answer: answer{status: 200}}, true},
		{&storeError{answer: answer{status: 504}}, true},
		{context.DeadlineExceeded, true},
		{&net.OpError{Op: "read", Err: errors.New("reset")}, true},
	} {
		if got := mayHaveArrived(test.err); got != test.want {
			t.Errorf("%#v: %v", test.err, got)
		}
	}
}
