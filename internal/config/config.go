// Package settings reads the server's configuration from environment variables, by the names of the
// original Flask server and some more. Every variable has one reader, and every fault is reported at
// once, by variable name, so that one start shows all there is to mend. Secrets are wrapped on the way
// in. The package opens no file; it only checks what the variables say.
package config

import (
	"log/slog"
	"net"
	"slices"
	"strings"

	"s3-sign-srv/internal/sign"
)

// Config is the checked configuration.
type Config struct {
	Host, Port string // where to listen; port "0" is any free one
	HTTPS      bool
	CertFile   string // PEM files, set with HTTPS
	KeyFile    string

	Sign             sign.Config
	SignatureVersion sign.Version // what the page it serves is told to use; with 2, version 4 is refused

	OwnUploadsOnly bool // every key must begin with its caller's owner and a slash

	VerifySuccess bool // ask the store whether a reported upload is there
	AllowDelete   bool
	ServePage     bool // else the server is an API alone

	AllowedOrigins []string // scheme://host[:port]
	Rate           float64  // signatures and file lists a second for each client address, and as many reports and deletions; 0: no limit
	TrustedProxies []string // address prefixes

	LogLevel slog.Level
	LogJSON  bool

	Warnings []string // what the operator should know, one sentence each
}

// Address returns host:port to listen on.
func (s Config) Address() string { return net.JoinHostPort(s.Host, s.Port) }

// Load checks the variables that getenv knows. The error lists every fault, one line each.
func Load(getenv func(string) string) (Config, error) {
	r := &reader{getenv: getenv}
	s := Config{
		Host:           r.text("P3S3F_HOST_NAME", "127.0.0.1"),
		Port:           r.port("P3S3F_HOST_PORT", "5000"),
		HTTPS:          r.flag("P3S3F_USE_HTTPS", false),
		OwnUploadsOnly: r.flag("P3S3F_OWN_UPLOADS_ONLY", false),
		VerifySuccess:  r.flag("P3S3F_VERIFY_SUCCESS", true),
		AllowDelete:    r.flag("P3S3F_ALLOW_DELETE", true),
		ServePage:      r.flag("P3S3F_SERVE_PAGE", true),
		AllowedOrigins: r.origins("P3S3F_ALLOWED_ORIGINS"),
		Rate:           r.rate("P3S3F_RATE"),
		TrustedProxies: r.prefixes("P3S3F_TRUSTED_PROXIES"),
		LogLevel:       r.level("P3S3F_LOG_LEVEL"),
		LogJSON:        r.choice("P3S3F_LOG_FORMAT", "text", "json") == "json",
		Sign: sign.Config{
			AccessKey:    r.key("AWS_CLIENT_ACCESS_KEY"),
			SecretKey:    sign.NewSecret(r.key("AWS_CLIENT_SECRET_KEY")),
			Bucket:       r.bucket("AWS_DEST_BUCKET"),
			Region:       r.region("AWS_REGION", "us-east-1"),
			ACLs:         r.acls("P3S3F_ALLOWED_ACLS"),
			ContentTypes: r.mediaTypes("P3S3F_ALLOWED_TYPES"),
			MaxBytes:     r.size("P3S3F_MAX_BYTES"),
		},
	}
	r.refuseSwappedKeys(s.Sign.AccessKey, s.Sign.SecretKey.Reveal())
	s.Sign.Endpoint = r.endpoint("AWS_ENDPOINT", s.Sign.Bucket)
	s.Sign.VirtualHosted = r.choice("P3S3F_ADDRESSING", defaultAddressing(s.Sign), "path", "virtual") == "virtual"
	r.refuseNamesBelowAddress(s.Sign)
	s.SignatureVersion = sign.V4
	if r.choice("P3S3F_SIGNATURE_VERSION", "4", "2") == "2" {
		s.SignatureVersion, s.Sign.OnlyV2 = sign.V2, true
	}
	s.CertFile, s.KeyFile = r.certificate(s.HTTPS)
	r.refuseSessionToken()
	if r.flag("P3S3F_THREADED", false) {
		s.Warnings = append(s.Warnings, "P3S3F_THREADED has no effect: this server always answers requests at the same time")
	}
	if !s.VerifySuccess && (s.Sign.MaxBytes > 0 || len(s.Sign.ContentTypes) > 0) {
		s.Warnings = append(s.Warnings, "P3S3F_VERIFY_SUCCESS is 0, so nobody looks at the size and type that a chunked upload really has: P3S3F_MAX_BYTES and P3S3F_ALLOWED_TYPES bind honest clients only")
	}
	if !s.OwnUploadsOnly {
		s.Warnings = append(s.Warnings, "P3S3F_OWN_UPLOADS_ONLY is not 1: as with the original, any visitor may overwrite, complete, abort and delete every object in the bucket")
	}
	return s, r.err()
}

// Names are the variables that Load asks for.
func Names() (names []string) {
	Load(func(name string) string {
		names = append(names, name)
		return ""
	})
	slices.Sort(names)
	return slices.Compact(names)
}

// defaultAddressing is virtual-hosted for AWS and its private links, unless dots in the bucket's name would break its
// certificate, and path-style, which needs no DNS entry, for everything else.
func defaultAddressing(cfg sign.Config) string {
	if cfg.Endpoint != nil && cfg.AWSDomain() != "" && !strings.Contains(cfg.Bucket, ".") {
		return "virtual"
	}
	return "path"
}
