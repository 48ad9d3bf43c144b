package config

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
)

// appSchemes are those of pages in apps and browser extensions, besides http and https.
var appSchemes = []string{
	"app", "capacitor", "chrome-extension", "ionic", "moz-extension", "safari-web-extension", "tauri",
}

// appHost is a host[:port] of such a page. It has no form that all browsers convert it to.
var appHost = regexp.MustCompile(`^[A-Za-z0-9._-]+(:[0-9]+)?$`)

// originHint says what ParseOrigin accepts.
const originHint = "name each site by scheme, host and port, as https://app.example.org or capacitor://localhost"

// ParseOrigin reads the address of a site, and returns it as browsers write it in the header Origin (HTML, "ASCII
// serialisation of an origin"). The error says what to write.
func ParseOrigin(value string) (string, error) {
	u, err := parseAddress(value)
	if err != nil || !isWeb(u) && !(slices.Contains(appSchemes, u.Scheme) && appHost.MatchString(u.Host)) {
		return "", errors.New(originHint)
	}
	return u.Scheme + "://" + u.Host, nil
}

// parseEndpoint reads the address of a store.
func parseEndpoint(value string) (*url.URL, error) {
	if value == "" {
		return nil, errors.New("is not set; set it to your store's address, such as https://s3.example.org")
	}
	u, err := parseAddress(value)
	switch {
	case err != nil:
		return nil, err
	case !isWeb(u):
		return nil, fmt.Errorf("is %q; set it to an address such as https://s3.example.org", value)
	case isPlaceholder(u.Hostname()):
		return nil, fmt.Errorf("still is the placeholder %s; set it to your store's address", value)
	}
	return u, nil
}

// parseAddress reads scheme://host[:port], perhaps with a slash behind it, and returns it as browsers write it. The
// error continues a sentence that begins with the name of a setting.
func parseAddress(value string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSuffix(value, "/"))
	switch {
	case strings.Contains(value, "@"): // what is before it is not shown
		return nil, errors.New("has keys in it, or a password; use scheme, host and port only")
	case err != nil || u.Scheme == "" || u.Hostname() == "" || strings.HasSuffix(u.Host, ":"):
		return nil, fmt.Errorf("is %q; set it to an address such as https://s3.example.org", value)
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, errors.New("has a query or fragment; use scheme, host and port only")
	case u.Path != "":
		const text = "has a path; set it to %s://%s and name the bucket in AWS_DEST_BUCKET"
		return nil, fmt.Errorf(text, u.Scheme, u.Host)
	}
	if isWeb(u) {
		u.Host, err = browserHost(u)
	}
	return u, err
}

func isWeb(u *url.URL) bool { return u.Scheme == "http" || u.Scheme == "https" }

var (
	// webNames converts as browsers do (URL Standard, "domain to ASCII" with beStrict false).
	webNames = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.CheckHyphens(false), idna.StrictDomainName(false))
	webName  = regexp.MustCompile(`^[a-z0-9_-]+(\.[a-z0-9_-]+)*$`)
	// endsInNumber matches names that browsers read as an IPv4 address: 127.1 is 127.0.0.1.
	endsInNumber = regexp.MustCompile(`(^|\.)([0-9]+|0x[0-9a-f]*)$`)
)

// browserHost returns the host and port of u as browsers write them: a name in lower case, in Punycode and without a
// dot at its end; an IPv6 address in its shortest form; no port if it is the scheme's own.
func browserHost(u *url.URL) (string, error) {
	name, err := webNames.ToASCII(u.Hostname())
	name = strings.TrimSuffix(name, ".")
	if ip, ipErr := netip.ParseAddr(u.Hostname()); ipErr == nil && ip.Zone() == "" && !ip.Is4In6() {
		name = ip.String()
		if ip.Is6() {
			name = "[" + name + "]"
		}
	} else if err != nil || !webName.MatchString(name) || endsInNumber.MatchString(name) {
		return "", fmt.Errorf("has the host %q, which browsers do not accept as a host name or IP address; use a name of "+
			"letters, digits, hyphens and dots, or a complete address such as 127.0.0.1", u.Hostname())
	}
	if u.Port() == "" {
		return name, nil
	}
	port, err := strconv.Atoi(u.Port())
	switch {
	case err != nil || port < 1 || port > 65535:
		return "", fmt.Errorf("has the port %s; set it to one of 1 to 65535, or leave it out", u.Port())
	case u.Scheme == "http" && port == 80 || u.Scheme == "https" && port == 443:
		return name, nil
	}
	return name + ":" + strconv.Itoa(port), nil
}
