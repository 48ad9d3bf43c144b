//go:build e2e

package e2e

import (
	"bytes"
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

// A wish is a request to the store that somebody makes by hand, knowing all but the secret key: what
// he wants signed, and the request that the signature completes.
type wish struct {
	version  int
	at       time.Time
	policy   bool     // texts are policy documents; else strings to sign
	texts    []string // as the store will read it and, where it differs, as Fine Uploader writes it
	complete func(signature string) *http.Request
}

// document is what Fine Uploader would send to a signing server for the text.
func (w wish) document(text string) string {
	if w.policy {
		return text
	}
	return asJSON(map[string]string{"headers": text})
}

// endpoint is where on a signing server Fine Uploader would ask.
func (w wish) endpoint() string {
	if w.version == 4 {
		return "/s3/sign?v4=true"
	}
	return "/s3/sign"
}

// naively signs whatever it is given, as the original did, and most signing servers do.
func (w wish) naively(secretKey string) (signature string) {
	text := w.texts[0]
	switch {
	case w.policy:
		text = encodePolicy(text)
	case w.version == 4:
		lines := strings.SplitN(text, "\n", 4) // algorithm, date, scope, canonical request
		lines[3] = hexDigest(lines[3])
		text = strings.Join(lines, "\n")
	}
	if w.version == 2 {
		return base64.StdEncoding.EncodeToString(mac(sha1.New, []byte(secretKey), text))
	}
	key := []byte("AWS4" + secretKey)
	for _, step := range strings.Split(scopeV4(w.at), "/") {
		key = mac(sha256.New, key, step)
	}
	return hex.EncodeToString(mac(sha256.New, key, text))
}

// A call is a request that is signed by its headers.
type call struct {
	method      string
	key         string            // escaped; "": the bucket itself
	query       string            // sub-resources, as version 2 writes them
	contentType string            // which version 4 does not sign
	header      map[string]string // x-amz-…, signed
	unsigned    map[string]string // x-amz-…, sent without being signed
	body        string
	host        string // "": the store's address
}

// wish makes the call to b.
func (c call) wish(b *bucket, version int) wish {
	now := time.Now().UTC()
	path := strings.TrimSuffix("/"+b.name+"/"+c.key, "/")
	signed := map[string]string{"x-amz-date": now.Format(http.TimeFormat)}
	if version == 4 {
		signed = map[string]string{"x-amz-date": now.Format(dateV4), "x-amz-content-sha256": hexDigest(c.body), "host": c.host}
		if c.host == "" {
			signed["host"] = loopback(b.port)
		}
	}
	maps.Copy(signed, c.header)
	w := wish{version: version, at: now, complete: func(signature string) *http.Request {
		r := newRequest(c.method, b.url(path, c.query), c.body)
		for name, value := range signed {
			r.Header.Set(name, value)
		}
		for name, value := range c.unsigned {
			r.Header.Set(name, value)
		}
		r.Host = signed["host"]
		if c.contentType != "" {
			r.Header.Set("Content-Type", c.contentType)
		}
		r.Header.Set("Authorization", "AWS "+b.accessKey+":"+signature)
		if version == 4 {
			r.Header.Set("Authorization", fmt.Sprintf("AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s",
				b.accessKey, scopeV4(now), names(signed), signature))
		}
		return r
	}}
	if version == 2 {
		w.texts = []string{c.textV2(path, signed)}
	} else {
		w.texts = []string{c.textV4(path, signed, now), c.textV4("/"+c.key, signed, now)}
	}
	return w
}

// textV2 is the string to sign of AWS's "Signing and authenticating REST requests (AWS signature version 2)".
func (c call) textV2(path string, signed map[string]string) string {
	lines := append([]string{c.method, "", c.contentType, ""}, headerLines(signed)...)
	return strings.Join(append(lines, withQuery(path, c.query)), "\n")
}

// textV4 is the string to sign of AWS's "Create a signed AWS API request", but with the canonical
// request in the place of its digest: so Fine Uploader sends it.
func (c call) textV4(path string, signed map[string]string, at time.Time) string {
	query := c.query
	if query != "" && !strings.Contains(query, "=") {
		query += "="
	}
	lines := []string{"AWS4-HMAC-SHA256", at.Format(dateV4), scopeV4(at), c.method, path, query}
	lines = append(lines, headerLines(signed)...)
	return strings.Join(append(lines, "", names(signed), signed["x-amz-content-sha256"]), "\n")
}

// A link is a request that is signed in its URL, so that any browser can follow it for a week.
type link struct{ method, key, body string }

func (l link) wish(b *bucket, version int) wish {
	path, now, week := "/"+b.name+"/"+l.key, time.Now().UTC(), 7*24*time.Hour
	if version == 2 {
		until := strconv.FormatInt(now.Add(week).Unix(), 10)
		text := strings.Join([]string{l.method, "", "", until, path}, "\n")
		return wish{version: 2, at: now, texts: []string{text}, complete: func(signature string) *http.Request {
			query := url.Values{"AWSAccessKeyId": {b.accessKey}, "Expires": {until}, "Signature": {signature}}
			return newRequest(l.method, b.url(path, query.Encode()), l.body)
		}}
	}
	query := url.Values{
		"X-Amz-Algorithm": {"AWS4-HMAC-SHA256"}, "X-Amz-Credential": {b.accessKey + "/" + scopeV4(now)}, "X-Amz-Date": {now.Format(dateV4)},
		"X-Amz-Expires": {fmt.Sprint(week.Seconds())}, "X-Amz-SignedHeaders": {"host"},
	}.Encode()
	text := func(path string) string {
		return strings.Join([]string{"AWS4-HMAC-SHA256", now.Format(dateV4), scopeV4(now),
			l.method, path, query, "host:" + loopback(b.port), "", "host", "UNSIGNED-PAYLOAD"}, "\n")
	}
	return wish{version: 4, at: now, texts: []string{text(path), text("/" + l.key)}, complete: func(signature string) *http.Request {
		return newRequest(l.method, b.url(path, query+"&X-Amz-Signature="+signature), l.body)
	}}
}

// A form is an upload by an HTML form, which a policy document allows.
type form struct {
	key        string
	conditions []any         // beside the bucket and the fields that carry the signature
	life       time.Duration // of the policy; 0: as long as Fine Uploader's
	fields     map[string]string
	body       string
}

func (f form) wish(b *bucket, version int) wish {
	now := time.Now().UTC()
	fields := map[string]string{"key": f.key}
	maps.Copy(fields, f.fields)
	own := map[string]string{"AWSAccessKeyId": b.accessKey}
	conditions := append([]any{map[string]string{"bucket": b.name}}, f.conditions...)
	if version == 4 {
		own = map[string]string{"x-amz-algorithm": "AWS4-HMAC-SHA256", "x-amz-credential": b.accessKey + "/" + scopeV4(now), "x-amz-date": now.Format(dateV4)}
		for _, name := range slices.Sorted(maps.Keys(own)) {
			conditions = append(conditions, map[string]string{name: own[name]})
		}
	}
	maps.Copy(fields, own)
	if f.life == 0 {
		f.life = 5 * time.Minute
	}
	policy := asJSON(map[string]any{"expiration": now.Add(f.life).Format("2006-01-02T15:04:05.000Z"), "conditions": conditions})
	fields["policy"] = encodePolicy(policy)
	return wish{version: version, at: now, policy: true, texts: []string{policy}, complete: func(signature string) *http.Request {
		name := map[int]string{2: "signature", 4: "x-amz-signature"}[version]
		return formRequest(b, f.body, fields, map[string]string{name: signature})
	}}
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
		panic(err) // only strings and maps of them come here
	}
	return string(b)
}

// url is the address of a path on the store.
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
		panic(err) // the tests make the addresses themselves
	}
	return r
}
