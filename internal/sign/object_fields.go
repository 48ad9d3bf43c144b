package sign

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// objectFields collects what a client says about the new object: the headers of CreateMultipartUpload, or the
// conditions of a policy that are not part of the protocol.
type objectFields struct {
	signer    *Signer
	acl       string
	metadata  map[string]string
	metaBytes int
	others    map[string]string
}

const metaPrefix = "x-amz-meta-"

// add checks one header or condition by its exact name. Names that are not listed are rejected: x-amz-copy-source,
// x-amz-grant-*, x-amz-website-redirect-location, x-amz-tagging and so on.
func (f *objectFields) add(name, value string) error {
	if strings.HasPrefix(name, metaPrefix) {
		return f.addMetadata(name[len(metaPrefix):], value)
	}
	switch name {
	case "x-amz-storage-class":
		return f.addExact(name, value, "REDUCED_REDUNDANCY", "objectProperties.reducedRedundancy")
	case "x-amz-server-side-encryption":
		return f.addExact(name, value, "AES256", "objectProperties.serverSideEncryption")
	case "x-amz-security-token":
		return forbidden("Temporary credentials (a security token) are not supported; "+
			"remove credentials.sessionToken from client_conf.js.", name, "no token")
	}
	if strings.HasPrefix(name, "x-amz-server-side-encryption-") {
		return forbidden("Encryption with the customer's own key is not supported, because Fine Uploader sends the key "+
			"with the first request only; set objectProperties.serverSideEncryption instead.",
			name, "x-amz-server-side-encryption only")
	}
	return forbidden(fmt.Sprintf("The field %.60q is not part of an upload that this server signs; "+
		"remove it from client_conf.js.", name), name, "a field of an upload")
}

// addACL rejects any ACL that is not allowed. The field is x-amz-acl in a header and acl in a policy; add rejects the
// other name.
func (f *objectFields) addACL(_, acl string) error {
	if acl != "private" && !slices.Contains(f.signer.cfg.ACLs, acl) {
		return forbidden(fmt.Sprintf("The ACL %.60q is not allowed here; set objectProperties.acl to \"private\" in "+
			"client_conf.js (Uppy: acl), or add it to P3S3F_ALLOWED_ACLS.", acl), acl, "private")
	}
	f.acl = acl
	return nil
}

// addExact accepts one value. Another value is not reported: it may be a key.
func (f *objectFields) addExact(name, value, expected, option string) error {
	if value != expected {
		return forbidden(fmt.Sprintf("%s may only be %s; use %s in client_conf.js.", name, expected, option), name, expected)
	}
	f.addOther(name, value)
	return nil
}

func (f *objectFields) addOther(name, value string) {
	if f.others == nil {
		f.others = make(map[string]string)
	}
	f.others[name] = value
}

var lowerCaseEscape = regexp.MustCompile(`%.?[a-f]`)

// addMetadata takes a value that encodeURIComponent has encoded, and keeps it decoded.
func (f *objectFields) addMetadata(name, value string) error {
	if !isHeaderName(name) {
		return malformed("A name in request.params (Uppy: meta) has characters that a header cannot have; " +
			"use letters, digits, '-', '_' and '.'.")
	}
	decoded, err := url.PathUnescape(value)
	isEncoded := err == nil && hasOnly(value, unreserved+"%!'()*") && !lowerCaseEscape.MatchString(value)
	if !isEncoded || !utf8.ValidString(decoded) {
		return malformed("The value of a metadata header is not percent-encoded UTF-8; use an unmodified Fine Uploader.")
	}
	if f.metaBytes += len(name) + len(value); f.metaBytes > maxMetaBytes {
		return malformed("The file's metadata is longer than the 2048 bytes that S3 allows; " +
			"use fewer or shorter request.params (Uppy: meta), or a shorter file name.")
	}
	if f.metadata == nil {
		f.metadata = make(map[string]string)
	}
	f.metadata[name] = decoded
	return nil
}

// setOn sets the fields on r.
func (f *objectFields) setOn(r *Request) {
	r.ACL, r.Metadata, r.Headers = f.acl, f.metadata, f.others
	if r.ACL == "" {
		r.ACL = "private" // S3's default
	}
}

// CheckContentType rejects the type of a stored object if types are configured and it is not one of them.
func (s *Signer) CheckContentType(value string) error {
	if len(s.cfg.ContentTypes) == 0 {
		return nil // another client may have stored it with any type
	}
	return s.checkContentType(value)
}

// checkContentType rejects what is not a media type. If types are configured, it accepts only those, and no empty type.
func (s *Signer) checkContentType(value string) error {
	allowed := s.cfg.ContentTypes
	matches := func(pattern string) bool { return matchType(pattern, value) }
	switch {
	case value != "" && !isMediaType(value):
		return malformed("The content type does not have the form type/subtype; do not set it in client_conf.js.").
			WithDetail(value, "type/subtype")
	case len(allowed) == 0 || slices.ContainsFunc(allowed, matches):
		return nil
	case value == "":
		return forbidden("Files without a type are not accepted here.", "no signed type", strings.Join(allowed, " "))
	}
	return forbidden(fmt.Sprintf("Files of the type %.60q are not accepted here.", value),
		value, strings.Join(allowed, " "))
}

// isMediaType accepts "type/subtype" and printable parameters (RFC 9110, 8.3.1). Browsers look for another type after
// a comma (Fetch, "extract a MIME type"; Chromium runs "text/plain;,text/html"), so no slash may follow one;
// "video/webm;codecs=vp8,opus" has none.
func isMediaType(s string) bool {
	essence, _, _ := strings.Cut(s, ";")
	kind, subtype, ok := strings.Cut(essence, "/")
	_, afterComma, _ := strings.Cut(s, ",")
	return ok && isToken(kind) && isToken(subtype) && isHeaderValue(s) && !strings.Contains(afterComma, "/")
}

// isToken accepts a token (RFC 9110, 5.6.2).
func isToken(s string) bool { return s != "" && hasOnly(s, unreserved+"!#$%&'*+^`|") }

// matchType reports whether value, without its parameters, is pattern, or of the type in "type/*".
func matchType(pattern, value string) bool {
	essence, _, _ := strings.Cut(value, ";")
	essence = strings.ToLower(essence)
	if prefix, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(essence, prefix)
	}
	return essence == pattern
}

// checkMD5 accepts an empty value or the base64 of an MD5 digest.
func checkMD5(value string) error {
	digest, err := base64.StdEncoding.Strict().DecodeString(value)
	if value != "" && (err != nil || len(digest) != 16 || len(value) != 24) {
		return malformed("Content-MD5 is not the base64 of an MD5 digest; remove it from request.params (Uppy: md5).").
			WithDetail(value, "24 characters of base64")
	}
	return nil
}
