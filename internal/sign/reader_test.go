package sign

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
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
	isTyped     bool              // version 4: the content type is signed
	isUnsigned  bool              // version 4: the body is not
	headers     map[string]string // by lower-case name, x-amz-date and the like left out
	signature   string            // computed from what was read
}

var (
	formV2 = regexp.MustCompile(
		`\A([A-Z]+)\n([A-Za-z0-9+/=]*)\n([^\n]*)\n\n((?:[a-z0-9._-]+:[^\n]*\n)+)/([^/?\n]+)/([^?\n]+)\?([^?#\n]+)\z`,
	)
	formV4 = regexp.MustCompile(
		`\AAWS4-HMAC-SHA256\n([0-9]{8}T[0-9]{6}Z)\n([0-9]{8}/[^/\n]+/s3/aws4_request)\n(([A-Z]+)\n(/[^?#\n]+)\n(` +
			`[^?#\n]+)\n((?:[a-z0-9._-]+:[^\n]*\n)+)\n([a-z0-9._;-]+)\n([0-9a-f]{64}|UNSIGNED-PAYLOAD))\z`,
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
	_, r.isTyped = r.headers["content-type"]
	r.contentType = r.takeHeader("content-type")
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
	r.isUnsigned = m[9] == "UNSIGNED-PAYLOAD"
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
