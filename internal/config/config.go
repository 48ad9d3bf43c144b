// Package config reads the server's settings from environment variables: the names of the original Flask server and
// some more. Settings lists them. Load reports all mistakes at once, one line each, beginning with the variable's name.
// The package opens no file but those that hold the value of a setting.
package config

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"strings"
	"time"

	"s3-sign-srv/internal/sign"
)

// Config is the checked configuration.
type Config struct {
	Host, Port string // where to listen; port "0" is any free one
	HTTPS      bool
	CertFile   string // PEM files, set with HTTPS
	KeyFile    string

	Sign             sign.Config
	SignatureVersion sign.Version // of the page; with 2, the server does not sign version 4

	OwnUploadsOnly bool          // every key must begin with its caller's owner and a slash
	CookieSecrets  []sign.Secret // the first signs owner cookies; all of them and Sign.SecretKey verify

	Database         sign.Secret // of the ledger, sqlite:PATH or postgres://…; empty: there is no ledger
	DatabaseRequired bool        // sign nothing while it does not respond
	ExpectedOnly     bool        // sign only for expected files

	EventsURL     *url.URL      // receives the events of the ledger; nil: none are kept
	EventsSecrets []sign.Secret // each event is signed with all of them

	VerifySuccess bool // ask the store whether a reported upload exists
	AllowDelete   bool
	ServePage     bool

	AllowedOrigins []string // scheme://host[:port]
	Rate           float64  // requests per second and client address, for each of the two limiters; 0: no limit
	TrustedProxies []string // address prefixes

	MetricsAddress string        // host:port; empty: no metrics
	HooksURL       *url.URL      // the application that decides about uploads; nil: none
	HooksSecrets   []sign.Secret // whsec_BASE64; set with HooksURL
	ShutdownDelay  time.Duration // from the signal to the end of listening

	LogLevel  slog.Level
	LogJSON   bool
	AccessLog bool // log every request

	Warnings []string // what the operator should know, one sentence each

	sessionToken bool // AWS_SESSION_TOKEN is set
	threaded     bool
}

// Address returns host:port to listen on.
func (c Config) Address() string { return net.JoinHostPort(c.Host, c.Port) }

// Load reads the variables that getenv knows. The error lists every mistake, one line each.
func Load(getenv func(string) string) (Config, error) {
	var c Config
	var errs []error
	for _, s := range Settings() {
		value, err := s.read(getenv)
		if err == nil {
			err = checkText(value)
		}
		if err == nil && s.parse != nil && (value != "" || s.Required) {
			err = s.parse(&c, value)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s %w", s.Name, err))
		}
	}
	addressing := getenv("P3S3F_ADDRESSING")
	if addressing == "" {
		c.Sign.VirtualHosted = isVirtualByDefault(c.Sign)
	}
	errs = append(errs, checkSwappedKeys(c.Sign), checkOldKeys(c.Sign), checkAddress(&c.Sign, addressing),
		checkHooks(getenv), checkEvents(c))
	errs = append(errs, checkCertificate(&c)...)
	if c.ExpectedOnly && c.Database.Reveal() == "" {
		errs = append(errs, errors.New("P3S3F_EXPECTED_ONLY is 1, but P3S3F_DATABASE is not set; set both, or neither"))
	}
	c.Warnings = warnings(c)
	return c, errors.Join(errs...)
}

// Names are the variables of Settings.
func Names() (names []string) {
	for _, s := range Settings() {
		names = append(names, s.Name)
		if s.File {
			names = append(names, s.fileVariable())
		}
	}
	return names
}

func (s Setting) fileVariable() string { return s.Name + "_FILE" }

