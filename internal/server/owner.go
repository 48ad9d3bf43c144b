package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"s3-sign-srv/internal/cookie"
	"s3-sign-srv/internal/hooks"
	"s3-sign-srv/internal/sign"
)

// maxOwner leaves at least half of a key to the file, in bytes.
const maxOwner = 512

// identify returns who is calling: an owner that is safe as the beginning of a key, or nothing for a
// errUnauthenticated where OwnUploadsOnly lets strangers in.
func (s *server) identify(ctx context.Context, r *http.Request) (string, error) {
	owner, err := s.Hooks.Identify(ctx, r)
	switch {
	case errors.Is(err, hooks.ErrUnauthenticated) && !s.OwnUploadsOnly:
		return "", nil
	case errors.Is(err, hooks.ErrUnauthenticated):
		return "", hooks.ErrUnauthenticated
	case err != nil:
		return "", err
	case s.OwnUploadsOnly && !isValidOwner(owner):
		return "", fmt.Errorf("the hook Identify returned the owner %q, which cannot begin a key", owner)
	}
	return owner, nil
}

// callIdentify asks the hook Identify alone.
func (s *server) callIdentify(r *http.Request) (string, error) {
	var owner string // a hook that hangs may write to it later: it is read only without an error
	err := s.callHook(r.Context(), func(ctx context.Context) (err error) {
		owner, err = s.identify(ctx, r)
		return err
	})
	if err != nil {
		return "", err
	}
	return owner, nil
}

// isValidOwner reports whether owner and a slash can stand in front of a key: whole segments, none
// empty, nothing that a browser or a store would resolve.
func isValidOwner(owner string) bool {
	return sign.CheckKey(owner) == nil && len(owner) <= maxOwner && !strings.HasSuffix(owner, "/") && !strings.Contains(owner, "//")
}

// checkOwner refuses a key that is not below owner, by whole segments: "user/1" does not own "user/12/x".
func (s *server) checkOwner(owner, key string) error {
	if s.OwnUploadsOnly && (!strings.HasPrefix(key, owner+"/") || len(key) == len(owner)+1) {
		return errNotOwner
	}
	return nil
}

// ensureCookie identifies a browser that asks for its configuration or its owner, and gives it a cookie if it
// has none, or a new lease of the one it has. The page itself gives none: who follows a link to it from
// another site comes without the SameSite=Strict cookie, and a new one would make an old visitor a
// errUnauthenticated. What the page then asks for is asked from this site, with the cookie.
func (s *server) ensureCookie(w http.ResponseWriter, r *http.Request) (string, error) {
	s.allowOrigin(w, r)
	owner, err := s.callIdentify(r)
	if !s.OwnUploadsOnly {
		return owner, err
	}
	if err == hooks.ErrUnauthenticated && !s.mayIssueCookie(r) {
		return "", hooks.ErrUnauthenticated
	}
	if err == hooks.ErrUnauthenticated {
		owner = cookie.NewID()
	} else if err != nil {
		return "", err
	} else if id, err := hooks.CookieOwner(s.Cookies, r, s.Now()); err != nil || id != owner {
		return owner, nil // somebody with a login needs no cookie of ours
	}
	http.SetCookie(w, s.cookie(r, owner))
	return owner, nil
}

// mayIssueCookie reports whether a stranger gets a cookie with the answer to r: not for following a link, nor for
// what another site's page embeds, since an old visitor comes there without a cookie, too.
func (s *server) mayIssueCookie(r *http.Request) bool {
	return r.Header.Get("Sec-Fetch-Mode") != "navigate" &&
		(r.Header.Get("Sec-Fetch-Site") != "cross-site" || slices.Contains(s.AllowedOrigins, r.Header.Get("Origin")))
}

// cookie is SameSite=Strict, except for a page of a site that AllowedOrigins names.
func (s *server) cookie(r *http.Request, owner string) *http.Cookie {
	c := &http.Cookie{
		Name: hooks.CookieName, Value: s.Cookies.Encode(owner, s.Now()), Path: "/",
		MaxAge: int(cookie.Lifetime.Seconds()), HttpOnly: true, Secure: s.isHTTPS(r), SameSite: http.SameSiteStrictMode,
	}
	if slices.Contains(s.AllowedOrigins, r.Header.Get("Origin")) {
		c.Name, c.Secure, c.SameSite = hooks.CrossSiteCookieName, true, http.SameSiteNoneMode
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

// getOwner answers GET /s3/owner, for a client configuration made by hand: its key function asks.
func (s *server) getOwner(w http.ResponseWriter, r *http.Request) {
	owner, err := s.ensureCookie(w, r)
	s.writeResult(w, r, map[string]string{"owner": owner}, err)
}
