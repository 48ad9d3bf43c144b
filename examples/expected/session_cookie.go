package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"

	"s3-sign-srv/internal/hooks"
)

// sessionCookie reads the cookie "session" that the application sets at login. Its value is USER.EXPIRY.MAC,
// where EXPIRY is in seconds since 1970 and MAC is base64url(HMAC-SHA256(secret, "USER.EXPIRY")).
type sessionCookie struct{ secret []byte }

func (s sessionCookie) owner(r *http.Request) (string, error) {
	cookie, err := r.Cookie("session")
	if err != nil {
		return "", hooks.NotLoggedIn("Please log in.")
	}
	i := max(strings.LastIndexByte(cookie.Value, '.'), 0)
	signed, mac := cookie.Value[:i], strings.TrimPrefix(cookie.Value[i:], ".")
	if !hmac.Equal([]byte(mac), []byte(s.mac(signed))) { // in constant time
		return "", hooks.NotLoggedIn("Please log in.")
	}
	user, expiry, _ := strings.Cut(signed, ".")
	if seconds, err := strconv.ParseInt(expiry, 10, 64); err != nil || time.Now().Unix() >= seconds {
		return "", hooks.NotLoggedIn("Your session has ended; please log in again.")
	}
	return "user/" + user, nil
}

func (s sessionCookie) mac(signed string) string {
	h := hmac.New(sha256.New, s.secret)
	h.Write([]byte(signed))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}
