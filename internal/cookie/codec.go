// Package cookie gives each browser an owner id without a login and without storing anything.
// The id is random. The cookie holds the id, its expiry and an HMAC over both, so every server with the same
// settings accepts it and nobody can forge one. The HMAC key is derived from the S3 secret key by HKDF for this
// purpose alone; changing the secret key invalidates all cookies. Whoever holds the cookie is the owner: it protects
// uploads from other browsers, not from another person at the same browser.
// The package does no I/O and reads no clock: time is an argument; NewID draws from crypto/rand.
package cookie

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
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

// Codec encodes and decodes cookie values. It is safe for concurrent use.
type Codec struct{ key sign.Secret }

// NewCodec returns a Codec whose key is derived from the secret S3 key.
func NewCodec(secret sign.Secret) *Codec {
	key, err := hkdf.Key(sha256.New, []byte(secret.Reveal()), nil, purpose, sha256.Size)
	if err != nil {
		panic("cookie: " + err.Error()) // only a length above 255 hashes can fail
	}
	return &Codec{sign.NewSecret(string(key))}
}

// NewID returns a random owner id.
func NewID() string { return rand.Text() }

// Encode returns the cookie value for id, valid for Lifetime from now.
func (c *Codec) Encode(id string, now time.Time) string {
	signed := id + "." + strconv.FormatInt(now.Add(Lifetime).Unix(), 10)
	return signed + "." + c.mac(signed)
}

// Decode returns the id in a cookie value; ok is false if the value is forged or has expired at now.
func (c *Codec) Decode(value string, now time.Time) (id string, ok bool) {
	if len(value) > maxLen {
		return "", false
	}
	i := strings.LastIndexByte(value, '.')
	if i < 0 || !hmac.Equal([]byte(c.mac(value[:i])), []byte(value[i+1:])) { // in constant time
		return "", false
	}
	id, expiry, _ := strings.Cut(value[:i], ".")
	seconds, err := strconv.ParseInt(expiry, 10, 64)
	return id, err == nil && len(id) == idBytes && now.Unix() < seconds
}

func (c *Codec) mac(signed string) string {
	h := hmac.New(sha256.New, []byte(c.key.Reveal()))
	h.Write([]byte(signed))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}
