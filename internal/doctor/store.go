package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"s3-sign-srv/internal/s3"
	"s3-sign-srv/internal/s3admin"
	"s3-sign-srv/internal/sign"
)

// slow is how long an answer takes that is worth a warning.
const slow = time.Second

// checkEndpoint asks for the bucket without a signature: any S3 store has an answer to that.
func (e *run) checkEndpoint(ctx context.Context) []Result {
	start := e.cfg.Now()
	got, err := e.unsigned(ctx, http.MethodGet, "?location")
	if err != nil {
		return e.explainTransport(err)
	}
	e.unsignedResponse = got
	if fault := e.notTheStore(got); fault != nil {
		return fault
	}
	if took := e.cfg.Now().Sub(start).Round(100 * time.Millisecond); took >= slow {
		return warning(fmt.Sprintf("%s took %v to answer", e.set.Sign.Endpoint, took), "Look at the load of the store and at the network; uploads ask it several times each.")
	}
	return ok("%s answers as an S3 store does", e.set.Sign.Endpoint)
}

// notTheStore tells what else has answered, nil if it was a sound store that was asked for our bucket.
func (e *run) notTheStore(got answer) []Result {
	region, host := e.trueRegion(), e.host()
	switch {
	case got.status/100 == 3 && region != "":
		return failed(fmt.Sprintf("%s sends calls for the bucket on to the region %s", host, region), fmt.Sprintf("Set AWS_REGION=%s and AWS_ENDPOINT=%s.", region, orElse(e.regionalEndpoint(region), "the store's address there")))
	case got.status/100 == 3:
		return e.sentOn(got.header.Get("Location"))
	case strings.Contains(string(got.body), "HTTPS") && got.status == http.StatusBadRequest:
		return e.speaksHTTPS()
	case !looksLikeS3(got) && got.status >= 500:
		cause, fix := reply{status: got.status}.remedy()
		return failed(fmt.Sprintf("at %s %s", host, cause), fix)
	case !looksLikeS3(got):
		return failed(fmt.Sprintf("what answers at %s is not an S3 store (status %d, %s)", host, got.status, orElse(got.header.Get("Content-Type"), "no content type")),
			"Set AWS_ENDPOINT to the store's S3 address, not to its web console or another service; if it is that, have what stands in front of it pass everything on.")
	case got.status >= 500:
		return failed(fmt.Sprintf("the store at %s has a fault of its own (status %d %s)", host, got.status, got.code()), "Look at the store's log.")
	}
	return e.anotherBucket(got.element("BucketName"))
}

// sentOn tells of a redirect that is no matter of regions.
func (e *run) sentOn(location string) []Result {
	secure := "https://" + e.set.Sign.Endpoint.Hostname()
	if u, err := url.Parse(location); err == nil && u.Scheme == "https" && e.set.Sign.Endpoint.Scheme == "http" && u.Hostname() == e.set.Sign.Endpoint.Hostname() {
		if u.Port() != "" {
			secure += ":" + u.Port()
		}
		return failed(fmt.Sprintf("%s sends http on to https, and browsers send no upload after that", e.host()), "Set AWS_ENDPOINT="+secure+".")
	}
	return failed(fmt.Sprintf("%s sends calls on to %s", e.host(), orElse(location, "another address")), "Set AWS_ENDPOINT to the address that the store itself has.")
}

// passHost is what a proxy has to do.
const passHost = "Have it pass on the host and the path as they come (nginx: proxy_set_header Host $http_host, and proxy_pass without a path)."

// anotherBucket tells of a store that takes the host, or its first word, for the bucket.
func (e *run) anotherBucket(asked string) []Result {
	rest, inHost := strings.CutPrefix(e.host(), asked+".")
	switch {
	case asked == "" || strings.EqualFold(asked, e.set.Sign.Bucket):
		return nil
	case inHost:
		return failed(fmt.Sprintf("the store reads the bucket %q from the host %s", asked, e.host()), fmt.Sprintf("Set AWS_ENDPOINT=%s://%s, and AWS_DEST_BUCKET to the bucket.", e.set.Sign.Endpoint.Scheme, rest))
	}
	return failed(fmt.Sprintf("the store reads the bucket %q from another host or path than it was asked by: something in front of it changes them", asked), passHost)
}

