package sign

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// This file reads presigned URLs as S3 would (AWS "Authenticating requests: using query parameters"), with net/url and
// without the AWS SDK, which made them.

// A urlReading is a presigned URL as S3 reads it, with the headers that the browser adds.
type urlReading struct {
	reading
	expires time.Duration
	length  int64 // signed Content-Length; -1: none
}

// readURL reads a presigned URL for a request with method. domain and knowsHosts are as for readStringV4.
func readURL(p Presigned, method, domain string, knowsHosts bool, size int64) (urlReading, error) {
	r := urlReading{length: -1}
	u, err := url.Parse(p.URL)
	if err != nil || u.User != nil || u.Fragment != "" || u.Opaque != "" {
		return r, fmt.Errorf("the URL %q, %v", p.URL, err)
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return r, err
	}
	take := func(name string) string {
		value := query.Get(name)
		delete(query, name)
		return value
	}
	for name, values := range query {
		if len(values) != 1 {
			return r, fmt.Errorf("%s is %q", name, values)
		}
	}
	signature := take("X-Amz-Signature")
	canonicalQuery := strings.ReplaceAll(query.Encode(), "+", "%20")
	signed := strings.Split(take("X-Amz-SignedHeaders"), ";")
	date, algorithm := take("X-Amz-Date"), take("X-Amz-Algorithm")
	accessKey, scope, _ := strings.Cut(take("X-Amz-Credential"), "/")
	if r.at, err = time.Parse("20060102T150405Z", date); err != nil {
		return r, err
	}
	seconds, err := strconv.Atoi(take("X-Amz-Expires"))
	if r.expires = time.Duration(seconds) * time.Second; err != nil || algorithm != "AWS4-HMAC-SHA256" ||
		accessKey != "AKIAIOSFODNN7EXAMPLE" || scope != date[:8]+"/us-east-1/s3/aws4_request" {
		return r, fmt.Errorf("%s, %s/%s, %v", algorithm, accessKey, scope, err)
	}
	if err := r.readSigned(p.Headers, signed, u.Host, size); err != nil {
		return r, err
	}
	canonical := strings.Join([]string{method, u.EscapedPath(), canonicalQuery, r.canonicalHeaders(signed, u.Host),
		strings.Join(signed, ";"), "UNSIGNED-PAYLOAD"}, "\n")
	text := strings.Join([]string{"AWS4-HMAC-SHA256", date, scope, hexOf(canonical)}, "\n")
	if want := hex.EncodeToString(readerHMAC(sha256.New, readerKey(scope), text)); signature != want {
		return r, fmt.Errorf("the signature is %s, S3 computes %s for\n%s", signature, want, canonical)
	}
	return r, r.readURLTarget(method, u, query, domain, knowsHosts)
}

// readSigned reads the headers that the browser sends, all of which must be signed.
func (r *urlReading) readSigned(headers map[string]string, signed []string, host string, size int64) error {
	r.headers = map[string]string{"host": host}
	for name, value := range headers {
		if r.headers[strings.ToLower(name)] != "" || strings.TrimSpace(value) != value ||
			strings.ContainsFunc(value, func(c rune) bool { return c < ' ' || c > '~' }) {
			return fmt.Errorf("the header %s: %q", name, value)
		}
		r.headers[strings.ToLower(name)] = value
	}
	if slices.Contains(signed, "content-length") {
		r.headers["content-length"], r.length = strconv.FormatInt(size, 10), size
	}
	if names := slices.Sorted(maps.Keys(r.headers)); !slices.Equal(names, signed) {
		return fmt.Errorf("signed are %q, to be sent %q", signed, names)
	}
	return nil
}

// canonicalHeaders writes the signed headers, and leaves those of the object in r.
func (r *urlReading) canonicalHeaders(signed []string, host string) string {
	var b strings.Builder
	for _, name := range signed {
		b.WriteString(name + ":" + strings.Join(strings.Fields(r.headers[name]), " ") + "\n")
	}
	delete(r.headers, "host")
	delete(r.headers, "content-length")
	r.contentType = r.takeHeader("content-type")
	return b.String()
}

// readURLTarget finds bucket, key and operation.
func (r *urlReading) readURLTarget(method string, u *url.URL, query url.Values, domain string, knowsHosts bool) error {
	path := strings.TrimPrefix(u.EscapedPath(), "/")
	name, ok := strings.CutSuffix(u.Host, "."+domain)
	switch {
	case ok && knowsHosts:
		r.bucket = name
	case u.Host != domain:
		return fmt.Errorf("the host is %q", u.Host)
	default:
		r.bucket, path, _ = strings.Cut(path, "/")
	}
	var err error
	if r.key, err = url.PathUnescape(path); err != nil || readerEscapeKey(r.key) != path {
		return fmt.Errorf("the path %q, %v", path, err)
	}
	r.uploadID = query.Get("uploadId")
	r.part, _ = strconv.Atoi(query.Get("partNumber"))
	target := method
	for _, name := range slices.Sorted(maps.Keys(query)) {
		target += " " + name
		if (query.Get(name) == "") != (name == "uploads") {
			return fmt.Errorf("%s is %q", name, query.Get(name))
		}
	}
	r.operation = map[string]Operation{
		"PUT": PutObject, "POST uploads": CreateMultipartUpload, "PUT partNumber uploadId": UploadPart,
		"POST uploadId": CompleteMultipartUpload, "DELETE uploadId": AbortMultipartUpload, "GET uploadId": ListParts,
	}[target]
	if r.operation == "" {
		return fmt.Errorf("%s is no operation of an upload", target)
	}
	return nil
}

