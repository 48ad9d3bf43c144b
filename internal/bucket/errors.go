package bucket

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
)

// Error is a call that the store refused or did not answer.
type Error struct {
	Text    string // one sentence that names what to check
	Missing bool   // the object is not there, as far as the server's key may see
	cause   error
}

// Error returns the sentence.
func (e *Error) Error() string { return e.Text }

// Unwrap returns the SDK's error, for the log.
func (e *Error) Unwrap() error { return e.cause }

// Code returns the store's word for the error, such as NoSuchBucket; it is empty where the store gave none.
func Code(err error) string {
	if api := smithy.APIError(nil); errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// explain turns an error of the SDK into an *Error. action is the permission that the call needs.
func (b *Bucket) explain(action string, err error) error {
	if err == nil {
		return nil
	}
	host := b.cfg.Endpoint.Host
	say := func(format string, args ...any) *Error {
		return &Error{Text: fmt.Sprintf(format, args...), cause: err}
	}
	var response *awshttp.ResponseError
	if !errors.As(err, &response) || response.HTTPStatusCode() == 0 { // no answer came
		if errors.Is(err, context.DeadlineExceeded) {
			return say("The S3 store at %s did not answer within %v; try again, and check that it is up.", host, Timeout)
		}
		return say("The S3 store at %s cannot be reached; try again, and check AWS_ENDPOINT and the network.", host)
	}
	code := Code(err)
	switch status := response.HTTPStatusCode(); {
	case code == "NoSuchBucket":
		return say("The S3 store at %s has no bucket %q; check AWS_DEST_BUCKET.", host, b.cfg.Name)
	case code == "InvalidAccessKeyId" || code == "SignatureDoesNotMatch":
		return say("The S3 store at %s does not accept the server's keys; check AWS_CLIENT_ACCESS_KEY and AWS_CLIENT_SECRET_KEY.", host)
	case code == "RequestTimeTooSkewed":
		return say("The S3 store at %s finds the server's clock wrong; set it right.", host)
	case code == "AuthorizationHeaderMalformed" || status >= 300 && status < 400:
		return say("The S3 store at %s wants another region; check AWS_REGION and AWS_ENDPOINT.", host)
	case action == "s3:GetObject" && (status == http.StatusNotFound || status == http.StatusForbidden):
		// A HEAD has no body to tell: S3 answers 403 for a missing key to who may not list the bucket.
		e := say("The S3 store shows no object under this key; upload the file again, or check that the server's key may do %s.", action)
		e.Missing = true
		return e
	case status == http.StatusBadRequest && (action == "s3:GetObject" || action == "s3:DeleteObject"):
		e := say("The S3 store at %s does not take this key; upload the file again under another one.", host)
		e.Missing = true
		return e
	case status == http.StatusForbidden:
		return say("The S3 store at %s does not let the server's key do %s; check the key's permissions.", host, action)
	default:
		return say("The S3 store at %s answered with an error (status %d); try again, and check the store.", host, status)
	}
}
