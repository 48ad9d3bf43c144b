package s3

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"s3-sign-srv/internal/apierror"
)

// Code returns the S3 error code of err, such as NoSuchBucket, or an empty string if the store sent none.
func Code(err error) string {
	if api := smithy.APIError(nil); errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// IsForbidden reports whether the store rejected a call because the key lacks a permission.
func IsForbidden(err error) bool { return Code(err) == "AccessDenied" }

// Explain turns an error of the SDK into an *apierror.Error whose message says what to check. action is the
// permission that the call needs. A nil err stays nil.
func (c Config) Explain(action string, err error) error {
	if err == nil {
		return nil
	}
	e := &apierror.Error{Code: apierror.StoreFailed, Err: err}
	var response *awshttp.ResponseError
	if errors.As(err, &response) && response.HTTPStatusCode() != 0 {
		e.Code, e.Message = c.explainStatus(action, response.HTTPStatusCode(), Code(err))
	} else {
		e.Message = c.explainTransport(err)
	}
	return e
}

// explainTransport describes an error that came without a response.
func (c Config) explainTransport(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Sprintf("The S3 store at %s did not respond within %v; try again, and check that it is running.",
			c.Endpoint.Host, Timeout)
	}
	return fmt.Sprintf("The S3 store at %s cannot be reached; try again, and check AWS_ENDPOINT and the network.",
		c.Endpoint.Host)
}

// explainStatus describes an error response.
func (c Config) explainStatus(action string, status int, s3Code string) (apierror.Code, string) {
	code, host := apierror.StoreFailed, c.Endpoint.Host
	onObject := action == "s3:GetObject" || action == "s3:DeleteObject"
	var text string
	switch {
	case s3Code == "NoSuchBucket":
		text = fmt.Sprintf("The S3 store at %s has no bucket %q; check AWS_DEST_BUCKET.", host, c.Name)
	case s3Code == "InvalidAccessKeyId" || s3Code == "SignatureDoesNotMatch":
		text = fmt.Sprintf("The S3 store at %s does not accept the server's keys; "+
			"check AWS_CLIENT_ACCESS_KEY and AWS_CLIENT_SECRET_KEY.", host)
	case s3Code == "RequestTimeTooSkewed":
		text = fmt.Sprintf("The S3 store at %s says that the server's clock is wrong; set the clock.", host)
	case s3Code == "AuthorizationHeaderMalformed" || status >= 300 && status < 400:
		text = fmt.Sprintf("The S3 store at %s expects another region; check AWS_REGION and AWS_ENDPOINT.", host)
	case action == "s3:GetObject" && (status == http.StatusNotFound || status == http.StatusForbidden):
		// The response to a HEAD has no body, and S3 sends 403 for a missing key if the caller may not list the bucket.
		code = apierror.NotFound
		text = "The S3 store shows no object under this key; upload the file again, " +
			"or check that the server's key has the permission s3:GetObject."
	case status == http.StatusBadRequest && onObject:
		code = apierror.NotFound
		text = fmt.Sprintf("The S3 store at %s does not accept this key; upload the file again under another key.", host)
	case status == http.StatusForbidden:
		text = fmt.Sprintf("The S3 store at %s denies %s to the server's key; check the key's permissions.", host, action)
	default:
		text = fmt.Sprintf("The S3 store at %s responded with status %d; try again, and check the store.", host, status)
	}
	return code, text
}
