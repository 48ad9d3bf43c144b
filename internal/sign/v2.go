package sign

import (
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"s3-sign-srv/internal/apierror"
)

// completeType is the content type of CompleteMultipartUpload as Fine Uploader sends it.
const completeType = "application/xml; charset=UTF-8"

// initiateV2 is the sub-resource of CreateMultipartUpload in a V2 string.
const initiateV2 = "uploads"

// dateV2 is the layout of x-amz-date in V2, JavaScript's toUTCString.
const dateV2 = "Mon, 02 Jan 2006 15:04:05 GMT"

// parseV2 parses
//
//	METHOD \n Content-MD5 \n Content-Type \n (no Date) \n name:value \n … /bucket/key?subresource
//
// (AWS "Signing and authenticating REST requests", signature version 2). The path is the same for
// virtual-hosted and path-style endpoints.
func (s *Signer) parseV2(text string, now time.Time) (*Request, *apierror.Error) {
	m, err := readV2(text)
	if err != nil {
		return nil, err
	}
	r, err := s.checkV2(m, text, now)
	if err != nil {
		return nil, err.WithRequest(m.spellV2())
	}
	return r, nil
}

func (s *Signer) checkV2(m *message, text string, now time.Time) (*Request, *apierror.Error) {
	at, err := m.dateV2(now)
	if err != nil {
		return nil, err
	}
	bucket, escapedKey, _ := strings.Cut(m.path[1:], "/")
	if err := s.checkBucket(bucket); err != nil {
		return nil, err
	}
	r, err := s.newRequest(V2, m, initiateV2, escapedKey, at)
	if err != nil {
		return nil, err
	}
	if err := s.checkEntityV2(r, m); err != nil {
		return nil, err
	}
	if r.text = r.buildV2(m, len(text)); string(r.text) != text {
		return nil, notCanonical(text, string(r.text))
	}
	return r, nil
}

// spellV2 describes m for the log.
func (m *message) spellV2() string {
	date, _ := m.get("x-amz-date")
	return fmt.Sprintf("version 2, %.10s %.300s?%.200s, of %.40s", m.method, m.path, m.query, date)
}

// readV2 splits text into its parts.
func readV2(text string) (*message, *apierror.Error) {
	m := new(message)
	m.headers = m.space[:0]
	var date string
	for _, field := range []*string{&m.method, &m.contentMD5, &m.contentType, &date} {
		var ok bool
		if *field, text, ok = strings.Cut(text, "\n"); !ok {
			return nil, notAnUpload()
		}
	}
	if date != "" {
		return nil, forbidden("A presigned or dated request cannot be signed here, only one with x-amz-date; use an unmodified Fine Uploader.", date, "an empty Date line")
	}
	for !strings.HasPrefix(text, "/") {
		line, rest, ok := strings.Cut(text, "\n")
		if !ok {
			return nil, notAnUpload()
		}
		if err := m.readHeader(line); err != nil {
			return nil, err
		}
		text = rest
	}
	m.path, m.query, _ = strings.Cut(text, "?")
	return m, nil
}

// dateV2 returns x-amz-date, checked against the time window.
func (m *message) dateV2(now time.Time) (time.Time, *apierror.Error) {
	value, ok := m.get("x-amz-date")
	if !ok {
		return time.Time{}, malformed("The string to sign has no x-amz-date; use an unmodified Fine Uploader.")
	}
	at, err := time.Parse(dateV2, value)
	if err != nil {
		return time.Time{}, malformed("x-amz-date in the string to sign is not a date; use an unmodified Fine Uploader.").WithDetail(value, dateV2)
	}
	return at, checkTime(at, now)
}

// checkEntityV2 checks the second and third line: what the operation's body is.
func (s *Signer) checkEntityV2(r *Request, m *message) *apierror.Error {
	want := ""
	switch r.Operation {
	case CreateMultipartUpload:
		r.ContentType = m.contentType
		if err := checkMD5(m.contentMD5); err != nil {
			return err
		}
		return s.checkContentType(m.contentType)
	case CompleteMultipartUpload:
		want = completeType
	}
	if m.contentType != want || m.contentMD5 != "" {
		return malformed("The string to sign has a content type or Content-MD5 that its operation does not have; use an unmodified Fine Uploader.").WithDetail(m.contentType+" "+m.contentMD5, want)
	}
	return nil
}

// buildV2 writes the string to sign of r anew. Of m it takes only what was checked and r does not keep, or
// keeps in another form: the method, the digest, the content type and the headers. The text should come
// out length bytes long.
func (r *Request) buildV2(m *message, length int) []byte {
	b := make([]byte, 0, length)
	b = append(b, m.method...)
	b = append(b, '\n')
	b = append(b, m.contentMD5...)
	b = append(b, '\n')
	b = append(b, m.contentType...)
	b = append(b, "\n\n"...)
	for _, h := range m.headers {
		b = append(b, h.name...)
		b = append(b, ':')
		if h.name == "x-amz-date" {
			b = r.Time.AppendFormat(b, dateV2)
		} else {
			b = append(b, h.value...)
		}
		b = append(b, '\n')
	}
	b = append(b, '/')
	b = append(b, r.Bucket...)
	b = append(b, '/')
	b = appendEscaped(b, r.Key)
	b = append(b, '?')
	return r.appendQuery(b, initiateV2)
}

// signatureV2 returns base64(HMAC-SHA1(secret, text)), for strings and policies alike.
func signatureV2(secret *macPool, text []byte) string {
	m := secret.get(text)
	defer secret.put(m)
	return base64.StdEncoding.EncodeToString(m.sum)
}