// read returns the value of the variable, of the file that NAME_FILE names without line ends behind it, or the default.
func (s Setting) read(getenv func(string) string) (string, error) {
	value, file := getenv(s.Name), ""
	if s.File {
		file = getenv(s.fileVariable())
	}
	switch {
	case file == "":
		return cmp.Or(value, s.Default), nil
	case value != "":
		return "", fmt.Errorf("and %s are both set; remove one of them", s.fileVariable())
	}
	content, err := os.ReadFile(file)
	if err != nil {
		const text = "cannot be read: %s is %s (%w); set it to a file that the server may read"
		return "", fmt.Errorf(text, s.fileVariable(), file, errors.Unwrap(err))
	}
	value = strings.TrimRight(string(content), "\r\n")
	if value == "" {
		return "", fmt.Errorf("is empty: %s is %s, which has no text; write the value into it", s.fileVariable(), file)
	}
	return value, nil
}

// isVirtualByDefault is true for AWS and its private links, unless dots in the bucket's name would break its
// certificate, or browsers would change capitals. Path style, which needs no DNS entry, is for everything else.
func isVirtualByDefault(cfg sign.Config) bool {
	return cfg.Endpoint != nil && cfg.AWSDomain() != "" && !strings.Contains(cfg.Bucket, ".") && !hasCapitals(cfg.Bucket)
}

func hasCapitals(bucket string) bool { return strings.ToLower(bucket) != bucket }

// awsAccessKey is the form of AWS's access keys (IAM, "Unique identifiers").
var awsAccessKey = regexp.MustCompile(`^(AKIA|ASIA)[A-Z0-9]{16}$`)

// checkSwappedKeys rejects an access key that must be the secret key, which every page would receive. Only secret keys
// have characters of base64.
func checkSwappedKeys(cfg sign.Config) error {
	if strings.ContainsAny(cfg.AccessKey, "/+=") {
		return errors.New("AWS_CLIENT_ACCESS_KEY has characters of a secret key; exchange it with " +
			"AWS_CLIENT_SECRET_KEY if the two are swapped, else use a pair whose access key has no /, + or =")
	}
	if awsAccessKey.MatchString(cfg.SecretKey.Reveal()) {
		return errors.New("AWS_CLIENT_SECRET_KEY has the form of an access key; exchange it with AWS_CLIENT_ACCESS_KEY")
	}
	return nil
}

// checkOldKeys wants both keys of the former pair, and another pair than the current one.
func checkOldKeys(cfg sign.Config) error {
	hasAccess, hasSecret := cfg.Old.AccessKey != "", cfg.Old.SecretKey.Reveal() != ""
	switch {
	case hasAccess && !hasSecret:
		return errors.New("AWS_CLIENT_OLD_SECRET_KEY is not set; AWS_CLIENT_OLD_ACCESS_KEY needs it, or remove both")
	case hasSecret && !hasAccess:
		return errors.New("AWS_CLIENT_OLD_ACCESS_KEY is not set; AWS_CLIENT_OLD_SECRET_KEY needs it, or remove both")
	case hasAccess && cfg.Old.AccessKey == cfg.AccessKey:
		return errors.New("AWS_CLIENT_OLD_ACCESS_KEY is the same as AWS_CLIENT_ACCESS_KEY; set it to the former access key")
	}
	return nil
}

// checkAddress looks at endpoint, bucket and P3S3F_ADDRESSING together. It removes an endpoint that is wrong.
func checkAddress(cfg *sign.Config, addressing string) error {
	endpoint := cfg.Endpoint
	if endpoint == nil {
		return nil
	}
	bare, found := strings.CutPrefix(endpoint.Host, strings.ToLower(cfg.Bucket)+".")
	if found && cfg.Bucket != "" && addressing != "path" {
		cfg.Endpoint = nil
		return fmt.Errorf("AWS_ENDPOINT begins with the bucket's name; set it to %s://%s, or set P3S3F_ADDRESSING=path if "+
			"the store's own name begins with it", endpoint.Scheme, bare)
	}
	if cfg.VirtualHosted && hasCapitals(cfg.Bucket) {
		return errors.New("P3S3F_ADDRESSING is virtual, but AWS_DEST_BUCKET has capitals, which browsers write in lower " +
			"case in a host name; set it to path, or use a bucket without capitals")
	}
	if cfg.VirtualHosted && cfg.IsAddress() {
		return errors.New("P3S3F_ADDRESSING is virtual, but AWS_ENDPOINT is an IP address, " +
			"which has no names below it; set it to path, or AWS_ENDPOINT to a name")
	}
	return nil
}

