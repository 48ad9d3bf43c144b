package sign

import (
	"bytes"
	"strings"
)

// hasUnusualEscape reports whether a JSON document has an escape that JSON.stringify would not write. A policy is
// signed as it came, and another parser may decode such an escape differently: radosgw 16.2.15 decodes "\ud83d\ude00"
// into six bytes that are not UTF-8, a key that it can then neither list nor delete.
func hasUnusualEscape(document []byte) bool {
	for {
		_, escape, found := bytes.Cut(document, []byte{'\\'})
		if !found {
			return false
		}
		length := escapeLength(escape)
		if length == 0 {
			return true
		}
		document = escape[length:]
	}
}

// escapeLength returns how many bytes of s, which follows a backslash, are an escape that JSON.stringify writes
// (ECMA-262, QuoteJSONString); 0 if it is none.
func escapeLength(s []byte) int {
	isControl := bytes.HasPrefix(s, []byte("u000")) || bytes.HasPrefix(s, []byte("u001"))
	switch {
	case len(s) > 0 && strings.IndexByte(`"\bfnrt`, s[0]) >= 0:
		return 1
	case isControl && len(s) >= 5 && strings.IndexByte("0123456789abcdef", s[4]) >= 0:
		return 5
	}
	return 0
}
