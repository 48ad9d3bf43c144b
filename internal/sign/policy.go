package sign

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"s3-sign-srv/internal/apierror"
)

// dateISO is the layout of a policy's expiration, JavaScript's toISOString.
const dateISO = "2006-01-02T15:04:05.000Z"

// policyDocument is a POST policy (AWS "Creating a POST policy"). The decoder refuses unknown and
// duplicate members, other cases, bad UTF-8 and trailing data.
type policyDocument struct {
	Expiration string     `json:"expiration"`
	Conditions conditions `json:"conditions"`
}

type conditions []condition

// condition is {"name":"value"}, ["eq","$name","value"] or ["content-length-range",min,max].
// No other form can be read, starts-with among them.
type condition struct {
	name, value string
	size        *SizeRange
}

// usualExpiry is what Fine Uploader adds to the client's clock.
const usualExpiry = 5 * time.Minute

// Fine Uploader sends about ten conditions and one per parameter; maxConditions bounds the work on one policy.
const (
	usualConditions = 12
	maxConditions   = 100
)

// ParsePolicy parses the policy document of a POST object request, whose bytes are what gets signed.
// A nil error means that Sign may sign the Request; any other is a *apierror.Error.
func (s *Signer) ParsePolicy(v Version, document []byte, now time.Time) (*Request, error) {
	r, err := s.parsePolicy(v, document, now)
	if err != nil { // a nil *apierror.Error must not become a non-nil error
		return nil, err
	}
	return r, nil
}

func (s *Signer) parsePolicy(v Version, document []byte, now time.Time) (*Request, *apierror.Error) {
	if v == V4 && s.cfg.OnlyV2 {
		return nil, onlyV2()
	}
	if hasOddEscape(document) {
		return nil, malformed("The policy document has half a character in it, or spells one in another way than JSON.stringify does; set objectProperties.key so that it cuts no name within a character, and use an unmodified Fine Uploader.")
	}
	var doc policyDocument
	if err := json.Unmarshal(document, &doc, json.RejectUnknownMembers(true)); err != nil {
		return nil, unreadable(err)
	}
	if n := len(doc.Conditions); n > maxConditions {
		return nil, malformed("The policy has more conditions than any upload needs; use fewer request.params.").WithDetail(strconv.Itoa(n), strconv.Itoa(maxConditions))
	}
	r := &Request{Version: v, Operation: PostObject, Bucket: s.cfg.Bucket}
	p := policyReader{signer: s, request: r, now: now, names: make([]string, 0, len(doc.Conditions)), fields: fields{signer: s}}
	if err := p.readAll(doc); err != nil {
		return nil, err.WithRequest(doc.spell(v))
	}
	r.text = base64.StdEncoding.AppendEncode(nil, document)
	return r, nil
}

// unreadable says what the decoder found wrong with a document. Its own words go to the log; they name
// members and places, and no value.
func unreadable(err error) *apierror.Error {
	text := "The policy document is not one that Fine Uploader writes; use an unmodified Fine Uploader."
	var syntax *jsontext.SyntacticError
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		text = "The policy document has a name twice in one object; use an unmodified Fine Uploader."
	case errors.Is(err, json.ErrUnknownName):
		text = "The body has a member that neither a policy document nor {\"headers\":\"…\"} has; use an unmodified Fine Uploader."
	case errors.Is(err, errCondition):
		text = "The policy has a condition that is neither {\"name\":\"value\"} nor [\"eq\",\"$name\",\"value\"] nor [\"content-length-range\",min,max]; use an unmodified Fine Uploader."
	case errors.As(err, &syntax):
		text = "The body is not JSON, complete and in UTF-8; use an unmodified Fine Uploader."
	}
	return malformed(text).WithDetail(err.Error(), "a policy document")
}

// spell describes the document for the log.
func (doc policyDocument) spell(v Version) string {
	facts := map[string]string{}
	for _, c := range doc.Conditions {
		facts[strings.ToLower(c.name)] = c.value
	}
	return fmt.Sprintf("version %d, POST of %.300s to %.100s, until %.40s", v, facts["key"], facts["bucket"], doc.Expiration)
}