// checkCertificate wants both files with HTTPS, and forgets them without.
func checkCertificate(c *Config) (errs []error) {
	if !c.HTTPS {
		c.CertFile, c.KeyFile = "", ""
		return nil
	}
	for _, file := range []struct{ name, value string }{{"P3S3F_SRV_CRT", c.CertFile}, {"P3S3F_SRV_KEY", c.KeyFile}} {
		if file.value == "" {
			errs = append(errs, fmt.Errorf("%s is not set; P3S3F_USE_HTTPS=1 needs it, or set P3S3F_USE_HTTPS=0", file.name))
		}
	}
	return errs
}

// warnings are about settings that work, but may not be what the operator wants.
func warnings(c Config) (list []string) {
	if c.threaded {
		list = append(list, "P3S3F_THREADED has no effect: this server always answers requests in parallel")
	}
	if set := c.Sign; set.UnsignedPayload && set.Endpoint != nil && (set.OnlyV2 || !set.AllowsUnsignedPayload()) {
		list = append(list, "P3S3F_UNSIGNED_PAYLOAD has no effect: it needs version 4 and a store with https")
	}
	if !c.VerifySuccess && c.Sign.MaxBytes > 0 {
		list = append(list, "P3S3F_VERIFY_SUCCESS is 0, so nothing checks the real size of a chunked upload: "+
			"only honest clients respect P3S3F_MAX_BYTES")
	}
	if !c.VerifySuccess && c.Database.Reveal() != "" {
		list = append(list, "P3S3F_VERIFY_SUCCESS is 0, so nothing compares the sizes of uploads with those of "+
			"expected files")
	}
	// Most secret keys are the longer of the pair, but a store may let its users choose both.
	if access, secret := c.Sign.AccessKey, c.Sign.SecretKey.Reveal(); len(access) > len(secret) && secret != "" &&
		!strings.HasPrefix(access, "GOOG") {
		list = append(list, "AWS_CLIENT_ACCESS_KEY is longer than AWS_CLIENT_SECRET_KEY: if the two are swapped, every "+
			"page receives the secret key")
	}
	if c.sessionToken {
		list = append(list, "AWS_SESSION_TOKEN has no effect: uploads cannot send the token of temporary credentials, "+
			"so the key pair must be permanent")
	}
	if !c.OwnUploadsOnly {
		list = append(list, "P3S3F_OWN_UPLOADS_ONLY is not 1: as with the original, any visitor may overwrite, "+
			"complete, abort and delete every object in the bucket")
	}
	if c.HooksURL != nil && c.HooksURL.Scheme == "http" && !isLoopback(c.HooksURL) {
		list = append(list, "P3S3F_HOOKS_URL begins with http:// and names another computer: the cookies of visitors, and "+
			"the decisions, can be read and changed on the way; use https://")
	}
	return list
}

// Origin returns the origin of the server's page for a browser on this computer. For an automatic port, it assumes
// 5000.
func (c Config) Origin() string {
	scheme, host, port := "http", c.Host, c.Port
	if c.HTTPS {
		scheme = "https"
	}
	if ip, err := netip.ParseAddr(host); err == nil && (ip.IsLoopback() || ip.IsUnspecified()) {
		host = "localhost"
	}
	if port == "0" {
		port = "5000"
	}
	address := scheme + "://" + net.JoinHostPort(host, port)
	if origin, err := ParseOrigin(address); err == nil {
		return origin
	}
	return address
}
