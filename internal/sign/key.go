package sign

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// CheckKey rejects an object key that cannot be stored, that a browser would change (it resolves "." and ".."), or
// that could forge a log line.
func CheckKey(key string) error {
	// XML 1.0, in which S3 lists keys, cannot contain U+FFFE and U+FFFF.
	isInvalid := func(c rune) bool { return unicode.IsControl(c) || c == '\ufffe' || c == '\uffff' }
	switch {
	case key == "":
		return malformed("The object key is empty; set objectProperties.key in client_conf.js " +
			"(Uppy: generateObjectKey).")
	case len(key) > MaxKeyBytes:
		return malformed("The object key is longer than the 1024 bytes that S3 allows; " +
			"use a shorter file name or objectProperties.key (Uppy: generateObjectKey).")
	case !utf8.ValidString(key):
		return malformed("The object key is not valid UTF-8; rename the file or set objectProperties.key " +
			"(Uppy: generateObjectKey).")
	case key[0] == '/':
		return malformed("The object key begins with a slash; " +
			"remove it from objectProperties.key, or remove the trailing slash from request.endpoint in client_conf.js " +
			"(Uppy: remove it from generateObjectKey).")
	case strings.ContainsFunc(key, isInvalid):
		return malformed("The object key has a control character in it; rename the file or set objectProperties.key " +
			"(Uppy: generateObjectKey).")
	case hasDotSegment(key):
		return malformed("The object key has a segment \".\" or \"..\", which browsers resolve; " +
			"set another objectProperties.key (Uppy: generateObjectKey).")
	}
	return nil
}

// hasDotSegment reports whether a slash-separated segment of key is "." or "..".
func hasDotSegment(key string) bool {
	for segment := range strings.SplitSeq(key, "/") {
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}

const (
	digits = "0123456789"
	// unreserved are the characters that RFC 3986 leaves unescaped.
	unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" + digits + "-._~"
)

// hasOnly reports whether s consists of characters in chars.
func hasOnly(s, chars string) bool { return strings.Trim(s, chars) == "" }

// escapeKey escapes key as in a canonical request: RFC 3986, slashes kept, hex digits in upper case (AWS "Create a
// canonical request", UriEncode).
func escapeKey(key string) string {
	const upperHex = "0123456789ABCDEF"
	var b strings.Builder
	b.Grow(len(key))
	for i := range len(key) {
		if c := key[i]; c == '/' || strings.IndexByte(unreserved, c) >= 0 {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', upperHex[c>>4], upperHex[c&15]})
		}
	}
	return b.String()
}
