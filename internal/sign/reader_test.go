package sign

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	stdjson "encoding/json"
	"fmt"
	"hash"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// This file reads what was signed as S3 would, with nothing of this package's parsers: patterns and the
// standard library. What it reads is held against what the hooks are told (Request), against the rules,
// and against the signature.

// A reading is a signed request as S3 reads it.
type reading struct {
	operation   Operation
	bucket, key string
	uploadID    string
	part        int
	at          time.Time
	contentType string
	headers     map[string]string // by lower-case name, x-amz-date and the like left out
	signature   string            // computed from what was read
}

var (
	formV2 = regexp.MustCompile(
		`\A([A-Z]+)\n([A-Za-z0-9+/=]*)\n([^\n]*)\n\n((?:[a-z0-9._-]+:[^\n]*\n)+)/([^/?\n]+)/([^?\n]+)\?([^?#\n]+)\z`,
	)
	formV4 = regexp.MustCompile(
		`\AAWS4-HMAC-SHA256\n([0-9]{8}T[0-9]{6}Z)\n([0-9]{8}/[^/\n]+/s3/aws4_request)\n(([A-Z]+)\n(/[^?#\n]+)\n(` +
			`[^?#\n]+)\n((?:[a-z0-9._-]+:[^\n]*\n)+)\n([a-z0-9._;-]+)\n([0-9a-f]{64}))\z`,
	)
)

// readStringV2 reads a version 2 string to sign; the store knows the bucket by host or path and writes
// it into the string.
func readStringV2(text string) (reading, error) {
	m := formV2.FindStringSubmatch(text)
	if m == nil {
		return reading{}, fmt.Errorf("not a version 2 string of an upload")
	}
	r := reading{
		bucket:      m[5],
		contentType: m[3],
		signature:   base64.StdEncoding.EncodeToString(readerHMAC(sha1.New, exampleSecret, text)),
	}
	if err := r.readHeaders(m[4]); err != nil {
		return r, err
	}
	var err error
	if r.at, err = time.Parse(http.TimeFormat, r.takeHeader("x-amz-date")); err != nil {
		return r, err
	}
	return r, r.readTarget(m[1], m[6], m[7])
}

// readStringV4 reads a version 4 string. A store that knows virtual hosts below domain takes the bucket
// from the host if it is one, every other store takes it from the path.
func readStringV4(text, domain string, knowsHosts bool) (reading, error) {
	m := formV4.FindStringSubmatch(text)
	if m == nil {
		return reading{}, fmt.Errorf("not a version 4 string of an upload")
	}
	r := reading{}
	if err := r.readHeaders(m[7]); err != nil {
		return r, err
	}
	if names := strings.Split(m[8], ";"); !slices.Equal(names, slices.Sorted(maps.Keys(r.headers))) {
		return r, fmt.Errorf("SignedHeaders %q, headers %q", names, r.headers)
	}
	if hash := r.takeHeader("x-amz-content-sha256"); hash != m[9] {
		return r, fmt.Errorf("two payloads, %s and %s", hash, m[9])
	}
	if date := r.takeHeader("x-amz-date"); date != m[1] || date[:8] != m[2][:8] {
		return r, fmt.Errorf("two dates, %s and %s, in the scope %s", date, m[1], m[2])
	}
	var err error
	if r.at, err = time.Parse("20060102T150405Z", m[1]); err != nil {
		return r, err
	}
	r.signature = hex.EncodeToString(
		readerHMAC(sha256.New, readerKey(m[2]), strings.Join([]string{"AWS4-HMAC-SHA256", m[1], m[2], hexOf(m[3])}, "\n")),
	)
	path := strings.TrimPrefix(m[5], "/")
	host := r.takeHeader("host")
	if name, ok := strings.CutSuffix(host, "."+domain); ok && knowsHosts {
		r.bucket = name
	} else if host != domain && !ok {
		return r, fmt.Errorf("the host is %q", host)
	} else if r.bucket, path, ok = strings.Cut(path, "/"); !ok {
		return r, fmt.Errorf("the path %q has no key", m[5])
	}
	if err := r.readTarget(m[4], path, strings.Replace(m[6], "uploads=", "uploads", 1)); err != nil {
		return r, err
	}
	if empty := m[9] == hexOf(""); !empty && r.operation != UploadPart && r.operation != CompleteMultipartUpload {
		return r, fmt.Errorf("%s with a body", r.operation)
	}
	return r, nil
}

