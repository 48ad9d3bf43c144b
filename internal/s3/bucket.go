// Package s3 makes the calls to S3 that the server itself needs, with aws-sdk-go-v2: it looks up, lists and deletes
// objects. A Bucket knows one endpoint and one bucket, so no client can redirect a call, and the SDK builds and
// escapes every path. Each call ends within Timeout, including retries. Errors are *apierror.Error with a message that
// says what to check.
package s3

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"s3-sign-srv/internal/sign"
)

// Timeout is the limit for each call, including retries.
const Timeout = 10 * time.Second

// Config says where the bucket is and which keys to use. All fields but Observe are required.
type Config struct {
	AccessKey     string
	SecretKey     sign.Secret
	Endpoint      *url.URL // scheme and host[:port], without the bucket
	Region        string
	Name          string
	VirtualHosted bool // the bucket is in the host name; otherwise the path begins with it

	// Observe, if set, learns of each call after it ended with err. operation is AWS's name of it.
	Observe func(operation string, d time.Duration, err error)
}

// Bucket is one bucket at one store. It is safe for concurrent use.
type Bucket struct {
	client *awss3.Client
	cfg    Config
	keys   atomic.Pointer[sign.KeyPair]
}

// New returns the bucket that cfg names. It makes no call.
func New(cfg Config) *Bucket {
	b := &Bucket{cfg: cfg}
	b.SetKeys(sign.KeyPair{AccessKey: cfg.AccessKey, SecretKey: cfg.SecretKey})
	b.client = NewClient(cfg, func(o *awss3.Options) { o.Credentials = aws.CredentialsProviderFunc(b.credentials) })
	return b
}

// SetKeys replaces the key pair.
func (b *Bucket) SetKeys(keys sign.KeyPair) { b.keys.Store(&keys) }

func (b *Bucket) credentials(context.Context) (aws.Credentials, error) {
	keys := b.keys.Load()
	return aws.Credentials{AccessKeyID: keys.AccessKey, SecretAccessKey: keys.SecretKey.Reveal()}, nil
}

// NewClient returns the SDK's client for cfg.
func NewClient(cfg Config, options ...func(*awss3.Options)) *awss3.Client {
	return awss3.New(awss3.Options{
		BaseEndpoint: aws.String(cfg.Endpoint.String()),
		Region:       cfg.Region,
		Credentials:  credentials.NewStaticCredentialsProvider(cfg.AccessKey, cfg.SecretKey.Reveal(), ""),
		UsePathStyle: !cfg.VirtualHosted,
		HTTPClient:   &http.Client{CheckRedirect: noRedirect, Transport: NewTransport()},
		// Stores other than AWS reject the checksums that the SDK would add by default.
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenRequired,
	}, options...)
}

// observe is deferred in a call that began at start.
func (b *Bucket) observe(operation string, start time.Time, err *error) {
	if b.cfg.Observe != nil {
		b.cfg.Observe(operation, time.Since(start), *err)
	}
}

// noRedirect keeps a store from redirecting the server's calls.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// NewTransport returns a transport that resolves names below localhost to the loopback address, as browsers do
// (RFC 6761, 6.3): few resolvers know such names, and BUCKET.localhost is how virtual-hosted stores are tested.
func NewTransport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 32 // a session list makes 16 calls at a time; the default would keep 2 connections
	dial := t.DialContext
	t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if host, port, err := net.SplitHostPort(address); err == nil && strings.HasSuffix(host, ".localhost") {
			address = net.JoinHostPort("localhost", port)
		}
		return dial(ctx, network, address)
	}
	return t
}

// Object is what the store says about an object.
type Object struct {
	ETag         string // with its quotes
	Size         int64  // bytes
	ContentType  string
	Metadata     map[string]string // without the prefix, lower-case, as stored
	LastModified time.Time
	Encryption   string // by the store, AES256 or aws:kms; empty: none
	StorageClass string // empty: STANDARD

	CacheControl, ContentDisposition, ContentEncoding string
}

// Head looks up the object at key. If there is none, or none that the server's key may see, the error has the code
// apierror.NotFound.
func (b *Bucket) Head(ctx context.Context, key string) (object Object, err error) {
	defer b.observe("HeadObject", time.Now(), &err)
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	out, err := b.client.HeadObject(ctx, &awss3.HeadObjectInput{Bucket: &b.cfg.Name, Key: &key})
	if err != nil {
		return Object{}, b.cfg.Explain("s3:GetObject", err)
	}
	return Object{
		ETag:         aws.ToString(out.ETag),
		Size:         aws.ToInt64(out.ContentLength),
		ContentType:  aws.ToString(out.ContentType),
		Metadata:     out.Metadata,
		LastModified: aws.ToTime(out.LastModified),
		Encryption:   string(out.ServerSideEncryption),
		StorageClass: string(out.StorageClass),

		CacheControl:       aws.ToString(out.CacheControl),
		ContentDisposition: aws.ToString(out.ContentDisposition),
		ContentEncoding:    aws.ToString(out.ContentEncoding),
	}, nil
}

// Get returns the content of the object at key, which the caller closes. Only ctx limits its time.
func (b *Bucket) Get(ctx context.Context, key string) (io.ReadCloser, error) {
	out, err := b.client.GetObject(ctx, &awss3.GetObjectInput{Bucket: &b.cfg.Name, Key: &key})
	if err != nil {
		return nil, b.cfg.Explain("s3:GetObject", err)
	}
	return out.Body, nil
}

// Delete deletes the object at key. Deleting an object that does not exist is no error, as in S3.
func (b *Bucket) Delete(ctx context.Context, key string) error { return b.DeleteIfMatch(ctx, key, "") }

// DeleteIfMatch deletes the object at key. One with another ETag than etag stays, unless etag is empty or the store
// ignores If-Match; that is no error.
func (b *Bucket) DeleteIfMatch(ctx context.Context, key, etag string) (err error) {
	defer b.observe("DeleteObject", time.Now(), &err)
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	input := &awss3.DeleteObjectInput{Bucket: &b.cfg.Name, Key: &key}
	if etag != "" {
		input.IfMatch = &etag
	}
	_, err = b.client.DeleteObject(ctx, input)
	if Code(err) == "PreconditionFailed" {
		return nil
	}
	return b.cfg.Explain("s3:DeleteObject", err)
}