// UnmarshalJSONFrom reads an array of conditions.
func (cs *conditions) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	open, err := dec.ReadToken()
	if err != nil {
		return err
	}
	if open.Kind() != '[' {
		return errCondition
	}
	*cs = make(conditions, 0, usualConditions)
	for {
		open, err := dec.ReadToken()
		if err != nil {
			return err
		}
		if open.Kind() == ']' {
			return nil
		}
		var c condition
		if err := c.read(dec, open); err != nil {
			return err
		}
		*cs = append(*cs, c)
	}
}

// read reads what follows the token that opens one condition.
func (c *condition) read(dec *jsontext.Decoder, open jsontext.Token) error {
	object := open.Kind() == '{'
	if !object && open.Kind() != '[' {
		return errCondition
	}
	var parts [3]part
	n := 0
	for ; ; n++ {
		token, err := dec.ReadToken()
		if err != nil {
			return err
		}
		kind := token.Kind()
		if kind == '}' || kind == ']' { // ours: nested ones are refused when they open
			break
		}
		if n == len(parts) || kind != '"' && kind != '0' {
			return errCondition
		}
		parts[n] = part{token.String(), kind == '"'}
	}
	return c.fill(object, parts[:n])
}

// part is a string or a number of a condition.
type part struct {
	text   string
	quoted bool
}

var errCondition = errors.New("a condition is of no known form")

const sizeRange = "content-length-range"

// fill takes the one member of an object or the three elements of an array.
func (c *condition) fill(object bool, parts []part) error {
	switch {
	case object && len(parts) == 2 && parts[1].quoted && parts[0].text != sizeRange:
		c.name, c.value = parts[0].text, parts[1].text
		return nil
	case !object && len(parts) == 3 && parts[0] == part{sizeRange, true}:
		low, ok := readSize(parts[1].text)
		high, ok2 := readSize(parts[2].text)
		if !ok || !ok2 {
			return errCondition
		}
		c.name, c.size = sizeRange, &SizeRange{low, high}
		return nil
	case !object && len(parts) == 3 && parts[0] == part{"eq", true} && parts[1].quoted && parts[2].quoted:
		name, ok := strings.CutPrefix(parts[1].text, "$")
		if !ok || name == sizeRange {
			return errCondition
		}
		c.name, c.value = name, parts[2].text
		return nil
	}
	return errCondition
}

// readSize reads a byte count, which Fine Uploader writes as a string and AWS's examples as a number.
func readSize(text string) (int64, bool) {
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil && n >= 0 && strconv.FormatInt(n, 10) == text
}

// policyReader checks conditions one by one and gathers them into a request.
type policyReader struct {
	signer  *Signer
	request *Request
	now     time.Time
	names   []string // of the conditions read, in lower case: stores were seen to fold it
	fields  fields

	algorithm, credential, date string
}

func (p *policyReader) readAll(doc policyDocument) *apierror.Error {
	for _, c := range doc.Conditions {
		if err := p.read(c); err != nil {
			return err
		}
	}
	return p.finish(doc.Expiration)
}

// has reports whether there was a condition on name.
func (p *policyReader) has(name string) bool { return slices.Contains(p.names, name) }

func (p *policyReader) read(c condition) *apierror.Error {
	name := strings.ToLower(c.name)
	if p.has(name) {
		return malformed(fmt.Sprintf("The policy has two conditions on %.60q; use an unmodified Fine Uploader, and each request.params name once.", name)).WithDetail(name+" twice", name+" once")
	}
	p.names = append(p.names, name)
	if strings.ContainsFunc(c.value, unicode.IsControl) {
		return malformed("The policy has a control character in a value; rename the file or change request.params.")
	}
	r := p.request
	switch c.name {
	case "bucket":
		return p.signer.checkBucket(c.value)
	case "key":
		r.Key = c.value
		return checkPostKey(c.value)
	case "Content-Type":
		r.ContentType = c.value
		return p.signer.checkContentType(c.value)
	case "Content-MD5":
		p.fields.addOther(c.name, c.value)
		return checkMD5(c.value)
	case "Cache-Control", "Content-Disposition", "Content-Encoding":
		p.fields.addOther(c.name, c.value)
		return nil
	case "acl":
		return p.fields.addACL(c.name, c.value)
	case "success_action_status":
		return p.fields.addExact(c.name, c.value, "200", "the settings as shipped")
	case sizeRange:
		r.Size = c.size
		return nil
	case "x-amz-algorithm":
		p.algorithm = c.value
		return nil
	case "x-amz-credential":
		p.credential = c.value
		return nil
	case "x-amz-date":
		p.date = c.value
		return nil
	}
	return p.fields.add(c.name, c.value)
}

