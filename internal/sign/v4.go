package sign

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"s3-sign-srv/internal/apierror"
)

const (
	algorithmV4 = "AWS4-HMAC-SHA256"
	dateV4      = "20060102T150405Z"
	scopeEnd    = "/s3/aws4_request"
	initiateV4  = "uploads="
	emptySHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
)

// stringV4 is a V4 string to sign, split: Fine Uploader sends the canonical request where AWS's
// format has its digest, so that a server can see what it signs.
type stringV4 struct {
	message
	date, scope   string
	signedHeaders string
	payload       string
}

// parseV4 parses
//
//	AWS4-HMAC-SHA256 \n x-amz-date \n day/region/s3/aws4_request \n
//	METHOD \n /key \n query \n name:value \n … \n (empty) \n signed;headers \n payload hash
//
// (AWS "Create a signed AWS API request").
func (s *Signer) parseV4(text string, now time.Time) (*Request, *apierror.Error) {
	m, err := readV4(text)
	if err != nil {
		return nil, err
	}
	r, err := s.checkV4(m, now)
	if err != nil {
		return nil, err.WithRequest(m.spell())
	}
	return r, nil
}

func (s *Signer) checkV4(m *stringV4, now time.Time) (*Request, *apierror.Error) {
	at, err := readDateV4(m.date, now)
	if err != nil {
		return nil, err
	}
	if err := s.checkScope(m.scope, at); err != nil {
		return nil, err
	}
	line, ok := m.get("host")
	if !ok {
		return nil, malformed("The canonical request has no host header; use an unmodified Fine Uploader.")
	}
	form, err := s.findHost(line)
	if err != nil {
		return nil, err
	}
	r, err := s.newRequest(V4, &m.message, initiateV4, m.path[1:], at)
	if err != nil {
		return nil, err
	}
	if err := m.check(r.Operation); err != nil {
		return nil, err
	}
	if escaped := r.buildV4(m, form, s.cfg.Region); string(escaped) != m.path[1:] {
		return nil, notCanonical(m.path[1:], string(escaped))
	}
	return r, nil
}

// spell describes m for the log.
func (m *stringV4) spell() string {
	host, _ := m.get("host")
	return fmt.Sprintf("version 4, %.10s %.300s?%.200s, at %.200s, %.80s, of %.40s", m.method, m.path, m.query, host, m.scope, m.date)
}

// readV4 splits text into its parts.
func readV4(text string) (*stringV4, *apierror.Error) {
	m := new(stringV4)
	m.headers = m.space[:0]
	var algorithm string
	for _, field := range []*string{&algorithm, &m.date, &m.scope, &m.method, &m.path, &m.query} {
		var ok bool
		if *field, text, ok = strings.Cut(text, "\n"); !ok {
			return nil, malformed("The V4 string to sign must hold the canonical request itself, not its digest; use an unmodified Fine Uploader.")
		}
	}
	if algorithm != algorithmV4 {
		return nil, forbidden("The signing algorithm must be AWS4-HMAC-SHA256; use an unmodified Fine Uploader.", algorithm, algorithmV4)
	}
	if !strings.HasPrefix(m.path, "/") {
		return nil, notAnUpload()
	}
	for {
		line, rest, ok := strings.Cut(text, "\n")
		if !ok {
			return nil, malformed("The canonical request is incomplete; use an unmodified Fine Uploader.")
		}
		text = rest
		if line == "" {
			break
		}
		if err := m.readHeader(line); err != nil {
			return nil, err
		}
	}
	var ok bool
	if m.signedHeaders, m.payload, ok = strings.Cut(text, "\n"); !ok {
		return nil, malformed("The canonical request is incomplete; use an unmodified Fine Uploader.")
	}
	return m, nil
}

// readDateV4 parses a basic ISO 8601 time and checks it against the time window.
func readDateV4(value string, now time.Time) (time.Time, *apierror.Error) {
	at, err := time.Parse(dateV4, value)
	var buf [len(dateV4)]byte
	if err != nil || string(at.AppendFormat(buf[:0], dateV4)) != value {
		return time.Time{}, malformed("x-amz-date is not a date of the form 20060102T150405Z; use an unmodified Fine Uploader.").WithDetail(value, dateV4)
	}
	return at, checkTime(at, now)
}

// checkScope compares a credential scope, "day/region/s3/aws4_request", with ours.
func (s *Signer) checkScope(scope string, at time.Time) *apierror.Error {
	dayAndRegion, ok := strings.CutSuffix(scope, scopeEnd)
	day, region, ok2 := strings.Cut(dayAndRegion, "/")
	if !ok || !ok2 || len(day) != 8 || strings.Contains(region, "/") {
		return forbidden("The credential scope is not of the form day/region/s3/aws4_request; set signature and credentials in client_conf.js as shipped.", scope, s.cfg.Region+scopeEnd)
	}
	if err := s.checkRegion(region); err != nil {
		return err
	}
	var buf [8]byte
	if want := at.AppendFormat(buf[:0], "20060102"); day != string(want) {
		return forbidden("The day of the credential scope is not the day of x-amz-date: request.clockDrift crosses midnight; try again in some minutes, or set the uploading computer's clock right.", day, string(want))
	}
	return nil
}