func (r *reading) readHeaders(lines string) error {
	r.headers = map[string]string{}
	for line := range strings.Lines(lines) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		if _, twice := r.headers[name]; twice || strings.TrimSpace(value) != value ||
			strings.ContainsFunc(value, func(c rune) bool { return c < ' ' || c > '~' }) {
			return fmt.Errorf("the header %q", line)
		}
		r.headers[name] = value
	}
	return nil
}

func (r *reading) takeHeader(name string) string {
	value := r.headers[name]
	delete(r.headers, name)
	return value
}

// readTarget finds the operation by method and query, as S3 does, and the key.
func (r *reading) readTarget(method, path, query string) error {
	values, err := url.ParseQuery(query)
	if err != nil {
		return err
	}
	switch names := strings.Join(slices.Sorted(maps.Keys(values)), " "); method + " " + names {
	case "POST uploads":
		r.operation = CreateMultipartUpload
	case "PUT partNumber uploadId":
		r.operation = UploadPart
	case "POST uploadId":
		r.operation = CompleteMultipartUpload
	case "DELETE uploadId":
		r.operation = AbortMultipartUpload
	default:
		return fmt.Errorf("%s with the query %q is no operation of an upload", method, query)
	}
	r.uploadID = values.Get("uploadId")
	if r.operation == UploadPart {
		if r.part, err = strconv.Atoi(values.Get("partNumber")); err != nil || r.part < 1 || r.part > 10000 {
			return fmt.Errorf("the part %q", values.Get("partNumber"))
		}
	}
	for name, list := range values {
		if len(list) != 1 || name != "uploads" && list[0] == "" {
			return fmt.Errorf("%s is %q", name, list)
		}
	}
	if r.key, err = url.PathUnescape(path); err != nil {
		return err
	}
	if readerEscapeKey(r.key) != path {
		return fmt.Errorf("the path %q is escaped otherwise by S3, %q", path, readerEscapeKey(r.key))
	}
	return nil
}

// readerEscapeKey is S3's own way to write a key into a canonical request.
func readerEscapeKey(key string) string {
	escaped := strings.ReplaceAll(url.QueryEscape(key), "+", "%20")
	return strings.ReplaceAll(escaped, "%2F", "/")
}

// A policyReading is a policy as the most lenient store reads it: names in any case.
type policyReading struct {
	expires  time.Time
	exact    map[string]string // by lower-case name
	low, top int64             // content-length-range; top -1: none
}

// readPolicy reads a policy document with encoding/json. It refuses what stores read in two ways.
func readPolicy(document []byte) (policyReading, error) {
	p := policyReading{exact: map[string]string{}, top: -1}
	if err := wantDistinct(document); err != nil {
		return p, err
	}
	var doc map[string]stdjson.RawMessage
	var expiration string
	var conditions []any
	if err := stdjson.Unmarshal(document, &doc); err != nil {
		return p, err
	}
	if err := stdjson.Unmarshal(doc["expiration"], &expiration); err != nil {
		return p, err
	}
	exact := stdjson.NewDecoder(bytes.NewReader(doc["conditions"]))
	exact.UseNumber() // sizes above 2^53 too
	if err := exact.Decode(&conditions); err != nil {
		return p, err
	}
	if len(doc) != 2 {
		return p, fmt.Errorf("the members are %v", slices.Sorted(maps.Keys(doc)))
	}
	for _, c := range conditions {
		if err := p.readCondition(c); err != nil {
			return p, err
		}
	}
	var err error
	p.expires, err = time.Parse(time.RFC3339Nano, expiration)
	return p, err
}

// wantDistinct refuses a member that is there twice, in any object and any case.
func wantDistinct(document []byte) error {
	if !utf8.Valid(document) {
		return fmt.Errorf("not UTF-8")
	}
	decoder := stdjson.NewDecoder(bytes.NewReader(document))
	type level struct {
		object, value bool
		names         map[string]bool
	}
	var levels []level
	for {
		token, err := decoder.Token()
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if d, ok := token.(stdjson.Delim); ok && (d == '}' || d == ']') {
			levels = levels[:len(levels)-1]
			continue
		}
		if n := len(levels); n > 0 && levels[n-1].object {
			top := &levels[n-1]
			if name, ok := token.(string); ok && !top.value {
				if top.names[strings.ToLower(name)] {
					return fmt.Errorf("the member %q twice", name)
				}
				top.names[strings.ToLower(name)] = true
			}
			top.value = !top.value
		}
		if d, ok := token.(stdjson.Delim); ok {
			levels = append(levels, level{object: d == '{', names: map[string]bool{}})
		}
	}
}

