package sign

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"s3-sign-srv/internal/apierror"
)

// policyDocument is a POST policy (AWS "Creating a POST policy").
type policyDocument struct {
	Expiration string      `json:"expiration"`
	Conditions []condition `json:"conditions"`
}

// condition is {"name":"value"}, ["eq","$name","value"] or ["content-length-range",min,max]. No other form can be
// decoded, and so no starts-with.
type condition struct {
	name, value string
	size        *SizeRange
}

const sizeRange = "content-length-range"

var errCondition = errors.New("a condition has no known form")

// decodePolicy decodes a document. The decoder rejects unknown and duplicate members, names in another case, invalid
// UTF-8 and trailing data.
func decodePolicy(document []byte) (policyDocument, error) {
	var doc policyDocument
	if hasUnusualEscape(document) {
		return doc, malformed("The policy document contains an unpaired surrogate, or an escape that JSON.stringify does " +
			"not write; set objectProperties.key so that it does not cut a name within a character, " +
			"and use an unmodified Fine Uploader.")
	}
	if err := json.Unmarshal(document, &doc, json.RejectUnknownMembers(true)); err != nil {
		return doc, decodeError(err)
	}
	return doc, nil
}

// hasUnusualEscape reports whether a JSON document has an escape that JSON.stringify would not write (ECMA-262,
// QuoteJSONString). A policy is signed as it came, and another parser may decode such an escape differently: radosgw
// 16.2.15 decodes "\ud83d\ude00" into six bytes that are not UTF-8, a key that it can then neither list nor delete.
func hasUnusualEscape(document []byte) bool {
	for {
		_, escape, found := bytes.Cut(document, []byte{'\\'})
		isControl := bytes.HasPrefix(escape, []byte("u000")) || bytes.HasPrefix(escape, []byte("u001"))
		switch {
		case !found:
			return false
		case len(escape) > 0 && strings.IndexByte(`"\bfnrt`, escape[0]) >= 0:
			document = escape[1:]
		case isControl && len(escape) >= 5 && strings.IndexByte(digits+"abcdef", escape[4]) >= 0:
			document = escape[5:]
		default:
			return true
		}
	}
}

// decodeError describes an error of the decoder. Its own text, which contains names and places but no value, goes to
// the log.
func decodeError(err error) *apierror.Error {
	text := "The policy document is not one that Fine Uploader writes; use an unmodified Fine Uploader."
	var syntax *jsontext.SyntacticError
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		text = "The policy document has a name twice in one object; use an unmodified Fine Uploader."
	case errors.Is(err, json.ErrUnknownName):
		text = "The body has a member that neither a policy document nor {\"headers\":\"…\"} has; " +
			"use an unmodified Fine Uploader."
	case errors.Is(err, errCondition):
		text = "The policy has a condition that is neither {\"name\":\"value\"} nor [\"eq\",\"$name\",\"value\"] " +
			"nor [\"content-length-range\",min,max]; use an unmodified Fine Uploader."
	case errors.As(err, &syntax):
		text = "The body is not complete JSON in UTF-8; use an unmodified Fine Uploader."
	}
	return malformed(text).WithDetail(err.Error(), "a policy document")
}

// UnmarshalJSONFrom decodes one condition.
func (c *condition) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	open, err := dec.ReadToken()
	if err != nil {
		return err
	}
	isObject := open.Kind() == '{'
	if !isObject && open.Kind() != '[' {
		return errCondition
	}
	var parts []part
	for {
		token, err := dec.ReadToken()
		if err != nil {
			return err
		}
		switch kind := token.Kind(); {
		case kind == '}' || kind == ']': // of this condition: nested ones are rejected when they open
			return c.set(isObject, parts)
		case len(parts) == 3 || kind != '"' && kind != '0':
			return errCondition
		default:
			parts = append(parts, part{token.String(), kind == '"'})
		}
	}
}

// part is a string or a number in a condition.
type part struct {
	text     string
	isString bool
}

// set takes the one member of an object, or the three elements of an array.
func (c *condition) set(isObject bool, parts []part) error {
	isArray := !isObject && len(parts) == 3
	switch {
	case isObject && len(parts) == 2 && parts[1].isString && parts[0].text != sizeRange:
		c.name, c.value = parts[0].text, parts[1].text
		return nil
	case isArray && parts[0] == part{sizeRange, true}:
		low, ok := parseSize(parts[1].text)
		high, ok2 := parseSize(parts[2].text)
		if !ok || !ok2 {
			return errCondition
		}
		c.name, c.size = sizeRange, &SizeRange{low, high}
		return nil
	case isArray && parts[0] == part{"eq", true} && parts[1].isString && parts[2].isString:
		name, ok := strings.CutPrefix(parts[1].text, "$")
		if !ok || name == sizeRange {
			return errCondition
		}
		c.name, c.value = name, parts[2].text
		return nil
	}
	return errCondition
}

// parseSize parses a number of bytes, which Fine Uploader writes as a string and AWS's examples as a number.
func parseSize(text string) (int64, bool) {
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil && n >= 0 && strconv.FormatInt(n, 10) == text
}

// describe describes the document for the log.
func (doc policyDocument) describe(v Version) string {
	values := map[string]string{}
	for _, c := range doc.Conditions {
		values[strings.ToLower(c.name)] = c.value
	}
	return fmt.Sprintf("version %d, POST of %.300s to %.100s, until %.40s",
		v, values["key"], values["bucket"], doc.Expiration)
}
