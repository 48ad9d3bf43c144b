package hooks

import (
	"net/http"
	"time"

	"s3-sign-srv/internal/apierror"
	"s3-sign-srv/internal/cookie"
)

// The names of the owner cookie: one for the page of this server, one for pages of the sites in
// P3S3F_ALLOWED_ORIGINS, for which browsers send no SameSite=Strict cookie. Over HTTPS they follow cookie.HostPrefix.
const (
	CookieName          = "s3_sign_srv"
	CrossSiteCookieName = "s3_sign_srv_app"
)

// ErrUnauthenticated is the error of CookieOwner for a browser without a valid cookie. The server issues a
// cookie with client_conf.js and /s3/owner, and sends an empty list for /s3/session; other routes respond with 401.
var ErrUnauthenticated = apierror.New(apierror.Unauthenticated, "This browser is not known here, or its cookie has "+
	"expired; reload the page, with cookies allowed, and try again.")

var errTwoOwners = apierror.New(apierror.Forbidden, "This browser sent the cookies of two owners; another site of "+
	"this domain may have set one. Delete the cookies of this site and its parent domain, then reload.")

// CookieOwner returns the owner id in the caller's cookie. If there is one with cookie.HostPrefix, which only this
// server can have set, those without it are ignored: they are from HTTP, or from before the prefix was used. Two owners
// under one name are an error.
func CookieOwner(codec *cookie.Codec, r *http.Request, now time.Time) (string, error) {
	names := []string{cookie.HostPrefix + CookieName, cookie.HostPrefix + CrossSiteCookieName}
	if len(r.CookiesNamed(names[0])) == 0 && len(r.CookiesNamed(names[1])) == 0 {
		names = []string{CookieName, CrossSiteCookieName}
	}
	for _, name := range names {
		owner := ""
		for _, c := range r.CookiesNamed(name) {
			id, ok := codec.Decode(name, c.Value, now)
			if ok && owner != "" && id != owner {
				return "", errTwoOwners
			}
			if ok {
				owner = id
			}
		}
		if owner != "" {
			return owner, nil
		}
	}
	return "", ErrUnauthenticated
}
