package sign

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	stdjson "encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

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
	pop := func(name string) string {
		value := p.exact[name]
		delete(p.exact, name)
		return value
	}
	if pop("bucket") != s.cfg.Bucket || pop("key") != r.Key || r.Operation != PostObject || r.Bucket != s.cfg.Bucket ||
		strings.Contains(r.Key, "${") {
		t.Errorf("the hook gets %+v\n%s", r, document)
	}
	if left := p.expires.Sub(now); left <= 0 || left > 15*time.Minute || !p.expires.Equal(r.Expires) {
		t.Errorf("the policy lives for %v", left)
	}
	checkKeyRules(t, r.Key)
	checkPolicyVersion(t, s, r, now, signed, pop)
	checkPolicySize(t, s, r, p)
	checkPolicyFields(t, s, r, pop, p.exact)
}

// checkPolicyVersion computes the signature anew, for version 4 with the key that the policy names.
func checkPolicyVersion(
	t *testing.T,
	s *Signer,
	r *Request,
	now time.Time,
	signed Signature,
	pop func(string) string,
) {
	t.Helper()
	if r.Version == V2 {
		if want := base64.StdEncoding.EncodeToString(readerHMAC(sha1.New, exampleSecret,
			signed.Policy)); signed.Signature != want {
			t.Errorf("the signature is %s, S3 computes %s", signed.Signature, want)
		}
		return
	}
	accessKey, scope, _ := strings.Cut(pop("x-amz-credential"), "/")
	date := pop("x-amz-date")
	at, err := time.Parse("20060102T150405Z", date)
	if want := date[:8] + "/" + s.cfg.Region + "/s3/aws4_request"; err != nil || at.Sub(now).Abs() > 15*time.Minute ||
		!at.Equal(r.Time) ||
		accessKey != s.cfg.AccessKey ||
		scope != want ||
		pop("x-amz-algorithm") != "AWS4-HMAC-SHA256" {
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

func checkPolicyFields(t *testing.T, s *Signer, r *Request, pop func(string) string, fields map[string]string) {
	t.Helper()
	if kind := pop("content-type"); kind != r.ContentType {
		t.Errorf("the content type is %q, the hook is told %q", kind, r.ContentType)
	}
	checkType(t, s, r.ContentType)
	if acl, given := fields["acl"]; r.ACL != acl && (given || r.ACL != "private") {
		t.Errorf("the ACL is %q, the hook is told %q", acl, r.ACL)
	}
	pop("acl")
	if status, given := fields["success_action_status"]; given && status != "200" {
		t.Errorf("the status is %q", status)
	}
	pop("success_action_status")
	for _, name := range []string{"Cache-Control", "Content-Disposition", "Content-Encoding", "Content-MD5"} {
		if value := pop(strings.ToLower(name)); value != r.Headers[name] {
			t.Errorf("%s is %q, the hook is told %q", name, value, r.Headers[name])
		}
	}
	checkFields(t, s, r, fields)
}
