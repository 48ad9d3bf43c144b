// Package sign decides what may be signed for a browser that uploads to S3, and signs it.
// A policy document or a string to sign is parsed by an exact grammar into a Request, checked against one bucket, one
// endpoint, one region and the clock, and rebuilt from the parsed values. A V2 string must equal its rebuilt text byte
// for byte. A V4 string is signed as rebuilt, which also corrects what Fine Uploader gets wrong on path-style
// endpoints. A policy is signed as sent. Only five operations can be expressed: POST object and the four of a
// multipart upload. For Uppy, the same operations are presigned, and also PUT object and a list of the parts of one
// upload.
// Every error about a request is an *apierror.Error. The package does no I/O and reads no clock. It uses net/http only
// for the type of the request that the AWS SDK presigns.
package sign

import (
	"fmt"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"s3-sign-srv/internal/apierror"
)

// Version is an AWS signature version.
type Version int

// The two signature versions that Fine Uploader can ask for.
const (
	V2 Version = 2
	V4 Version = 4
)

// Operation is what a signed request does at S3, by the name that AWS gives it.
type Operation string

// The operations of an upload. No other can be signed. The last two are only for Uppy.
const (
	PostObject              Operation = "PostObject"
	CreateMultipartUpload   Operation = "CreateMultipartUpload"
	UploadPart              Operation = "UploadPart"
	CompleteMultipartUpload Operation = "CompleteMultipartUpload"
	AbortMultipartUpload    Operation = "AbortMultipartUpload"
	PutObject               Operation = "PutObject" // a small file, to a store without forms
	ListParts               Operation = "ListParts" // of an upload that is resumed
)

// Limits of S3 and of this server.
const (
	TimeWindow   = 15 * time.Minute // S3 rejects an x-amz-date further off, either way (RequestTimeTooSkewed)
	MaxExpiry    = 15 * time.Minute // of a policy; Fine Uploader sets 5 minutes
	MaxKeyBytes  = 1024             // of UTF-8
	MaxParts     = 10000
	MinPartBytes = 5 << 20 // of every part except the last
	maxMetaBytes = 2048    // of user metadata, names and values together
	maxTextBytes = 16 << 10
	maxUploadID  = 1024
	maxHeaders   = 64
)

// Config is what a Signer needs. Bucket, AccessKey, SecretKey, Endpoint and Region are required.
type Config struct {
	AccessKey string
	SecretKey Secret
	Old       KeyPair // the former pair, for pages that were opened with it; zero: none
	Bucket    string
	Endpoint  *url.URL // scheme and host[:port] as browsers write them, without the bucket
	Region    string

	// VirtualHosted says that the store takes the bucket from the host name. A V4 string for such a host names the
	// bucket only there: a store that reads only the path would take the first segment of the key for the bucket, and
	// the signature would be valid for any bucket (seen on versitygw without --virtual-domain). So virtual-hosted
	// strings are signed only with VirtualHosted, or for AWS.
	VirtualHosted bool

	// OnlyV2 rejects version 4. Some stores, such as radosgw 16.2.15, obey x-amz-* headers that a V4 request sends
	// without signing them, so whoever has a signature for a part can make the store copy any object that the key may
	// read. A V2 string contains every such header.
	OnlyV2 bool

	NoForms bool // the store has no POST object, so Uppy's small files are sent with PUT

	// UnsignedPayload lets a version 4 part have UNSIGNED-PAYLOAD in place of its SHA-256, as every presigned URL does. It
	// has no effect unless Endpoint is https: otherwise nothing protects the part on its way to the store.
	UnsignedPayload bool

	ACLs         []string // canned ACLs allowed besides "private"
	ContentTypes []string // media types allowed, "image/png" or "image/*"; empty: all
	MaxBytes     int64    // of the largest file; 0: no limit
}