func (p *policyReading) readCondition(c any) error {
	switch c := c.(type) {
	case map[string]any:
		for name, value := range c {
			text, ok := value.(string)
			if !ok || len(c) != 1 {
				return fmt.Errorf("the condition %v", c)
			}
			return p.wantExact(name, text) // the only one
		}
	case []any:
		if len(c) != 3 {
			break
		}
		operator := strings.ToLower(fmt.Sprint(c[0]))
		if operator == "content-length-range" && p.top == -1 {
			var err, err2 error
			p.low, err = strconv.ParseInt(fmt.Sprint(c[1]), 10, 64)
			p.top, err2 = strconv.ParseInt(fmt.Sprint(c[2]), 10, 64)
			if err != nil || err2 != nil || p.low < 0 || p.top < p.low {
				return fmt.Errorf("the range %v", c)
			}
			return nil
		}
		name, ok := c[1].(string)
		value, ok2 := c[2].(string)
		if operator == "eq" && ok && ok2 && strings.HasPrefix(name, "$") {
			return p.wantExact(name[1:], value)
		}
	}
	return fmt.Errorf("the condition %v", c)
}

func (p *policyReading) wantExact(name, value string) error {
	name = strings.ToLower(name)
	if _, twice := p.exact[name]; twice {
		return fmt.Errorf("two conditions on %q", name)
	}
	p.exact[name] = value
	return nil
}

func readerHMAC(h func() hash.Hash, key, text string) []byte {
	mac := hmac.New(h, []byte(key))
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

// readerKey makes the signing key for a scope, day/region/service/aws4_request.
func readerKey(scope string) string {
	key := "AWS4" + exampleSecret
	for step := range strings.SplitSeq(scope, "/") {
		key = string(readerHMAC(sha256.New, key, step))
	}
	return key
}

func hexOf(text string) string {
	digest := sha256.Sum256([]byte(text))
	return hex.EncodeToString(digest[:])
}

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
		s := newSigner(t, cfg)
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
	if r.Operation != CreateMultipartUpload {
		if len(got.headers) > 0 || r.ACL != "" || r.Metadata != nil || r.Headers != nil {
			t.Errorf("%s with the headers %q", r.Operation, got.headers)
		}
		return
	}
	if r.Version == V2 && r.ContentType != got.contentType {
		t.Errorf("the content type is %q, the hook is told %q", got.contentType, r.ContentType)
	}
	checkType(t, s, got.contentType)
	if acl, given := got.headers["x-amz-acl"]; r.ACL != acl && (given || r.ACL != "private") {
		t.Errorf("the ACL is %q, the hook is told %q", acl, r.ACL)
	}
	delete(got.headers, "x-amz-acl")
	checkFields(t, s, r, got.headers)
}

