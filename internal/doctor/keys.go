package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"s3-sign-srv/internal/s3"
	"s3-sign-srv/internal/s3admin"
	"s3-sign-srv/internal/sign"
)

// expectedRegion finds the right region in the error message of AWS, MinIO and versitygw.
var expectedRegion = regexp.MustCompile(`expecting '([a-z0-9-]+)'`)

// checkRegion sends an unsigned request for the bucket's region, and a signed one to see whether ours is accepted.
func (r *run) checkRegion(ctx context.Context) []Result {
	if r.bucketRegion() == "" {
		if response, err := r.sendUnsigned(ctx, http.MethodHead, ""); err == nil {
			r.unsignedResponse = response
		}
	}
	if region := r.bucketRegion(); region != "" && region != r.set.Sign.Region {
		return r.wrongRegion(region)
	}
	r.listBuckets(ctx)
	if code := s3.Code(r.keysErr); code == "AuthorizationHeaderMalformed" || strings.Contains(code, "Region") {
		m := expectedRegion.FindStringSubmatch(r.keysErr.Error() + fmt.Sprint(errors.Unwrap(r.keysErr)))
		return r.wrongRegion(append(m, "", "")[1])
	}
	return ok("%s", r.set.Sign.Region)
}

// listBuckets makes the first signed call, to which every key gets a response, even if it is an error. If a proxy in
// front of the store rejects it, the bucket's location is requested instead.
func (r *run) listBuckets(ctx context.Context) {
	r.buckets, r.keysErr = r.bucket(pathStyle).Buckets(ctx)
	if e, responded := responseOf(r.keysErr); responded && !e.fromS3 {
		_, r.keysErr = r.bucket(pathStyle).Location(ctx)
	}
}

func (r *run) wrongRegion(region string) []Result {
	if region == "" {
		return failed("the store does not accept the region "+r.set.Sign.Region, "Set AWS_REGION to the bucket's region.")
	}
	fix := "Set AWS_REGION=" + region
	if endpoint := r.regionalEndpoint(region); endpoint != "" {
		fix += " and AWS_ENDPOINT=" + endpoint
	}
	return failed(fmt.Sprintf("the bucket is in the region %s, not in %s", region, r.set.Sign.Region), fix+".")
}

// bucketRegion returns what the unsigned response says about the bucket's region.
func (r *run) bucketRegion() string {
	return orElse(r.unsignedResponse.Header.Get("x-amz-bucket-region"), r.unsignedResponse.Element("Region"))
}

// regionalEndpoint returns AWS's endpoint of a region; for other stores it is empty.
func (r *run) regionalEndpoint(region string) string {
	if host := r.set.Sign.RegionalHost(region); host != "" {
		return "https://" + host
	}
	return ""
}

// checkKeys interprets the response to the first signed call.
func (r *run) checkKeys(ctx context.Context) []Result {
	e, responded := responseOf(r.keysErr)
	switch {
	case r.keysErr == nil, e.code == "AccessDenied":
		return ok("the store accepts the access key and the secret key")
	case e.code == "InvalidAccessKeyId", e.code == "XAdminUserNotFound": // the second is versitygw's
		return failed("the store does not know the access key "+abbreviate(r.set.Sign.AccessKey),
			"Set AWS_CLIENT_ACCESS_KEY to an access key of this store, not to a secret key.")
	case e.code == "SignatureDoesNotMatch":
		return r.explainSignature(ctx)
	case e.code == "RequestTimeTooSkewed":
		return failed("the store says that this computer's clock is wrong", "Set the clock of this computer by NTP.")
	case e.code == "UserSuspended": // Ceph's
		return failed("the store has suspended the user of the access key",
			"Enable the user (radosgw-admin user enable --uid=USER), or use the key of another user.")
	case !responded, !e.fromS3:
		return r.diagnose("respond to a signed request", r.keysErr)
	case e.status == http.StatusForbidden:
		return ok("the store accepts the signature (%v)", e)
	}
	return failed(fmt.Sprintf("the store responded to a signed request with %v", e),
		"The server's own calls need a store that accepts signature version 4; check the log of the store.")
}

// abbreviate returns the part of an access key that may be shown before it is certain that it is not a secret.
func abbreviate(accessKey string) string { return accessKey[:min(4, len(accessKey))] + "…" }

// explainSignature distinguishes a wrong secret key from a request that was changed on its way: the signature of a
// form does not cover host, path and headers.
func (r *run) explainSignature(ctx context.Context) []Result {
	for _, version := range []sign.Version{sign.V4, sign.V2} {
		if r.probeForm(ctx, r.client(probe{pathStyle, version})) == nil {
			return failed("the secret key is right, but a proxy in front of the store changes the host or the path",
				forwardHost)
		}
	}
	return failed("the secret key does not belong to the access key "+abbreviate(r.set.Sign.AccessKey),
		"Set AWS_CLIENT_SECRET_KEY to the secret key of this access key.")
}

// checkBucket requests the bucket's location, which also tells whether the bucket exists.
func (r *run) checkBucket(ctx context.Context) []Result {
	name, location := r.set.Sign.Bucket, ""
	err := r.call(func(b *s3admin.Bucket) (err error) {
		location, err = b.Location(ctx)
		return err
	})
	switch status := s3admin.Status(err); {
	case err == nil && location != "":
		return ok("%s exists, in %s", name, location)
	case err == nil, slices.Contains(r.buckets, name):
		return ok("%s exists", name)
	case s3.Code(err) == "NoSuchBucket", status == http.StatusNotFound:
		return failed(fmt.Sprintf("there is no bucket %q at %s", name, r.host()),
			"Set AWS_DEST_BUCKET to an existing bucket"+r.suggestBuckets()+", or create it.")
	case s3.Code(err) == "InvalidBucketName":
		return failed(fmt.Sprintf("the store does not accept %q as a bucket name", name),
			"Set AWS_DEST_BUCKET to the bucket's exact name"+r.suggestBuckets()+", most likely in lower case.")
	case status == http.StatusForbidden:
		return ok("%s exists; the key may not request its location, and need not", name)
	case status == 0:
		return r.explainTransport(err)
	default:
		return ok("%s responds with status %d to a request that uploads do not make", name, status)
	}
}

// suggestBuckets returns a bucket whose name differs only in case, or all buckets that the key can see if they are few.
func (r *run) suggestBuckets() string {
	for _, name := range r.buckets {
		if strings.EqualFold(name, r.set.Sign.Bucket) {
			return " (" + name + ")"
		}
	}
	if len(r.buckets) == 0 || len(r.buckets) > 5 {
		return ""
	}
	return " (" + strings.Join(r.buckets, ", ") + ")"
}
