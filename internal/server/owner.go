package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"s3-sign-srv/internal/cookie"
	"s3-sign-srv/internal/hooks"
)

// identify calls the hook Identify. The owner can begin a key; it is empty if the caller is not authenticated and
// OwnUploadsOnly is off.
func (s *server) identify(ctx context.Context, r *http.Request) (string, error) {
	owner, err := s.Hooks.Identify(ctx, r)
	switch {
	case errors.Is(err, hooks.ErrUnauthenticated) && !s.OwnUploadsOnly:
		return "", nil
	case err != nil:
		return "", err
	case s.OwnUploadsOnly && !hooks.IsValidOwner(owner):
		return "", fmt.Errorf("the hook Identify returned the owner %q, which cannot begin a key", owner)
	}
	exchangeOf(r.Context()).owner.Store(&owner)
	return owner, nil
}

// callIdentify is identify within the hook timeout.
func (s *server) callIdentify(r *http.Request) (string, error) {
	return callHook(r.Context(), s, func(ctx context.Context) (string, error) { return s.identify(ctx, r) })
}

// checkOwner rejects a key that is not below owner, by whole segments: "user/1" does not own "user/12/x".
func (s *server) checkOwner(owner, key string) error {
	if s.OwnUploadsOnly && (!strings.HasPrefix(key, owner+"/") || len(key) == len(owner)+1) {
		return errNotOwner
	}
	return nil
}

// ensureCookie returns the owner for a browser that requests its configuration or its owner. It issues a cookie if the
// browser has none, and renews the one it has. The page itself issues none: a browser that follows a link from another
// site does not send its SameSite=Strict cookie, and a new cookie would replace the old owner. The requests that the
// page then makes have the cookie.
func (s *server) ensureCookie(w http.ResponseWriter, r *http.Request) (string, error) {
	s.allowOrigin(w, r)
	owner, err := s.callIdentify(r)
	switch {
	case !s.OwnUploadsOnly:
		return owner, err
	case errors.Is(err, hooks.ErrUnauthenticated) && s.mayIssueCookie(r):
		owner = cookie.NewID()
	case err != nil:
		return "", err
	default:
		if id, err := hooks.CookieOwner(s.Cookies, r, s.Now()); err != nil || id != owner {
			return owner, nil // with a login, no cookie of ours is needed
		}
	}
	http.SetCookie(w, s.newCookie(r, owner))
	return owner, nil
}

// mayIssueCookie reports whether an unauthenticated browser gets a cookie with the response to r: not if it follows a
// link, and not for what a page of another site embeds, because then it does not send the cookie that it may have.
func (s *server) mayIssueCookie(r *http.Request) bool {
	return r.Header.Get("Sec-Fetch-Mode") != "navigate" &&
		(r.Header.Get("Sec-Fetch-Site") != "cross-site" || slices.Contains(s.AllowedOrigins, r.Header.Get("Origin")))
}

// newCookie returns a SameSite=Strict cookie, or one for cross-site requests if AllowedOrigins contains the page.
func (s *server) newCookie(r *http.Request, owner string) *http.Cookie {
	c := &http.Cookie{
		Name: hooks.CookieName, Path: "/", MaxAge: int(cookie.Lifetime.Seconds()),
		HttpOnly: true, Secure: s.isHTTPS(r), SameSite: http.SameSiteStrictMode,
	}
	if slices.Contains(s.AllowedOrigins, r.Header.Get("Origin")) {
		c.Name, c.Secure, c.SameSite = hooks.CrossSiteCookieName, true, http.SameSiteNoneMode
		c.Partitioned = true // browsers that block third-party cookies keep those for one embedding site each
	}
	if c.Secure {
		c.Name = cookie.HostPrefix + c.Name
	}
	c.Value = s.Cookies.Encode(c.Name, owner, s.Now())
	return c
}

// getOwner handles GET /s3/owner → {"owner":"…"}, which the key function of a custom client configuration calls.
func (s *server) getOwner(w http.ResponseWriter, r *http.Request) {
	owner, err := s.ensureCookie(w, r)
	s.writeResult(w, r, map[string]string{"owner": owner}, err)
}