// checkType wants a type of the configured ones, also if a browser takes the last of a list, as the Fetch
// standard's "extract a MIME type" has it.
func checkType(t *testing.T, s *Signer, value string) {
	t.Helper()
	if len(s.cfg.ContentTypes) == 0 || value == "" {
		return
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
	told := 0
	for name, value := range fields {
		short, isMetadata := strings.CutPrefix(name, "x-amz-meta-")
		switch {
		case isMetadata:
			plain, err := url.PathUnescape(value)
			if known, ok := r.Metadata[short]; err != nil || !ok || known != plain || !utf8.ValidString(plain) {
				t.Errorf("the metadata %s is %q, the hook is told %q", name, value, known)
			}
			told++
		case name == "x-amz-storage-class" && value == "REDUCED_REDUNDANCY",
			name == "x-amz-server-side-encryption" && value == "AES256":
			if r.Headers[name] != value {
				t.Errorf("the hook is not told of %s", name)
			}
		default:
			t.Errorf("%s: %q was signed", name, value)
		}
	}
	if told != len(r.Metadata) {
		t.Errorf("the hook is told of the metadata %q, signed are %q", r.Metadata, fields)
	}
}

// checkPolicy holds a signed policy, read as a lenient store reads it, against the rules and against r.
func checkPolicy(t *testing.T, s *Signer, r *Request, document []byte, now time.Time) {
	t.Helper()
	signed := s.Sign(r)
	if decoded, err := base64.StdEncoding.DecodeString(signed.Policy); err != nil || !bytes.Equal(decoded, document) {
		t.Errorf("the policy came back as %q, %v", decoded, err)
	}
	p, err := readPolicy(document)
	if err != nil {
		t.Fatalf("signed, but stores may read it otherwise: %v\n%s", err, document)
	}
	take := func(name string) string {
		value := p.exact[name]
		delete(p.exact, name)
		return value
	}
	if take("bucket") != s.cfg.Bucket || take("key") != r.Key || r.Operation != PostObject || r.Bucket != s.cfg.Bucket ||
		strings.Contains(r.Key, "${") {
		t.Errorf("the hook is told %+v\n%s", r, document)
	}
	if left := p.expires.Sub(now); left <= 0 || left > 15*time.Minute || !p.expires.Equal(r.Expires) {
		t.Errorf("the policy lives for %v", left)
	}
	checkKeyRules(t, r.Key)
	checkPolicyVersion(t, s, r, now, signed, take)
	checkPolicySize(t, s, r, p)
	checkPolicyFields(t, s, r, take, p.exact)
}

// checkPolicyVersion computes the signature anew, for version 4 with the key that the policy names.
func checkPolicyVersion(
	t *testing.T,
	s *Signer,
	r *Request,
	now time.Time,
	signed Signature,
	take func(string) string,
) {
	t.Helper()
	if r.Version == V2 {
		if want := base64.StdEncoding.EncodeToString(readerHMAC(sha1.New, exampleSecret,
			signed.Policy)); signed.Signature != want {
			t.Errorf("the signature is %s, S3 computes %s", signed.Signature, want)
		}
		return
	}
	accessKey, scope, _ := strings.Cut(take("x-amz-credential"), "/")
	date := take("x-amz-date")
	at, err := time.Parse("20060102T150405Z", date)
	if want := date[:8] + "/" + s.cfg.Region + "/s3/aws4_request"; err != nil || at.Sub(now).Abs() > 15*time.Minute ||
		!at.Equal(r.Time) ||
		accessKey != s.cfg.AccessKey ||
		scope != want ||
		take("x-amz-algorithm") != "AWS4-HMAC-SHA256" {
		t.Errorf("the credential is %s/%s, the date %s, %v", accessKey, scope, date, err)
	}
	if want := hex.EncodeToString(readerHMAC(sha256.New, readerKey(scope), signed.Policy)); signed.Signature != want {
		t.Errorf("the signature is %s, S3 computes %s", signed.Signature, want)
	}
}

func checkPolicySize(t *testing.T, s *Signer, r *Request, p policyReading) {
	t.Helper()
	if (p.top >= 0) != (r.Size != nil) || r.Size != nil && *r.Size != (SizeRange{p.low, p.top}) {
		t.Errorf("the sizes are %d to %d, the hook is told %v", p.low, p.top, r.Size)
	}
	if s.cfg.MaxBytes > 0 && (p.top < 0 || p.top > s.cfg.MaxBytes) {
		t.Errorf("the largest size is %d", p.top)
	}
}

func checkPolicyFields(t *testing.T, s *Signer, r *Request, take func(string) string, fields map[string]string) {
	t.Helper()
	if kind := take("content-type"); kind != r.ContentType {
		t.Errorf("the content type is %q, the hook is told %q", kind, r.ContentType)
	}
	checkType(t, s, r.ContentType)
	if acl, given := fields["acl"]; r.ACL != acl && (given || r.ACL != "private") {
		t.Errorf("the ACL is %q, the hook is told %q", acl, r.ACL)
	}
	take("acl")
	if status, given := fields["success_action_status"]; given && status != "200" {
		t.Errorf("the status is %q", status)
	}
	take("success_action_status")
	for _, name := range []string{"Cache-Control", "Content-Disposition", "Content-Encoding", "Content-MD5"} {
		if value := take(strings.ToLower(name)); value != r.Headers[name] {
			t.Errorf("%s is %q, the hook is told %q", name, value, r.Headers[name])
		}
	}
	checkFields(t, s, r, fields)
}
