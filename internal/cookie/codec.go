// Package cookie gives each browser an owner id without a login and without storing anything.
// The id is random. The cookie holds the id, its expiry and an HMAC over both, so every server with the same
// settings accepts it and nobody can forge one. Each HMAC key is derived from a secret by HKDF for this purpose alone.
// Whoever holds the cookie is the owner: it protects uploads from other browsers, not from another person at the same
// browser.
// The package does no I/O and reads no clock: time is an argument; NewID draws from crypto/rand.
package cookie

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"s3-sign-srv/internal/sign"
)

// Lifetime is how long a cookie is valid after it was last renewed.
const Lifetime = 30 * 24 * time.Hour

const (
	purpose = "s3-sign-srv visitor cookie 1"
	idBytes = 26 // of rand.Text: 130 bits in base32
	maxLen  = 128
)

// HostPrefix begins the name of a cookie that browsers accept only over HTTPS, from the host itself (RFC 6265bis,
// 4.1.3.2). A value for such a name is invalid under any other: a site of the same domain can set a cookie for this
// host, but not under a name with the prefix.
const HostPrefix = "__Host-"

// Codec encodes and decodes cookie values. It is safe for concurrent use.
type Codec struct{ keys atomic.Pointer[[]sign.Secret] }

// NewCodec returns a Codec that encodes with the first secret and decodes with each of them.
func NewCodec(secrets ...sign.Secret) *Codec {
	c := new(Codec)
	c.SetSecrets(secrets...)
	return c
}

// SetSecrets replaces the secrets.
func (c *Codec) SetSecrets(secrets ...sign.Secret) {
	var keys []sign.Secret
	for _, secret := range secrets {
		key, err := hkdf.Key(sha256.New, []byte(secret.Reveal()), nil, purpose, sha256.Size)
		if err != nil {
			panic("cookie: " + err.Error()) // only a length above 255 hashes can fail
		}
		keys = append(keys, sign.NewSecret(string(key)))
	}
	c.keys.Store(&keys)
}

// NewID returns a random owner id.
func NewID() string { return rand.Text() }

// Encode returns the value of the cookie with that name for id, valid for Lifetime from now.
func (c *Codec) Encode(name, id string, now time.Time) string {
	signed := id + "." + strconv.FormatInt(now.Add(Lifetime).Unix(), 10)
	return signed + "." + mac((*c.keys.Load())[0], name, signed)
}

// Decode returns the id in the value of the cookie with that name; ok is false if the value is forged or has expired at
// now.
func (c *Codec) Decode(name, value string, now time.Time) (id string, ok bool) {
	i := strings.LastIndexByte(value, '.')
	if len(value) > maxLen || i < 0 || !c.isSigned(name, value[:i], value[i+1:]) {
		return "", false
	}
	id, expiry, _ := strings.Cut(value[:i], ".")
	seconds, err := strconv.ParseInt(expiry, 10, 64)
	return id, err == nil && len(id) == idBytes && now.Unix() < seconds
}

func (c *Codec) isSigned(name, signed, signature string) bool {
	return slices.ContainsFunc(*c.keys.Load(), func(key sign.Secret) bool {
		return hmac.Equal([]byte(mac(key, name, signed)), []byte(signature)) // in constant time
	})
}

// mac returns the signature. Names without the prefix sign the value alone, as in older releases, so that old cookies
// stay valid. No id is as long as a name with it, so the two forms cannot be confused.
func mac(key sign.Secret, name, signed string) string {
	h := hmac.New(sha256.New, []byte(key.Reveal()))
	if strings.HasPrefix(name, HostPrefix) {
		h.Write([]byte(name + "="))
	}
	h.Write([]byte(signed))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}
