package sign

import (
	"bytes"
	"strings"
)

// hasOddEscape reports whether a JSON document has an escape that JSON.stringify would not write for a character. A policy
// is signed as it came, and another reader may take such an escape for another character: radosgw 16.2.15 makes six bytes
// that are no UTF-8 of "\ud83d\ude00", the key of an object that it can neither list nor delete afterwards.
func hasOddEscape(document []byte) bool {
	for {
		_, escape, found := bytes.Cut(document, []byte{'\\'})
		if !found {
			return false
		}
		length := usualEscape(escape)
		if length == 0 {
			return true
		}
		document = escape[length:]
	}
}

// usualEscape returns how many bytes of s, which follows a backslash, are an escape of JSON.stringify's (ECMA-262,
// QuoteJSONString); 0 if it is none.
func usualEscape(s []byte) int {
	switch {
	case len(s) > 0 && strings.IndexByte(`"\bfnrt`, s[0]) >= 0:
		return 1
	case len(s) >= 5 && (bytes.HasPrefix(s, []byte("u000")) || bytes.HasPrefix(s, []byte("u001"))) && strings.IndexByte("0123456789abcdef", s[4]) >= 0:
		return 5
	}
	return 0
}
