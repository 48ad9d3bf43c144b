package sign

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"s3-sign-srv/internal/apierror"
)

// presign is what a Request of ParsePresign is signed from. A hook cannot change it.
type presign struct {
	message  presignMessage
	at       time.Time
	unsigned *http.Request     // without a signature; nil for PostObject
	fields   map[string]string // of the form of a PostObject, without policy and signature
}

// ParsePresign parses a request of @uppy/aws-s3; see presignMessage. Presign may sign the Request. A small file is a
// PostObject, because a policy limits its size and type, or a PutObject if the store has no forms.
func (s *Signer) ParsePresign(body []byte, now time.Time) (*Request, error) {
	m, err := decodePresign(body)
	if err != nil {
		return nil, err
	}
	return s.parsePresign(m, now.UTC().Truncate(time.Second))
}

// WithKey returns the request of ParsePresign that r is for another key.
func (s *Signer) WithKey(r *Request, key string) (*Request, error) {
	m := r.presign.message
	m.Key = key
	return s.parsePresign(m, r.presign.at)
}

func (s *Signer) parsePresign(m presignMessage, at time.Time) (*Request, error) {
	r, err := s.checkPresign(m, at)
	if err != nil {
		return nil, withRequest(err, m.describe())
	}
	return r, nil
}

// checkPresign checks m and builds its Request. With OnlyV2 there are only forms: a URL of version 2 would not fix the
// query, and one of version 4 not the headers.
func (s *Signer) checkPresign(m presignMessage, at time.Time) (*Request, error) {
	op, err := m.operation()
	if err != nil {
		return nil, err
	}
	isForm := op == PutObject && !s.cfg.NoForms
	if s.cfg.OnlyV2 && !isForm {
		return nil, configError("This server signs version 2 only, with which Uppy can send a file only in one form; set "+
			"shouldUseMultipart to false, or use a store at which doctor does not warn at \"unsigned headers\", and "+
			"P3S3F_SIGNATURE_VERSION=4.", "4", "2")
	}
	if err := m.checkMembers(op); err != nil {
		return nil, err
	}
	if limit := s.cfg.MaxBytes; limit > 0 && m.Size != nil && *m.Size > limit {
		return nil, errTooLarge(limit, fmt.Sprint(*m.Size))
	}
	if isForm {
		return s.presignForm(m, at)
	}
	r := &Request{Version: V4, Operation: op, Bucket: s.cfg.Bucket, Key: m.Key, Time: at, Expires: at.Add(m.expiry()),
		key: s.currentKey()}
	if err := s.checkTarget(r, m); err != nil {
		return nil, err
	}
	header, err := s.addObject(r, m)
	if err != nil {
		return nil, err
	}
	r.presign = &presign{message: m, at: at, unsigned: s.unsigned(r, m, header)}
	return r, nil
}

// presignForm builds the policy of a small file, which ParsePolicy checks like one of Fine Uploader.
func (s *Signer) presignForm(m presignMessage, at time.Time) (*Request, error) {
	version, fields := V2, m.fields()
	if !s.cfg.OnlyV2 {
		version = V4
		fields["x-amz-algorithm"] = algorithmV4
		fields["x-amz-credential"] = s.AccessKey() + "/" + at.Format(dayV4) + "/" + s.cfg.Region + scopeEnd
		fields["x-amz-date"] = at.Format(dateV4)
	}
	document, err := encodePolicy(s.cfg.Bucket, fields, s.formSize(m), at.Add(m.expiry()))
	if err != nil {
		return nil, malformed("The request has text that is not UTF-8; rename the file.")
	}
	r, err := s.ParsePolicy(version, document, at)
	if err != nil {
		return nil, err
	}
	r.presign = &presign{message: m, at: at, fields: fields}
	return r, nil
}

// formSize returns the sizes that a form may have; nil: all. No policy can demand an empty file.
func (s *Signer) formSize(m presignMessage) *SizeRange {
	switch {
	case m.Size != nil && *m.Size > 0:
		return &SizeRange{*m.Size, *m.Size}
	case s.cfg.MaxBytes > 0:
		return &SizeRange{0, s.cfg.MaxBytes}
	}
	return nil
}

// checkTarget checks key, upload ID and part number, and sets the last two on r.
func (s *Signer) checkTarget(r *Request, m presignMessage) error {
	if err := CheckKey(m.Key); err != nil {
		return err
	}
	if m.UploadID != nil {
		if r.UploadID = *m.UploadID; !isUploadID(r.UploadID) {
			return errUploadID(r.UploadID)
		}
	}
	if m.PartNumber != nil {
		if r.PartNumber = *m.PartNumber; r.PartNumber < 1 || r.PartNumber > MaxParts {
			return malformed("The part number is not a whole number from 1 to 10000; set getChunkSize to a larger size.").
				WithDetail(strconv.Itoa(r.PartNumber), "1 to 10000")
		}
	}
	return s.checkPart(r)
}

