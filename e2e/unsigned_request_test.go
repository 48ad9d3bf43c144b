//go:build e2e

package e2e

import (
	"bytes"
	"cmp"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A signable is a request to the store, before it is signed.
type signable interface {
	unsigned(b *bucket, version int) unsignedRequest
}

// An unsignedRequest is a request to the store that only lacks its signature: what must be signed, and the request
// with the signature.
type unsignedRequest struct {
	version  int
	time     time.Time
	policy   bool     // texts are policy documents; else strings to sign
	toSign   []string // as the store reads it and, where it differs, as Fine Uploader writes it
	complete func(signature string) *http.Request
}

// asFineUploader is what Fine Uploader would have signed.
func (r unsignedRequest) asFineUploader() string { return r.toSign[len(r.toSign)-1] }

// signBody is the body of Fine Uploader's sign request for the text.
func (r unsignedRequest) signBody(text string) string {
	if r.policy {
		return text
	}
	return asJSON(map[string]string{"headers": text})
}

// signPath is the path of Fine Uploader's sign request.
func (r unsignedRequest) signPath() string {
	if r.version == 4 {
		return "/s3/sign?v4=true"
	}
	return "/s3/sign"
}

// signUnchecked signs without any check, as the original server did.
func (r unsignedRequest) signUnchecked(secretKey string) (signature string) {
	text := r.toSign[0]
	switch {
	case r.policy:
		text = encodePolicy(text)
	case r.version == 4:
		lines := strings.SplitN(text, "\n", 4) // algorithm, date, scope, canonical request
		lines[3] = hexDigest(lines[3])
		text = strings.Join(lines, "\n")
	}
	if r.version == 2 {
		return base64.StdEncoding.EncodeToString(mac(sha1.New, []byte(secretKey), text))
	}
	key := []byte("AWS4" + secretKey)
	for _, step := range strings.Split(scopeV4(r.time), "/") {
		key = mac(sha256.New, key, step)
	}
	return hex.EncodeToString(mac(sha256.New, key, text))
}

// A headerSigned request is signed in its Authorization header.
type headerSigned struct {
	method         string
	key            string            // escaped; "": the bucket itself
	query          string            // sub-resources, as version 2 writes them
	contentType    string            // signed
	header         map[string]string // x-amz-…, signed
	unsignedHeader map[string]string // sent but not signed, even if another value is
	body           string
	host           string // "": the store's address
}

func (c headerSigned) unsigned(b *bucket, version int) unsignedRequest {
	now := time.Now().UTC()
	path := strings.TrimSuffix("/"+b.name+"/"+c.key, "/")
	signed := map[string]string{"x-amz-date": now.Format(http.TimeFormat)}
	if version == 4 {
		signed = map[string]string{
			"x-amz-date": now.Format(dateV4), "x-amz-content-sha256": hexDigest(c.body),
			"host": cmp.Or(c.host, loopback(b.port)),
		}
	}
	if version == 4 && c.contentType != "" {
		signed["content-type"] = c.contentType
	}
	maps.Copy(signed, c.header)
	unsigned := unsignedRequest{version: version, time: now, complete: func(signature string) *http.Request {
		r := newRequest(c.method, b.url(path, c.query), c.body)
		if c.contentType != "" {
			r.Header.Set("Content-Type", c.contentType)
		}
		for _, headers := range []map[string]string{signed, c.unsignedHeader} {
			for name, value := range headers {
				r.Header.Set(name, value)
			}
		}
		r.Host = signed["host"]
		r.Header.Set("Authorization", "AWS "+b.accessKey+":"+signature)
		if version == 4 {
			r.Header.Set("Authorization", fmt.Sprintf(
				"AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s",
				b.accessKey, scopeV4(now), names(signed), signature))
		}
		return r
	}}
	if version == 2 {
		unsigned.toSign = []string{c.textV2(path, signed)}
	} else {
		unsigned.toSign = []string{c.textV4(path, signed, now), c.textV4("/"+c.key, signed, now)}
	}
	return unsigned
}

// textV2 is the string to sign of AWS's "Signing and authenticating REST requests (AWS signature version 2)".
func (c headerSigned) textV2(path string, signed map[string]string) string {
	lines := append([]string{c.method, "", c.contentType, ""}, headerLines(signed)...)
	return strings.Join(append(lines, withQuery(path, c.query)), "\n")
}

// textV4 is the string to sign of AWS's "Create a signed AWS API request" as Fine Uploader sends it: with the
// canonical request instead of its digest.
func (c headerSigned) textV4(path string, signed map[string]string, at time.Time) string {
	query := c.query
	if query != "" && !strings.Contains(query, "=") {
		query += "="
	}
	lines := []string{"AWS4-HMAC-SHA256", at.Format(dateV4), scopeV4(at), c.method, path, query}
	lines = append(lines, headerLines(signed)...)
	return strings.Join(append(lines, "", names(signed), signed["x-amz-content-sha256"]), "\n")
}

// A presignedURL carries its signature in the query, so that any browser can open it for a week.
type presignedURL struct{ method, key, body string }

const week = 7 * 24 * time.Hour

func (u presignedURL) unsigned(b *bucket, version int) unsignedRequest {
	if version == 2 {
		return u.unsignedV2(b)
	}
	return u.unsignedV4(b)
}

func (u presignedURL) unsignedV2(b *bucket) unsignedRequest {
	path, now := "/"+b.name+"/"+u.key, time.Now().UTC()
	expires := strconv.FormatInt(now.Add(week).Unix(), 10)
	text := strings.Join([]string{u.method, "", "", expires, path}, "\n")
	return unsignedRequest{version: 2, time: now, toSign: []string{text}, complete: func(signature string) *http.Request {
		query := url.Values{"AWSAccessKeyId": {b.accessKey}, "Expires": {expires}, "Signature": {signature}}
		return newRequest(u.method, b.url(path, query.Encode()), u.body)
	}}
}

func (u presignedURL) unsignedV4(b *bucket) unsignedRequest {
	path, now := "/"+b.name+"/"+u.key, time.Now().UTC()
	query := url.Values{
		"X-Amz-Algorithm": {"AWS4-HMAC-SHA256"}, "X-Amz-Credential": {b.accessKey + "/" + scopeV4(now)},
		"X-Amz-Date": {now.Format(dateV4)}, "X-Amz-Expires": {fmt.Sprint(week.Seconds())}, "X-Amz-SignedHeaders": {"host"},
	}.Encode()
	text := func(path string) string {
		return strings.Join([]string{"AWS4-HMAC-SHA256", now.Format(dateV4), scopeV4(now),
			u.method, path, query, "host:" + loopback(b.port), "", "host", "UNSIGNED-PAYLOAD"}, "\n")
	}
	toSign := []string{text(path), text("/" + u.key)}
	return unsignedRequest{version: 4, time: now, toSign: toSign, complete: func(signature string) *http.Request {
		return newRequest(u.method, b.url(path, query+"&X-Amz-Signature="+signature), u.body)
	}}
}

// A postForm is an upload with an HTML form, which a policy document allows.
type postForm struct {
	key        string
	conditions []any         // besides those for the bucket and the signature's fields
	lifetime   time.Duration // of the policy; 0: that of Fine Uploader's policies
	fields     map[string]string
	body       string
}

func (f postForm) unsigned(b *bucket, version int) unsignedRequest {
	now := time.Now().UTC()
	fields := map[string]string{"key": f.key}
	maps.Copy(fields, f.fields)
	credentials := map[string]string{"AWSAccessKeyId": b.accessKey}
	conditions := append([]any{map[string]string{"bucket": b.name}}, f.conditions...)
	if version == 4 {
		credentials = map[string]string{
			"x-amz-algorithm": "AWS4-HMAC-SHA256", "x-amz-credential": b.accessKey + "/" + scopeV4(now),
			"x-amz-date": now.Format(dateV4),
		}
		for _, name := range slices.Sorted(maps.Keys(credentials)) {
			conditions = append(conditions, map[string]string{name: credentials[name]})
		}
	}
	maps.Copy(fields, credentials)
	expiration := now.Add(cmp.Or(f.lifetime, 5*time.Minute)).Format("2006-01-02T15:04:05.000Z")
	policy := asJSON(map[string]any{"expiration": expiration, "conditions": conditions})
	fields["policy"] = encodePolicy(policy)
	return unsignedRequest{
		version: version, time: now, policy: true, toSign: []string{policy},
		complete: func(signature string) *http.Request {
			name := map[int]string{2: "signature", 4: "x-amz-signature"}[version]
			return formRequest(b, f.body, fields, map[string]string{name: signature})
		},
	}
}

func formRequest(b *bucket, file string, fields ...map[string]string) *http.Request {
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for _, group := range fields {
		for _, name := range slices.Sorted(maps.Keys(group)) {
			w.WriteField(name, group[name])
		}
	}
	part, _ := w.CreateFormFile("file", "file") // writes to a bytes.Buffer do not fail
	io.WriteString(part, file)
	w.Close()
	r := newRequest(http.MethodPost, b.url("/"+b.name, ""), body.String())
	r.Header.Set("Content-Type", w.FormDataContentType())
	return r
}

const dateV4 = "20060102T150405Z"

func scopeV4(at time.Time) string {
	return at.UTC().Format("20060102/") + region + "/s3/aws4_request"
}

func encodePolicy(document string) string { return base64.StdEncoding.EncodeToString([]byte(document)) }

func headerLines(header map[string]string) (lines []string) {
	for _, name := range slices.Sorted(maps.Keys(header)) {
		lines = append(lines, name+":"+header[name])
	}
	return lines
}

func names(header map[string]string) string {
	return strings.Join(slices.Sorted(maps.Keys(header)), ";")
}

func mac(h func() hash.Hash, key []byte, text string) []byte {
	m := hmac.New(h, key)
	io.WriteString(m, text)
	return m.Sum(nil)
}

func hexDigest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func asJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // v consists of strings, maps and slices
	}
	return string(b)
}

// url is the URL of a path on the store.
func (s *store) url(path, query string) string {
	return "http://" + loopback(s.port) + withQuery(path, query)
}

func withQuery(path, query string) string {
	if query == "" {
		return path
	}
	return path + "?" + query
}

func newRequest(method, url, body string) *http.Request {
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		panic(err) // the tests make valid URLs
	}
	return r
}
