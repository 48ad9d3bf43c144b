package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"s3-sign-srv/internal/bucket"
	"s3-sign-srv/internal/sign"
)

// checkEndpoint asks for the bucket without a signature: any S3 store has an answer to that.
func (e *exam) checkEndpoint(ctx context.Context) []Result {
	got, err := e.unsigned(ctx, http.MethodGet, "?location")
	if err != nil {
		return e.explainTransport(err)
	}
	e.front = got
	region := e.trueRegion()
	switch {
	case got.status/100 == 3 && region != "":
		return failed(fmt.Sprintf("%s sends calls for the bucket on to the region %s", e.host(), region), fmt.Sprintf("Set AWS_REGION=%s and AWS_ENDPOINT=%s.", region, regionalEndpoint(e, region)))
	case got.status/100 == 3:
		return failed(fmt.Sprintf("%s sends calls on to %s", e.host(), orElse(got.header.Get("Location"), "another address")), "Set AWS_ENDPOINT to the address that the store itself has.")
	case strings.Contains(string(got.body), "HTTPS") && got.status == http.StatusBadRequest:
		return failed(e.host()+" speaks https, and was asked by http", "Set AWS_ENDPOINT to https://"+e.host()+".")
	case !looksLikeS3(got):
		return failed(fmt.Sprintf("what answers at %s is not an S3 store (status %d, %s)", e.host(), got.status, orElse(got.header.Get("Content-Type"), "no content type")),
			"Set AWS_ENDPOINT to the store's S3 address, not to its web console or another service.")
	case got.status >= 500:
		return failed(fmt.Sprintf("the store at %s has a fault of its own (status %d %s)", e.host(), got.status, got.code()), "Look at the store's log.")
	}
	return ok("%s answers as an S3 store does", e.set.Sign.Endpoint)
}

// unsigned asks the bucket in path style, which is as far as any store understands.
func (e *exam) unsigned(ctx context.Context, method, query string) (answer, error) {
	r, err := http.NewRequestWithContext(ctx, method, e.set.Sign.Endpoint.String()+"/"+e.set.Sign.Bucket+query, nil)
	if err != nil {
		return answer{}, err
	}
	return ask(e.http, r)
}

// looksLikeS3 recognises the request ID that stores give each answer, or S3's XML.
func looksLikeS3(a answer) bool {
	return a.header.Get("x-amz-request-id") != "" || a.code() != "" || strings.Contains(string(a.body), "http://s3.amazonaws.com/doc/")
}

// explainTransport tells why no answer came.
func (e *exam) explainTransport(err error) []Result {
	host := e.host()
	var dns *net.DNSError
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &dns):
		return failed(fmt.Sprintf("the name %s cannot be found", dns.Name), "Correct the host in AWS_ENDPOINT, or the network's name service.")
	case errors.As(err, &record), strings.Contains(err.Error(), "HTTP response to HTTPS client"):
		return failed(host+" speaks http, and was asked by https", "Set AWS_ENDPOINT to http://"+host+", or give the store a certificate.")
	case tlsFault(err) != "":
		return failed(fmt.Sprintf("the certificate of %s is not good: %s", host, tlsFault(err)), "Give the store a certificate that browsers trust and that names its host; a house's own authority must be known to this computer and to every browser.")
	case errors.Is(err, context.DeadlineExceeded):
		return failed(fmt.Sprintf("%s did not answer within %v", host, Limit), "Check that the store is up and that AWS_ENDPOINT names it; a firewall may be in between.")
	case errors.Is(err, context.Canceled):
		return skipped("interrupted")
	case errors.Is(err, syscall.ECONNREFUSED):
		return failed("nothing listens at "+host, "Start the store, or correct host and port in AWS_ENDPOINT.")
	}
	return failed(fmt.Sprintf("%s breaks the connection off without an answer", host), "Check http or https, host and port in AWS_ENDPOINT, and the network.")
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
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "it has expired"
	case errors.As(err, &invalid):
		return oneLine(invalid.Error())
	}
	return ""
}

// checkClock compares the Date of the store's answer with our time.
func (e *exam) checkClock(context.Context) []Result {
	theirs, err := http.ParseTime(e.front.header.Get("Date"))
	if err != nil {
		return ok("the store's answers have no date; a wrong clock would show below")
	}
	ahead := e.cfg.Now().Sub(theirs).Round(time.Second)
	side := "ahead of"
	if ahead < 0 {
		side = "behind"
	}
	text := fmt.Sprintf("this computer's clock is %v %s the store's", ahead.Abs(), side)
	const fix = "Set the clock of this computer by NTP, and the store's if that is the wrong one."
	switch {
	case ahead.Abs() > sign.TimeWindow:
		return failed(text+", and S3 allows 15 minutes", fix)
	case ahead.Abs() > time.Minute:
		return warning(text, fix)
	}
	return ok("within %v of the store's", max(ahead.Abs(), time.Second))
}

