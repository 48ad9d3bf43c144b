package bucket

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// What s3-sign-srv doctor asks to find out about a store, a key pair and a bucket.

// Transport returns a new transport that finds names below localhost as browsers do.
func Transport() *http.Transport { return transport() }

// Answer returns the store's answer behind err, nil where none came. Its body has been read.
func Answer(err error) *http.Response {
	if response := (*awshttp.ResponseError)(nil); errors.As(err, &response) && response.HTTPResponse() != nil {
		return response.HTTPResponse().Response
	}
	return nil
}

// Status returns the HTTP status of the answer behind err, 0 where no answer came.
func Status(err error) int {
	if answer := Answer(err); answer != nil {
		return answer.StatusCode
	}
	return 0
}

// Buckets lists the names of all buckets that the keys may see at the store.
func (b *Bucket) Buckets(ctx context.Context) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	out, err := b.client.ListBuckets(ctx, &s3.ListBucketsInput{})
	if err != nil {
		return nil, b.explain("s3:ListAllMyBuckets", err)
	}
	var names []string
	for _, bucket := range out.Buckets {
		names = append(names, aws.ToString(bucket.Name))
	}
	return names, nil
}

// Location returns the region that the store says the bucket is in; AWS says nothing for us-east-1.
func (b *Bucket) Location(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	out, err := b.client.GetBucketLocation(ctx, &s3.GetBucketLocationInput{Bucket: &b.cfg.Name})
	if err != nil {
		return "", b.explain("s3:GetBucketLocation", err)
	}
	return string(out.LocationConstraint), nil
}

// invented is an upload ID that no store has given out.
const invented = "s3-sign-srv-invented"

// MayUpload reports, by an error, that the key may not do s3:PutObject. It sends a part of an upload that
// does not exist: stores look at permissions first.
func (b *Bucket) MayUpload(ctx context.Context, key string) error {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	id, number := invented, int32(1)
	_, err := b.client.UploadPart(ctx, &s3.UploadPartInput{Bucket: &b.cfg.Name, Key: &key, UploadId: &id, PartNumber: &number})
	return b.explain("s3:PutObject", unlessNoUpload(err))
}

// MayAbort reports, by an error, that the key may not do s3:AbortMultipartUpload.
func (b *Bucket) MayAbort(ctx context.Context, key string) error {
	return b.Abort(ctx, key, invented)
}

func unlessNoUpload(err error) error {
	if Code(err) == "NoSuchUpload" {
		return nil
	}
	return err
}

// Abort ends the multipart upload and frees its parts. Aborting what is not there is no error.
func (b *Bucket) Abort(ctx context.Context, key, uploadID string) error {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	_, err := b.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &b.cfg.Name, Key: &key, UploadId: &uploadID})
	return b.explain("s3:AbortMultipartUpload", unlessNoUpload(err))
}

// PurgeUploads ends every multipart upload whose key begins with prefix, up to one page of them. It does
// not rely on the store to heed prefix, which must not be empty.
func (b *Bucket) PurgeUploads(ctx context.Context, prefix string) error {
	if prefix == "" {
		return errNoPrefix
	}
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	out, err := b.client.ListMultipartUploads(ctx, &s3.ListMultipartUploadsInput{Bucket: &b.cfg.Name, Prefix: &prefix})
	if err != nil {
		return b.explain("s3:ListBucketMultipartUploads", err)
	}
	var faults []error
	for _, u := range out.Uploads {
		if key := aws.ToString(u.Key); strings.HasPrefix(key, prefix) {
			faults = append(faults, b.Abort(ctx, key, aws.ToString(u.UploadId)))
		}
	}
	return errors.Join(faults...)
}

var errNoPrefix = errors.New("bucket: a purge without a prefix")
