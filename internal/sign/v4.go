package sign

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"time"
)

const (
	algorithmV4 = "AWS4-HMAC-SHA256"
	dateV4      = "20060102T150405Z"
	dayV4       = "20060102"
	scopeEnd    = "/s3/aws4_request"
	initiateV4  = "uploads="
	emptySHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

	// UnsignedPayload is what a request has in place of the SHA-256 of its body if the store is not to check it (AWS
	// "Authenticating Requests: Using the Authorization Header").
	UnsignedPayload = "UNSIGNED-PAYLOAD"
)

// stringV4 is a V4 string to sign, split into its parts. Fine Uploader sends the canonical request where AWS's format
// has its hash, so that the server can see what it signs.
type stringV4 struct {
	restRequest
	date, scope   string
	signedHeaders string
	payload       string
}

// parseV4 parses
//
//	AWS4-HMAC-SHA256 \n x-amz-date \n day/region/s3/aws4_request \n
//	METHOD \n /key \n query \n name:value \n … \n (empty) \n signed;headers \n payload hash
//
// (AWS "Create a signed AWS API request").
func (s *Signer) parseV4(text string, now time.Time) (*Request, error) {
	q, err := splitV4(text)
	if err != nil {
		return nil, err
	}
	r, err := s.checkV4(q, now)
	if err != nil {
		return nil, withRequest(err, fmt.Sprintf("version 4, %.10s %.300s?%.200s, at %.200s, %.80s, of %.40s",
			q.method, q.path, q.query, q.get("host"), q.scope, q.date))
	}
	return r, nil
}

// splitV4 splits a string to sign into its parts.
func splitV4(text string) (*stringV4, error) {
	q := new(stringV4)
	var algorithm string
	for _, field := range []*string{&algorithm, &q.date, &q.scope, &q.method, &q.path, &q.query} {
		var ok bool
		if *field, text, ok = strings.Cut(text, "\n"); !ok {
			return nil, malformed("The V4 string to sign must have the canonical request itself, not its hash; " +
				"use an unmodified Fine Uploader.")
		}
	}
	if algorithm != algorithmV4 {
		return nil, forbidden("The signing algorithm must be AWS4-HMAC-SHA256; use an unmodified Fine Uploader.",
			algorithm, algorithmV4)
	}
	if !strings.HasPrefix(q.path, "/") {
		return nil, errNotAnUpload()
	}
	headers, end, _ := strings.Cut(text, "\n\n")
	var ok bool
	if q.signedHeaders, q.payload, ok = strings.Cut(end, "\n"); !ok {
		return nil, malformed("The canonical request is incomplete; use an unmodified Fine Uploader.")
	}
	for line := range strings.SplitSeq(headers, "\n") {
		if err := q.parseHeader(line); err != nil {
			return nil, err
		}
	}
	return q, nil
}

// checkV4 checks q, and builds the string to sign anew, with the host and the path that the store will see.
func (s *Signer) checkV4(q *stringV4, now time.Time) (*Request, error) {
	at, err := parseDateV4(q.date, now)
	if err != nil {
		return nil, err
	}
	if err := s.checkScope(q.scope, at); err != nil {
		return nil, err
	}
	line := q.get("host")
	if line == "" {
		return nil, malformed("The canonical request has no host header; use an unmodified Fine Uploader.")
	}
	form, err := s.findHost(line)
	if err != nil {
		return nil, err
	}
	r, err := s.newRequest(V4, &q.restRequest, initiateV4, q.path[1:], at)
	if err != nil {
		return nil, err
	}
	if err := q.checkConsistency(); err != nil {
		return nil, err
	}
	if err := s.checkPayload(q, r.Operation); err != nil {
		return nil, err
	}
	if err := s.checkContentTypeV4(r, q); err != nil {
		return nil, err
	}
	if escaped := escapeKey(r.Key); escaped != q.path[1:] {
		return nil, notCanonical(q.path[1:], escaped)
	}
	r.text = r.stringToSignV4(q, form, s.cfg.Region)
	return r, nil
}

// parseDateV4 parses a basic ISO 8601 time and checks it against the time window.
func parseDateV4(value string, now time.Time) (time.Time, error) {
	at, err := time.Parse(dateV4, value)
	if err != nil || at.Format(dateV4) != value {
		return time.Time{}, malformed("x-amz-date does not have the form 20060102T150405Z; "+
			"use an unmodified Fine Uploader.").WithDetail(value, dateV4)
	}
	return at, checkTime(at, now)
}

// checkScope checks a credential scope, "day/region/s3/aws4_request".
func (s *Signer) checkScope(scope string, at time.Time) error {
	dayAndRegion, ok := strings.CutSuffix(scope, scopeEnd)
	day, region, ok2 := strings.Cut(dayAndRegion, "/")
	if !ok || !ok2 || len(day) != len(dayV4) || strings.Contains(region, "/") {
		return forbidden("The credential scope does not have the form day/region/s3/aws4_request; "+
			"set signature and credentials in client_conf.js as shipped.", scope, s.cfg.Region+scopeEnd)
	}
	if err := s.checkRegion(region); err != nil {
		return err
	}
	if expected := at.Format(dayV4); day != expected {
		return forbidden("The day of the credential scope is not the day of x-amz-date, because request.clockDrift "+
			"crosses midnight; try again in a few minutes, or set the uploading computer's clock right.", day, expected)
	}
	return nil
}