// expected finds the right region in the message of AWS, MinIO and versitygw.
var expected = regexp.MustCompile(`expecting '([a-z0-9-]+)'`)

// checkRegion asks without a signature for the bucket's region, and with one whether ours is taken.
func (e *exam) checkRegion(ctx context.Context) []Result {
	ours := e.set.Sign.Region
	if e.trueRegion() == "" {
		if got, err := e.unsigned(ctx, http.MethodHead, ""); err == nil {
			e.front = got
		}
	}
	if region := e.trueRegion(); region != "" && region != ours {
		return wrongRegion(ours, region)
	}
	e.names, e.namesErr = e.store(pathStyle).Buckets(ctx)
	if code := bucket.Code(e.namesErr); code == "AuthorizationHeaderMalformed" || strings.Contains(code, "Region") {
		region := ""
		if m := expected.FindStringSubmatch(e.namesErr.Error() + fmt.Sprint(errors.Unwrap(e.namesErr))); m != nil {
			region = m[1]
		}
		return wrongRegion(ours, region)
	}
	return ok("%s", ours)
}

func wrongRegion(ours, theirs string) []Result {
	if theirs == "" {
		return failed("the store does not take the region "+ours, "Set AWS_REGION to the bucket's region.")
	}
	return failed(fmt.Sprintf("the bucket is in the region %s, not in %s", theirs, ours), "Set AWS_REGION="+theirs+".")
}

// trueRegion is what the store has said of the bucket's region so far.
func (e *exam) trueRegion() string {
	if e.front.header == nil {
		return ""
	}
	return orElse(e.front.header.Get("x-amz-bucket-region"), e.front.element("Region"))
}

// regionalEndpoint is AWS's for a region; other stores' are not known.
func regionalEndpoint(e *exam, region string) string {
	if strings.HasSuffix(e.set.Sign.Endpoint.Hostname(), ".amazonaws.com") {
		return "https://s3." + region + ".amazonaws.com"
	}
	return "the store's address there"
}

// checkKeys asks for the list of buckets, to which every key gets an answer, if only a refusal.
func (e *exam) checkKeys(context.Context) []Result {
	err := e.namesErr
	switch code := bucket.Code(err); {
	case err == nil, code == "AccessDenied":
		return ok("the store knows the access key, and the secret key is its own")
	case code == "InvalidAccessKeyId", code == "XAdminUserNotFound": // the second is versitygw's
		return failed("the store does not know the access key "+e.set.Sign.AccessKey, "Set AWS_CLIENT_ACCESS_KEY to a key of this store.")
	case code == "SignatureDoesNotMatch":
		return failed("the secret key does not belong to the access key "+e.set.Sign.AccessKey, "Set AWS_CLIENT_SECRET_KEY to the one that came with the access key.")
	case code == "RequestTimeTooSkewed":
		return failed("the store finds this computer's clock wrong", "Set the clock of this computer by NTP.")
	case bucket.Status(err) == 0:
		return e.explainTransport(err)
	case bucket.Status(err) == http.StatusForbidden:
		return ok("the store does not tell, but took the signature (%s)", orElse(code, "status 403"))
	default:
		return failed(fmt.Sprintf("the store answered a signed request with status %d %s", bucket.Status(err), code),
			"The server's own calls need a store that takes signature version 4; look at the store's log.")
	}
}

// checkBucket asks where the bucket is, which also says whether it is.
func (e *exam) checkBucket(ctx context.Context) []Result {
	name := e.set.Sign.Bucket
	location := ""
	err := e.reach(func(b *bucket.Bucket) (err error) {
		location, err = b.Location(ctx)
		return err
	})
	switch {
	case err == nil && location != "":
		return ok("%s is there, in %s", name, location)
	case err == nil, slices.Contains(e.names, name):
		return ok("%s is there", name)
	case bucket.Code(err) == "NoSuchBucket", bucket.Status(err) == http.StatusNotFound:
		return failed(fmt.Sprintf("there is no bucket %q at %s", name, e.host()), "Set AWS_DEST_BUCKET to a bucket that is there"+e.suggestBuckets()+", or make it.")
	case bucket.Status(err) == http.StatusForbidden:
		return ok("%s is there; the key may not ask more, which it need not", name)
	case bucket.Status(err) == 0:
		return e.explainTransport(err)
	}
	return ok("%s answers with status %d to a question that uploads do not ask", name, bucket.Status(err))
}

// suggestBuckets names the buckets of the key's owner, if they are few.
func (e *exam) suggestBuckets() string {
	if len(e.names) == 0 || len(e.names) > 5 {
		return ""
	}
	return " (" + strings.Join(e.names, ", ") + ")"
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
