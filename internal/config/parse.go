package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"s3-sign-srv/internal/sign"
)

// checkText rejects shell quotes and values of separators only, which are never valid.
func checkText(value string) error {
	switch {
	case len(value) > 1 && strings.ContainsRune(`'"`, rune(value[0])) && value[len(value)-1] == value[0]:
		return errors.New("has quotes around its value, which bash would remove and Docker's env files keep; remove them")
	case value != "" && len(splitList(value)) == 0: // an empty list would mean "all"
		return errors.New("has only commas or white space; give it a value, or leave it empty")
	}
	return nil
}

// parseFlag reads 0 or 1.
func parseFlag(value string) (bool, error) {
	if value != "0" && value != "1" {
		return false, fmt.Errorf("is %q; set it to 0 or 1", value)
	}
	return value == "1", nil
}

func oneOf(value string, words ...string) error {
	if !slices.Contains(words, value) {
		return fmt.Errorf("is %q; set it to %s", value, strings.Join(words, " or "))
	}
	return nil
}

func parsePort(value string) (string, error) {
	if n, err := strconv.Atoi(value); err != nil || n < 0 || n > 65535 {
		return value, fmt.Errorf("is %q; set it to a port number, 0 to 65535", value)
	}
	return value, nil
}

// parseDelay reads a number of seconds.
func parseDelay(value string) (time.Duration, error) {
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 || n > 300 {
		return 0, fmt.Errorf("is %q; set it to a whole number of seconds, 0 to 300", value)
	}
	return time.Duration(n) * time.Second, nil
}

// parseListenAddress reads host:port. The host must be given, so that nobody listens on all addresses by accident.
func parseListenAddress(value string) (string, error) {
	host, port, err := net.SplitHostPort(value)
	if err == nil {
		_, err = parsePort(port)
	}
	if err != nil || host == "" {
		return value, fmt.Errorf("is %q; set it to an address and a port, as 127.0.0.1:9464 or 0.0.0.0:9464", value)
	}
	return value, nil
}

func parseLevel(value string) (level slog.Level, err error) {
	if level.UnmarshalText([]byte(value)) != nil {
		err = fmt.Errorf("is %q; set it to debug, info, warn or error", value)
	}
	return level, err
}

// parseSize reads a number of bytes above 0.
func parseSize(value string) (int64, error) {
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || n <= 0 {
		return 0, fmt.Errorf("is %q; set it to a whole number of bytes above 0", value)
	}
	return n, nil
}

// parseKey reads an access or secret key. Its errors do not show the value.
func parseKey(value string) (string, error) {
	switch {
	case value == "":
		return "", errors.New("is not set; set it to a key of your store")
	case isPlaceholder(value):
		return value, fmt.Errorf("still is the placeholder %.4s…; set it to a key of your store", value)
	case strings.TrimSpace(value) != value || strings.ContainsAny(value, "\r\n"):
		return value, errors.New("has white space around it; remove it")
	}
	return value, nil
}

func parseSecret(value string) (sign.Secret, error) {
	value, err := parseKey(value)
	return sign.NewSecret(value), err
}

// parseDatabase accepts the two forms of addresses. Its errors do not show the value, which may have a password.
func parseDatabase(value string) (sign.Secret, error) {
	file, isSQLite := strings.CutPrefix(value, "sqlite:")
	isPostgres := strings.HasPrefix(value, "postgres://") || strings.HasPrefix(value, "postgresql://")
	if !isPostgres && (!isSQLite || file == "") {
		return sign.Secret{}, errors.New("is neither sqlite:PATH nor postgres://USER:PASSWORD@HOST:PORT/NAME; " +
			"set it to one of them, or unset it")
	}
	return sign.NewSecret(value), nil
}

// minCookieSecret is the least number of characters of a secret in P3S3F_COOKIE_SECRET: 128 bits in hexadecimal.
const minCookieSecret = 32

// parseCookieSecrets reads secrets, the first of which signs. Its errors do not show them.
func parseCookieSecrets(value string) (secrets []sign.Secret, err error) {
	for _, item := range splitList(value) {
		if len(item) < minCookieSecret || isPlaceholder(item) {
			return nil, fmt.Errorf("has a placeholder or a secret of less than %d characters; "+
				"set it to one from openssl rand -hex 32, followed by a comma and the former one if there is one", minCookieSecret)
		}
		secrets = append(secrets, sign.NewSecret(item))
	}
	return secrets, nil
}