// checkPostKey also refuses "${filename}", which a store replaces by what the form says.
func checkPostKey(key string) *apierror.Error {
	if strings.Contains(key, "${") {
		return malformed("The object key has \"${\" in it, which S3 replaces by a name of the sender's choice; set another objectProperties.key.")
	}
	return checkKey(key)
}

// finish checks what a policy must have, once all its conditions are read.
func (p *policyReader) finish(expiration string) *apierror.Error {
	if !p.has("bucket") {
		return malformed("The policy does not name a bucket; set objectProperties.bucket in client_conf.js.")
	}
	if !p.has("key") {
		return checkKey("")
	}
	if err := p.checkVersion(); err != nil {
		return err
	}
	if err := p.checkExpiration(expiration); err != nil {
		return err
	}
	if err := p.checkSize(); err != nil {
		return err
	}
	p.fields.put(p.request)
	return nil
}

// checkVersion wants all three V4 conditions in a V4 policy and none in a V2 policy.
func (p *policyReader) checkVersion() *apierror.Error {
	if p.request.Version == V2 {
		if p.has("x-amz-algorithm") || p.has("x-amz-credential") || p.has("x-amz-date") {
			return malformed("A version 4 policy came to the version 2 URL; set signature.version to 4 in client_conf.js and leave signature.endpoint without a query.")
		}
		return nil
	}
	if p.algorithm != algorithmV4 {
		return malformed("A policy without x-amz-algorithm AWS4-HMAC-SHA256 came with ?v4=true; set signature.version to 4 in client_conf.js.").WithDetail(p.algorithm, algorithmV4)
	}
	at, err := readDateV4(p.date, p.now)
	if err != nil {
		return err
	}
	p.request.Time = at
	accessKey, scope, _ := strings.Cut(p.credential, "/")
	if accessKey != p.signer.cfg.AccessKey {
		return configError("The policy names another access key; reload the page, or set request.accessKey in client_conf.js to the server's AWS_CLIENT_ACCESS_KEY.", shorten(accessKey), p.signer.cfg.AccessKey)
	}
	return p.signer.checkScope(scope, at)
}

// shorten keeps the beginning of a key pair's half, which may be the wrong one.
func shorten(key string) string { return fmt.Sprintf("%.4s…, %d characters", key, len(key)) }

func (p *policyReader) checkExpiration(value string) *apierror.Error {
	expires, err := time.Parse(dateISO, value)
	if err != nil || expires.Format(dateISO) != value {
		return malformed("The policy's expiration is not a date of the form 2006-01-02T15:04:05.000Z; use an unmodified Fine Uploader.").WithDetail(value, dateISO)
	}
	p.request.Expires = expires
	if left := expires.Sub(p.now); 0 < left && left <= MaxExpiry {
		return nil
	}
	return configError(fmt.Sprintf("The policy does not end within the next 15 minutes, as if the clock of the uploading computer were %s this server's; set that clock right, or request.clockDrift in client_conf.js.", describeDrift(expires.Add(-usualExpiry).Sub(p.now))),
		value, p.now.UTC().Format(dateISO))
}

// checkSize wants a sound range, and one within the size limit if there is a limit.
func (p *policyReader) checkSize() *apierror.Error {
	size, limit := p.request.Size, p.signer.cfg.MaxBytes
	switch {
	case size != nil && (size.Min > size.Max || size.Max == 0):
		return malformed("The policy's size range lets no file through; set validation.minSizeLimit and validation.sizeLimit in client_conf.js.").WithDetail(size.String(), "min not above max")
	case limit > 0 && (size == nil || size.Max > limit):
		return forbidden(fmt.Sprintf("This server signs for files of at most %d bytes; set validation.sizeLimit in client_conf.js to that or less.", limit), size.String(), fmt.Sprint(limit))
	}
	return nil
}
