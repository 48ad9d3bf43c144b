package doctor

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"s3-sign-srv/internal/fineuploader"
	"s3-sign-srv/internal/sign"
)

// checkEndpoint sends an unsigned request for the bucket: every S3 store responds to it.
func (r *run) checkEndpoint(ctx context.Context) []Result {
	response, err := r.sendUnsigned(ctx, http.MethodGet, "?location")
	if err != nil {
		return r.explainTransport(err)
	}
	r.unsignedResponse = response
	if failures := r.identifyStore(response); failures != nil {
		return failures
	}
	return ok("%s responds as an S3 store does", r.set.Sign.Endpoint)
}

// sendUnsigned sends an unsigned request for the bucket in path style, which every store understands well enough.
func (r *run) sendUnsigned(ctx context.Context, method, query string) (fineuploader.Response, error) {
	address := r.set.Sign.Endpoint.String() + "/" + r.set.Sign.Bucket + query
	request, err := http.NewRequestWithContext(ctx, method, address, nil)
	if err != nil {
		return fineuploader.Response{}, err
	}
	return fineuploader.Send(r.http, request)
}

// looksLikeS3 recognizes the request ID that stores send with each response, or S3's XML.
func looksLikeS3(response fineuploader.Response) bool {
	return response.Header.Get("x-amz-request-id") != "" || response.Code() != "" ||
		strings.Contains(string(response.Body), "http://s3.amazonaws.com/doc/")
}

// identifyStore reports what else has responded; it returns nil for a working store that was asked for our bucket.
func (r *run) identifyStore(response fineuploader.Response) []Result {
	region, host, status := r.bucketRegion(), r.host(), response.Status
	bucket := response.Element("BucketName")
	switch {
	case status/100 == 3 && region != "":
		return r.wrongRegion(region)
	case status/100 == 3:
		return failed(fmt.Sprintf("%s redirects to %s, which browsers do not follow for uploads", host,
			cmp.Or(response.Header.Get("Location"), "another address")),
			"Set AWS_ENDPOINT to the address of the store itself, without the bucket, with https if that is the difference.")
	case status == http.StatusBadRequest && strings.Contains(string(response.Body), "HTTPS"):
		return failed(host+" speaks https, but AWS_ENDPOINT says http", "Set AWS_ENDPOINT to https://"+host+".")
	case !looksLikeS3(response) && status >= 500:
		cause, fix := errorResponse{status: status}.explain()
		return failed(fmt.Sprintf("at %s, %s", host, cause), fix)
	case !looksLikeS3(response):
		return failed(fmt.Sprintf("the server at %s is not an S3 store (status %d, %s)", host, status,
			cmp.Or(response.Header.Get("Content-Type"), "no content type")),
			"Set AWS_ENDPOINT to the S3 address of the store, not to its web console or another service; "+
				"if it is the S3 address, the proxy in front of the store must forward all requests.")
	case status >= 500:
		return failed(fmt.Sprintf("the store at %s has an internal error (status %d %s)", host, status, response.Code()),
			"Check the log of the store.")
	case bucket != "" && !strings.EqualFold(bucket, r.set.Sign.Bucket):
		return failed(fmt.Sprintf("the store reads the bucket %q from requests to %s", bucket, host),
			"Remove the bucket from AWS_ENDPOINT if the host begins with it; otherwise look for a proxy. "+forwardHost)
	}
	return nil
}

// forwardHost is what a proxy in front of the store must do.
const forwardHost = "It must forward host and path unchanged (nginx: proxy_set_header Host $http_host, " +
	"and proxy_pass without a path)."

// checkClock compares the Date of the store's response with this computer's clock.
func (r *run) checkClock(context.Context) []Result {
	date, err := http.ParseTime(r.unsignedResponse.Header.Get("Date"))
	if err != nil {
		return ok("the store's responses have no date; later checks would fail with a wrong clock")
	}
	ahead := r.cfg.Now().Sub(date).Round(time.Second)
	side := "ahead of"
	if ahead < 0 {
		side = "behind"
	}
	text := fmt.Sprintf("this computer's clock is %v %s the store's", ahead.Abs(), side)
	const fix = "Set the clock of this computer by NTP, or the store's if that one is wrong."
	switch {
	case ahead.Abs() > sign.TimeWindow:
		return failed(text+", and S3 allows 15 minutes", fix)
	case ahead.Abs() > time.Minute:
		return warning(text, fix)
	}
	return ok("within %v of the store's", max(ahead.Abs(), time.Second))
}