// checkPresigned holds what Presign returns for r, read as S3 reads it, against the rules and against r.
func checkPresigned(t *testing.T, s *Signer, r *Request, method string, now time.Time) {
	t.Helper()
	p, err := s.Presign(r)
	if err != nil || p.Bucket != s.cfg.Bucket || p.Key != r.Key {
		t.Fatalf("presigned as %+v, %v", p, err)
	}
	if r.Operation == PostObject {
		checkForm(t, s, r, p, now)
		return
	}
	size := int64(-1)
	if r.Size != nil {
		size = r.Size.Max
	}
	got, err := readURL(p, method, s.cfg.Endpoint.Host, s.cfg.VirtualHosted, size)
	if err != nil {
		t.Fatalf("signed, but S3 reads it otherwise: %v\n%q", err, p.URL)
	}
	if got.bucket != s.cfg.Bucket || got.operation != r.Operation || got.key != r.Key || got.uploadID != r.UploadID ||
		got.part != r.PartNumber || !got.at.Equal(r.Time) || r.Bucket != s.cfg.Bucket || p.Fields != nil ||
		!strings.HasPrefix(p.URL, s.cfg.Endpoint.Scheme+"://") {
		t.Errorf("S3 reads %+v\nthe hook is told %+v\n%q", got, r, p.URL)
	}
	if !r.Expires.Equal(got.at.Add(got.expires)) || got.expires <= 0 || got.expires > 15*time.Minute ||
		got.at.Sub(now).Abs() > time.Second {
		t.Errorf("valid from %v for %v, the hook is told until %v", got.at, got.expires, r.Expires)
	}
	checkKeyRules(t, got.key)
	checkURLHeaders(t, s, r, got)
}

// checkURLHeaders wants only the headers that the operation may have, with the values that the hook is told.
func checkURLHeaders(t *testing.T, s *Signer, r *Request, got urlReading) {
	t.Helper()
	want := r.ContentType
	if r.Operation == CompleteMultipartUpload {
		want = "application/xml"
	}
	if got.contentType != want {
		t.Errorf("%s with the content type %q, want %q", r.Operation, got.contentType, want)
	}
	if r.Operation == UploadPart {
		if digest := got.takeHeader("content-md5"); digest != "" {
			if raw, err := base64.StdEncoding.DecodeString(digest); err != nil || len(raw) != 16 {
				t.Errorf("the digest is %q", digest)
			}
		}
	}
	if !r.IsInitiate() {
		if len(got.headers) > 0 || r.ACL != "" || r.Metadata != nil || r.Headers != nil || r.Size != nil {
			t.Errorf("%s with the headers %q, %+v", r.Operation, got.headers, r)
		}
		return
	}
	checkType(t, s, got.contentType)
	if acl := got.takeHeader("x-amz-acl"); acl != r.ACL && (acl != "" || r.ACL != "private") {
		t.Errorf("the ACL is %q, the hook is told %q", acl, r.ACL)
	}
	limited := got.takeHeader("content-md5") == "1B2M2Y8AsgTpgAmY7PhCfg==" && r.Size.Max == 0
	if r.Operation == PutObject {
		if r.Size != nil && got.length != r.Size.Max && !limited || r.Size == nil && s.cfg.MaxBytes > 0 ||
			s.cfg.MaxBytes > 0 && r.Size.Max > s.cfg.MaxBytes {
			t.Errorf("a PUT of %d bytes, the hook is told %v", got.length, r.Size)
		}
	}
	checkFields(t, s, r, got.headers)
}

// checkForm wants a form that has exactly the fields of its policy.
func checkForm(t *testing.T, s *Signer, r *Request, p Presigned, now time.Time) {
	t.Helper()
	document, err := base64.StdEncoding.DecodeString(p.Fields["policy"])
	if err != nil {
		t.Fatal(err)
	}
	checkPolicy(t, s, r, document, now)
	policy, err := readPolicy(document)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"x-amz-signature": s.Sign(r).Signature}
	if s.cfg.OnlyV2 {
		want = map[string]string{"signature": s.Sign(r).Signature, "AWSAccessKeyId": "AKIAIOSFODNN7EXAMPLE"}
	}
	for name, value := range want {
		if p.Fields[name] != value || len(p.Headers) != 0 {
			t.Errorf("the form %+v", p)
		}
		delete(p.Fields, name)
	}
	fields := map[string]string{"bucket": s.cfg.Bucket}
	for name, value := range p.Fields {
		fields[strings.ToLower(name)] = value
	}
	delete(fields, "policy")
	if !maps.Equal(fields, policy.exact) {
		t.Errorf("the form has %q, the policy %q", fields, policy.exact)
	}
	address := s.cfg.Endpoint.Scheme + "://" + s.cfg.Endpoint.Host + "/" + s.cfg.Bucket
	if s.cfg.VirtualHosted {
		address = s.cfg.Endpoint.Scheme + "://" + s.cfg.Bucket + "." + s.cfg.Endpoint.Host
	}
	if p.URL != address {
		t.Errorf("the form goes to %q, want %q", p.URL, address)
	}
}
