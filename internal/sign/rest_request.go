package sign

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"s3-sign-srv/internal/apierror"
)

// restRequest is a request of a multipart upload as a string to sign of either version describes it. Nothing in it is
// checked.
type restRequest struct {
	method      string
	path        string // escaped, with a slash in front; V2: with the bucket
	query       string // V4: canonical, such as "uploads="; V2: as in the URL, "uploads"
	contentMD5  string // V2
	contentType string // V2; in V4 it is a header
	headers     []header
}

type header struct{ name, value string }

// completeType is the content type of CompleteMultipartUpload, as Fine Uploader sends it.
const completeType = "application/xml; charset=UTF-8"

// get returns the value of a header, or an empty string.
func (q *restRequest) get(name string) string {
	for _, h := range q.headers {
		if h.name == name {
			return h.value
		}
	}
	return ""
}

// parseHeader parses a line "name:value" and appends it. Names must be in strictly ascending order, which also rejects
// duplicates.
func (q *restRequest) parseHeader(line string) error {
	name, value, ok := strings.Cut(line, ":")
	if !ok || !isHeaderName(name) || !isHeaderValue(value) {
		return malformed("The string to sign has a line that is not a header; use an unmodified Fine Uploader.")
	}
	if n := len(q.headers); n > 0 && q.headers[n-1].name >= name {
		return malformed("The headers in the string to sign are not sorted, or one is there twice; "+
			"use an unmodified Fine Uploader, and each name in request.params once.").
			WithDetail(name, "a name after "+q.headers[n-1].name)
	}
	if len(q.headers) == maxHeaders {
		return malformed("The request has more headers than S3 accepts; use fewer request.params.")
	}
	q.headers = append(q.headers, header{name, value})
	return nil
}

// writeHeaders writes the header lines anew. A header in replaced gets that value.
func (q *restRequest) writeHeaders(b *strings.Builder, replaced header) {
	for _, h := range q.headers {
		if h.name == replaced.name {
			h = replaced
		}
		b.WriteString(h.name)
		b.WriteByte(':')
		b.WriteString(h.value)
		b.WriteByte('\n')
	}
}

func isHeaderName(s string) bool {
	return s != "" && hasOnly(s, "abcdefghijklmnopqrstuvwxyz"+digits+"-_.")
}

// isHeaderValue accepts printable ASCII without a space at either end, which S3 would trim.
func isHeaderValue(s string) bool {
	isPrintable := func(c rune) bool { return ' ' <= c && c <= '~' }
	return strings.TrimFunc(s, isPrintable) == "" && strings.TrimSpace(s) == s
}

// parseOperation sets the operation of r from method and query. initiate is the query of CreateMultipartUpload, which
// the two versions write differently.
func (r *Request) parseOperation(method, query, initiate string) error {
	if method == "POST" && query == initiate {
		r.Operation = CreateMultipartUpload
		return nil
	}
	part, id := "", query
	if method == "PUT" {
		part, id, _ = strings.Cut(query, "&")
	}
	id, ok := strings.CutPrefix(id, "uploadId=")
	switch method {
	case "PUT":
		r.Operation = UploadPart
	case "POST":
		r.Operation = CompleteMultipartUpload
	case "DELETE":
		r.Operation = AbortMultipartUpload
	default:
		ok = false
	}
	if !ok {
		return errNotAnUpload()
	}
	if !isUploadID(id) {
		return errUploadID(id)
	}
	r.UploadID = id
	if r.Operation == UploadPart {
		if r.PartNumber, ok = parsePartNumber(part); !ok {
			return malformed("The part number is not a whole number from 1 to 10000; "+
				"set a larger chunking.partSize in client_conf.js.").WithDetail(part, "partNumber=1 to 10000")
		}
	}
	return nil
}

