//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

const region = "us-east-1"

// A store is an S3 server on loopback. Its client is the tests' own, which uses neither the page nor the server under
// test.
type store struct {
	name                 string
	port                 int
	accessKey, secretKey string
	client               *s3.Client
	obeysUnsigned        bool // x-amz-* headers that a version 4 signature does not cover
}

func newStore(name string, port int) *store {
	return storeOf(name, port, "E2EACCESSKEY00000000", "e2e/secret+key/0123456789abcdefghijklmno")
}

// storeOf is a store with the keys of another user.
func storeOf(name string, port int, accessKey, secretKey string) *store {
	s := &store{name: name, port: port, accessKey: accessKey, secretKey: secretKey}
	s.client = s3.New(s3.Options{
		BaseEndpoint: aws.String("http://" + loopback(port)),
		Region:       region,
		UsePathStyle: true,
		Credentials:  credentials.NewStaticCredentialsProvider(s.accessKey, s.secretKey, ""),
	})
	return s
}

// A bucket belongs to one test.
type bucket struct {
	*store
	name string
}

// newBucket creates a bucket with the shipped CORS rules. It is emptied and deleted when the test ends.
func newBucket(t *testing.T, s *store) *bucket {
	t.Helper()
	return newNamedBucket(t, s, "e2e-"+uuid()[:13])
}

func newNamedBucket(t *testing.T, s *store, name string) *bucket {
	t.Helper()
	b := &bucket{s, name}
	if _, err := s.client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &b.name}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.remove(); err != nil {
			t.Errorf("bucket %s was not deleted: %v", b.name, err)
		}
	})
	if err := b.putCORS(t.Context(), "../basic_cors.xml"); err != nil {
		t.Fatal(err)
	}
	return b
}

// putCORS sends the file as it is, like s3cmd setcors. The SDK only sends rules of its own types.
func (b *bucket) putCORS(ctx context.Context, file string) error {
	body, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	url := b.url("/"+b.name, "cors=")
	r, err := http.NewRequestWithContext(ctx, http.MethodPut, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	digest, sum := md5.Sum(body), sha256.Sum256(body)
	r.Header.Set("Content-MD5", base64.StdEncoding.EncodeToString(digest[:]))
	r.Header.Set("X-Amz-Content-Sha256", hex.EncodeToString(sum[:]))
	keys := aws.Credentials{AccessKeyID: b.accessKey, SecretAccessKey: b.secretKey}
	err = v4.NewSigner().SignHTTP(ctx, keys, r, hex.EncodeToString(sum[:]), "s3", region, time.Now())
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode/100 != 2 {
		text, _ := io.ReadAll(res.Body)
		return fmt.Errorf("set the CORS rules of %s: %s %s", file, res.Status, text)
	}
	return nil
}

// An object in a bucket.
type object struct {
	size        int64
	sum         [sha256.Size]byte
	contentType string
	metadata    map[string]string // names without x-amz-meta-
	parts       int64             // of the multipart upload, 0 for a simple upload
}

func (b *bucket) get(t *testing.T, key string) object {
	t.Helper()
	o, err := b.client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &b.name, Key: &key})
	if err != nil {
		t.Fatalf("read %q: %v", key, err)
	}
	defer o.Body.Close()
	hash := sha256.New()
	size, err := io.Copy(hash, o.Body)
	if err != nil {
		t.Fatalf("read %q: %v", key, err)
	}
	return object{
		size: size, sum: [sha256.Size]byte(hash.Sum(nil)), contentType: aws.ToString(o.ContentType),
		metadata: o.Metadata, parts: partsOf(aws.ToString(o.ETag)),
	}
}

// partsOf is the number of parts at the end of an ETag: "…-3" for a multipart upload.
func partsOf(etag string) int64 {
	_, count, _ := strings.Cut(strings.Trim(etag, `"`), "-")
	n, _ := strconv.ParseInt(count, 10, 64)
	return n
}

// keys lists the bucket. In these tests one page is enough.
func (b *bucket) keys(ctx context.Context) (keys []string, err error) {
	list, err := b.client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &b.name})
	if err != nil {
		return nil, err
	}
	for _, o := range list.Contents {
		keys = append(keys, *o.Key)
	}
	return keys, nil
}

// unfinished lists the multipart uploads that are neither completed nor aborted.
func (b *bucket) unfinished(ctx context.Context) ([]types.MultipartUpload, error) {
	list, err := b.client.ListMultipartUploads(ctx, &s3.ListMultipartUploadsInput{Bucket: &b.name})
	if err != nil {
		return nil, err
	}
	return list.Uploads, nil
}

// awaitUnfinished waits until there are n unfinished uploads.
func (b *bucket) awaitUnfinished(t *testing.T, n int) {
	t.Helper()
	eventually(t, 30*time.Second, fmt.Sprintf("%d unfinished uploads in the store", n), func() bool {
		left, err := b.unfinished(t.Context())
		return err == nil && len(left) == n
	})
}

// remove deletes the bucket and its content.
func (b *bucket) remove() error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	err := b.empty(ctx)
	_, e := b.client.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &b.name})
	return errors.Join(err, e)
}

// empty deletes all objects and aborts all unfinished uploads.
func (b *bucket) empty(ctx context.Context) error {
	uploads, err := b.unfinished(ctx)
	for _, u := range uploads {
		abort := s3.AbortMultipartUploadInput{Bucket: &b.name, Key: u.Key, UploadId: u.UploadId}
		var gone *types.NoSuchUpload // the page may abort its uploads at the same time
		if _, e := b.client.AbortMultipartUpload(ctx, &abort); !errors.As(e, &gone) {
			err = errors.Join(err, e)
		}
	}
	keys, e := b.keys(ctx)
	err = errors.Join(err, e)
	for _, key := range keys {
		_, e := b.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &b.name, Key: &key})
		err = errors.Join(err, e)
	}
	return err
}