// Request is one S3 request that a client wants to have signed. It comes only from a Parse method: it is well formed,
// for the configured bucket, inside the time window, and has no unknown part.
type Request struct {
	Version   Version
	Operation Operation
	Bucket    string
	Key       string // as S3 stores it: not escaped, at most 1024 bytes of UTF-8

	Time    time.Time // x-amz-date; zero for a V2 policy, which has none
	Expires time.Time // end of the validity of a policy or presigned URL; zero for the others

	UploadID   string // of part, complete, abort and list
	PartNumber int    // 1 to 10000, of a part

	// Only PostObject, PutObject and CreateMultipartUpload have the rest.

	ACL         string            // canned ACL; "private" if none was given
	ContentType string            // empty: none was signed
	Metadata    map[string]string // x-amz-meta-* without the prefix, lower-case; values percent-decoded
	Headers     map[string]string // other fields by name, such as x-amz-storage-class and Cache-Control, unchecked
	Size        *SizeRange        // that the signature allows; nil: any

	// What is signed is unexported, so that a hook can read a Request but not forge one.
	text    string   // nothing for a presigned URL
	presign *presign // of a request of ParsePresign
	key     *KeyPair
}

// IsInitiate reports whether r is the first request of an upload, which has the metadata.
func (r *Request) IsInitiate() bool {
	return r.Operation == PostObject || r.Operation == PutObject || r.Operation == CreateMultipartUpload
}

// SizeRange has the smallest and the largest size in bytes that a policy allows.
type SizeRange struct{ Min, Max int64 }

// String returns "min–max", or "none" for nil.
func (s *SizeRange) String() string {
	if s == nil {
		return "none"
	}
	return fmt.Sprintf("%d–%d", s.Min, s.Max)
}

// Signer parses and signs for one bucket, endpoint and region, with one key pair or two. It is safe for concurrent use.
type Signer struct {
	cfg       Config
	hosts     map[string]hostForm
	keys      atomic.Pointer[[]*KeyPair] // the first one is for new pages
	presigner *v4.Signer
}

// New returns a Signer for cfg.
func New(cfg Config) *Signer {
	// S3 takes the path as it is; all other services escape it twice.
	presigner := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
	s := &Signer{cfg: cfg, hosts: hostForms(cfg), presigner: presigner}
	s.SetKeys(KeyPair{cfg.AccessKey, cfg.SecretKey}, cfg.Old)
	return s
}

// Signature is the response to a sign request. Policy is set only for PostObject.
type Signature struct {
	Policy    string `json:"policy,omitempty"` // base64 of the document, for the form field
	Signature string `json:"signature"`        // base64 for V2, lower-case hex for V4
}

// Sign signs the request that r was parsed from. It cannot fail: everything was checked in the Parse method.
func (s *Signer) Sign(r *Request) Signature {
	var sig Signature
	text := r.text
	if r.Operation == PostObject {
		sig.Policy = text
	}
	if r.Version == V2 {
		sig.Signature = signatureV2(r.key.SecretKey.Reveal(), text)
		return sig
	}
	if r.Operation != PostObject {
		text = hashCanonicalRequest(text)
	}
	sig.Signature = signatureV4(deriveKey(r.key.SecretKey.Reveal(), r.Time.Format(dayV4), s.cfg.Region), text)
	return sig
}

// ParseStringToSign parses the string to sign of a multipart request, which Fine Uploader sends as the member
// "headers". Sign may sign the Request.
func (s *Signer) ParseStringToSign(v Version, text string, now time.Time) (*Request, error) {
	isV4 := strings.HasPrefix(text, algorithmV4)
	switch {
	case len(text) > maxTextBytes:
		return nil, malformed("The string to sign is longer than that of any upload; use an unmodified Fine Uploader.")
	case v == V4 && s.cfg.OnlyV2:
		return nil, onlyV2()
	case v == V2 && isV4:
		return nil, wrongVersion("A version 4 string came to the URL of version 2; set signature.version to 4 in "+
			"client_conf.js, and signature.endpoint without a query.", "4", "2")
	case v == V4 && !isV4:
		return nil, wrongVersion("A version 2 string came with ?v4=true; set signature.version in client_conf.js, "+
			"and remove v4=true from signature.endpoint.", "2", "4")
	case v == V2:
		return s.parseV2(text, now)
	}
	return s.parseV4(text, now)
}

func onlyV2() *apierror.Error {
	return configError("This server signs version 2 only; set signature.version to 2 in client_conf.js, "+
		"or P3S3F_SIGNATURE_VERSION=4 in the server's settings.", "4", "2")
}