// addObject adds what m says about a new object to r, and returns the headers to sign.
func (s *Signer) addObject(r *Request, m presignMessage) (http.Header, error) {
	header := http.Header{}
	switch {
	case r.Operation == CompleteMultipartUpload:
		header.Set("Content-Type", "application/xml") // as @uppy/aws-s3 sends it
	case m.ContentMD5 != nil:
		header.Set("Content-Md5", *m.ContentMD5)
	}
	if !r.IsInitiate() {
		return header, nil
	}
	f, fields := objectFields{signer: s}, m.fields()
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		var err error
		switch value := fields[name]; name {
		case "key":
		case "Content-Type":
			r.ContentType = value
			header.Set(name, value)
		case "acl":
			err = f.addACL(name, value)
			header.Set("x-amz-acl", value)
		default:
			err = f.add(name, value)
			header.Set(name, value)
		}
		if err != nil {
			return nil, err
		}
	}
	f.setOn(r)
	if err := s.checkContentType(r.ContentType); err != nil {
		return nil, err
	}
	return header, s.limitPut(r, m.Size, header)
}

// emptyMD5 is the MD5 of an empty body, in base64.
const emptyMD5 = "1B2M2Y8AsgTpgAmY7PhCfg=="

// limitPut makes a PutObject valid only for a file of that size, if it is given. The AWS SDK signs no Content-Length of
// 0, so an empty file is signed by its digest.
func (s *Signer) limitPut(r *Request, size *int64, header http.Header) error {
	switch {
	case r.Operation != PutObject:
		return nil
	case size == nil && s.cfg.MaxBytes > 0:
		return malformed("The request does not give the size of the file, which this server limits; " + useUppy)
	case size == nil:
		return nil
	case *size == 0:
		header.Set("Content-Md5", emptyMD5)
	}
	r.Size = &SizeRange{*size, *size}
	return nil
}

// presignMethods has the method of each operation with a presigned URL.
var presignMethods = map[Operation]string{
	PutObject: http.MethodPut, CreateMultipartUpload: http.MethodPost, UploadPart: http.MethodPut,
	CompleteMultipartUpload: http.MethodPost, AbortMultipartUpload: http.MethodDelete, ListParts: http.MethodGet,
}

// unsigned builds the request that the browser sends for r.
func (s *Signer) unsigned(r *Request, m presignMessage, header http.Header) *http.Request {
	host, prefix := s.cfg.Endpoint.Host, "/"+s.cfg.Bucket
	if s.cfg.VirtualHosted {
		host, prefix = s.cfg.Bucket+"."+host, ""
	}
	query := url.Values{"X-Amz-Expires": {strconv.Itoa(int(m.expiry().Seconds()))}}
	switch r.Operation {
	case PutObject:
	case CreateMultipartUpload:
		query.Set("uploads", "")
	case UploadPart:
		query.Set("partNumber", strconv.Itoa(r.PartNumber))
		fallthrough
	default:
		query.Set("uploadId", r.UploadID)
	}
	u := &url.URL{
		Scheme: s.cfg.Endpoint.Scheme, Host: host, RawQuery: query.Encode(),
		Path: prefix + "/" + r.Key, RawPath: escapeKey(prefix + "/" + r.Key),
	}
	unsigned := &http.Request{Method: presignMethods[r.Operation], URL: u, Header: header}
	if r.Size != nil {
		unsigned.ContentLength = r.Size.Max
	}
	return unsigned
}

// Presigned is the response to a presign request, as @uppy/aws-s3 expects it from signRequest.
type Presigned struct {
	URL     string            `json:"url"`
	Bucket  string            `json:"bucket"` // for /s3/success and /s3/delete
	Key     string            `json:"key"`
	Headers map[string]string `json:"headers,omitempty"` // signed, so the request must have them
	Fields  map[string]string `json:"fields,omitempty"`  // of a form, which is posted to the URL
}

// Presign signs a request of ParsePresign.
func (s *Signer) Presign(r *Request) (Presigned, error) {
	bucketURL, _ := s.cfg.BucketURL()
	p := Presigned{URL: bucketURL, Bucket: s.cfg.Bucket, Key: r.presign.message.Key}
	if r.presign.unsigned == nil {
		signature := s.Sign(r)
		p.Fields = maps.Clone(r.presign.fields)
		p.Fields["policy"] = signature.Policy
		if s.cfg.OnlyV2 {
			p.Fields["AWSAccessKeyId"], p.Fields["signature"] = r.key.AccessKey, signature.Signature
		} else {
			p.Fields["x-amz-signature"] = signature.Signature
		}
		return p, nil
	}
	credentials := aws.Credentials{AccessKeyID: r.key.AccessKey, SecretAccessKey: r.key.SecretKey.Reveal()}
	unsigned := r.presign.unsigned
	signed, header, err := s.presigner.PresignHTTP(
		unsigned.Context(), credentials, unsigned, UnsignedPayload, "s3", s.cfg.Region, r.presign.at)
	p.URL, p.Headers = signed, map[string]string{}
	for name, values := range header {
		if name != "Host" && name != "Content-Length" { // which browsers set themselves
			p.Headers[name] = strings.Join(values, ",")
		}
	}
	return p, err
}

func errUploadID(id string) *apierror.Error {
	return malformed("The upload ID is not one that S3 issues; start the upload again.").
		WithDetail(id, "letters, digits and -._~")
}

func errTooLarge(limit int64, actual string) *apierror.Error {
	return forbidden(fmt.Sprintf("The file is larger than the %d bytes that this server allows; upload a smaller one.",
		limit), actual, fmt.Sprintf("%d bytes", limit))
}
