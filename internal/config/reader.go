package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"s3-sign-srv/internal/sign"
)

// reader reads variables one by one and gathers what is wrong with them.
type reader struct {
	getenv func(string) string
	faults []error
}

func (r *reader) fault(name, format string, args ...any) {
	r.faults = append(r.faults, fmt.Errorf(name+" "+format, args...))
}

func (r *reader) err() error { return errors.Join(r.faults...) }

func (r *reader) text(name, byDefault string) string {
	if v := r.getenv(name); v != "" {
		return v
	}
	return byDefault
}

// flag reads 0 or 1.
func (r *reader) flag(name string, byDefault bool) bool {
	switch v := r.getenv(name); v {
	case "":
		return byDefault
	case "0", "1":
		return v == "1"
	default:
		r.fault(name, "is %q; set it to 0 or 1", v)
		return byDefault
	}
}

// choice reads one of the listed words; without a value it is the first.
func (r *reader) choice(name string, words ...string) string {
	v := r.text(name, words[0])
	if !slices.Contains(words, v) {
		distinct := slices.Compact(slices.Sorted(slices.Values(words)))
		r.fault(name, "is %q; set it to %s", v, strings.Join(distinct, " or "))
	}
	return v
}

func (r *reader) port(name, byDefault string) string {
	v := r.text(name, byDefault)
	if n, err := strconv.Atoi(v); err != nil || n < 0 || n > 65535 {
		r.fault(name, "is %q; set it to a port number, 0 to 65535", v)
	}
	return v
}

func (r *reader) level(name string) slog.Level {
	var level slog.Level
	if v := r.text(name, "info"); level.UnmarshalText([]byte(v)) != nil {
		r.fault(name, "is %q; set it to debug, info, warn or error", v)
	}
	return level
}

