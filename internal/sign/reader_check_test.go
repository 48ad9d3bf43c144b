package sign

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// TestReaderReadsCaptured shows that the reader is not stricter than Fine Uploader needs and that
// rebuilding is the identity: everything captured and signed is read, and is what the hooks are told.
func TestReaderReadsCaptured(t *testing.T) {
	read := 0
	for _, row := range readCaptured(t) {
		if row.Kind == "" || !strings.HasPrefix(row.Expect, "sign") {
			continue
		}
		cfg := exampleConfig("http://localhost:9312")
		if cfg.VirtualHosted = !strings.Contains(row.Endpoint, "path-style"); !cfg.VirtualHosted {
			cfg.Endpoint.Host = "127.0.0.1:9312"
		}
		cfg.ACLs = []string{"public-read"}
		s := New(cfg)
		r, err := row.parse(t, s)
		if err != nil {
			t.Errorf("%s: %v", row.Scenario, err)
			continue
		}
		if row.Kind == "policy" {
			checkPolicy(t, s, r, []byte(row.Body), row.now(t))
		} else {
			checkString(t, s, r, row.now(t))
		}
		read++
	}
	if read < 110 {
		t.Errorf("%d rows were read, want at least 110", read)
	}
}

// checkString holds a signed string to sign, read as S3 reads it, against the rules and against r.
func checkString(t *testing.T, s *Signer, r *Request, now time.Time) {
	t.Helper()
	text := r.text
	var got reading
	var err error
	if r.Version == V2 {
		got, err = readStringV2(text)
	} else {
		got, err = readStringV4(text, s.cfg.Endpoint.Host, s.cfg.VirtualHosted)
	}
	if err != nil {
		t.Fatalf("signed, but S3 reads it otherwise: %v\n%q", err, text)
	}
	if signed := s.Sign(r); signed != (Signature{Signature: got.signature}) {
		t.Errorf("signature %+v, S3 computes %s\n%q", signed, got.signature, text)
	}
	if got.bucket != s.cfg.Bucket || got.operation != r.Operation || got.key != r.Key || got.uploadID != r.UploadID ||
		got.part != r.PartNumber ||
		!got.at.Equal(r.Time) ||
		r.Bucket != s.cfg.Bucket {
		t.Errorf("S3 reads %+v\nthe hook is told %+v\n%q", got, r, text)
	}
	mayBeUnsigned := s.cfg.UnsignedPayload && s.cfg.Endpoint.Scheme == "https" && got.operation == UploadPart
	if got.isUnsigned && !mayBeUnsigned {
		t.Errorf("%s without the SHA-256 of its body\n%q", got.operation, text)
	}
	if drift := got.at.Sub(now).Abs(); drift > 15*time.Minute {
		t.Errorf("the date is %v off\n%q", drift, text)
	}
	checkKeyRules(t, got.key)
	checkHeaders(t, s, r, got)
}

// checkKeyRules wants a key that can be stored and that nothing on the way resolves.
func checkKeyRules(t *testing.T, key string) {
	t.Helper()
	segments := strings.Split(key, "/")
	if key == "" || len(key) > 1024 || !utf8.ValidString(key) || segments[0] == "" || slices.Contains(segments, ".") ||
		slices.Contains(segments, "..") ||
		strings.ContainsAny(key, "\x00\n\r\x1b\x7f\u0085") {
		t.Errorf("the key is %q", key)
	}
}

// checkHeaders wants only the headers that the operation may have, with the values that the hook is told.
func checkHeaders(t *testing.T, s *Signer, r *Request, got reading) {
	t.Helper()
	checkEntity(t, r, got)
	if r.Operation != CreateMultipartUpload {
		if len(got.headers) > 0 || r.ACL != "" || r.Metadata != nil || r.Headers != nil {
			t.Errorf("%s with the headers %q", r.Operation, got.headers)
		}
		return
	}
	checkType(t, s, got.contentType)
	if acl, given := got.headers["x-amz-acl"]; r.ACL != acl && (given || r.ACL != "private") {
		t.Errorf("the ACL is %q, the hook gets %q", acl, r.ACL)
	}
	delete(got.headers, "x-amz-acl")
	checkFields(t, s, r, got.headers)
}

// checkEntity wants the content type that the operation has, and that of an object as the hook is told.
func checkEntity(t *testing.T, r *Request, got reading) {
	t.Helper()
	want := map[Operation]string{
		CreateMultipartUpload:   r.ContentType,
		CompleteMultipartUpload: "application/xml; charset=UTF-8",
	}[r.Operation]
	mayLack := r.Version == V4 && !got.isTyped
	mustLack := r.Operation == AbortMultipartUpload || r.Operation == CreateMultipartUpload && want == ""
	if got.contentType != want && !mayLack || mayLack && r.ContentType != "" || got.isTyped && mustLack {
		t.Errorf("%s with the content type %q (signed: %t), the hook gets %q", r.Operation, got.contentType, got.isTyped,
			r.ContentType)
	}
}

// checkType wants a type of the configured ones, also if a browser takes the last of a list, as the Fetch
// standard's "extract a MIME type" has it.
func checkType(t *testing.T, s *Signer, value string) {
	t.Helper()
	if len(s.cfg.ContentTypes) == 0 {
		return
	}
	if value == "" {
		t.Error("no content type")
	}
	for part := range strings.SplitSeq(value, ",") {
		essence, _, _ := strings.Cut(part, ";")
		if kind := strings.ToLower(strings.TrimSpace(essence)); kind != "text/plain" && !strings.HasPrefix(kind, "image/") &&
			strings.Contains(kind, "/") {
			t.Errorf("the content type is %q", value)
		}
	}
}

// checkFields holds what the two forms have in common against r: metadata, ACL, storage and encryption.
func checkFields(t *testing.T, s *Signer, r *Request, fields map[string]string) {
	t.Helper()
	if r.ACL != "private" && !slices.Contains(s.cfg.ACLs, r.ACL) {
		t.Errorf("the ACL is %q", r.ACL)
	}
	count := 0
	for name, value := range fields {
		short, isMetadata := strings.CutPrefix(name, "x-amz-meta-")
		switch {
		case isMetadata:
			plain, err := url.PathUnescape(value)
			if known, ok := r.Metadata[short]; err != nil || !ok || known != plain || !utf8.ValidString(plain) {
				t.Errorf("the metadata %s is %q, the hook gets %q", name, value, known)
			}
			count++
		case name == "x-amz-storage-class" && value == "REDUCED_REDUNDANCY",
			name == "x-amz-server-side-encryption" && value == "AES256":
			if r.Headers[name] != value {
				t.Errorf("the hook does not get %s", name)
			}
		default:
			t.Errorf("%s: %q was signed", name, value)
		}
	}
	if count != len(r.Metadata) {
		t.Errorf("the hook gets the metadata %q, the signed fields are %q", r.Metadata, fields)
	}
}
