package s3admin

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"s3-sign-srv/internal/s3"
)

// Buckets returns the names of all buckets that the key may list.
func (b *Bucket) Buckets(ctx context.Context) (names []string, err error) {
	out, err := call(ctx, b, "s3:ListAllMyBuckets", b.client.ListBuckets, &awss3.ListBucketsInput{})
	if err != nil {
		return nil, err
	}
	for _, bucket := range out.Buckets {
		names = append(names, aws.ToString(bucket.Name))
	}
	return names, nil
}

// Location returns the bucket's region; for us-east-1, AWS returns an empty one.
func (b *Bucket) Location(ctx context.Context) (string, error) {
	in := &awss3.GetBucketLocationInput{Bucket: &b.cfg.Name}
	out, err := call(ctx, b, "s3:GetBucketLocation", b.client.GetBucketLocation, in)
	if err != nil {
		return "", err
	}
	return string(out.LocationConstraint), nil
}

// unknownUploadID is an upload ID that no store has issued.
const unknownUploadID = "s3-sign-srv-invented"

// MayUpload returns an error if the key lacks s3:PutObject. It uploads a part of an upload that does not exist: stores
// check permissions first.
func (b *Bucket) MayUpload(ctx context.Context, key string) error {
	in := &awss3.UploadPartInput{
		Bucket: &b.cfg.Name, Key: &key, UploadId: aws.String(unknownUploadID), PartNumber: aws.Int32(1),
	}
	_, err := call(ctx, b, "s3:PutObject", b.client.UploadPart, in)
	return unlessNoUpload(err)
}

// MayAbort returns an error if the key lacks s3:AbortMultipartUpload.
func (b *Bucket) MayAbort(ctx context.Context, key string) error {
	return b.Abort(ctx, key, unknownUploadID)
}

func unlessNoUpload(err error) error {
	if s3.Code(err) == "NoSuchUpload" {
		return nil
	}
	return err
}

// Abort aborts a multipart upload, which deletes its parts. If there is none, that is no error.
func (b *Bucket) Abort(ctx context.Context, key, uploadID string) error {
	in := &awss3.AbortMultipartUploadInput{Bucket: &b.cfg.Name, Key: &key, UploadId: &uploadID}
	_, err := call(ctx, b, "s3:AbortMultipartUpload", b.client.AbortMultipartUpload, in)
	return unlessNoUpload(err)
}

// PurgeUploads aborts every multipart upload whose key begins with prefix, up to one page of them. It does not rely on
// the store to respect prefix, which must not be empty.
func (b *Bucket) PurgeUploads(ctx context.Context, prefix string) error {
	if prefix == "" {
		return errNoPrefix
	}
	in := &awss3.ListMultipartUploadsInput{Bucket: &b.cfg.Name, Prefix: &prefix}
	out, err := call(ctx, b, "s3:ListBucketMultipartUploads", b.client.ListMultipartUploads, in)
	if err != nil {
		return err
	}
	var errs []error
	for _, u := range out.Uploads {
		if key := aws.ToString(u.Key); strings.HasPrefix(key, prefix) {
			errs = append(errs, b.Abort(ctx, key, aws.ToString(u.UploadId)))
		}
	}
	return errors.Join(errs...)
}

var errNoPrefix = errors.New("s3admin: empty prefix")
