package doctor

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"maps"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"s3-sign-srv/internal/sign"
)

// uploader makes the five requests of an upload as Fine Uploader 5.16.2 does on the page, and has them
// signed as the server signs them. Its members are Fine Uploader's options.
type uploader struct {
	signer *sign.Signer
	http   *http.Client
	now    func() time.Time

	origin    string // of the page
	version   sign.Version
	endpoint  string // request.endpoint
	host      string // objectProperties.host
	bucket    string
	region    string
	accessKey string
	acl       string
	sizeLimit int64             // validation.sizeLimit; 0: none
	params    map[string]string // request.params

	unsigned http.Header // added to each request, which Fine Uploader would not do
}

// file is what a user would choose, and what objectProperties add to it.
type file struct {
	key, name, contentType string
	content                []byte
	extra                  map[string]string // storage class and encryption, as x-amz-* header or form field
}

const (
	dateV2      = "Mon, 02 Jan 2006 15:04:05 GMT"
	dateV4      = "20060102T150405Z"
	dateISO     = "2006-01-02T15:04:05.000Z"
	algorithmV4 = "AWS4-HMAC-SHA256"
	expiry      = 5 * time.Minute // of a policy
)

const metaPrefix = "x-amz-meta-"

// paramField is the field or header that Fine Uploader makes of a name in request.params, and whether it
// encodes the value (CASE_SENSITIVE_PARAM_NAMES and UNPREFIXED_PARAM_NAMES in static/s3.fine-uploader.js).
func paramField(name string) (field string, encoded bool) {
	switch name {
	case "Cache-Control", "Content-Disposition", "Content-Encoding", contentMD5:
		return name, false
	}
	const encryption = "x-amz-server-side-encryption"
	switch name = strings.ToLower(name); name {
	case encryption, encryption + "-aws-kms-key-id", encryption + "-customer-algorithm", encryption + "-customer-key":
		return name, false
	}
	return metaPrefix + name, true
}

// fields returns what becomes of request.params and of f's name.
func (u uploader) fields(f file) map[string]string {
	fields := map[string]string{metaPrefix + "qqfilename": encodeComponent(f.name)}
	for name, value := range u.params {
		field, encoded := paramField(name)
		if encoded {
			value = encodeComponent(value)
		}
		fields[field] = value
	}
	return fields
}

// scope is the credential scope of a V4 request made at that time.
func (u uploader) scope(at time.Time) string {
	return at.Format("20060102") + "/" + u.region + "/s3/aws4_request"
}

// conditions returns the policy's fields, which are the form's too but for the bucket.
func (u uploader) conditions(f file, at time.Time) map[string]string {
	fields := u.fields(f)
	maps.Copy(fields, f.extra)
	fields["acl"], fields["bucket"], fields["key"], fields["success_action_status"] = u.acl, u.bucket, f.key, "200"
	if f.contentType != "" {
		fields["Content-Type"] = f.contentType
	}
	if u.version == sign.V4 {
		fields["x-amz-algorithm"] = algorithmV4
		fields["x-amz-credential"] = u.accessKey + "/" + u.scope(at)
		fields["x-amz-date"] = at.Format(dateV4)
	}
	return fields
}

// policy returns the document that Fine Uploader would have signed, and the form's fields.
func (u uploader) policy(f file, at time.Time) (document []byte, fields map[string]string) {
	fields = u.conditions(f, at)
	var conditions []any
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		conditions = append(conditions, map[string]string{name: fields[name]})
	}
	if u.sizeLimit > 0 {
		conditions = append(conditions, []string{"content-length-range", "0", fmt.Sprint(u.sizeLimit)})
	}
	document, err := json.Marshal(map[string]any{"expiration": at.Add(expiry).Format(dateISO), "conditions": conditions})
	if err != nil {
		panic(err) // strings always encode
	}
	return document, fields
}

