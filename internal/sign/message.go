package sign

import (
	"strconv"
	"strings"
	"time"

	"s3-sign-srv/internal/apierror"
)

// message is a multipart request as a string to sign spells it, both versions; nothing in it is checked.
type message struct {
	method      string
	path        string // escaped, beginning with a slash; V2: with the bucket
	query       string // V4: canonical, "uploads="; V2: as in the URL, "uploads"
	contentMD5  string // V2
	contentType string // V2
	headers     []header
	space       [4]header // for headers, so that a part needs no more
}

type header struct{ name, value string }

// get returns the value of the header called name.
func (m *message) get(name string) (string, bool) {
	for _, h := range m.headers {
		if h.name == name {
			return h.value, true
		}
	}
	return "", false
}

// readHeader parses one "name:value" line and appends it; names must ascend strictly, which also
// refuses duplicates.
func (m *message) readHeader(line string) *apierror.Error {
	name, value, ok := strings.Cut(line, ":")
	if !ok || !isHeaderName(name) || !isHeaderValue(value) {
		return malformed("The string to sign has a line that is not a header; use an unmodified Fine Uploader.")
	}
	if n := len(m.headers); n > 0 && m.headers[n-1].name >= name {
		return malformed("The headers in the string to sign are not sorted or not distinct; use an unmodified Fine Uploader, and each request.params name once.").WithDetail(name, "a name behind "+m.headers[n-1].name)
	}
	if len(m.headers) == maxHeaderLine {
		return malformed("The request has more headers than S3 takes; use fewer request.params.")
	}
	m.headers = append(m.headers, header{name, value})
	return nil
}

func isHeaderName(s string) bool {
	for i := range len(s) {
		if c := s[i]; !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.') {
			return false
		}
	}
	return s != ""
}

// isHeaderValue accepts printable ASCII without a space at either end, which S3 would trim.
func isHeaderValue(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return s == "" || s[0] != ' ' && s[len(s)-1] != ' '
}

// target is what a request's method and query say of it.
type target struct {
	operation  Operation
	partNumber int
	uploadID   string
}

// readTarget tells the four multipart operations apart. initiate is the query of
// CreateMultipartUpload, which the versions spell differently.
func readTarget(method, query, initiate string) (target, *apierror.Error) {
	if method == "POST" && query == initiate {
		return target{operation: CreateMultipartUpload}, nil
	}
	part, query := "", query
	if method == "PUT" {
		var ok bool
		if part, query, ok = strings.Cut(query, "&"); !ok {
			return target{}, notAnUpload()
		}
	}
	id, ok := strings.CutPrefix(query, "uploadId=")
	if !ok {
		return target{}, notAnUpload()
	}
	if !isUploadID(id) {
		return target{}, malformed("The upload ID is not one that S3 gives out; start the upload again.").WithDetail(id, "letters, digits and -._~")
	}
	switch method {
	case "POST":
		return target{operation: CompleteMultipartUpload, uploadID: id}, nil
	case "DELETE":
		return target{operation: AbortMultipartUpload, uploadID: id}, nil
	case "PUT":
		n, ok := readPartNumber(part)
		if !ok {
			return target{}, malformed("The part number is not a whole number from 1 to 10000; set a larger chunking.partSize in client_conf.js.").WithDetail(part, "partNumber=1 to 10000")
		}
		return target{operation: UploadPart, uploadID: id, partNumber: n}, nil
	}
	return target{}, notAnUpload()
}

func notAnUpload() *apierror.Error {
	return malformed("This server signs only the requests of an upload (POST of a form, and CreateMultipartUpload, UploadPart, CompleteMultipartUpload, AbortMultipartUpload); use an unmodified Fine Uploader.")
}

// isUploadID accepts the characters that stores were seen to use: AWS and MinIO base64url and dots,
// versitygw a UUID, radosgw "2~" and base64url. Fine Uploader's V4 would lose what follows a "=". A store that keeps an
// upload in a folder by that name takes "." and ".." for others: versitygw 1.8.0 was seen to abort all uploads at once.
func isUploadID(s string) bool {
	for i := range len(s) {
		if !unreserved(s[i]) {
			return false
		}
	}
	return s != "" && s != "." && s != ".." && len(s) <= maxUploadID
}

func readPartNumber(s string) (int, bool) {
	digits, ok := strings.CutPrefix(s, "partNumber=")
	if !ok || len(digits) > 5 {
		return 0, false
	}
	n, err := strconv.Atoi(digits)
	return n, err == nil && 1 <= n && n <= MaxParts && strconv.Itoa(n) == digits
}

// appendQuery is readTarget's inverse.
func (r *Request) appendQuery(b []byte, initiate string) []byte {
	if r.Operation == CreateMultipartUpload {
		return append(b, initiate...)
	}
	if r.Operation == UploadPart {
		b = append(b, "partNumber="...)
		b = strconv.AppendInt(b, int64(r.PartNumber), 10)
		b = append(b, '&')
	}
	b = append(b, "uploadId="...)
	return append(b, r.UploadID...)
}

// newRequest builds the Request of m, whose bucket and date the caller has checked, with key still
// escaped as it was in m.path.
func (s *Signer) newRequest(v Version, m *message, initiate, escapedKey string, at time.Time) (*Request, *apierror.Error) {
	t, err := readTarget(m.method, m.query, initiate)
	if err != nil {
		return nil, err
	}
	key, ok := unescape(escapedKey)
	if !ok {
		return nil, malformed("The object key in the string to sign is not escaped as S3 wants it; use an unmodified Fine Uploader.").WithDetail(escapedKey, "percent-encoded UTF-8")
	}
	if err := checkKey(key); err != nil {
		return nil, err
	}
	r := &Request{
		Version: v, Operation: t.operation, Bucket: s.cfg.Bucket, Key: key, Time: at,
		UploadID: t.uploadID, PartNumber: t.partNumber,
	}
	if err := s.checkPart(r); err != nil {
		return nil, err
	}
	return r, s.readFields(r, m)
}

// checkPart refuses a part that only a file above the size limit can have: every part but the last
// has at least 5 MiB.
func (s *Signer) checkPart(r *Request) *apierror.Error {
	if s.cfg.MaxBytes > 0 && int64(r.PartNumber-1)*MinPartBytes >= s.cfg.MaxBytes {
		return forbidden("The file is larger than the "+strconv.FormatInt(s.cfg.MaxBytes, 10)+" bytes that this server allows; upload a smaller one.",
			"part "+strconv.Itoa(r.PartNumber), strconv.FormatInt(s.cfg.MaxBytes, 10)+" bytes")
	}
	return nil
}

// readFields checks the x-amz-* headers of m and puts what CreateMultipartUpload says into r.
func (s *Signer) readFields(r *Request, m *message) *apierror.Error {
	f := fields{signer: s}
	for _, h := range m.headers {
		if h.name == "x-amz-date" || r.Version == V4 && (h.name == "host" || h.name == "x-amz-content-sha256") {
			continue // the version's own, checked by its parser
		}
		if r.Operation != CreateMultipartUpload {
			return forbidden("A part, complete or abort request may carry no header but its date; use an unmodified Fine Uploader.", h.name, "x-amz-date")
		}
		add := f.add
		if h.name == "x-amz-acl" {
			add = f.addACL
		}
		if err := add(h.name, h.value); err != nil {
			return err
		}
	}
	if r.Operation != CreateMultipartUpload {
		return nil
	}
	f.put(r)
	return nil
}
