package server

import (
	"bytes"
	"context"
	"fmt"
	"net/http"

	"github.com/go-json-experiment/json"

	"s3-sign-srv/internal/hooks"
	"s3-sign-srv/internal/sign"
)

// sign handles POST /s3/sign, with ?v4=true for version 4. The header X-Access-Key says which key pair the page uses;
// only a version 4 policy names it itself.
//
//	{"expiration":"…","conditions":[…]}  → {"policy":"…","signature":"…"}
//	{"headers":"string to sign"}         → {"signature":"…"}
func (s *server) sign(r *http.Request) (any, error) {
	version, err := parseVersion(r.URL.RawQuery)
	if err != nil {
		return nil, err
	}
	body, err := readJSON(r, "use an unmodified Fine Uploader, and use this address only as signature.endpoint in "+
		"client_conf.js.")
	if err != nil {
		return nil, err
	}
	request, err := s.parse(version, body)
	if err != nil {
		return nil, err
	}
	if err := s.Signer.SelectKey(request, r.Header.Get("X-Access-Key")); err != nil {
		return nil, err
	}
	request, err = s.challenge(&hooks.Challenge{Request: request, HTTP: r, Client: hooks.FineUploader})
	if err != nil {
		return nil, err
	}
	return s.Signer.Sign(request), nil
}

// challenge calls the hooks Identify and ChallengeIsGood and asks the ledger, and returns the request to sign.
func (s *server) challenge(c *hooks.Challenge) (*sign.Request, error) {
	x := exchangeOf(c.HTTP.Context())
	x.operation, x.version = c.Operation, c.Version
	signed, err := callHook(c.HTTP.Context(), s, func(ctx context.Context) (_ *sign.Request, err error) {
		if c.Owner, err = s.identify(ctx, c.HTTP); err != nil {
			return nil, err
		}
		if err := s.addOwner(c); err != nil {
			return nil, err
		}
		if err := s.checkOwner(c.Owner, c.Key); err != nil {
			return nil, err
		}
		request := c.Request
		return request, s.Hooks.ChallengeIsGood(ctx, c)
	})
	if err != nil {
		return nil, fmt.Errorf("%s of %q, version %d: %w", c.Operation, c.Key, c.Version, err)
	}
	return signed, s.allow(c.HTTP.Context(), c.Owner, signed)
}

// parseVersion reads the query: Fine Uploader adds v4=true for version 4.
func parseVersion(query string) (sign.Version, error) {
	values, err := parseQuery(query)
	if err != nil {
		return 0, err
	}
	switch v4, given := values["v4"]; {
	case !given:
		return sign.V2, nil
	case v4 == "true":
		return sign.V4, nil
	}
	return 0, badRequest("The query's v4 is not \"true\"; " +
		"remove it from signature.endpoint and set signature.version in client_conf.js.")
}

// parse parses a policy or a string to sign. The name of the first member decides which. The parser rejects what is
// neither.
func (s *server) parse(v sign.Version, body []byte) (*sign.Request, error) {
	const space = " \t\r\n" // in JSON
	members, isObject := bytes.CutPrefix(bytes.TrimLeft(body, space), []byte("{"))
	if !isObject || !bytes.HasPrefix(bytes.TrimLeft(members, space), []byte(`"headers"`)) {
		return s.Signer.ParsePolicy(v, body, s.Now())
	}
	var message struct {
		Headers string `json:"headers"`
	}
	if err := json.Unmarshal(body, &message, json.RejectUnknownMembers(true)); err != nil {
		return nil, fmt.Errorf("%w (%w)", badRequest("The body is not {\"headers\":\"…\"} with a string to sign and "+
			"nothing else; use an unmodified Fine Uploader."), err)
	}
	return s.Signer.ParseStringToSign(v, message.Headers, s.Now())
}
