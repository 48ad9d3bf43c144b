package fineuploader

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"s3-sign-srv/internal/sign"
)

const (
	dateV2       = "Mon, 02 Jan 2006 15:04:05 GMT"
	dateV4       = "20060102T150405Z"
	algorithmV4  = "AWS4-HMAC-SHA256"
	completeType = "application/xml; charset=UTF-8"
)

// Request is one of the four requests of a multipart upload, without the headers of the signature.
type Request struct {
	Method, Query string
	ContentType   string
	Headers       map[string]string
	Body          []byte
}

// hasContentType reports whether r has a Content-Type header, which is empty for a part. Version 4 signs it
// (signContentType in static/fine-uploader-patches.js).
func (r Request) hasContentType() bool { return r.ContentType != "" || r.Method == http.MethodPut }

// InitiateRequest returns the request that starts a multipart upload of f.
func (c Client) InitiateRequest(f File) Request {
	headers := c.Fields(f)
	maps.Copy(headers, f.Extra)
	headers["x-amz-acl"] = c.ACL
	return Request{Method: http.MethodPost, Query: "uploads", ContentType: f.ContentType, Headers: headers}
}

// Initiate starts a multipart upload and returns its ID.
func (c Client) Initiate(ctx context.Context, f File) (uploadID string, response Response, err error) {
	response, err = c.do(ctx, f.Key, c.InitiateRequest(f))
	if err != nil {
		return "", response, err
	}
	if uploadID = response.Element("UploadId"); uploadID == "" {
		return "", response, &ResponseError{response}
	}
	return uploadID, response, nil
}

// UploadPart uploads one part. The ETag is in the response's header.
func (c Client) UploadPart(ctx context.Context, key, uploadID string, number int, content []byte) (Response, error) {
	return c.do(ctx, key, c.PartRequest(uploadID, number, content))
}

// PartRequest returns the request that uploads one part.
func (c Client) PartRequest(uploadID string, number int, content []byte) Request {
	query := fmt.Sprintf("partNumber=%d&uploadId=%s", number, uploadID)
	return Request{Method: http.MethodPut, Query: query, Body: content}
}

// Complete combines the parts. A store may respond with 200 and report a failure in the body; Fine Uploader expects
// the bucket's name there.
func (c Client) Complete(ctx context.Context, key, uploadID string, etags []string) (Response, error) {
	var b strings.Builder
	b.WriteString("<CompleteMultipartUpload>")
	for i, etag := range etags {
		fmt.Fprintf(&b, "<Part><PartNumber>%d</PartNumber><ETag>", i+1)
		xml.EscapeText(&b, []byte(etag))
		b.WriteString("</ETag></Part>")
	}
	b.WriteString("</CompleteMultipartUpload>")
	response, err := c.do(ctx, key, Request{
		Method: http.MethodPost, Query: "uploadId=" + uploadID, ContentType: completeType, Body: []byte(b.String()),
	})
	if err == nil && (response.Element("Bucket") != c.Bucket || response.Element("Key") == "") {
		err = &ResponseError{response}
	}
	return response, err
}

// Abort aborts a multipart upload.
func (c Client) Abort(ctx context.Context, key, uploadID string) (Response, error) {
	return c.do(ctx, key, Request{Method: http.MethodDelete, Query: "uploadId=" + uploadID})
}

// do signs and sends r.
func (c Client) do(ctx context.Context, key string, r Request) (Response, error) {
	h := http.Header{}
	for name, value := range r.Headers {
		h.Set(name, value)
	}
	if err := c.authorize(key, r, h); err != nil {
		return Response{}, err
	}
	if r.hasContentType() {
		h.Set("Content-Type", r.ContentType)
	}
	return c.send(ctx, r.Method, c.Endpoint+"/"+escapeKey(key)+"?"+r.Query, h, r.Body)
}

// authorize adds the Authorization header and the signed headers to h.
func (c Client) authorize(key string, r Request, h http.Header) error {
	text, signed, at := c.StringToSign(key, r)
	parsed, err := c.Signer.ParseStringToSign(c.Version, text, at)
	if err != nil {
		return err
	}
	signature := c.Signer.Sign(parsed).Signature
	for name, value := range signed {
		h.Set(name, value)
	}
	h.Del("Host") // the HTTP client sets it
	if c.Version == sign.V2 {
		h.Set("Authorization", "AWS "+c.AccessKey+":"+signature)
		return nil
	}
	h.Set("Authorization", fmt.Sprintf("%s Credential=%s/%s,SignedHeaders=%s,Signature=%s",
		algorithmV4, c.AccessKey, c.scope(at), signedHeaders(signed), signature))
	return nil
}

// scope returns the credential scope of a version 4 request.
func (c Client) scope(at time.Time) string {
	return at.Format("20060102") + "/" + c.Region + "/s3/aws4_request"
}

// StringToSign returns the string that Fine Uploader sends to the server for r, the headers in it, and its time.
func (c Client) StringToSign(key string, r Request) (text string, signed map[string]string, at time.Time) {
	at, signed = c.Now().UTC(), map[string]string{}
	for name, value := range r.Headers {
		if strings.HasPrefix(name, "x-amz-") { // the others are UNSIGNABLE_REST_HEADER_NAMES
			signed[name] = value
		}
	}
	if c.Version == sign.V2 {
		signed["x-amz-date"] = at.Format(dateV2)
		return fmt.Sprintf("%s\n%s\n%s\n\n%s/%s/%s?%s", r.Method, r.Headers[ContentMD5], r.ContentType,
			canonicalHeaders(signed), c.Bucket, escapeKey(key), r.Query), signed, at
	}
	digest := sha256.Sum256(r.Body)
	payload := hex.EncodeToString(digest[:])
	if c.UnsignedPayload && r.Method == http.MethodPut {
		payload = sign.UnsignedPayload
	}
	signed["host"], signed["x-amz-date"], signed["x-amz-content-sha256"] = c.Host, at.Format(dateV4), payload
	if r.hasContentType() {
		signed["content-type"] = r.ContentType
	}
	query := r.Query
	if !strings.Contains(query, "=") {
		query += "="
	}
	list := signedHeaders(signed)
	if _, has := r.Headers[ContentMD5]; has {
		list = "content-md5;" + list // without a line of its own: no such signature can be verified
	}
	// The path lacks the bucket, even on a path-style endpoint; the server adds it.
	canonical := fmt.Sprintf("%s\n/%s\n%s\n%s\n%s\n%s",
		r.Method, escapeKey(key), query, canonicalHeaders(signed), list, payload)
	return fmt.Sprintf("%s\n%s\n%s\n%s", algorithmV4, at.Format(dateV4), c.scope(at), canonical), signed, at
}

// signedHeaders returns the names of the headers, sorted.
func signedHeaders(headers map[string]string) string {
	return strings.Join(slices.Sorted(maps.Keys(headers)), ";")
}

// canonicalHeaders returns a line "name:value\n" for each header, sorted.
func canonicalHeaders(headers map[string]string) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		fmt.Fprintf(&b, "%s:%s\n", name, strings.TrimSpace(headers[name]))
	}
	return b.String()
}
