package sign

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// defaultExpiry is what Fine Uploader adds to the client's clock.
const defaultExpiry = 5 * time.Minute

// maxConditions limits the work for one policy. Fine Uploader sends about ten conditions, and one for each parameter.
const maxConditions = 100

// ParsePolicy parses the policy document of a POST object request; its bytes are what is signed. Sign may sign the
// Request.
func (s *Signer) ParsePolicy(v Version, document []byte, now time.Time) (*Request, error) {
	if v == V4 && s.cfg.OnlyV2 {
		return nil, onlyV2()
	}
	doc, err := decodePolicy(document)
	if err != nil {
		return nil, err
	}
	if n := len(doc.Conditions); n > maxConditions {
		return nil, malformed("The policy has more conditions than any upload needs; use fewer request.params.").
			WithDetail(strconv.Itoa(n), strconv.Itoa(maxConditions))
	}
	r := &Request{Version: v, Operation: PostObject, Bucket: s.cfg.Bucket, key: s.currentKey()}
	p := policyChecker{signer: s, request: r, now: now, names: map[string]bool{}, fields: objectFields{signer: s}}
	if err := p.check(doc); err != nil {
		return nil, withRequest(err, doc.describe(v))
	}
	r.text = base64.StdEncoding.EncodeToString(document)
	return r, nil
}

// policyChecker checks conditions one by one and sets them on a request.
type policyChecker struct {
	signer  *Signer
	request *Request
	now     time.Time
	names   map[string]bool // of the conditions so far, in lower case, because some stores fold case
	fields  objectFields

	algorithm, credential, date string
}

// check checks all conditions, and then what a policy must have.
func (p *policyChecker) check(doc policyDocument) error {
	for _, c := range doc.Conditions {
		if err := p.checkCondition(c); err != nil {
			return err
		}
	}
	if !p.names["bucket"] {
		return malformed("The policy does not name a bucket; set objectProperties.bucket in client_conf.js.")
	}
	if !p.names["key"] {
		return CheckKey("")
	}
	if err := p.checkVersion(); err != nil {
		return err
	}
	if err := p.checkExpiration(doc.Expiration); err != nil {
		return err
	}
	if err := p.checkSize(); err != nil {
		return err
	}
	p.fields.setOn(p.request)
	return p.signer.checkContentType(p.request.ContentType)
}

func (p *policyChecker) checkCondition(c condition) error {
	name := strings.ToLower(c.name)
	if p.names[name] {
		return malformed(fmt.Sprintf("The policy has two conditions on %.60q; use an unmodified Fine Uploader, "+
			"and each name in request.params once.", name)).WithDetail(name+" twice", name+" once")
	}
	p.names[name] = true
	if strings.ContainsFunc(c.value, unicode.IsControl) {
		return malformed("The policy has a control character in a value; rename the file or change request.params.")
	}
	r := p.request
	switch c.name {
	case "bucket":
		return p.signer.CheckBucket(c.value)
	case "key":
		r.Key = c.value
		return checkPostKey(c.value)
	case "Content-Type":
		r.ContentType = c.value
	case "Content-MD5":
		p.fields.addOther(c.name, c.value)
		return checkMD5(c.value)
	case "Cache-Control", "Content-Disposition", "Content-Encoding":
		p.fields.addOther(c.name, c.value)
	case "acl":
		return p.fields.addACL(c.name, c.value)
	case "success_action_status":
		return p.fields.addExact(c.name, c.value, "200", "the shipped options")
	case sizeRange:
		r.Size = c.size
	case "x-amz-algorithm":
		p.algorithm = c.value
	case "x-amz-credential":
		p.credential = c.value
	case "x-amz-date":
		p.date = c.value
	default:
		return p.fields.add(c.name, c.value)
	}
	return nil
}

// checkPostKey also rejects "${filename}", which a store replaces by a name in the form.
func checkPostKey(key string) error {
	if strings.Contains(key, "${") {
		return malformed("The object key has \"${\" in it, which S3 replaces by a name that the sender chooses; " +
			"set another objectProperties.key (Uppy: generateObjectKey).")
	}
	return CheckKey(key)
}

// checkVersion checks that a V4 policy has all three V4 conditions and a V2 policy has none.
func (p *policyChecker) checkVersion() error {
	if p.request.Version == V2 {
		if p.names["x-amz-algorithm"] || p.names["x-amz-credential"] || p.names["x-amz-date"] {
			return malformed("A version 4 policy came to the URL of version 2; set signature.version to 4 in " +
				"client_conf.js, and signature.endpoint without a query.")
		}
		return nil
	}
	if p.algorithm != algorithmV4 {
		return malformed("A policy without x-amz-algorithm AWS4-HMAC-SHA256 came with ?v4=true; "+
			"set signature.version to 4 in client_conf.js.").WithDetail(p.algorithm, algorithmV4)
	}
	at, err := parseDateV4(p.date, p.now)
	if err != nil {
		return err
	}
	p.request.Time = at
	accessKey, scope, _ := strings.Cut(p.credential, "/")
	if p.request.key = p.signer.findKey(accessKey); p.request.key == nil {
		return p.signer.errAccessKey(accessKey)
	}
	return p.signer.checkScope(scope, at)
}

// abbreviate returns the beginning of an access key, which may by mistake be a secret key.
func abbreviate(key string) string { return fmt.Sprintf("%.4s…, %d characters", key, len(key)) }

func (p *policyChecker) checkExpiration(value string) error {
	expires, err := time.Parse(dateISO, value)
	if err != nil || expires.Format(dateISO) != value {
		return malformed("The policy's expiration does not have the form 2006-01-02T15:04:05.000Z; "+
			"use an unmodified Fine Uploader.").WithDetail(value, dateISO)
	}
	p.request.Expires = expires
	if left := expires.Sub(p.now); 0 < left && left <= MaxExpiry {
		return nil
	}
	drift := describeDrift(expires.Add(-defaultExpiry).Sub(p.now))
	return configError(fmt.Sprintf("The policy does not expire within the next 15 minutes, as if the clock of the "+
		"uploading computer were %s this server's; set that clock right, or request.clockDrift in client_conf.js.", drift),
		value, p.now.UTC().Format(dateISO))
}

// checkSize checks the size range, which is required if there is a size limit.
func (p *policyChecker) checkSize() error {
	size, limit := p.request.Size, p.signer.cfg.MaxBytes
	switch {
	case size != nil && (size.Min > size.Max || size.Max == 0):
		return malformed("The policy's size range allows no file; set validation.minSizeLimit and validation.sizeLimit "+
			"in client_conf.js.").WithDetail(size.String(), "min not above max")
	case limit > 0 && (size == nil || size.Max > limit):
		return forbidden(fmt.Sprintf("This server signs for files of at most %d bytes; "+
			"set validation.sizeLimit in client_conf.js to that or less.", limit), size.String(), fmt.Sprint(limit))
	}
	return nil
}
