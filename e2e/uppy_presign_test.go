//go:build e2e && speed

package e2e

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// An uppyRequest is what Uppy's signRequest gets.
type uppyRequest struct {
	Method     string `json:"method"`
	Key        string `json:"key"`
	UploadID   string `json:"uploadId"`
	PartNumber int    `json:"partNumber"`
}

// presign returns the URL of a request to the run's bucket.
func (r *speedRun) presign(ctx context.Context, request uppyRequest) string {
	query := url.Values{"X-Amz-Expires": {"900"}}
	switch {
	case request.PartNumber > 0:
		query.Set("partNumber", fmt.Sprint(request.PartNumber))
		query.Set("uploadId", request.UploadID)
	case request.UploadID != "":
		query.Set("uploadId", request.UploadID)
	case request.Method == http.MethodPost:
		query.Set("uploads", "")
	}
	u := url.URL{Scheme: "http", Host: loopback(r.bucket.port), Path: "/" + r.bucket.name + "/" + request.Key,
		RawQuery: query.Encode()}
	req, err := http.NewRequestWithContext(ctx, request.Method, u.String(), nil)
	if err != nil {
		r.t.Fatal(err)
	}
	keys := aws.Credentials{AccessKeyID: r.bucket.accessKey, SecretAccessKey: r.bucket.secretKey}
	signed, _, err := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }).
		PresignHTTP(ctx, keys, req, "UNSIGNED-PAYLOAD", "s3", region, time.Now())
	if err != nil {
		r.t.Fatal(err)
	}
	return signed
}
