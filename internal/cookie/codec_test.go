package cookie

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"s3-sign-srv/internal/sign"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// The names of a cookie over HTTP and over HTTPS.
const (
	plain  = "owner"
	secure = HostPrefix + plain
)

// TestDecode tries what an attacker and time can do to a cookie.
func TestDecode(t *testing.T) {
	ours, foreign := codecOf("secret"), codecOf("changed")
	id := NewID()
	for _, name := range []string{plain, secure} {
		value := ours.Encode(name, id, now)
		parts := strings.Split(value, ".")
		flipped := []byte(value)
		flipped[0] ^= 1
		signed := func(text string) string { return text + "." + mac((*ours.keys.Load())[0], name, text) }
		for _, test := range []struct {
			name, value string
			at          time.Time
			ok          bool
		}{
			{"as made", value, now, true},
			{"by another replica", codecOf("secret").Encode(name, id, now), now, true},
			{"in its last second", value, now.Add(Lifetime - time.Second), true},
			{"expired", value, now.Add(Lifetime), false},
			{"renewed", ours.Encode(name, id, now.Add(Lifetime/2)), now.Add(Lifetime), true},
			{"after the secret was changed", foreign.Encode(name, id, now), now, false},
			{"another id", strings.Repeat("A", idBytes) + "." + parts[1] + "." + parts[2], now, false},
			{"a later expiry", parts[0] + ".99999999999." + parts[2], now, false},
			{"no signature", parts[0] + "." + parts[1] + ".", now, false},
			{"two parts", parts[0] + "." + parts[1], now, false},
			{"truncated", value[:len(value)-1], now, false},
			{"a flipped bit", string(flipped), now, false},
			{"something in front", "x" + value, now, false},
			{"something behind", value + "x", now, false},
			{"empty", "", now, false},
			{"long", strings.Repeat(value, 100), now, false},
			{"signed, but no id", signed("a/b.99999999999"), now, false},
			{"signed, but no expiry", signed(id + ".never"), now, false},
			{"of the name without the prefix", ours.Encode(plain, id, now), now, name == plain},
			{"of the name with the prefix", ours.Encode(secure, id, now), now, name == secure},
			{"of another name with the prefix", ours.Encode(HostPrefix+"other", id, now), now, false},
			{"of the name with the prefix, and the name in the value", secure + "=" + ours.Encode(secure, id, now), now, false},
		} {
			got, ok := ours.Decode(name, test.value, test.at)
			if ok != test.ok || ok && got != id {
				t.Errorf("%s, %s: %q %v", name, test.name, got, ok)
			}
		}
	}
}

func codecOf(secrets ...string) *Codec {
	var list []sign.Secret
	for _, secret := range secrets {
		list = append(list, sign.NewSecret(secret))
	}
	return NewCodec(list...)
}

// TestRotation changes the secrets. A cookie stays valid as long as one of them is the one that signed it.
func TestRotation(t *testing.T) {
	for _, test := range []struct {
		name        string
		before, now []string
		ok          bool
	}{
		{"a cookie secret is added", []string{"s3"}, []string{"c1", "s3"}, true},
		{"then the S3 key is changed", []string{"c1", "s3"}, []string{"c1", "new s3"}, true},
		{"the cookie secret is changed", []string{"c1", "s3"}, []string{"c2", "c1", "s3"}, true},
		{"the former cookie secret is removed too early", []string{"c1", "s3"}, []string{"c2", "s3"}, false},
		{"the S3 key is changed without a cookie secret", []string{"s3"}, []string{"new s3"}, false},
		{"the former S3 key is listed as a cookie secret", []string{"s3"}, []string{"c1", "s3", "new s3"}, true},
	} {
		id := NewID()
		got, ok := codecOf(test.now...).Decode(secure, codecOf(test.before...).Encode(secure, id, now), now)
		if ok != test.ok || ok && got != id {
			t.Errorf("%s: %q %v", test.name, got, ok)
		}
	}
}

// TestKnownAnswer makes a cookie by RFC 5869 and RFC 2104, step by step, and wants Encode's to be the same: a key
// that is derived otherwise, or for another purpose, would end all cookies with the next release, and one that is
// the S3 key itself would sign more than cookies.
func TestKnownAnswer(t *testing.T) {
	mac := func(key, text []byte) []byte {
		h := hmac.New(sha256.New, key)
		h.Write(text)
		return h.Sum(nil)
	}
	// derive is HKDF-SHA256 without a salt, for one block of output.
	derive := func(secret []byte, purpose string) []byte {
		pseudorandom := mac(make([]byte, sha256.Size), secret)  // 2.2: an absent salt is a block of zeros
		return mac(pseudorandom, append([]byte(purpose), 0x01)) // 2.3: T(1)
	}
	// Test case 3 of RFC 5869, its first block.
	if got := hex.EncodeToString(derive(bytes.Repeat([]byte{0x0b}, 22),
		"")); got != "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d" {
		t.Fatalf("derive is not HKDF: %s", got)
	}
	const signed = "ABCDEFGHIJKLMNOPQRSTUVWXYZ.1798027200" // 30 days after now
	key := derive([]byte("secret"), "s3-sign-srv visitor cookie 1")
	for name, text := range map[string]string{plain: signed, secure: "__Host-owner=" + signed} {
		want := signed + "." + base64.RawURLEncoding.EncodeToString(mac(key, []byte(text)))
		if got := codecOf("secret").Encode(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ", now); got != want {
			t.Errorf("%s\n got %s\nwant %s", name, got, want)
		}
	}
}

// TestNewID checks that ids differ and are safe at the beginning of a key.
func TestNewID(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		id := NewID()
		if seen[id] || len(id) != idBytes || strings.Trim(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") != "" {
			t.Fatalf("%q", id)
		}
		seen[id] = true
	}
}

// FuzzDecode accepts only what Encode returns.
func FuzzDecode(f *testing.F) {
	codec := codecOf("secret")
	f.Add(codec.Encode(plain, NewID(), now))
	f.Add(codec.Encode(secure, NewID(), now))
	f.Add("a.1.b")
	f.Fuzz(func(t *testing.T, value string) {
		for _, name := range []string{plain, secure} {
			id, ok := codec.Decode(name, value, now)
			if !ok {
				continue
			}
			expiry := strings.Split(value, ".")[1]
			seconds, err := time.ParseDuration(expiry + "s")
			if err != nil || value != codec.Encode(name, id, time.Unix(0, 0).Add(seconds-Lifetime)) {
				t.Errorf("%q was accepted", value)
			}
		}
	})
}
