//go:build e2e

package e2e

import (
	"context"
	"errors"
	"io"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// checkObject checks that the object has the file's content, the right number of parts and the page's metadata.
func (b *bucket) checkObject(t *testing.T, key string, f testFile, dataset string) {
	t.Helper()
	o := b.get(t, key)
	if o.size != f.size || o.sum != f.sum(t) {
		t.Errorf("%s: got %d bytes with SHA-256 %x, want %d bytes with %x", f.name, o.size, o.sum, f.size, f.sum(t))
	}
	if want := f.parts(); o.parts != want {
		t.Errorf("%s: got %d parts, want %d", f.name, o.parts, want)
	}
	if name, err := url.PathUnescape(o.metadata["qqfilename"]); err != nil || name != f.name {
		t.Errorf("%s: metadata qqfilename is %q, %v", f.name, o.metadata["qqfilename"], err)
	}
	if o.metadata["dataset"] != dataset || dataset == "" {
		t.Errorf("%s: metadata dataset is %q, want %q", f.name, o.metadata["dataset"], dataset)
	}
}

// checkObjectCount checks how many objects are in the bucket.
func (b *bucket) checkObjectCount(t *testing.T, want int) {
	t.Helper()
	if keys, err := b.keys(t.Context()); err != nil || len(keys) != want {
		t.Errorf("objects in the bucket: got %q, %v, want %d", keys, err, want)
	}
}

// put stores an object directly, without the server.
func (b *bucket) put(t *testing.T, key, content string) {
	t.Helper()
	put := s3.PutObjectInput{Bucket: &b.name, Key: &key, Body: strings.NewReader(content)}
	if _, err := b.client.PutObject(t.Context(), &put); err != nil {
		t.Fatal(err)
	}
}

// content is an object's content, "" if there is no object.
func (b *bucket) content(t *testing.T, key string) string {
	t.Helper()
	if !b.has(t, key) {
		return ""
	}
	o, err := b.client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &b.name, Key: &key})
	if err != nil {
		t.Fatal(err)
	}
	defer o.Body.Close()
	content, err := io.ReadAll(o.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func (b *bucket) has(t *testing.T, key string) bool {
	t.Helper()
	keys, err := b.keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return slices.Contains(keys, key)
}

// state is every object and every unfinished upload in the bucket.
func (b *bucket) state(t *testing.T) (found []string) {
	t.Helper()
	list, err := b.client.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &b.name})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range list.Contents {
		found = append(found, *o.Key+" "+*o.ETag)
	}
	for _, u := range b.listUnfinished(t) {
		found = append(found, *u.Key+" "+*u.UploadId)
	}
	return found
}

func (b *bucket) listUnfinished(t *testing.T) []types.MultipartUpload {
	t.Helper()
	uploads, err := b.unfinished(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return uploads
}

func (b *bucket) hasUnfinished(t *testing.T, key string) bool {
	t.Helper()
	return slices.ContainsFunc(b.listUnfinished(t), func(u types.MultipartUpload) bool { return *u.Key == key })
}

// initiateUpload initiates a multipart upload directly, without the server.
func (b *bucket) initiateUpload(t *testing.T, key string) (id string) {
	t.Helper()
	u, err := b.client.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: &b.name, Key: &key})
	if err != nil {
		t.Fatal(err)
	}
	return *u.UploadId
}

// completeUpload completes the multipart upload of key, if there is one, without the server. An upload that has no
// part gets one.
func (b *bucket) completeUpload(t *testing.T, key string) bool {
	t.Helper()
	uploads := b.listUnfinished(t)
	i := slices.IndexFunc(uploads, func(u types.MultipartUpload) bool { return *u.Key == key })
	if i < 0 {
		return false
	}
	id := uploads[i].UploadId
	part := types.CompletedPart{PartNumber: aws.Int32(1), ETag: b.firstPart(t, key, id)}
	complete := s3.CompleteMultipartUploadInput{
		Bucket: &b.name, Key: &key, UploadId: id,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: []types.CompletedPart{part}},
	}
	if _, err := b.client.CompleteMultipartUpload(t.Context(), &complete); err != nil {
		t.Fatal(err)
	}
	return true
}

// firstPart is the ETag of an upload's first part, which it uploads if there is none.
func (b *bucket) firstPart(t *testing.T, key string, uploadID *string) (etag *string) {
	t.Helper()
	list, err := b.client.ListParts(t.Context(), &s3.ListPartsInput{Bucket: &b.name, Key: &key, UploadId: uploadID})
	if err != nil {
		t.Fatal(err)
	}
	if len(list.Parts) > 0 {
		return list.Parts[0].ETag
	}
	part, err := b.client.UploadPart(t.Context(), &s3.UploadPartInput{
		Bucket: &b.name, Key: &key, UploadId: uploadID, PartNumber: aws.Int32(1), Body: strings.NewReader("any part"),
	})
	if err != nil {
		t.Fatal(err)
	}
	return part.ETag
}

// newLockedBucket creates a bucket with object lock. Its objects are deleted when the test ends, locked or not.
func newLockedBucket(t *testing.T, s *store) *bucket {
	t.Helper()
	b := &bucket{s, "e2e-" + uuid()[:13]}
	create := s3.CreateBucketInput{Bucket: &b.name, ObjectLockEnabledForBucket: aws.Bool(true)}
	if _, err := s.client.CreateBucket(t.Context(), &create); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(b.deleteAllVersions(), b.remove()); err != nil {
			t.Errorf("bucket %s was not deleted: %v", b.name, err)
		}
	})
	return b
}

// deleteAllVersions deletes every version of every object, locked or not.
func (b *bucket) deleteAllVersions() error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	list, err := b.client.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: &b.name})
	if err != nil {
		return err
	}
	for _, v := range list.Versions {
		_, e := b.client.PutObjectLegalHold(ctx, &s3.PutObjectLegalHoldInput{
			Bucket: &b.name, Key: v.Key, VersionId: v.VersionId,
			LegalHold: &types.ObjectLockLegalHold{Status: types.ObjectLockLegalHoldStatusOff},
		})
		err = errors.Join(err, e, b.deleteVersion(ctx, v.Key, v.VersionId, true))
	}
	for _, m := range list.DeleteMarkers {
		err = errors.Join(err, b.deleteVersion(ctx, m.Key, m.VersionId, true))
	}
	return err
}

func (b *bucket) deleteVersion(ctx context.Context, key, version *string, bypassRetention bool) error {
	_, err := b.client.DeleteObject(ctx, &s3.DeleteObjectInput{
		Bucket: &b.name, Key: key, VersionId: version, BypassGovernanceRetention: &bypassRetention,
	})
	return err
}

// canDelete deletes the object's only version, and reports whether the store allowed it.
func (b *bucket) canDelete(t *testing.T, key string) bool {
	t.Helper()
	list, err := b.client.ListObjectVersions(t.Context(), &s3.ListObjectVersionsInput{Bucket: &b.name, Prefix: &key})
	if err != nil || len(list.Versions) != 1 {
		t.Fatalf("%s has %d versions, %v", key, len(list.Versions), err)
	}
	return b.deleteVersion(t.Context(), &key, list.Versions[0].VersionId, false) == nil
}
