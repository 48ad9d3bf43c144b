package sign

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestTwoKeyPairs signs the same request for pages that use the current pair, the old one, and others.
func TestTwoKeyPairs(t *testing.T) {
	const current, old = "AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7OLDPAIR"
	const oldSecret = "0ldSecretKey/0ldSecretKey/0ldSecretKey000"
	cfg := exampleConfig("https://s3.example.org")
	cfg.AccessKey = current
	cfg.Old = KeyPair{old, NewSecret(oldSecret)}
	s := New(cfg)
	now := time.Date(2026, 11, 23, 11, 56, 8, 0, time.UTC)
	part := fmt.Sprintf("PUT\n\n\n\nx-amz-date:%s\n/%s/k?partNumber=1&uploadId=U", now.Format(dateV2), cfg.Bucket)
	policy := func(accessKey string) string {
		return fmt.Sprintf(`{"expiration":"2026-11-23T12:01:08.000Z","conditions":[{"bucket":"%s"},{"key":"k"},`+
			`{"x-amz-algorithm":"AWS4-HMAC-SHA256"},{"x-amz-credential":"%s/20261123/us-east-1/s3/aws4_request"},`+
			`{"x-amz-date":"20261123T115608Z"}]}`, cfg.Bucket, accessKey)
	}
	const unknown = "AKIAIOSFODNN7NOTHING"
	for _, test := range []struct{ name, text, header, secret string }{
		{"a page that says nothing", part, "", exampleSecret},
		{"a new page", part, current, exampleSecret},
		{"an old page", part, old, oldSecret},
		{"an older page", part, unknown, ""},
		{"a policy of a new page", policy(current), "", exampleSecret},
		{"a policy of a new page, with the header", policy(current), current, exampleSecret},
		{"a policy of an old page", policy(old), "", oldSecret},
		{"a policy of an old page, with the header", policy(old), old, oldSecret},
		{"a policy and a header that differ", policy(old), current, ""},
		{"a policy of an older page", policy(unknown), "", ""},
	} {
		r, err := s.ParsePolicy(V4, []byte(test.text), now)
		if test.text == part {
			r, err = s.ParseStringToSign(V2, test.text, now)
		}
		if err == nil {
			err = s.SelectKey(r, test.header)
		}
		if test.secret == "" {
			if err == nil || !strings.HasPrefix(err.Error(), "The page has another access key; reload the page") {
				t.Errorf("%s: %v", test.name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		want := signatureV2(test.secret, r.text)
		if r.Version == V4 {
			want = signatureV4(deriveKey(test.secret, "20261123", "us-east-1"), r.text)
		}
		if got := s.Sign(r).Signature; got != want {
			t.Errorf("%s: signed with another key", test.name)
		}
	}

	s.SetKeys(KeyPair{current, NewSecret(exampleSecret)}, KeyPair{})
	if _, err := s.ParsePolicy(V4, []byte(policy(old)), now); err == nil {
		t.Error("a policy of the old pair is accepted without an old pair")
	}
}
