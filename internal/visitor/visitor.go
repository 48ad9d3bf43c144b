// Package visitor gives each browser an owner id without a login and without storing anything.
// The id is random; a cookie holds it with its expiry and an HMAC over both, so every server with the
// same settings accepts it and none can be made up. The HMAC's key is derived from the S3 secret key by
// HKDF for this purpose alone; to change the secret ends all cookies. Whoever has the cookie is the
// visitor: it protects uploads from other browsers, not from another person at the same one.
// The package does no I/O and reads no clock: time is an argument; New draws from crypto/rand.
package visitor

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

// Lifetime is how long a cookie is good for after it was last renewed.
const Lifetime = 30 * 24 * time.Hour

const (
	purpose = "s3-sign-srv visitor cookie 1"
	idBytes = 26 // of rand.Text: 130 bits in base32
	maxLen  = 128
)

// Keeper makes and reads cookie values. It is safe for concurrent use.
type Keeper struct{ key sign.Secret }

// NewKeeper derives its key from the secret S3 key.
func NewKeeper(secret sign.Secret) *Keeper {
	key, err := hkdf.Key(sha256.New, []byte(secret.Reveal()), nil, purpose, sha256.Size)
	if err != nil {
		panic("visitor: " + err.Error()) // only a length above 255 hashes can fail
	}
	return &Keeper{sign.NewSecret(string(key))}
}

// New returns a fresh id.
func (k *Keeper) New() string { return rand.Text() }

// Value returns the cookie value for id, good for Lifetime from now.
func (k *Keeper) Value(id string, now time.Time) string {
	signed := id + "." + strconv.FormatInt(now.Add(Lifetime).Unix(), 10)
	return signed + "." + k.mac(signed)
}

// Read returns the id in a cookie value, if we made it and it has not expired at now.
func (k *Keeper) Read(value string, now time.Time) (id string, ok bool) {
	if len(value) > maxLen {
		return "", false
	}
	i := strings.LastIndexByte(value, '.')
	if i < 0 || !hmac.Equal([]byte(k.mac(value[:i])), []byte(value[i+1:])) { // in constant time
		return "", false
	}
	id, expiry, _ := strings.Cut(value[:i], ".")
	seconds, err := strconv.ParseInt(expiry, 10, 64)
	return id, err == nil && len(id) == idBytes && now.Unix() < seconds
}

func (k *Keeper) mac(signed string) string {
	h := hmac.New(sha256.New, []byte(k.key.Reveal()))
	h.Write([]byte(signed))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}
