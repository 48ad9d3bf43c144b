package config

import (
	"log/slog"
	"net/url"
	"time"

	"s3-sign-srv/internal/sign"
)

// Setting is one environment variable.
type Setting struct {
	Name     string
	Default  string // the value without the variable; empty: none
	Meaning  string // one line of Markdown
	Required bool
	Example  string // the value in p3s3f.env
	Shipped  bool   // p3s3f.env sets it, instead of showing it in a comment
	File     bool   // the variable NAME_FILE may name a file with the value, as systemd and Kubernetes provide secrets
	Secret   bool   // the value must not be shown

	// parse reads a value into c, in which the settings above are read already. It is nil for the settings of the
	// shipped hooks.
	parse func(c *Config, value string) error
}

// Settings is every setting there is, in the order of the README. To add one, add a row here and a member to Config,
// and run go test ./internal/config -update.
func Settings() []Setting {
	settings := []Setting{
		{Name: "AWS_CLIENT_ACCESS_KEY", Required: true, Example: "'XXXXXXXXXXXXXXXXXXXX'", Shipped: true, File: true,
			Meaning: "access key that signs uploads; the server also uses it to look up, list and delete objects. " +
				"It is public: every page receives it",
			parse: into(func(c *Config) *string { return &c.Sign.AccessKey }, parseKey)},
		{Name: "AWS_CLIENT_SECRET_KEY", Required: true, Shipped: true, File: true, Secret: true,
			Example: "'XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX'",
			Meaning: "secret key of this access key",
			parse:   into(func(c *Config) *sign.Secret { return &c.Sign.SecretKey }, parseSecret)},
		{Name: "AWS_CLIENT_OLD_ACCESS_KEY", Example: "'XXXXXXXXXXXXXXXXXXXX'", File: true,
			Meaning: "the former access key, which signs for pages that were opened with it",
			parse:   into(func(c *Config) *string { return &c.Sign.Old.AccessKey }, parseKey)},
		{Name: "AWS_CLIENT_OLD_SECRET_KEY", Example: "'XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX'", File: true, Secret: true,
			Meaning: "its secret key",
			parse:   into(func(c *Config) *sign.Secret { return &c.Sign.Old.SecretKey }, parseSecret)},
		{Name: "AWS_DEST_BUCKET", Required: true, Example: "somebucket", Shipped: true,
			Meaning: "the one bucket that receives uploads",
			parse:   into(func(c *Config) *string { return &c.Sign.Bucket }, parseBucket)},
		{Name: "AWS_ENDPOINT", Required: true, Example: "'https://some.s3.server.ac.uk'", Shipped: true,
			Meaning: "address of the store without the bucket, such as `https://s3.example.org`",
			parse:   into(func(c *Config) **url.URL { return &c.Sign.Endpoint }, parseEndpoint)},
		{Name: "AWS_REGION", Default: "us-east-1",
			Meaning: "region in version 4 signatures",
			parse:   into(func(c *Config) *string { return &c.Sign.Region }, parseRegion)},
		{Name: "AWS_SESSION_TOKEN", Secret: true,
			Meaning: "not used: Fine Uploader cannot send the token of temporary credentials; a warning, if set",
			parse:   func(c *Config, _ string) error { c.sessionToken = true; return nil }},
		{Name: "P3S3F_HOST_NAME", Default: "127.0.0.1", Shipped: true,
			Meaning: "address to listen on; `0.0.0.0` for all",
			parse:   func(c *Config, value string) error { c.Host = value; return nil }},
		{Name: "P3S3F_HOST_PORT", Default: "5000", Shipped: true,
			Meaning: "port to listen on; `0` for any free port",
			parse:   into(func(c *Config) *string { return &c.Port }, parsePort)},
		{Name: "P3S3F_THREADED", Example: "0", Shipped: true,
			Meaning: "accepted for compatibility with the original, without effect",
			parse:   into(func(c *Config) *bool { return &c.threaded }, parseFlag)},
		{Name: "P3S3F_USE_HTTPS", Default: "0", Shipped: true,
			Meaning: "`1`: serve HTTPS with the next two files",
			parse:   into(func(c *Config) *bool { return &c.HTTPS }, parseFlag)},
		{Name: "P3S3F_SRV_CRT", Example: "$HOME/ssl_cert/server.crt", Shipped: true,
			Meaning: "PEM file with the certificate, followed by its chain",
			parse:   func(c *Config, value string) error { c.CertFile = value; return nil }},
		{Name: "P3S3F_SRV_KEY", Example: "$HOME/ssl_cert/server.key", Shipped: true,
			Meaning: "PEM file with the private key of the certificate",
			parse:   func(c *Config, value string) error { c.KeyFile = value; return nil }},
		{Name: "P3S3F_ADDRESSING", Default: "path",
			Meaning: "how browsers address the bucket: `path` (`https://HOST/BUCKET`) or `virtual` " +
				"(`https://BUCKET.HOST`), which is the default on AWS",
			parse: func(c *Config, value string) error {
				c.Sign.VirtualHosted = value == "virtual"
				return oneOf(value, "path", "virtual")
			}},
		{Name: "P3S3F_SIGNATURE_VERSION", Default: "4",
			Meaning: "`4`: the page uses version 4, and the server signs both versions. " +
				"`2`: the server signs version 2 only; use it where `doctor` warns at `unsigned headers`",
			parse: func(c *Config, value string) error {
				c.SignatureVersion = sign.V4
				if value == "2" {
					c.SignatureVersion, c.Sign.OnlyV2 = sign.V2, true
				}
				return oneOf(value, "2", "4")
			}},
		{Name: "P3S3F_FORM_UPLOADS", Default: "1",
			Meaning: "`0`: the store accepts no form uploads (POST Object), which Fine Uploader needs; " +
				"Uppy then sends small files with PUT",
			parse: func(c *Config, value string) error {
				accepted, err := parseFlag(value)
				c.Sign.NoForms = !accepted
				return err
			}},
		{Name: "P3S3F_UNSIGNED_PAYLOAD", Default: "0",
			Meaning: "`1`: with version 4 and an `https` store, the page does not hash parts, and the store does not " +
				"check their SHA-256 (see docs/security.md)",
			parse: into(func(c *Config) *bool { return &c.Sign.UnsignedPayload }, parseFlag)},
		{Name: "P3S3F_OWN_UPLOADS_ONLY", Default: "1", Shipped: true,
			Meaning: "`1`: visitors can sign, report, list and delete only keys that begin with their own owner id. " +
				"`0`: all keys, as with the original",
			parse: into(func(c *Config) *bool { return &c.OwnUploadsOnly }, parseFlag)},
		{Name: "P3S3F_COOKIE_SECRET", Example: "'XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX'", File: true, Secret: true,
			Meaning: "secrets (32 characters or more) for visitors' cookies: the first signs, all are accepted. The secret " +
				"key is accepted too, and signs if this is not set",
			parse: into(func(c *Config) *[]sign.Secret { return &c.CookieSecrets }, parseCookieSecrets)},
		{Name: "P3S3F_DATABASE", Example: "'sqlite:/var/lib/s3-sign-srv/ledger.db'", File: true, Secret: true,
			Meaning: "database of the ledger, `sqlite:PATH` or " +
				"`postgres://USER:PASSWORD@HOST:PORT/NAME`; without it there is none",
			parse: into(func(c *Config) *sign.Secret { return &c.Database }, parseDatabase)},
		{Name: "P3S3F_DATABASE_REQUIRED", Default: "1",
			Meaning: "`0`: while the database does not respond, sign the requests of uploads that have begun",
			parse:   into(func(c *Config) *bool { return &c.DatabaseRequired }, parseFlag)},
		{Name: "P3S3F_EXPECTED_ONLY", Default: "0",
			Meaning: "`1`: sign only for files that the ledger expects, also in data sets of which it expects none",
			parse:   into(func(c *Config) *bool { return &c.ExpectedOnly }, parseFlag)},
		{Name: "P3S3F_EVENTS_URL", Example: "'http://127.0.0.1:8000/events'",
			Meaning: "address in your application to which the server posts what the ledger records: docs/ledger.md",
			parse:   into(func(c *Config) **url.URL { return &c.EventsURL }, parseHooksURL)},
		{Name: "P3S3F_EVENTS_SECRET", File: true, Secret: true,
			Example: "'whsec_XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX='",
			Meaning: "secrets with which events are signed, in the form of `P3S3F_HOOKS_SECRET`",
			parse:   into(func(c *Config) *[]sign.Secret { return &c.EventsSecrets }, parseHooksSecrets)},
		{Name: "P3S3F_VERIFY_SUCCESS", Default: "1",
			Meaning: "`0`: do not ask the store whether a reported upload exists",
			parse:   into(func(c *Config) *bool { return &c.VerifySuccess }, parseFlag)},
		{Name: "P3S3F_ALLOW_DELETE", Default: "1",
			Meaning: "`0`: no delete route",
			parse:   into(func(c *Config) *bool { return &c.AllowDelete }, parseFlag)},
		{Name: "P3S3F_SERVE_PAGE", Default: "1",
			Meaning: "`0`: serve the API only, without the page",
			parse:   into(func(c *Config) *bool { return &c.ServePage }, parseFlag)},
		{Name: "P3S3F_ALLOWED_ACLS", Example: "public-read",
			Meaning: "canned ACLs to allow besides `private`",
			parse:   into(func(c *Config) *[]string { return &c.Sign.ACLs }, parseACLs)},
		{Name: "P3S3F_MAX_BYTES", Example: "5000000000000",
			Meaning: "size of the largest file allowed, in bytes",
			parse:   into(func(c *Config) *int64 { return &c.Sign.MaxBytes }, parseSize)},
		{Name: "P3S3F_ALLOWED_TYPES", Example: "'image/*,text/plain'",
			Meaning: "media types to allow, such as `image/*,text/plain`; all if not set",
			parse:   into(func(c *Config) *[]string { return &c.Sign.ContentTypes }, parseMediaTypes)},
		{Name: "P3S3F_ALLOWED_ORIGINS", Example: "'https://app.example.org'",
			Meaning: "other sites whose pages may use this server, such as `https://app.example.org`",
			parse:   into(func(c *Config) *[]string { return &c.AllowedOrigins }, parseOrigins)},
		{Name: "P3S3F_RATE", Example: "20",
			Meaning: "requests per second and client address, averaged over 10 s; signatures and lists count " +
				"separately from success reports and deletions",
			parse: into(func(c *Config) *float64 { return &c.Rate }, parseRate)},
		{Name: "P3S3F_TRUSTED_PROXIES", Example: "127.0.0.1",
			Meaning: "addresses or networks of reverse proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` " +
				"the server trusts",
			parse: into(func(c *Config) *[]string { return &c.TrustedProxies }, parseNetworks)},
		{Name: "P3S3F_METRICS_ADDRESS", Example: "127.0.0.1:9464",
			Meaning: "address and port of a listener for Prometheus, such as `127.0.0.1:9464`; its path is `/metrics`",
			parse:   into(func(c *Config) *string { return &c.MetricsAddress }, parseListenAddress)},
		{Name: "P3S3F_HOOKS_URL", Example: "'http://127.0.0.1:8000/hooks'",
			Meaning: "address in your application, which then decides about uploads: docs/webhooks.md. It receives the " +
				"`Cookie` and `Authorization` headers of visitors",
			parse: into(func(c *Config) **url.URL { return &c.HooksURL }, parseHooksURL)},
		{Name: "P3S3F_HOOKS_SECRET", File: true, Secret: true,
			Example: "'whsec_XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX='",
			Meaning: "secrets shared with this application: `whsec_` and 24 to 64 bytes in base64. Each message is signed " +
				"with all of them",
			parse: into(func(c *Config) *[]sign.Secret { return &c.HooksSecrets }, parseHooksSecrets)},
		{Name: "P3S3F_SHUTDOWN_DELAY", Default: "0",
			Meaning: "seconds for which the server still accepts connections after SIGTERM, while `/readyz` responds " +
				"with 503; for load balancers that check it",
			parse: into(func(c *Config) *time.Duration { return &c.ShutdownDelay }, parseDelay)},
		{Name: "P3S3F_LOG_LEVEL", Default: "info",
			Meaning: "`debug`, `info`, `warn` or `error`",
			parse:   into(func(c *Config) *slog.Level { return &c.LogLevel }, parseLevel)},
		{Name: "P3S3F_LOG_FORMAT", Default: "text",
			Meaning: "`text` or `json`; the log goes to standard error",
			parse: func(c *Config, value string) error {
				c.LogJSON = value == "json"
				return oneOf(value, "json", "text")
			}},
		{Name: "P3S3F_ACCESS_LOG", Default: "0",
			Meaning: "`1`: log every request; without it, rejected and failed requests are logged",
			parse:   into(func(c *Config) *bool { return &c.AccessLog }, parseFlag)},
		{Name: "P3S3F_EXAMPLE_ALLOW_SMALL", Example: "somebucket/5d8a4b3e-94f3-4c1e-8f0e-6a3f2b7c9d10/small_file.txt",
			Meaning: "`bucket/dataset/filename`; if set, the shipped hook allows only this file and the next one"},
		{Name: "P3S3F_EXAMPLE_ALLOW_LARGE", Example: "somebucket/5d8a4b3e-94f3-4c1e-8f0e-6a3f2b7c9d10/large_file.bam",
			Meaning: "the other file that the shipped hook allows"},
	}
	for i, s := range settings {
		if s.File {
			settings[i].Meaning += ". Or `" + s.fileVariable() + "`: a file that has it"
		}
	}
	return settings
}

// into makes a parser of a value one of a setting.
func into[T any](member func(*Config) *T, parse func(string) (T, error)) func(*Config, string) error {
	return func(c *Config, value string) (err error) {
		*member(c), err = parse(value)
		return err
	}
}
