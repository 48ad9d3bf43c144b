package doctor

import (
	"cmp"
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
	r.keysErr = r.call(func(b *s3admin.Bucket) (err error) { // to this call, every key gets a response
		r.location, err = b.Location(ctx)
		return err
	})
	if code := s3.Code(r.keysErr); code == "AuthorizationHeaderMalformed" || strings.Contains(code, "Region") {
		m := expectedRegion.FindStringSubmatch(r.keysErr.Error() + fmt.Sprint(errors.Unwrap(r.keysErr)))
		return r.wrongRegion(append(m, "", "")[1])
	}
	return ok("%s", r.set.Sign.Region)
}

func (r *run) wrongRegion(region string) []Result {
	if region == "" {
		return failed("the store does not accept the region "+r.set.Sign.Region, "Set AWS_REGION to the bucket's region.")
	}
	fix := "Set AWS_REGION=" + region
	if host := r.set.Sign.RegionalHost(region); host != "" { // of AWS
		fix += " and AWS_ENDPOINT=https://" + host
	}
	return failed(fmt.Sprintf("the bucket is in the region %s, not in %s", region, r.set.Sign.Region), fix+".")
}

// bucketRegion returns what the unsigned response says about the bucket's region.
func (r *run) bucketRegion() string {
	return cmp.Or(r.unsignedResponse.Header.Get("x-amz-bucket-region"), r.unsignedResponse.Element("Region"))
}

// checkKeys interprets the response to the first signed call.
func (r *run) checkKeys(ctx context.Context) []Result {
	e, responded := responseOf(r.keysErr)
	switch {
	case e.code == "InvalidAccessKeyId", e.code == "XAdminUserNotFound": // the second is versitygw's
		return failed("the store does not know the access key "+abbreviate(r.set.Sign.AccessKey),
			"Set AWS_CLIENT_ACCESS_KEY to an access key of this store, not to a secret key.")
	case e.code == "SignatureDoesNotMatch":
		return r.explainSignature(ctx)
	case r.keysErr != nil && !(responded && e.fromS3):
		return r.diagnose("respond to a signed request", r.keysErr)
	case e.status == http.StatusForbidden && e.code != "AccessDenied":
		return failed(fmt.Sprintf("the store rejects signed requests (%v)", e),
			"Correct what the code says: enable the key's user, use another key, or set the clock.")
	}
	return ok("the store accepts the access key and the secret key")
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

// checkBucket interprets the response to the first signed call, which also tells whether the bucket exists.
func (r *run) checkBucket(ctx context.Context) []Result {
	r.buckets, _ = r.bucket(pathStyle).Buckets(ctx) // the key need not have the permission
	name, status := r.set.Sign.Bucket, s3admin.Status(r.keysErr)
	switch {
	case r.keysErr == nil && r.location != "":
		return ok("%s exists, in %s", name, r.location)
	case r.keysErr == nil, slices.Contains(r.buckets, name):
		return ok("%s exists", name)
	case s3.Code(r.keysErr) == "InvalidBucketName", status == http.StatusNotFound:
		return failed(fmt.Sprintf("there is no bucket %q at %s", name, r.host()),
			"Set AWS_DEST_BUCKET to an existing bucket"+r.suggestBuckets()+", or create it.")
	case status == http.StatusForbidden:
		return ok("%s exists; the key may not request its location, and need not", name)
	}
	return ok("%s responds with status %d to a request that uploads do not make", name, status)
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
