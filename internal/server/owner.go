package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"s3-sign-srv/internal/hooks"
	"s3-sign-srv/internal/sign"
	"s3-sign-srv/internal/visitor"
)

// maxOwner leaves at least half of a key to the file, in bytes.
const maxOwner = 512

// identify returns who is calling: an owner that is safe as the beginning of a key, or nothing for a
// stranger where OwnUploadsOnly lets strangers in.
func (s *server) identify(ctx context.Context, r *http.Request) (string, error) {
	owner, err := s.Hooks.Identify(ctx, r)
	switch {
	case errors.Is(err, hooks.ErrStranger) && !s.OwnUploadsOnly:
		return "", nil
	case errors.Is(err, hooks.ErrStranger):
		return "", stranger
	case err != nil:
		return "", err
	case s.OwnUploadsOnly && !isSafeOwner(owner):
		return "", fmt.Errorf("the hook Identify returned the owner %q, which cannot begin a key", owner)
	}
	return owner, nil
}

// ownerNow asks the hook Identify alone.
func (s *server) ownerNow(r *http.Request) (string, error) {
	var owner string // a hook that hangs may write to it later: it is read only without an error
	err := s.asking(r.Context(), func(ctx context.Context) (err error) {
		owner, err = s.identify(ctx, r)
		return err
	})
	if err != nil {
		return "", err
	}
	return owner, nil
}

// isSafeOwner reports whether owner and a slash can stand in front of a key: whole segments, none
// empty, nothing that a browser or a store would resolve.
func isSafeOwner(owner string) bool {
	return sign.CheckKey(owner) == nil && len(owner) <= maxOwner && !strings.HasSuffix(owner, "/") && !strings.Contains(owner, "//")
}

// checkOwn refuses a key that is not below owner, by whole segments: "user/1" does not own "user/12/x".
func (s *server) checkOwn(owner, key string) error {
	if s.OwnUploadsOnly && (!strings.HasPrefix(key, owner+"/") || len(key) == len(owner)+1) {
		return notYours
	}
	return nil
}

// welcome identifies a browser that asks for its configuration or its owner, and gives it a cookie if it
// has none, or a new lease of the one it has. The page itself gives none: who follows a link to it from
// another site comes without the SameSite=Strict cookie, and a new one would make an old visitor a
// stranger. What the page then asks for is asked from this site, with the cookie.
func (s *server) welcome(w http.ResponseWriter, r *http.Request) (string, error) {
	s.allowOrigin(w, r)
	owner, err := s.ownerNow(r)
	if !s.OwnUploadsOnly {
		return owner, err
	}
	if err == stranger && !s.mayMeet(r) {
		return "", stranger
	}
	if err == stranger {
		owner = s.Visitors.New()
	} else if err != nil {
		return "", err
	} else if id, err := hooks.CookieOwner(s.Visitors, r, s.Now()); err != nil || id != owner {
		return owner, nil // somebody with a login needs no cookie of ours
	}
	http.SetCookie(w, s.cookie(r, owner))
	return owner, nil
}

// mayMeet reports whether a stranger gets a cookie with the answer to r: not for following a link, nor for
// what another site's page embeds, since an old visitor comes there without a cookie, too.
func (s *server) mayMeet(r *http.Request) bool {
	return r.Header.Get("Sec-Fetch-Mode") != "navigate" &&
		(r.Header.Get("Sec-Fetch-Site") != "cross-site" || slices.Contains(s.AllowedOrigins, r.Header.Get("Origin")))
}

// cookie is SameSite=Strict, except for a page of a site that AllowedOrigins names.
func (s *server) cookie(r *http.Request, owner string) *http.Cookie {
	c := &http.Cookie{
		Name: hooks.Cookie, Value: s.Visitors.Value(owner, s.Now()), Path: "/",
		MaxAge: int(visitor.Lifetime.Seconds()), HttpOnly: true, Secure: s.isHTTPS(r), SameSite: http.SameSiteStrictMode,
	}
	if slices.Contains(s.AllowedOrigins, r.Header.Get("Origin")) {
		c.Name, c.Secure, c.SameSite = hooks.CrossSiteCookie, true, http.SameSiteNoneMode
		c.Partitioned = true // browsers that block third-party cookies keep those for one embedding site each
	}
	return c
}

// isHTTPS reports whether the browser came over HTTPS: to us, or to a trusted proxy that says so.
func (s *server) isHTTPS(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	address, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && r.Header.Get("X-Forwarded-Proto") == "https" &&
		slices.ContainsFunc(s.TrustedProxies, func(p string) bool {
			prefix, err := netip.ParsePrefix(p)
			return err == nil && prefix.Contains(address.Addr().Unmap())
		})
}

// ownerOf answers GET /s3/owner, for a client configuration made by hand: its key function asks.
func (s *server) ownerOf(w http.ResponseWriter, r *http.Request) {
	owner, err := s.welcome(w, r)
	s.reply(w, r, map[string]string{"owner": owner}, err)
}