// operationQuery is the inverse of parseOperation.
func (r *Request) operationQuery(initiate string) string {
	switch r.Operation {
	case CreateMultipartUpload:
		return initiate
	case UploadPart:
		return "partNumber=" + strconv.Itoa(r.PartNumber) + "&uploadId=" + r.UploadID
	}
	return "uploadId=" + r.UploadID
}

func errNotAnUpload() *apierror.Error {
	return malformed("This server signs only the requests of an upload (POST of a form, and CreateMultipartUpload, " +
		"UploadPart, CompleteMultipartUpload, AbortMultipartUpload); use an unmodified Fine Uploader.")
}

// isUploadID accepts the characters that stores use: AWS and MinIO base64url and dots, versitygw a UUID, radosgw "2~"
// and base64url. Fine Uploader's V4 would lose what follows a "=". A store that keeps each upload in a folder resolves
// "." and "..": versitygw 1.8.0 aborted all uploads at once.
func isUploadID(s string) bool {
	return s != "" && s != "." && s != ".." && len(s) <= maxUploadID && hasOnly(s, unreserved)
}

func parsePartNumber(s string) (int, bool) {
	n, err := strconv.Atoi(strings.TrimPrefix(s, "partNumber="))
	return n, err == nil && 1 <= n && n <= MaxParts && s == "partNumber="+strconv.Itoa(n)
}

// newRequest builds the Request for q, whose bucket and date the caller has checked. escapedKey is the key as in
// q.path.
func (s *Signer) newRequest(
	v Version, q *restRequest, initiate, escapedKey string, at time.Time,
) (*Request, error) {
	r := &Request{Version: v, Bucket: s.cfg.Bucket, Time: at, key: s.currentKey()}
	if err := r.parseOperation(q.method, q.query, initiate); err != nil {
		return nil, err
	}
	var err error
	if r.Key, err = url.PathUnescape(escapedKey); err != nil {
		return nil, malformed("The object key in the string to sign is not escaped as S3 requires; "+
			"use an unmodified Fine Uploader.").WithDetail(escapedKey, "percent-encoded UTF-8")
	}
	if err := CheckKey(r.Key); err != nil {
		return nil, err
	}
	if err := s.checkPart(r); err != nil {
		return nil, err
	}
	return r, s.checkHeaders(r, q)
}

// checkPart rejects a part that only a file above the size limit can have: every part except the last has at least
// 5 MiB.
func (s *Signer) checkPart(r *Request) error {
	if limit := s.cfg.MaxBytes; limit > 0 && int64(r.PartNumber-1)*MinPartBytes >= limit {
		return errTooLarge(limit, fmt.Sprintf("part %d", r.PartNumber))
	}
	return nil
}

// checkHeaders checks the x-amz-* headers of q and sets what CreateMultipartUpload says in r.
func (s *Signer) checkHeaders(r *Request, q *restRequest) error {
	f := objectFields{signer: s}
	for _, h := range q.headers {
		if h.name == "x-amz-date" || r.Version == V4 && isRequestHeaderV4(h.name) {
			continue // the parser of the version checks it
		}
		if r.Operation != CreateMultipartUpload {
			return forbidden("A part, complete or abort request may have no signed header except its date; "+
				"use an unmodified Fine Uploader.", h.name, "x-amz-date")
		}
		add := f.add
		if h.name == "x-amz-acl" {
			add = f.addACL
		}
		if err := add(h.name, h.value); err != nil {
			return err
		}
	}
	if r.Operation == CreateMultipartUpload {
		f.setOn(r)
	}
	return nil
}

// setContentType checks the content type of r, and sets that of a new object.
func (s *Signer) setContentType(r *Request, value string) error {
	expected := ""
	switch r.Operation {
	case CreateMultipartUpload:
		r.ContentType = value
		return s.checkContentType(value)
	case CompleteMultipartUpload:
		expected = completeType
	}
	if value != expected {
		return malformed("The string to sign has a content type that its operation does not have; "+
			"use an unmodified Fine Uploader.").WithDetail(value, expected)
	}
	return nil
}