// size reads a number of bytes above 0; without a value it is 0.
func (r *reader) size(name string) int64 {
	v := r.getenv(name)
	if v == "" {
		return 0
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil || n <= 0 {
		r.fault(name, "is %q; set it to a whole number of bytes above 0", v)
	}
	return n
}

// key reads an access or secret key; what is wrong with it is said without its value.
func (r *reader) key(name string) string {
	v := r.getenv(name)
	switch {
	case v == "":
		r.fault(name, "is not set; set it to a key of your store")
	case isPlaceholder(v):
		r.fault(name, "still is the placeholder %.4s…; set it to a key of your store", v)
	case strings.TrimSpace(v) != v || strings.ContainsAny(v, "\r\n"):
		r.fault(name, "has white space around it; take it out")
	}
	return v
}

// isPlaceholder knows what p3s3f.env and the documents have in the place of one's own value.
func isPlaceholder(v string) bool {
	shipped := strings.Trim(v, "X") == "" || v == "somebucket" || v == "some.s3.server.ac.uk"
	return shipped || v == "your-bucket" || strings.HasPrefix(v, "YOUR-")
}

// refuseSwappedKeys refuses an access key that may be the secret one, which every visitor would be told.
// Secret keys are the longer of a pair, but for Google's (GOOG…), and may have characters of base64.
func (r *reader) refuseSwappedKeys(access, secret string) {
	if access == "" || secret == "" || isPlaceholder(access) || isPlaceholder(secret) {
		return
	}
	switch {
	case strings.ContainsAny(access, "/+="):
		r.fault("AWS_CLIENT_ACCESS_KEY", "has characters of a secret key; exchange it with AWS_CLIENT_SECRET_KEY if the two are swapped, else take a pair whose access key has no /, + or = in it")
	case len(access) > len(secret) && !strings.HasPrefix(access, "GOOG"):
		r.fault("AWS_CLIENT_ACCESS_KEY", "is longer than AWS_CLIENT_SECRET_KEY; exchange the two if they are swapped, else correct the one that is not whole")
	}
}

// bucketName is the grammar of AWS "Bucket naming rules", and upper case and "_", which Ceph allows.
var bucketName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$`)

func (r *reader) bucket(name string) string {
	v := r.getenv(name)
	switch {
	case v == "":
		r.fault(name, "is not set; set it to the name of the bucket that uploads go to")
	case isPlaceholder(v):
		r.fault(name, "still is the placeholder %s; set it to the name of the bucket that uploads go to", v)
	case !bucketName.MatchString(v) || strings.Contains(v, ".."):
		r.fault(name, "is %q, which cannot be a bucket's name; set it to the bare name, without s3:// or slashes", v)
	}
	return v
}

var regionName = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

func (r *reader) region(name, byDefault string) string {
	v := r.text(name, byDefault)
	if !regionName.MatchString(v) {
		r.fault(name, "is %q, which cannot be a region's name; set it to one such as %s", v, byDefault)
	}
	return v
}

// endpoint reads scheme://host[:port]. It returns nil where that fails.
func (r *reader) endpoint(name, bucket string) *url.URL {
	v := r.getenv(name)
	if v == "" {
		r.fault(name, "is not set; set it to your store's address, such as https://s3.example.org")
		return nil
	}
	u, err := url.Parse(strings.TrimSuffix(v, "/"))
	if err == nil {
		u.Host = strings.ToLower(u.Host)
	}
	switch {
	case strings.Contains(v, "@"): // what stands before it is not shown
		r.fault(name, "has keys in it, or a password; set it to scheme, host and port alone")
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || strings.HasSuffix(u.Host, ":"):
		r.fault(name, "is %q; set it to an address such as https://s3.example.org", v)
	case isPlaceholder(u.Hostname()):
		r.fault(name, "still is the placeholder %s; set it to your store's address", v)
	case !isPort(u.Port()):
		r.fault(name, "has the port %s; set it to one of 1 to 65535, or leave it out", u.Port())
	case u.RawQuery != "" || u.Fragment != "":
		r.fault(name, "has more in it than an address; set it to scheme, host and port alone")
	case u.Path != "":
		r.fault(name, "has a path; set it to %s://%s and name the bucket in AWS_DEST_BUCKET", u.Scheme, u.Host)
	case bucket != "" && strings.HasPrefix(u.Host, strings.ToLower(bucket)+"."):
		r.fault(name, "begins with the bucket's name; set it to %s://%s", u.Scheme, u.Host[len(bucket)+1:])
	default:
		return u
	}
	return nil
}

// isPort accepts a port that can be connected to, or none.
func isPort(port string) bool {
	n, err := strconv.Atoi(port)
	return port == "" || err == nil && 1 <= n && n <= 65535
}

// cannedACLs are AWS's ("Canned ACL") that make sense for an upload.
var cannedACLs = []string{"private", "public-read", "public-read-write", "authenticated-read", "bucket-owner-read", "bucket-owner-full-control"}

// list reads words separated by commas or spaces, each of which must be ok.
func (r *reader) list(name string, ok func(string) bool, hint string) []string {
	words := strings.FieldsFunc(r.getenv(name), func(c rune) bool { return c == ',' || c == ' ' })
	for _, word := range words {
		if !ok(word) {
			r.fault(name, "lists %q; %s", word, hint)
		}
	}
	return words
}

func (r *reader) acls(name string) []string {
	ok := func(acl string) bool { return slices.Contains(cannedACLs, acl) }
	return r.list(name, ok, "it may list "+strings.Join(cannedACLs, ", "))
}

var mediaType = regexp.MustCompile(`^[a-z0-9.+-]+/([a-z0-9.+-]+|\*)$`)

// mediaTypes reads types such as text/plain and image/*.
func (r *reader) mediaTypes(name string) []string {
	return r.list(name, mediaType.MatchString, "it may list types such as text/plain and image/*")
}

// origins reads sites as a browser spells them in Origin.
func (r *reader) origins(name string) []string {
	return r.list(name, IsOrigin, "name each site by scheme, host and port, as https://app.example.org, without a slash at the end and without the scheme's own port")
}

// IsOrigin reports whether s is a site as browsers spell it in the header Origin: in small letters, without
// the port that the scheme has by itself (HTML, "ASCII serialisation of an origin").
func IsOrigin(s string) bool {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || strings.Contains(u.Host, "*") || strings.HasSuffix(u.Host, ":") {
		return false
	}
	own, known := map[string]string{"http": "80", "https": "443"}[u.Scheme]
	return known && u.Port() != own && u.Scheme+"://"+strings.ToLower(u.Host) == s
}

// rate reads a number of requests a second.
func (r *reader) rate(name string) float64 {
	v := r.getenv(name)
	if v == "" {
		return 0
	}
	rate, err := strconv.ParseFloat(v, 64)
	if err != nil || !(rate >= 0.1 && rate <= 1e6) {
		r.fault(name, "is %q; set it to a number of requests a second, 0.1 or more", v)
	}
	return rate
}

// prefixes reads addresses, 10.1.2.3 or ::1, and networks, 10.0.0.0/8, and returns networks.
func (r *reader) prefixes(name string) []string {
	ok := func(entry string) bool { return readPrefix(entry).IsValid() }
	list := r.list(name, ok, "name each proxy by its address or network, as 10.0.0.0/8")
	for i, entry := range list {
		list[i] = readPrefix(entry).String()
	}
	return list
}

// readPrefix returns an invalid prefix where entry is neither an address nor a network.
func readPrefix(entry string) netip.Prefix {
	if address, err := netip.ParseAddr(entry); err == nil {
		address = address.Unmap() // as the connections of an IPv4 proxy are compared
		return netip.PrefixFrom(address, address.BitLen())
	}
	prefix, _ := netip.ParsePrefix(entry)
	return prefix
}

// certificate reads the two files' names, which go with HTTPS and with each other.
func (r *reader) certificate(https bool) (cert, key string) {
	const certName, keyName = "P3S3F_SRV_CRT", "P3S3F_SRV_KEY"
	cert, key = r.getenv(certName), r.getenv(keyName)
	if !https {
		return "", ""
	}
	for _, file := range []struct{ name, value string }{{certName, cert}, {keyName, key}} {
		if file.value == "" {
			r.fault(file.name, "is not set; P3S3F_USE_HTTPS=1 needs it, or set P3S3F_USE_HTTPS=0")
		}
	}
	return cert, key
}

// refuseSessionToken refuses temporary credentials: Fine Uploader takes only a signature from the
// answer, so its uploads could not carry the token, and the store would refuse every one.
func (r *reader) refuseSessionToken() {
	if r.getenv("AWS_SESSION_TOKEN") != "" {
		r.fault("AWS_SESSION_TOKEN", "is set, but uploads cannot carry the token of temporary credentials; unset it and use a lasting key pair")
	}
}

// refuseNamesBelowAddress refuses virtual hosts at an IP address, which has no names below it.
func (r *reader) refuseNamesBelowAddress(cfg sign.Config) {
	if cfg.Endpoint != nil && cfg.VirtualHosted && cfg.IsAddress() {
		r.fault("P3S3F_ADDRESSING", "is virtual, but AWS_ENDPOINT is an IP address, which has no names below it; set it to path, or AWS_ENDPOINT to a name")
	}
}