// checkConsistency compares the parts that repeat each other, except the payload.
func (q *stringV4) checkConsistency() error {
	if err := q.checkSignedHeaders(); err != nil {
		return err
	}
	if date := q.get("x-amz-date"); date != q.date {
		return malformed("The x-amz-date header is not the date of the string to sign; use an unmodified Fine Uploader.").
			WithDetail(date, q.date)
	}
	return nil
}

// checkPayload checks that the payload is a SHA-256, the same in both places and one that the operation may have, or
// that of a part UNSIGNED-PAYLOAD if the configuration allows it.
func (s *Signer) checkPayload(q *stringV4, op Operation) error {
	hash := q.get("x-amz-content-sha256")
	switch {
	case op == UploadPart && hash == UnsignedPayload && q.payload == UnsignedPayload:
		if !s.cfg.AllowsUnsignedPayload() {
			return configError("The server signs only parts with their SHA-256; reload the page, or set "+
				"P3S3F_UNSIGNED_PAYLOAD=1 in the server's settings, which needs a store with https.", hash, "a SHA-256")
		}
	case hash != q.payload || !isSHA256(hash):
		return malformed("The payload must be given by the same SHA-256 in the canonical request and in "+
			"x-amz-content-sha256; use an unmodified Fine Uploader.").WithDetail(hash, q.payload)
	case op != UploadPart && op != CompleteMultipartUpload && hash != emptySHA256:
		return malformed("The body of this request must be empty; use an unmodified Fine Uploader.").
			WithDetail(hash, emptySHA256)
	}
	return nil
}

// AllowsUnsignedPayload reports whether UnsignedPayload has an effect.
func (c Config) AllowsUnsignedPayload() bool {
	return c.UnsignedPayload && c.Endpoint.Scheme == "https"
}

// checkSignedHeaders checks that the list names exactly the headers of the canonical request.
func (q *stringV4) checkSignedHeaders() error {
	if strings.HasPrefix(q.signedHeaders, "content-md5;") {
		return forbidden("Fine Uploader cannot sign a Content-MD5 parameter under version 4; "+
			"remove Content-MD5 from request.params in client_conf.js.", q.signedHeaders, "no content-md5")
	}
	names := make([]string, len(q.headers))
	for i, h := range q.headers {
		names[i] = h.name
	}
	if expected := strings.Join(names, ";"); q.signedHeaders != expected {
		return malformed("SignedHeaders does not list the headers of the canonical request; "+
			"use an unmodified Fine Uploader.").WithDetail(q.signedHeaders, expected)
	}
	return nil
}

// checkContentTypeV4 checks the content-type header. Fine Uploader signs it only with the page's patch (signContentType
// in static/fine-uploader-patches.js).
func (s *Signer) checkContentTypeV4(r *Request, q *stringV4) error {
	value, isSigned := q.get("content-type"), strings.HasPrefix(q.signedHeaders, "content-type;")
	switch {
	case !isSigned && r.Operation != CreateMultipartUpload:
		return nil
	case !isSigned && len(s.cfg.ContentTypes) > 0:
		return forbidden("Files without a type are not accepted here; if the file has one, the page must sign it "+
			"(signContentType in docs/integration.md).", "no signed type", strings.Join(s.cfg.ContentTypes, " "))
	case isSigned && (r.Operation == AbortMultipartUpload || r.Operation == CreateMultipartUpload && value == ""):
		return malformed("The canonical request has a content-type header that its operation does not have; "+
			"use the page's own scripts.").WithDetail(value, "no content-type")
	}
	return s.setContentType(r, value)
}

// isRequestHeaderV4 is true for the headers of a V4 request besides x-amz-date that are not properties of the object.
func isRequestHeaderV4(name string) bool {
	return name == "host" || name == "content-type" || name == "x-amz-content-sha256"
}

func isSHA256(s string) bool { return len(s) == 2*sha256.Size && hasOnly(s, digits+"abcdef") }

// stringToSignV4 builds the string to sign of r, with the canonical request in place of its hash. From q it takes only
// what was checked: the method, the headers and their names, and the payload hash.
func (r *Request) stringToSignV4(q *stringV4, form hostForm, region string) string {
	var b strings.Builder
	b.Grow(768)
	b.WriteString(algorithmV4 + "\n" + r.Time.Format(dateV4) + "\n")
	b.WriteString(r.Time.Format(dayV4) + "/" + region + scopeEnd + "\n")
	b.WriteString(q.method + "\n" + escapeKey(form.pathPrefix) + "/" + escapeKey(r.Key) + "\n")
	b.WriteString(r.operationQuery(initiateV4) + "\n")
	q.writeHeaders(&b, header{"host", form.host})
	b.WriteString("\n" + q.signedHeaders + "\n" + q.payload)
	return b.String()
}
