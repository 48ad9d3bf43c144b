package hooks

import (
	"errors"
	"net/http"
	"time"

	"s3-sign-srv/internal/visitor"
)

// The two cookies of a browser: one for the page that this server serves, one for the pages of other
// sites that P3S3F_ALLOWED_ORIGINS names, to which a browser sends no SameSite=Strict cookie.
const (
	Cookie          = "s3_sign_srv"
	CrossSiteCookie = "s3_sign_srv_app"
)

// ErrStranger is CookieOwner's word for a browser without a valid cookie. The server gives it one when
// it asks for client_conf.js or /s3/owner, and an empty list at /s3/session; anything else is a 401.
var ErrStranger = errors.New("this browser has no upload cookie")

// CookieOwner returns the owner id in the caller's cookie.
func CookieOwner(visitors *visitor.Keeper, r *http.Request, now time.Time) (string, error) {
	for _, name := range []string{Cookie, CrossSiteCookie} {
		for _, cookie := range r.CookiesNamed(name) {
			if id, ok := visitors.Read(cookie.Value, now); ok {
				return id, nil
			}
		}
	}
	return "", ErrStranger
}
