package bucket

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
)

// What s3-sign-srv doctor asks to find out about a store, a key pair and a bucket.

// Transport returns a new transport that finds names below localhost as browsers do.
func Transport() *http.Transport { return transport() }

// Code returns the store's word for the error, such as NoSuchBucket; it is empty where the store gave none.
func Code(err error) string {
	if api := smithy.APIError(nil); errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// Status returns the HTTP status of the answer behind err, 0 where no answer came.
func Status(err error) int {
	if response := (*awshttp.ResponseError)(nil); errors.As(err, &response) {
		return response.HTTPStatusCode()
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

// TryUpload begins a multipart upload at key and aborts it, which stores nothing.
func (b *Bucket) TryUpload(ctx context.Context, key string) error {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	out, err := b.client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: &b.cfg.Name, Key: &key})
	if err != nil {
		return b.explain("s3:PutObject", err)
	}
	return b.Abort(ctx, key, aws.ToString(out.UploadId))
}

// Abort ends the multipart upload and frees its parts.
func (b *Bucket) Abort(ctx context.Context, key, uploadID string) error {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	_, err := b.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &b.cfg.Name, Key: &key, UploadId: &uploadID})
	return b.explain("s3:AbortMultipartUpload", err)
}

// Purge removes whatever begins with prefix and a plain Delete leaves: versions, delete markers, and
// multipart uploads. It goes as far as the store knows of these and the keys may, up to one page of each.
// It does not rely on the store to heed prefix, which must not be empty.
func (b *Bucket) Purge(ctx context.Context, prefix string) error {
	if prefix == "" {
		return errors.New("bucket: Purge without a prefix")
	}
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	return errors.Join(b.purgeVersions(ctx, prefix), b.purgeUploads(ctx, prefix))
}

func (b *Bucket) purgeVersions(ctx context.Context, prefix string) error {
	out, err := b.client.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: &b.cfg.Name, Prefix: &prefix})
	if err != nil {
		return b.explain("s3:ListBucketVersions", err)
	}
	var faults []error
	remove := func(key, version *string) {
		if !strings.HasPrefix(aws.ToString(key), prefix) {
			return
		}
		_, err := b.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &b.cfg.Name, Key: key, VersionId: version})
		faults = append(faults, b.explain("s3:DeleteObjectVersion", err))
	}
	for _, v := range out.Versions {
		remove(v.Key, v.VersionId)
	}
	for _, m := range out.DeleteMarkers {
		remove(m.Key, m.VersionId)
	}
	return errors.Join(faults...)
}

func (b *Bucket) purgeUploads(ctx context.Context, prefix string) error {
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
