package hooks

import (
	"net/http"
	"time"

	"s3-sign-srv/internal/apierror"
	"s3-sign-srv/internal/cookie"
)

// The names of the owner cookie: one for the page of this server, one for pages of the sites in
// P3S3F_ALLOWED_ORIGINS, for which browsers send no SameSite=Strict cookie.
const (
	CookieName          = "s3_sign_srv"
	CrossSiteCookieName = "s3_sign_srv_app"
)

// ErrUnauthenticated is the error of CookieOwner for a browser without a valid cookie. The server issues a
// cookie with client_conf.js and /s3/owner, and sends an empty list for /s3/session; other routes respond with 401.
var ErrUnauthenticated = apierror.New(apierror.Unauthenticated, "This browser is not known here, or its cookie has "+
	"expired; reload the page, with cookies allowed, and try again.")

// CookieOwner returns the owner id in the caller's cookie.
func CookieOwner(codec *cookie.Codec, r *http.Request, now time.Time) (string, error) {
	for _, name := range []string{CookieName, CrossSiteCookieName} {
		for _, c := range r.CookiesNamed(name) {
			if id, ok := codec.Decode(c.Value, now); ok {
				return id, nil
			}
		}
	}
	return "", ErrUnauthenticated
}
