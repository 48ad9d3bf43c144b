package sign

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"s3-sign-srv/internal/apierror"
)

// CheckKey refuses an object key that could not be stored, would be changed on its way (a browser
// resolves "." and ".."), or would hide in a log.
func CheckKey(key string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	return nil
}

func checkKey(key string) *apierror.Error {
	switch {
	case key == "":
		return malformed("The object key is empty; set objectProperties.key in client_conf.js.")
	case len(key) > MaxKeyBytes:
		return malformed("The object key is longer than the 1024 bytes that S3 allows; use a shorter file name or objectProperties.key.")
	case !utf8.ValidString(key):
		return malformed("The object key is not valid UTF-8; rename the file or set objectProperties.key.")
	case key[0] == '/':
		return malformed("The object key begins with a slash; take the trailing slash off request.endpoint in client_conf.js.")
	case strings.ContainsFunc(key, unicode.IsControl) || strings.ContainsAny(key, "\ufffe\uffff"): // neither can stand in XML 1.0, in which S3 lists keys
		return malformed("The object key has a control character in it; rename the file or set objectProperties.key.")
	case hasDotSegment(key):
		return malformed("The object key has a segment \".\" or \"..\", which browsers resolve; set another objectProperties.key.")
	}
	return nil
}

// hasDotSegment reports whether a slash-separated segment of key is "." or "..".
func hasDotSegment(key string) bool {
	for key != "" {
		var segment string
		segment, key, _ = strings.Cut(key, "/")
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}

const upperHex = "0123456789ABCDEF"

// unreserved reports whether RFC 3986 leaves c bare.
func unreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		c == '-' || c == '.' || c == '_' || c == '~'
}

// appendEscaped appends key as it stands in a canonical request: RFC 3986, slashes kept, hex digits in
// upper case (AWS "Create a canonical request", UriEncode).
func appendEscaped(b []byte, key string) []byte {
	for i := range len(key) {
		if c := key[i]; unreserved(c) || c == '/' {
			b = append(b, c)
		} else {
			b = append(b, '%', upperHex[c>>4], upperHex[c&15])
		}
	}
	return b
}

// unescape decodes percent escapes; ok is false where one is incomplete or not hexadecimal.
func unescape(s string) (decoded string, ok bool) {
	if !strings.Contains(s, "%") {
		return s, true
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			b = append(b, s[i])
			continue
		}
		if i+2 >= len(s) {
			return "", false
		}
		hi, lo := hexDigit(s[i+1]), hexDigit(s[i+2])
		if hi > 15 || lo > 15 {
			return "", false
		}
		b = append(b, hi<<4|lo)
		i += 2
	}
	return string(b), true
}

// hexDigit returns the value of an upper-case hexadecimal digit, 255 for anything else.
func hexDigit(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 255
}
