package sign

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

// presignMessage is a request of @uppy/aws-s3 6 (PresignableRequest in src/s3-client/types.ts), with size, acl,
// metadata, the content type of a multipart upload and the digest of a part, which static/uppy/sign-server.js adds.
type presignMessage struct {
	Method      string            `json:"method"`
	Key         string            `json:"key"`
	UploadID    *string           `json:"uploadId"`
	PartNumber  *int              `json:"partNumber"`
	ExpiresIn   *int              `json:"expiresIn"` // seconds
	ContentType string            `json:"contentType"`
	Size        *int64            `json:"size"` // bytes
	ACL         string            `json:"acl"`
	Metadata    map[string]string `json:"metadata"` // names in lower case, values not encoded
	ContentMD5  *string           `json:"contentMD5"`
}

const useUppy = "use an unmodified @uppy/aws-s3 6 and static/uppy/sign-server.js."

// decodePresign decodes a message. The decoder rejects unknown and duplicate members, names in another case, invalid
// UTF-8 and trailing data.
func decodePresign(body []byte) (m presignMessage, err error) {
	err = json.Unmarshal(body, &m, json.RejectUnknownMembers(true))
	if err == nil {
		return m, nil
	}
	text := "The body is not a request of Uppy in JSON; " + useUppy
	if errors.Is(err, json.ErrUnknownName) {
		text = "The body has a member that no request of Uppy has; " + useUppy
	}
	return m, malformed(text).WithDetail(err.Error(), "method, key, uploadId, partNumber, contentType, expiresIn, size, "+
		"acl, metadata, contentMD5")
}

// operation finds the operation by the method and the members that name an upload. PutObject stands for a small file.
func (m presignMessage) operation() (Operation, error) {
	type form struct {
		method          string
		hasID, hasParts bool
	}
	op, ok := map[form]Operation{
		{"PUT", false, false}:   PutObject,
		{"POST", false, false}:  CreateMultipartUpload,
		{"PUT", true, true}:     UploadPart,
		{"POST", true, false}:   CompleteMultipartUpload,
		{"DELETE", true, false}: AbortMultipartUpload,
		{"GET", true, false}:    ListParts,
	}[form{m.Method, m.UploadID != nil, m.PartNumber != nil}]
	switch {
	case ok:
		return op, nil
	case m.Method == "DELETE" && m.UploadID == nil:
		return "", forbidden("This server does not sign the deletion of an object; send it to /s3/delete, which asks the "+
			"hook and deletes the object itself.", "DeleteObject", "/s3/delete")
	}
	return "", malformed("This server presigns only the requests of an upload (PutObject, CreateMultipartUpload, "+
		"UploadPart, CompleteMultipartUpload, AbortMultipartUpload, ListParts); "+useUppy).WithDetail(m.Method, "")
}

// checkMembers checks the expiry, and that only the first request of an upload describes the object.
func (m presignMessage) checkMembers(op Operation) error {
	isFirst := op == PutObject || op == CreateMultipartUpload
	switch {
	case m.ExpiresIn != nil && (*m.ExpiresIn < 1 || m.expiry() > MaxExpiry):
		return forbidden("A presigned URL is valid for 1 to 900 seconds here; set expiresIn to that, or leave it out.",
			fmt.Sprint(*m.ExpiresIn), "1 to 900")
	case m.Size != nil && *m.Size < 0:
		return malformed("The size of the file is negative; " + useUppy)
	case !isFirst && (m.ContentType != "" || m.Size != nil || m.ACL != "" || m.Metadata != nil):
		return forbidden("Only the first request of an upload may have contentType, size, acl or metadata; "+useUppy,
			string(op), "PutObject or CreateMultipartUpload")
	case m.ContentMD5 == nil:
		return nil
	case op != UploadPart || *m.ContentMD5 == "":
		return malformed("Only a part has a contentMD5; "+useUppy).WithDetail(string(op), string(UploadPart))
	}
	return checkMD5(*m.ContentMD5)
}

// expiry returns how long the signature is valid.
func (m presignMessage) expiry() time.Duration {
	if m.ExpiresIn == nil {
		return MaxExpiry
	}
	return time.Duration(min(*m.ExpiresIn, 1<<30)) * time.Second
}

// fields returns the form fields that describe the object. Metadata is encoded as by Fine Uploader.
func (m presignMessage) fields() map[string]string {
	fields := map[string]string{"key": m.Key}
	if m.ContentType != "" {
		fields["Content-Type"] = m.ContentType
	}
	if m.ACL != "" {
		fields["acl"] = m.ACL
	}
	for name, value := range m.Metadata {
		fields[metaPrefix+name] = strings.ReplaceAll(escapeKey(value), "/", "%2F")
	}
	return fields
}

// describe describes the message for the log.
func (m presignMessage) describe() string {
	id := ""
	if m.UploadID != nil {
		id = *m.UploadID
	}
	return fmt.Sprintf("presigned URL, %.10s %.300s, upload %.200q", m.Method, m.Key, id)
}

// encodePolicy encodes the policy of a form with these fields.
func encodePolicy(bucket string, fields map[string]string, size *SizeRange, expires time.Time) ([]byte, error) {
	conditions := []any{map[string]string{"bucket": bucket}}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		conditions = append(conditions, map[string]string{name: fields[name]})
	}
	if size != nil {
		conditions = append(conditions, []any{sizeRange, size.Min, size.Max})
	}
	return json.Marshal(map[string]any{"expiration": expires.Format(dateISO), "conditions": conditions},
		json.Deterministic(true))
}
