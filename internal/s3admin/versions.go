package s3admin

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
)

// KeepsVersions reports whether the bucket keeps, or has kept, versions of its objects. If the key may not read the
// configuration, an existing object shows it; known is false if neither does. An error means that there was no
// response.
func (b *Bucket) KeepsVersions(ctx context.Context) (kept, known bool, err error) {
	in := &awss3.GetBucketVersioningInput{Bucket: &b.cfg.Name}
	out, err := call(ctx, b, "s3:GetBucketVersioning", b.client.GetBucketVersioning, in)
	switch {
	case err == nil:
		return out.Status != "", true, nil
	case Status(err) == 0:
		return false, false, err
	}
	one := &awss3.ListObjectsV2Input{Bucket: &b.cfg.Name, MaxKeys: aws.Int32(1)}
	list, err := call(ctx, b, "s3:ListBucket", b.client.ListObjectsV2, one)
	if err != nil || len(list.Contents) == 0 {
		return false, false, nil
	}
	object := &awss3.HeadObjectInput{Bucket: &b.cfg.Name, Key: list.Contents[0].Key}
	head, err := call(ctx, b, "s3:GetObject", b.client.HeadObject, object)
	return err == nil && head.VersionId != nil, err == nil, nil
}

// Locks reports whether the bucket locks new objects for a time. known is false if the key may not read that.
func (b *Bucket) Locks(ctx context.Context) (locks, known bool) {
	in := &awss3.GetObjectLockConfigurationInput{Bucket: &b.cfg.Name}
	out, err := call(ctx, b, "s3:GetBucketObjectLockConfiguration", b.client.GetObjectLockConfiguration, in)
	if err != nil {
		return false, Status(err) != http.StatusForbidden // no such configuration, or no such thing at this store
	}
	lock := out.ObjectLockConfiguration
	return lock != nil && lock.Rule != nil && lock.Rule.DefaultRetention != nil, true
}

// MayPurge returns an error if the key may not list or not delete versions below prefix.
func (b *Bucket) MayPurge(ctx context.Context, prefix string) error {
	if _, err := b.listVersions(ctx, prefix); err != nil {
		return err
	}
	return b.DeleteVersion(ctx, prefix+"no version", "null")
}

func (b *Bucket) listVersions(ctx context.Context, prefix string) (*awss3.ListObjectVersionsOutput, error) {
	in := &awss3.ListObjectVersionsInput{Bucket: &b.cfg.Name, Prefix: &prefix}
	return call(ctx, b, "s3:ListBucketVersions", b.client.ListObjectVersions, in)
}

// DeleteVersion deletes a version or a delete marker. If there is none, that is no error.
func (b *Bucket) DeleteVersion(ctx context.Context, key, version string) error {
	in := &awss3.DeleteObjectInput{Bucket: &b.cfg.Name, Key: &key, VersionId: &version}
	_, err := call(ctx, b, "s3:DeleteObjectVersion", b.client.DeleteObject, in)
	return err
}

// PurgeVersions deletes every version and delete marker whose key begins with prefix, up to one page of them. It does
// not rely on the store to respect prefix, which must not be empty.
func (b *Bucket) PurgeVersions(ctx context.Context, prefix string) error {
	if prefix == "" {
		return errNoPrefix
	}
	out, err := b.listVersions(ctx, prefix)
	if err != nil {
		return err
	}
	var errs []error
	remove := func(key, version *string) {
		if strings.HasPrefix(aws.ToString(key), prefix) {
			errs = append(errs, b.DeleteVersion(ctx, aws.ToString(key), aws.ToString(version)))
		}
	}
	for _, v := range out.Versions {
		remove(v.Key, v.VersionId)
	}
	for _, m := range out.DeleteMarkers {
		remove(m.Key, m.VersionId)
	}
	return errors.Join(errs...)
}