// form uploads f in one POST.
func (u uploader) form(ctx context.Context, f file) (answer, error) {
	at := u.now().UTC()
	document, fields := u.policy(f, at)
	request, err := u.signer.ParsePolicy(u.version, document, at)
	if err != nil {
		return answer{}, err
	}
	signature := u.signer.Sign(request)
	fields["policy"] = signature.Policy
	if u.version == sign.V4 {
		fields["x-amz-signature"] = signature.Signature
	} else {
		fields["AWSAccessKeyId"], fields["signature"] = u.accessKey, signature.Signature
	}
	delete(fields, "bucket")
	body, contentType := encodeForm(fields, f)
	got, err := u.send(ctx, http.MethodPost, u.endpoint, http.Header{"Content-Type": {contentType}}, body)
	if err == nil && got.status != http.StatusOK { // Fine Uploader takes no other
		err = &storeError{answer: got}
	}
	return got, err
}

// encodeForm puts the file last, as S3 wants it.
func encodeForm(fields map[string]string, f file) (body []byte, contentType string) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		w.WriteField(name, fields[name])
	}
	part, _ := w.CreateFormFile("file", f.name) // writes to memory do not fail
	part.Write(f.content)
	w.Close()
	return b.Bytes(), w.FormDataContentType()
}

// initiate begins a multipart upload and returns its ID.
func (u uploader) initiate(ctx context.Context, f file) (uploadID string, got answer, err error) {
	got, err = u.rest(ctx, f.key, u.initiation(f))
	if err != nil {
		return "", got, err
	}
	var body struct{ UploadId string }
	if xml.Unmarshal(got.body, &body) != nil || body.UploadId == "" {
		return "", got, &storeError{answer: got}
	}
	return body.UploadId, got, nil
}

func (u uploader) initiation(f file) request {
	headers := u.fields(f)
	maps.Copy(headers, f.extra)
	headers["x-amz-acl"] = u.acl
	return request{method: http.MethodPost, query: "uploads", contentType: f.contentType, headers: headers}
}

// part uploads one part and returns its ETag.
func (u uploader) part(ctx context.Context, key, uploadID string, number int, content []byte) (etag string, got answer, err error) {
	got, err = u.rest(ctx, key, request{method: http.MethodPut, query: fmt.Sprintf("partNumber=%d&uploadId=%s", number, uploadID), body: content})
	return got.header.Get("ETag"), got, err
}

const completeType = "application/xml; charset=UTF-8"

// complete makes an object of the parts. A store may answer 200 and tell of a failure in the body;
// Fine Uploader wants to read the bucket's name there.
func (u uploader) complete(ctx context.Context, key, uploadID string, etags []string) (answer, error) {
	var b strings.Builder
	b.WriteString("<CompleteMultipartUpload>")
	for i, etag := range etags {
		fmt.Fprintf(&b, "<Part><PartNumber>%d</PartNumber><ETag>", i+1)
		xml.EscapeText(&b, []byte(etag))
		b.WriteString("</ETag></Part>")
	}
	b.WriteString("</CompleteMultipartUpload>")
	got, err := u.rest(ctx, key, request{method: http.MethodPost, query: "uploadId=" + uploadID, contentType: completeType, body: []byte(b.String())})
	if err != nil {
		return got, err
	}
	var body struct{ Bucket, Key, Code string }
	if xml.Unmarshal(got.body, &body) != nil || body.Bucket != u.bucket || body.Key == "" {
		return got, &storeError{got, body.Code}
	}
	return got, nil
}

// abort ends a multipart upload.
func (u uploader) abort(ctx context.Context, key, uploadID string) (answer, error) {
	return u.rest(ctx, key, request{method: http.MethodDelete, query: "uploadId=" + uploadID})
}

// request is one of the four requests of a multipart upload.
type request struct {
	method, query string
	contentType   string
	headers       map[string]string // without those of the signature
	body          []byte
}

// rest signs and sends r.
func (u uploader) rest(ctx context.Context, key string, r request) (answer, error) {
	h := http.Header{}
	for name, value := range r.headers {
		h.Set(name, value)
	}
	if err := u.authorize(key, r, h); err != nil {
		return answer{}, err
	}
	if r.contentType != "" || r.method == http.MethodPut { // a part's type is sent, and empty
		h.Set("Content-Type", r.contentType)
	}
	return u.send(ctx, r.method, u.endpoint+"/"+escapeKey(key)+"?"+r.query, h, r.body)
}

