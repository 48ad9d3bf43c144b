package config

import (
	"encoding/base64"
	"errors"
	"net/netip"
	"net/url"
	"strings"

	"s3-sign-srv/internal/sign"
)

// parseHooksURL reads the address of the application's hooks. Its errors do not show it: it may have a password.
func parseHooksURL(value string) (*url.URL, error) {
	u, err := url.Parse(value)
	switch {
	case err != nil || !isWeb(u) || u.Hostname() == "":
		return nil, errors.New("is not a web address; set it to one such as https://app.example.org/hooks")
	case u.User != nil:
		return nil, errors.New("has a user or password in it, which the application would not get; remove it")
	case u.Fragment != "":
		return nil, errors.New("has a fragment, which is never sent; remove it")
	}
	return u, nil
}

// isLoopback reports whether u names this computer.
func isLoopback(u *url.URL) bool {
	host := u.Hostname()
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || err == nil && ip.IsLoopback()
}

// The length of a secret in bytes (Standard Webhooks, "Signature scheme").
const minHooksSecret, maxHooksSecret = 24, 64

// parseHooksSecrets reads secrets in the form of Standard Webhooks. Its errors do not show them.
func parseHooksSecrets(value string) (secrets []sign.Secret, err error) {
	for _, item := range splitList(value) {
		text, hasPrefix := strings.CutPrefix(item, "whsec_")
		key, err := base64.StdEncoding.DecodeString(text)
		if !hasPrefix || err != nil || len(key) < minHooksSecret || len(key) > maxHooksSecret || isPlaceholder(text) {
			return nil, errors.New("has a placeholder, or a secret that is not whsec_ and 24 to 64 bytes in base64; " +
				"set it to whsec_ followed by the output of openssl rand -base64 32")
		}
		secrets = append(secrets, sign.NewSecret(item))
	}
	return secrets, nil
}

// checkHooks wants both settings of the application, or none.
func checkHooks(getenv func(string) string) error {
	address, secret := getenv("P3S3F_HOOKS_URL"), getenv("P3S3F_HOOKS_SECRET")+getenv("P3S3F_HOOKS_SECRET_FILE")
	switch {
	case address != "" && secret == "":
		return errors.New("P3S3F_HOOKS_SECRET is not set, and P3S3F_HOOKS_URL needs it; " +
			"set it to whsec_ followed by the output of openssl rand -base64 32")
	case address == "" && secret != "":
		return errors.New("P3S3F_HOOKS_SECRET has no effect without P3S3F_HOOKS_URL; set both, or neither")
	}
	return nil
}

// checkEvents wants the database and the secret that events need, and no secret without events.
func checkEvents(c Config) error {
	switch {
	case c.EventsURL != nil && c.Database.Reveal() == "":
		return errors.New("P3S3F_DATABASE is not set, and P3S3F_EVENTS_URL needs it; set both, or neither")
	case c.EventsURL != nil && c.EventsSecrets == nil:
		return errors.New("P3S3F_EVENTS_SECRET is not set, and P3S3F_EVENTS_URL needs it; " +
			"set it to whsec_ followed by the output of openssl rand -base64 32")
	case c.EventsURL == nil && c.EventsSecrets != nil:
		return errors.New("P3S3F_EVENTS_SECRET has no effect without P3S3F_EVENTS_URL; set both, or neither")
	}
	return nil
}
