package fineuploader

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"mime/multipart"
	"net/http"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"s3-sign-srv/internal/sign"
)

const (
	dateISO = "2006-01-02T15:04:05.000Z"
	expiry  = 5 * time.Minute // of a policy
)

// PostForm uploads f in one POST. The error for a response that Fine Uploader takes for a failure is a *ResponseError.
func (c Client) PostForm(ctx context.Context, f File) (Response, error) {
	at := c.Now().UTC()
	document, fields := c.Policy(f, at)
	request, err := c.Signer.ParsePolicy(c.Version, document, at)
	if err != nil {
		return Response{}, err
	}
	signature := c.Signer.Sign(request)
	fields["policy"] = signature.Policy
	if c.Version == sign.V4 {
		fields["x-amz-signature"] = signature.Signature
	} else {
		fields["AWSAccessKeyId"], fields["signature"] = c.AccessKey, signature.Signature
	}
	delete(fields, "bucket")
	body, contentType := encodeForm(fields, f)
	response, err := c.send(ctx, http.MethodPost, c.Endpoint, http.Header{"Content-Type": {contentType}}, body)
	if err == nil && response.Status != http.StatusOK {
		err = &ResponseError{response}
	}
	return response, err
}

// Policy returns the policy document for f, and the form's fields, which also name the bucket.
func (c Client) Policy(f File, at time.Time) (document []byte, fields map[string]string) {
	fields = c.Fields(f)
	maps.Copy(fields, f.Extra)
	fields["acl"], fields["bucket"], fields["key"], fields["success_action_status"] = c.ACL, c.Bucket, f.Key, "200"
	if f.ContentType != "" {
		fields["Content-Type"] = f.ContentType
	}
	if c.Version == sign.V4 {
		fields["x-amz-algorithm"] = algorithmV4
		fields["x-amz-credential"] = c.AccessKey + "/" + c.scope(at)
		fields["x-amz-date"] = at.Format(dateV4)
	}
	var conditions []any
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		conditions = append(conditions, map[string]string{name: fields[name]})
	}
	if c.SizeLimit > 0 {
		conditions = append(conditions, []string{"content-length-range", "0", fmt.Sprint(c.SizeLimit)})
	}
	policy := map[string]any{"expiration": at.Add(expiry).Format(dateISO), "conditions": conditions}
	document, err := json.Marshal(policy)
	if err != nil {
		panic(err) // strings always encode
	}
	return document, fields
}

// encodeForm returns the form, with the file last as S3 requires.
func encodeForm(fields map[string]string, f File) (body []byte, contentType string) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		w.WriteField(name, fields[name])
	}
	part, _ := w.CreateFormFile("file", f.Name) // writes to memory do not fail
	part.Write(f.Content)
	w.Close()
	return b.Bytes(), w.FormDataContentType()
}
