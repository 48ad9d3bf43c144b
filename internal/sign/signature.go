package sign

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"strings"
)

// signatureV2 returns base64(HMAC-SHA1(secret, text)), for strings to sign and policies alike.
func signatureV2(secret, text string) string {
	return base64.StdEncoding.EncodeToString(hmacOf(sha1.New, []byte(secret), text))
}

// signatureV4 returns hex(HMAC-SHA256(key, text)).
func signatureV4(key []byte, text string) string {
	return hex.EncodeToString(hmacOf(sha256.New, key, text))
}

// deriveKey derives the signing key of a day and region (AWS "Create a signed AWS API request", step 4).
func deriveKey(secret, day, region string) []byte {
	key := hmacOf(sha256.New, []byte("AWS4"+secret), day)
	key = hmacOf(sha256.New, key, region)
	key = hmacOf(sha256.New, key, "s3")
	return hmacOf(sha256.New, key, "aws4_request")
}

// hashCanonicalRequest replaces the canonical request, which follows the third line of text, by its SHA-256. Fine
// Uploader sends it in place of the hash, so that the server can see what it signs.
func hashCanonicalRequest(text string) string {
	lines := strings.SplitN(text, "\n", 4)
	digest := sha256.Sum256([]byte(lines[3]))
	lines[3] = hex.EncodeToString(digest[:])
	return strings.Join(lines, "\n")
}

func hmacOf(newHash func() hash.Hash, key []byte, text string) []byte {
	mac := hmac.New(newHash, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}
