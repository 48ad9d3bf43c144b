package webhook

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"

	"s3-sign-srv/internal/cookie"
	"s3-sign-srv/internal/hooks"
	"s3-sign-srv/internal/sign"
)

// After returns hooks that call those of first, and then the application if first allows the request.
func (c *Client) After(first hooks.Funcs) hooks.Funcs {
	return hooks.Funcs{
		Identify: func(ctx context.Context, r *http.Request) (string, error) {
			owner, err := first.Identify(ctx, r)
			if err != nil && !errors.Is(err, hooks.ErrUnauthenticated) {
				return "", err
			}
			other, appErr := c.identify(ctx, owner, r)
			if appErr != nil || other != "" {
				return other, appErr
			}
			return owner, err
		},
		ChallengeIsGood: func(ctx context.Context, challenge *hooks.Challenge) error {
			if err := first.ChallengeIsGood(ctx, challenge); err != nil {
				return err
			}
			return c.challenge(ctx, challenge)
		},
		Success: func(ctx context.Context, u *hooks.Upload) (hooks.Reply, error) {
			reply, err := first.Success(ctx, u)
			if err != nil {
				return nil, err
			}
			other, err := c.success(ctx, u)
			merged := hooks.Reply{}
			maps.Copy(merged, reply)
			maps.Copy(merged, other)
			return merged, err
		},
		Delete: func(ctx context.Context, d *hooks.Deletion) error {
			if err := first.Delete(ctx, d); err != nil {
				return err
			}
			return c.decide(ctx, typeDelete, newDeletionData(d))
		},
		Deleted: func(ctx context.Context, d *hooks.Deletion) error {
			if err := first.Deleted(ctx, d); err != nil {
				return err
			}
			return c.decide(ctx, typeDeleted, newDeletionData(d))
		},
		List: func(ctx context.Context, uploads []*hooks.Upload) ([]*hooks.Upload, error) {
			uploads, err := first.List(ctx, uploads)
			if err != nil {
				return nil, err
			}
			return c.list(ctx, uploads)
		},
		Close: first.Close,
	}
}

// decide asks for a response that is only a decision.
func (c *Client) decide(ctx context.Context, kind string, data any) error {
	var out decision
	if err := c.call(ctx, kind, data, nil, &out); err != nil {
		return err
	}
	return out.rejection()
}

// identify returns the owner that the application names, or "" if it accepts the given one. Only this message has
// headers of the browser's request: Cookie and Authorization.
func (c *Client) identify(ctx context.Context, owner string, r *http.Request) (string, error) {
	data, header := identifyData{owner}, http.Header{}
	if cookies := otherCookies(r); cookies != "" {
		header.Set("Cookie", cookies)
	}
	if values := r.Header["Authorization"]; len(values) > 0 {
		header["Authorization"] = values
	}
	key, err := keyOf(typeIdentify, data, header)
	if err != nil {
		return "", err
	}
	if other, ok := c.allowed.get(key); ok {
		return other, nil
	}
	var out identifyResponse
	if err := c.call(ctx, typeIdentify, data, header, &out); err != nil {
		return "", err
	}
	if err := out.rejection(); err != nil {
		return "", err
	}
	other := ""
	if out.Owner != nil {
		other = *out.Owner
	}
	c.allowed.add(key, other, out.CacheSeconds)
	return other, nil
}

// otherCookies returns the header Cookie without this server's own cookies.
func otherCookies(r *http.Request) string {
	var others []string
	for pair := range strings.SplitSeq(strings.Join(r.Header["Cookie"], ";"), ";") {
		name, _, _ := strings.Cut(strings.TrimSpace(pair), "=")
		switch strings.TrimPrefix(name, cookie.HostPrefix) {
		case "", hooks.CookieName, hooks.CrossSiteCookieName:
		default:
			others = append(others, strings.TrimSpace(pair))
		}
	}
	return strings.Join(others, "; ")
}

// challenge asks about a request. What the application has allowed for a part counts for all parts of the upload.
func (c *Client) challenge(ctx context.Context, challenge *hooks.Challenge) error {
	data := newChallengeData(challenge)
	upload := data
	upload.PartNumber = 0
	key, err := keyOf(typeChallenge, upload)
	if err != nil {
		return err
	}
	isPart := challenge.Operation == sign.UploadPart
	if _, ok := c.allowed.get(key); ok && isPart {
		return nil
	}
	var out challengeResponse
	if err := c.call(ctx, typeChallenge, data, nil, &out); err != nil {
		return err
	}
	if isPart && *out.Allow {
		c.allowed.add(key, "", out.CacheSeconds)
	}
	return out.rejection()
}

func (c *Client) success(ctx context.Context, u *hooks.Upload) (hooks.Reply, error) {
	var out successResponse
	if err := c.call(ctx, typeSuccess, newUploadData(u), nil, &out); err != nil {
		return nil, err
	}
	err := out.rejection()
	if out.DeleteObject {
		err = errors.Join(err, u.Delete(ctx))
	}
	return out.Reply, err
}

func (c *Client) list(ctx context.Context, uploads []*hooks.Upload) ([]*hooks.Upload, error) {
	if len(uploads) == 0 {
		return nil, nil
	}
	data := listData{Owner: uploads[0].Owner}
	for _, u := range uploads {
		data.Uploads = append(data.Uploads, newUploadData(u))
	}
	var out listResponse
	if err := c.call(ctx, typeList, data, nil, &out); err != nil {
		return nil, err
	}
	if err := out.rejection(); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(uploads, func(u *hooks.Upload) bool { return slices.Contains(out.HiddenKeys, u.Key) }), nil
}
