// Package s3admin makes the calls to S3 that only the commands doctor and cors need: it reads and sets the
// bucket's CORS rules, finds out what the keys may do, and removes test uploads. The server itself never
// imports it.
package s3admin

import (
	"context"
	"errors"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"s3-sign-srv/internal/s3"
)

// Bucket adds administrative calls to s3.Bucket. It is safe for concurrent use.
type Bucket struct {
	*s3.Bucket
	client *awss3.Client
	cfg    s3.Config
}

// New returns the bucket that cfg names. It makes no call.
func New(cfg s3.Config) *Bucket {
	return &Bucket{s3.New(cfg), s3.NewClient(cfg), cfg}
}

// Response returns the HTTP response behind err, or nil if none came. Its body has been read.
func Response(err error) *http.Response {
	if e := (*awshttp.ResponseError)(nil); errors.As(err, &e) && e.HTTPResponse() != nil {
		return e.HTTPResponse().Response
	}
	return nil
}

// Status returns the HTTP status of the response behind err, or 0 if none came.
func Status(err error) int {
	if response := Response(err); response != nil {
		return response.StatusCode
	}
	return 0
}

// call makes one call within s3.Timeout. action is the permission that it needs.
func call[In, Out any](
	ctx context.Context, b *Bucket, action string,
	f func(context.Context, *In, ...func(*awss3.Options)) (*Out, error), in *In,
) (*Out, error) {
	ctx, cancel := context.WithTimeout(ctx, s3.Timeout)
	defer cancel()
	out, err := f(ctx, in)
	return out, b.cfg.Explain(action, err)
}

// Create creates the bucket.
func (b *Bucket) Create(ctx context.Context) error {
	in := &awss3.CreateBucketInput{Bucket: &b.cfg.Name}
	_, err := call(ctx, b, "s3:CreateBucket", b.client.CreateBucket, in)
	return err
}

// DeleteVersioned deletes the object at key. If the bucket keeps versions, S3 adds a delete marker instead;
// its version is returned.
func (b *Bucket) DeleteVersioned(ctx context.Context, key string) (marker string, err error) {
	in := &awss3.DeleteObjectInput{Bucket: &b.cfg.Name, Key: &key}
	out, err := call(ctx, b, "s3:DeleteObject", b.client.DeleteObject, in)
	if err != nil {
		return "", err
	}
	return aws.ToString(out.VersionId), nil
}
