// Package fineuploader makes the requests that Fine Uploader 5.16.2 makes in a browser, and signs them with
// internal/sign as the server does. The doctor sends them to find out what a store does with real uploads.
package fineuploader

import (
	"bytes"
	"context"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"s3-sign-srv/internal/sign"
)

// Client has the options of Fine Uploader, and what it takes to sign and send.
type Client struct {
	Signer *sign.Signer
	HTTP   *http.Client
	Now    func() time.Time

	Origin    string // of the page
	Version   sign.Version
	Endpoint  string // request.endpoint
	Host      string // objectProperties.host
	Bucket    string
	Region    string
	AccessKey string
	ACL       string
	SizeLimit int64             // validation.sizeLimit; 0: none
	Params    map[string]string // request.params

	UnsignedPayload bool // of parts under version 4, as the page does for P3S3F_UNSIGNED_PAYLOAD

	Unsigned http.Header // added to each request without being signed, which Fine Uploader never does
}

// File is a file that a user chooses.
type File struct {
	Key, Name, ContentType string
	Content                []byte
	Extra                  map[string]string // storage class and encryption, as x-amz-* headers or form fields
}

// MetaPrefix begins the names of metadata headers.
const MetaPrefix = "x-amz-meta-"

// ContentMD5 is a name in request.params that Fine Uploader cannot sign under version 4.
const ContentMD5 = "Content-MD5"

// ParamField returns the header or form field that Fine Uploader makes of a name in request.params, and whether it
// encodes the value (CASE_SENSITIVE_PARAM_NAMES and UNPREFIXED_PARAM_NAMES in its source).
func ParamField(name string) (field string, encoded bool) {
	switch name {
	case "Cache-Control", "Content-Disposition", "Content-Encoding", ContentMD5:
		return name, false
	}
	const encryption = "x-amz-server-side-encryption"
	switch name = strings.ToLower(name); name {
	case encryption, encryption + "-aws-kms-key-id", encryption + "-customer-algorithm", encryption + "-customer-key":
		return name, false
	}
	return MetaPrefix + name, true
}

// Fields returns the headers or form fields that carry request.params and the name of f.
func (c Client) Fields(f File) map[string]string {
	fields := map[string]string{MetaPrefix + "qqfilename": encodeComponent(f.Name)}
	for name, value := range c.Params {
		field, encoded := ParamField(name)
		if encoded {
			value = encodeComponent(value)
		}
		fields[field] = value
	}
	return fields
}

// send sends a request as a page of c.Origin would. The error for a status other than 2xx is a *ResponseError.
func (c Client) send(ctx context.Context, method, url string, header http.Header, body []byte) (Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return Response{}, err
	}
	maps.Copy(header, c.Unsigned)
	if c.Origin != "" {
		header.Set("Origin", c.Origin)
	}
	r.Header = header
	response, err := Send(c.HTTP, r)
	if err == nil && response.Status/100 != 2 {
		err = &ResponseError{response}
	}
	return response, err
}

// escape is qq.s3.util.uriEscape: RFC 3986.
func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// encodeComponent is JavaScript's encodeURIComponent.
func encodeComponent(s string) string {
	return strings.NewReplacer("%21", "!", "%27", "'", "%28", "(", "%29", ")", "%2A", "*").Replace(escape(s))
}

// escapeKey is qq.s3.util.uriEscapePath.
func escapeKey(key string) string { return strings.ReplaceAll(escape(key), "%2F", "/") }
