package sign

import (
	"fmt"
	"strings"
	"time"
)

const (
	initiateV2 = "uploads"                       // the sub-resource of CreateMultipartUpload
	dateV2     = "Mon, 02 Jan 2006 15:04:05 GMT" // of x-amz-date, JavaScript's toUTCString
	dateISO    = "2006-01-02T15:04:05.000Z"      // of a policy's expiration, JavaScript's toISOString
)

// parseV2 parses
//
//	METHOD \n Content-MD5 \n Content-Type \n (no Date) \n name:value \n … /bucket/key?subresource
//
// (AWS "Signing and authenticating REST requests", signature version 2). The path is the same for virtual-hosted and
// path-style endpoints.
func (s *Signer) parseV2(text string, now time.Time) (*Request, error) {
	q, err := splitV2(text)
	if err != nil {
		return nil, err
	}
	r, err := s.checkV2(q, text, now)
	if err != nil {
		description := fmt.Sprintf("version 2, %.10s %.300s?%.200s, of %.40s", q.method, q.path, q.query, q.get("x-amz-date"))
		return nil, withRequest(err, description)
	}
	return r, nil
}

// splitV2 splits a string to sign into its parts.
func splitV2(text string) (*restRequest, error) {
	q := new(restRequest)
	var date string
	for _, field := range []*string{&q.method, &q.contentMD5, &q.contentType, &date} {
		var ok bool
		if *field, text, ok = strings.Cut(text, "\n"); !ok {
			return nil, errNotAnUpload()
		}
	}
	if date != "" {
		return nil, forbidden("A presigned request or one with a Date header is not signed here, only one with x-amz-date; "+
			"use an unmodified Fine Uploader.", date, "an empty Date line")
	}
	for !strings.HasPrefix(text, "/") {
		line, rest, ok := strings.Cut(text, "\n")
		if !ok {
			return nil, errNotAnUpload()
		}
		if err := q.parseHeader(line); err != nil {
			return nil, err
		}
		text = rest
	}
	q.path, q.query, _ = strings.Cut(text, "?")
	return q, nil
}

// checkV2 checks q, and compares text with the string to sign that is built anew.
func (s *Signer) checkV2(q *restRequest, text string, now time.Time) (*Request, error) {
	at, err := parseDateV2(q.get("x-amz-date"), now)
	if err != nil {
		return nil, err
	}
	bucket, escapedKey, _ := strings.Cut(q.path[1:], "/")
	if err := s.CheckBucket(bucket); err != nil {
		return nil, err
	}
	r, err := s.newRequest(V2, q, initiateV2, escapedKey, at)
	if err != nil {
		return nil, err
	}
	if err := s.checkEntityV2(r, q); err != nil {
		return nil, err
	}
	if r.text = r.stringToSignV2(q); r.text != text {
		return nil, notCanonical(text, r.text)
	}
	return r, nil
}

// parseDateV2 parses x-amz-date and checks it against the time window.
func parseDateV2(value string, now time.Time) (time.Time, error) {
	if value == "" {
		return time.Time{}, malformed("The string to sign has no x-amz-date; use an unmodified Fine Uploader.")
	}
	at, err := time.Parse(dateV2, value)
	if err != nil {
		return time.Time{}, malformed("x-amz-date in the string to sign is not a date; use an unmodified Fine Uploader.").
			WithDetail(value, dateV2)
	}
	return at, checkTime(at, now)
}

// checkEntityV2 checks Content-MD5 and Content-Type, which depend on the operation.
func (s *Signer) checkEntityV2(r *Request, q *restRequest) error {
	if r.Operation != CreateMultipartUpload && q.contentMD5 != "" {
		return malformed("Only the request that begins a multipart upload may have a Content-MD5; "+
			"use an unmodified Fine Uploader.").WithDetail(q.contentMD5, "")
	}
	if err := checkMD5(q.contentMD5); err != nil {
		return err
	}
	return s.setContentType(r, q.contentType)
}

// stringToSignV2 builds the string to sign of r. From q it takes only what was checked and r does not have: the method,
// the digest, the content type and the headers.
func (r *Request) stringToSignV2(q *restRequest) string {
	var b strings.Builder
	b.Grow(256)
	b.WriteString(q.method + "\n" + q.contentMD5 + "\n" + q.contentType + "\n\n")
	q.writeHeaders(&b, header{"x-amz-date", r.Time.Format(dateV2)})
	b.WriteString("/" + r.Bucket + "/" + escapeKey(r.Key) + "?" + r.operationQuery(initiateV2))
	return b.String()
}