// isPlaceholder knows what p3s3f.env and the documents show instead of the reader's own values.
func isPlaceholder(value string) bool {
	shipped := strings.Trim(value, "X=") == "" || value == "somebucket" || value == "some.s3.server.ac.uk"
	return shipped || value == "your-bucket" || strings.HasPrefix(value, "YOUR-")
}

// bucketName is the grammar of AWS "Bucket naming rules", and upper case and "_", which Ceph allows.
var bucketName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$`)

func parseBucket(value string) (string, error) {
	switch {
	case value == "":
		return "", errors.New("is not set; set it to the name of the bucket that uploads go to")
	case isPlaceholder(value):
		const text = "still is the placeholder %s; set it to the name of the bucket that uploads go to"
		return value, fmt.Errorf(text, value)
	case !bucketName.MatchString(value) || strings.Contains(value, ".."):
		const text = "is %q, which cannot be a bucket's name; set it to the bare name, without s3:// or slashes"
		return value, fmt.Errorf(text, value)
	}
	return value, nil
}

var regionName = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

func parseRegion(value string) (string, error) {
	if !regionName.MatchString(value) {
		return value, fmt.Errorf("is %q, which cannot be a region's name; set it to one such as us-east-1", value)
	}
	return value, nil
}

// parseList reads words separated by commas or white space, each of which parse must accept.
func parseList(value string, parse func(string) (string, bool), hint string) (list []string, err error) {
	var wrong []string
	for _, item := range splitList(value) {
		parsed, ok := parse(item)
		if !ok {
			wrong = append(wrong, strconv.Quote(item[strings.LastIndexByte(item, '@')+1:])) // a password may be before it
		}
		list = append(list, parsed)
	}
	if wrong != nil {
		return nil, fmt.Errorf("lists %s; %s", strings.Join(wrong, " and "), hint)
	}
	return list, nil
}

func splitList(value string) []string {
	return strings.FieldsFunc(value, func(c rune) bool { return c == ',' || unicode.IsSpace(c) })
}

// cannedACLs are AWS's ("Canned ACL") that make sense for an upload.
var cannedACLs = []string{
	"private", "public-read", "public-read-write", "authenticated-read", "bucket-owner-read", "bucket-owner-full-control",
}

func parseACLs(value string) ([]string, error) {
	parse := func(acl string) (string, bool) { return acl, slices.Contains(cannedACLs, acl) }
	return parseList(value, parse, "it may list "+strings.Join(cannedACLs, ", "))
}

var mediaType = regexp.MustCompile(`^[a-z0-9.+-]+/([a-z0-9.+-]+|\*)$`)

// parseMediaTypes reads types such as text/plain and image/*.
func parseMediaTypes(value string) ([]string, error) {
	parse := func(pattern string) (string, bool) { return pattern, mediaType.MatchString(pattern) }
	return parseList(value, parse, "it may list types such as text/plain and image/*")
}

func parseOrigins(value string) ([]string, error) {
	parse := func(item string) (string, bool) {
		origin, err := ParseOrigin(item)
		return origin, err == nil
	}
	return parseList(value, parse, originHint)
}

// parseRate reads a number of requests per second.
func parseRate(value string) (float64, error) {
	rate, err := strconv.ParseFloat(value, 64)
	if err != nil || !(rate >= 0.1 && rate <= 1e6) {
		return 0, fmt.Errorf("is %q; set it to a number of requests per second, 0.1 or more", value)
	}
	return rate, nil
}

// parseNetworks reads addresses, 10.1.2.3 or ::1, and networks, 10.0.0.0/8, and returns networks.
func parseNetworks(value string) ([]string, error) {
	parse := func(item string) (string, bool) {
		if address, err := netip.ParseAddr(item); err == nil {
			address = address.Unmap() // the addresses of IPv4 clients are compared unmapped
			return netip.PrefixFrom(address, address.BitLen()).String(), true
		}
		prefix, err := netip.ParsePrefix(item)
		return prefix.String(), err == nil
	}
	return parseList(value, parse, "name each proxy by its address or network, as 10.0.0.0/8")
}
