package webhook

import (
	"errors"
	"fmt"

	"s3-sign-srv/internal/hooks"
)

// maxCacheSeconds is the longest time for which a response may be used again.
const maxCacheSeconds = 3600

// A response is what the application decides.
type response interface {
	check() error     // nil if the response is valid
	rejection() error // nil if the application allows the request
}

// decision is a part of every response.
type decision struct {
	Allow         *bool  `json:"allow"`
	Message       string `json:"message"`        // for the user, if Allow is false
	LoginRequired bool   `json:"login_required"` // the request is rejected with 401 instead of 403
}

func (d *decision) check() error {
	switch {
	case d.Allow == nil:
		return errors.New(`no "allow" with true or false`)
	case !*d.Allow && d.Message == "":
		return errors.New(`"allow" is false without a "message" for the user`)
	}
	return nil
}

func (d *decision) rejection() error {
	switch {
	case *d.Allow:
		return nil
	case d.LoginRequired:
		return hooks.NotLoggedIn(d.Message)
	}
	return hooks.Deny(d.Message)
}

type identifyResponse struct {
	decision
	Owner        *string `json:"owner"` // null: that of the hook in Go
	CacheSeconds int     `json:"cache_seconds"`
}

func (r *identifyResponse) check() error {
	if r.Owner != nil && !hooks.IsValidOwner(*r.Owner) {
		return fmt.Errorf(`"owner" is %.100q, which cannot begin a key`, *r.Owner)
	}
	return errors.Join(r.decision.check(), checkCacheSeconds(r.CacheSeconds))
}

type challengeResponse struct {
	decision
	CacheSeconds int `json:"cache_seconds"`
}

func (r *challengeResponse) check() error {
	return errors.Join(r.decision.check(), checkCacheSeconds(r.CacheSeconds))
}

func checkCacheSeconds(seconds int) error {
	if seconds < 0 || seconds > maxCacheSeconds {
		return fmt.Errorf(`"cache_seconds" is %d, not 0 to %d`, seconds, maxCacheSeconds)
	}
	return nil
}

type successResponse struct {
	decision
	DeleteObject bool        `json:"delete_object"` // if Allow is false
	Reply        hooks.Reply `json:"reply"`         // if Allow is true
}

func (r *successResponse) check() error {
	if err := r.decision.check(); err != nil {
		return err
	}
	if *r.Allow && r.DeleteObject {
		return errors.New(`"delete_object" is true, but "allow" is true too`)
	}
	return nil
}

type listResponse struct {
	decision
	HiddenKeys []string `json:"hidden_keys"` // of uploads that the page does not list
}