// authorize adds the Authorization header and those that belong to a signature.
func (u uploader) authorize(key string, r request, h http.Header) error {
	text, signed, at := u.stringToSign(key, r)
	parsed, err := u.signer.ParseStringToSign(u.version, text, at)
	if err != nil {
		return err
	}
	signature := u.signer.Sign(parsed).Signature
	for name, value := range signed {
		h.Set(name, value)
	}
	h.Del("Host") // browsers set it themselves
	if u.version == sign.V2 {
		h.Set("Authorization", "AWS "+u.accessKey+":"+signature)
		return nil
	}
	h.Set("Authorization", fmt.Sprintf("%s Credential=%s/%s,SignedHeaders=%s,Signature=%s", algorithmV4, u.accessKey, u.scope(at), names(signed), signature))
	return nil
}

const contentMD5 = "Content-MD5"

// stringToSign returns what Fine Uploader has signed for r, and the headers in it.
func (u uploader) stringToSign(key string, r request) (text string, signed map[string]string, at time.Time) {
	at, signed = u.now().UTC(), map[string]string{}
	for name, value := range r.headers {
		if strings.HasPrefix(name, "x-amz-") { // the others are UNSIGNABLE_REST_HEADER_NAMES
			signed[name] = value
		}
	}
	if u.version == sign.V2 {
		signed["x-amz-date"] = at.Format(dateV2)
		return fmt.Sprintf("%s\n%s\n%s\n\n%s/%s/%s?%s", r.method, r.headers[contentMD5], r.contentType, lines(signed), u.bucket, escapeKey(key), r.query), signed, at
	}
	digest := sha256.Sum256(r.body)
	payload := hex.EncodeToString(digest[:])
	signed["host"], signed["x-amz-date"], signed["x-amz-content-sha256"] = u.host, at.Format(dateV4), payload
	query := r.query
	if !strings.Contains(query, "=") {
		query += "="
	}
	list := names(signed)
	if _, has := r.headers[contentMD5]; has {
		list = "content-md5;" + list // without a line of its own: no such signature can be verified
	}
	// No bucket in the path, also on a path-style endpoint: that is what the server repairs.
	canonical := fmt.Sprintf("%s\n/%s\n%s\n%s\n%s\n%s", r.method, escapeKey(key), query, lines(signed), list, payload)
	return fmt.Sprintf("%s\n%s\n%s\n%s", algorithmV4, at.Format(dateV4), u.scope(at), canonical), signed, at
}

// names joins the headers' names, sorted.
func names(headers map[string]string) string {
	return strings.Join(slices.Sorted(maps.Keys(headers)), ";")
}

// lines writes "name:value\n" for each header, by name.
func lines(headers map[string]string) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		fmt.Fprintf(&b, "%s:%s\n", name, strings.TrimSpace(headers[name]))
	}
	return b.String()
}

// send asks the store as a page of u.origin would.
func (u uploader) send(ctx context.Context, method, address string, header http.Header, body []byte) (answer, error) {
	r, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	maps.Copy(header, u.unsigned)
	if u.origin != "" {
		header.Set("Origin", u.origin)
	}
	r.Header = header
	got, err := ask(u.http, r)
	if err != nil {
		return got, err
	}
	if got.status/100 != 2 {
		return got, &storeError{got, got.code()}
	}
	return got, nil
}

// escape is qq.s3.util.uriEscape: RFC 3986.
func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// encodeComponent is JavaScript's encodeURIComponent.
func encodeComponent(s string) string {
	return strings.NewReplacer("%21", "!", "%27", "'", "%28", "(", "%29", ")", "%2A", "*").Replace(escape(s))
}

// escapeKey is qq.s3.util.uriEscapePath.
func escapeKey(key string) string { return strings.ReplaceAll(escape(key), "%2F", "/") }