// unsigned asks the bucket in path style, which is as far as any store understands.
func (e *run) unsigned(ctx context.Context, method, query string) (answer, error) {
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

// checkClock compares the Date of the store's answer with our time.
func (e *run) checkClock(context.Context) []Result {
	theirs, err := http.ParseTime(e.unsignedResponse.header.Get("Date"))
	if err != nil {
		return ok("the store's answers have no date; a wrong clock would show below")
	}
	ahead := e.cfg.Now().Sub(theirs).Round(time.Second)
	side := "ahead of"
	if ahead < 0 {
		side = "behind"
	}
	text := fmt.Sprintf("this computer's clock is %s %s the store's", spellDrift(ahead.Abs()), side)
	const fix = "Set the clock of this computer by NTP, and the store's if that is the wrong one."
	switch {
	case ahead.Abs() > sign.TimeWindow:
		return failed(text+", and S3 allows 15 minutes", fix)
	case ahead.Abs() > time.Minute:
		return warning(text, fix)
	}
	return ok("within %v of the store's", max(ahead.Abs(), time.Second))
}

// spellDrift writes days where there are some.
func spellDrift(d time.Duration) string {
	const day = 24 * time.Hour
	if d < 2*day {
		return d.String()
	}
	return fmt.Sprintf("%d days", d/day)
}

// expected finds the right region in the message of AWS, MinIO and versitygw.
var expected = regexp.MustCompile(`expecting '([a-z0-9-]+)'`)

// checkRegion asks without a signature for the bucket's region, and with one whether ours is taken.
func (e *run) checkRegion(ctx context.Context) []Result {
	ours := e.set.Sign.Region
	if e.trueRegion() == "" {
		if got, err := e.unsigned(ctx, http.MethodHead, ""); err == nil {
			e.unsignedResponse = got
		}
	}
	if region := e.trueRegion(); region != "" && region != ours {
		return e.wrongRegion(region)
	}
	e.askWithKeys(ctx)
	if code := s3.Code(e.keysErr); code == "AuthorizationHeaderMalformed" || strings.Contains(code, "Region") {
		region := ""
		if m := expected.FindStringSubmatch(e.keysErr.Error() + fmt.Sprint(errors.Unwrap(e.keysErr))); m != nil {
			region = m[1]
		}
		return e.wrongRegion(region)
	}
	return ok("%s", ours)
}

// askWithKeys asks for the list of buckets, to which every key gets an answer, if only a refusal; and
// where something in front of the store lets nobody ask for that, for the bucket.
func (e *run) askWithKeys(ctx context.Context) {
	e.names, e.keysErr = e.store(pathStyle).Buckets(ctx)
	if r, answered := replyTo(e.keysErr); answered && !r.s3 {
		_, e.keysErr = e.store(pathStyle).Location(ctx)
	}
}

func (e *run) wrongRegion(theirs string) []Result {
	ours, fix := e.set.Sign.Region, "Set AWS_REGION="+theirs
	if theirs == "" {
		return failed("the store does not take the region "+ours, "Set AWS_REGION to the bucket's region.")
	}
	if endpoint := e.regionalEndpoint(theirs); endpoint != "" {
		fix += " and AWS_ENDPOINT=" + endpoint
	}
	return failed(fmt.Sprintf("the bucket is in the region %s, not in %s", theirs, ours), fix+".")
}

// trueRegion is what the store has said of the bucket's region so far.
func (e *run) trueRegion() string {
	if e.unsignedResponse.header == nil {
		return ""
	}
	return orElse(e.unsignedResponse.header.Get("x-amz-bucket-region"), e.unsignedResponse.element("Region"))
}

// regionalEndpoint is AWS's for a region, empty for other stores', which are not known.
func (e *run) regionalEndpoint(region string) string {
	if host := e.set.Sign.RegionalHost(region); host != "" {
		return "https://" + host
	}
	return ""
}

// checkKeys judges the answer that the keys have got.
func (e *run) checkKeys(ctx context.Context) []Result {
	err := e.keysErr
	r, answered := replyTo(err)
	switch {
	case err == nil, r.code == "AccessDenied":
		return ok("the store knows the access key, and the secret key is its own")
	case r.code == "InvalidAccessKeyId", r.code == "XAdminUserNotFound": // the second is versitygw's
		return failed("the store does not know the access key "+hint(e.set.Sign.AccessKey), "Set AWS_CLIENT_ACCESS_KEY to a key of this store, and see that it is not the secret half.")
	case r.code == "SignatureDoesNotMatch":
		return e.explainSignature(ctx)
	case r.code == "RequestTimeTooSkewed":
		return failed("the store finds this computer's clock wrong", "Set the clock of this computer by NTP.")
	case r.code == "UserSuspended": // Ceph's
		return failed("the store has suspended the user of the access key", "Have it enabled (radosgw-admin user enable --uid=USER), or use the key of another user.")
	case !answered, !r.s3:
		return e.diagnose("answer a signed request", err)
	case r.status == http.StatusForbidden:
		return ok("the store does not tell, but took the signature (%v)", r)
	}
	return failed(fmt.Sprintf("the store answered a signed request with %v", r), "The server's own calls need a store that takes signature version 4; look at the store's log.")
}

// hint is as much of an access key as may be shown before it is sure that it is no secret.
func hint(accessKey string) string { return accessKey[:min(4, len(accessKey))] + "…" }

// explainSignature tells a wrong secret from a request that was changed on its way: a form's signature
// covers no host, path or header.
func (e *run) explainSignature(ctx context.Context) []Result {
	for _, v := range []sign.Version{sign.V4, sign.V2} {
		if e.tryForm(ctx, e.uploader(probe{pathStyle, v})) == nil {
			return failed("the secret key is right, but the store gets another host or path than was signed: something in front of it changes them", passHost)
		}
	}
	return failed("the secret key does not belong to the access key "+hint(e.set.Sign.AccessKey), "Set AWS_CLIENT_SECRET_KEY to the one that came with the access key.")
}

// checkBucket asks where the bucket is, which also says whether it is.
func (e *run) checkBucket(ctx context.Context) []Result {
	name := e.set.Sign.Bucket
	location := ""
	err := e.reach(func(b *s3admin.Bucket) (err error) {
		location, err = b.Location(ctx)
		return err
	})
	switch {
	case err == nil && location != "":
		return ok("%s is there, in %s", name, location)
	case err == nil, slices.Contains(e.names, name):
		return ok("%s is there", name)
	case s3.Code(err) == "NoSuchBucket", s3admin.Status(err) == http.StatusNotFound:
		return failed(fmt.Sprintf("there is no bucket %q at %s", name, e.host()), "Set AWS_DEST_BUCKET to a bucket that is there"+e.suggestBuckets()+", or make it.")
	case s3.Code(err) == "InvalidBucketName":
		return failed(fmt.Sprintf("the store takes no bucket name such as %q", name), "Set AWS_DEST_BUCKET to the name as the store spells it"+e.suggestBuckets()+", most likely in small letters.")
	case s3admin.Status(err) == http.StatusForbidden:
		return ok("%s is there; the key may not ask more, which it need not", name)
	case s3admin.Status(err) == 0:
		return e.explainTransport(err)
	}
	return ok("%s answers with status %d to a question that uploads do not ask", name, s3admin.Status(err))
}

// suggestBuckets names the bucket whose name differs in capitals alone, or all that the key sees, if they are few.
func (e *run) suggestBuckets() string {
	for _, name := range e.names {
		if strings.EqualFold(name, e.set.Sign.Bucket) {
			return " (" + name + ")"
		}
	}
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