// check compares the parts of m that say the same thing twice, and the payload with the operation.
func (m *stringV4) check(op Operation) *apierror.Error {
	if err := m.checkSignedHeaders(); err != nil {
		return err
	}
	if date, _ := m.get("x-amz-date"); date != m.date {
		return malformed("The x-amz-date header is not the date of the string to sign; use an unmodified Fine Uploader.").WithDetail(date, m.date)
	}
	if hash, _ := m.get("x-amz-content-sha256"); hash != m.payload || !isSHA256(hash) {
		return malformed("The payload must be given by its SHA-256, in the canonical request and in x-amz-content-sha256 alike; use an unmodified Fine Uploader.").WithDetail(hash, m.payload)
	}
	if op != UploadPart && op != CompleteMultipartUpload && m.payload != emptySHA256 {
		return malformed("The body of this request must be empty; use an unmodified Fine Uploader.").WithDetail(m.payload, emptySHA256)
	}
	return nil
}

// checkSignedHeaders wants the list to name the headers that stand above it, in their order.
func (m *stringV4) checkSignedHeaders() *apierror.Error {
	list := m.signedHeaders
	if strings.HasPrefix(list, "content-md5;") {
		return forbidden("Fine Uploader cannot sign a Content-MD5 parameter under version 4; take Content-MD5 out of request.params in client_conf.js.", list, "no content-md5")
	}
	for i, h := range m.headers {
		name, rest, more := strings.Cut(list, ";")
		if name != h.name || more != (i < len(m.headers)-1) {
			return malformed("SignedHeaders does not list the headers of the canonical request; use an unmodified Fine Uploader.").WithDetail(m.signedHeaders, h.name)
		}
		list = rest
	}
	return nil
}

func isSHA256(s string) bool {
	for i := range len(s) {
		if c := s[i]; !('0' <= c && c <= '9' || 'a' <= c && c <= 'f') {
			return false
		}
	}
	return len(s) == 2*sha256.Size
}

// buildV4 writes the string to sign of r, with the host and the path that the store will see. Of m it
// takes only what was checked: the method, the headers and their names, and the payload hash. It returns
// the key as written.
func (r *Request) buildV4(m *stringV4, form hostForm, region string) (escapedKey []byte) {
	b := make([]byte, 0, 768)
	b = append(b, algorithmV4+"\n"...)
	b = r.Time.AppendFormat(b, dateV4)
	b = append(b, '\n')
	b = r.Time.AppendFormat(b, "20060102/")
	b = append(b, region...)
	b = append(b, scopeEnd+"\n"...)
	r.canonical = len(b)
	b = append(b, m.method...)
	b = append(b, '\n')
	b = appendEscaped(b, form.pathPrefix)
	b = append(b, '/')
	key := len(b)
	b = appendEscaped(b, r.Key)
	escapedKey = b[key:]
	b = append(b, '\n')
	b = r.appendQuery(b, initiateV4)
	b = append(b, '\n')
	for _, h := range m.headers {
		b = append(b, h.name...)
		b = append(b, ':')
		if h.name == "host" {
			b = append(b, form.host...)
		} else {
			b = append(b, h.value...)
		}
		b = append(b, '\n')
	}
	b = append(b, '\n')
	b = append(b, m.signedHeaders...)
	b = append(b, '\n')
	b = append(b, m.payload...)
	r.text = b
	return escapedKey
}

// hashedStringToSign puts the digest of the canonical request, which begins at i, in its place.
func hashedStringToSign(text []byte, i int) []byte {
	digest := sha256.Sum256(text[i:])
	return hex.AppendEncode(text[:i:i], digest[:])
}

// signatureV4 returns hex(HMAC-SHA256(key, text)).
func signatureV4(key *macPool, text []byte) string {
	m := key.get(text)
	defer key.put(m)
	return hex.EncodeToString(m.sum)
}

// dayKey is a signing key and the day, as in the credential scope, that it is for.
type dayKey struct {
	day string
	key *macPool
}

// signingKey derives the key for the day of at, or takes it from the last derivation: a key serves
// one day and region, and near midnight two days take turns at four HMACs a time.
func (s *Signer) signingKey(at time.Time) *macPool {
	var buf [8]byte
	day := at.AppendFormat(buf[:0], "20060102")
	if k := s.day.Load(); k != nil && k.day == string(day) {
		return k.key
	}
	key := []byte("AWS4" + s.cfg.SecretKey.Reveal())
	for _, step := range []string{string(day), s.cfg.Region, "s3", "aws4_request"} {
		key = newMACPool(sha256.New, key).get([]byte(step)).sum
	}
	k := &dayKey{string(day), newMACPool(sha256.New, key)}
	s.day.Store(k)
	return k.key
}
