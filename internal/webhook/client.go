// Package webhook lets an application decide about uploads over HTTP. Each hook is a JSON message that is signed as
// Standard Webhooks describes (github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md).
// docs/webhooks.md is for the application's developer. The browser gets 502 if the response of the application is not a
// valid decision, and 503 if there is none in time.
package webhook

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"s3-sign-srv/internal/apierror"
	"s3-sign-srv/internal/sign"
)

const (
	maxResponseBytes = 64 << 10
	maxConnections   = 64 // to the application; further calls wait
)

// Client calls one application. It is safe for concurrent use.
type Client struct {
	address string
	signers []*standardwebhooks.Webhook
	http    *http.Client
	allowed *cache
}

// New returns a client for the application at address. Each message is signed with all secrets, which have the form
// whsec_BASE64.
func New(address *url.URL, secrets []sign.Secret) (*Client, error) {
	c := &Client{address: address.String(), allowed: newCache()}
	for _, secret := range secrets {
		signer, err := standardwebhooks.NewWebhook(secret.Reveal())
		if err != nil {
			return nil, errors.New("the secret of the webhook is not base64") // err may have a part of it
		}
		c.signers = append(c.signers, signer)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = nil // the messages have the cookies of visitors
	transport.MaxResponseHeaderBytes = maxResponseBytes
	transport.MaxConnsPerHost, transport.MaxIdleConnsPerHost = maxConnections, maxConnections
	c.http = &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c, nil
}

// call sends a message with further headers and decodes the response into out, which is valid if there is no error.
func (c *Client) call(ctx context.Context, kind string, data any, header http.Header, out response) error {
	ctx, cancel := withEarlierDeadline(ctx)
	defer cancel()
	request, err := c.newRequest(ctx, kind, data, header)
	if err != nil {
		return fmt.Errorf("webhook %s: %w", kind, err)
	}
	status, body, err := c.send(request)
	if err != nil {
		return &apierror.Error{Code: apierror.Unavailable, Err: fmt.Errorf("webhook %s: %w", kind, err),
			Message: "The application that decides about uploads did not respond; try again, and give the operator the id of " +
				"this response if that does not help."}
	}
	if err := decode(status, body, out); err != nil {
		return &apierror.Error{Code: apierror.HookFailed, Err: fmt.Errorf("webhook %s: %w", kind, err),
			Message: "The application that decides about uploads did not respond with a decision; try again, and give the " +
				"operator the id of this response if that does not help."}
	}
	return nil
}

// withEarlierDeadline leaves a tenth of the time to the caller, so that the error says that the application was slow.
func withEarlierDeadline(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, time.Until(deadline)*9/10)
}

// newRequest returns a signed request.
func (c *Client) newRequest(ctx context.Context, kind string, data any, header http.Header) (*http.Request, error) {
	now := time.Now().UTC().Truncate(time.Second)
	body, err := json.Marshal(message{kind, now, data}, json.Deterministic(true), jsontext.AllowInvalidUTF8(true))
	if err != nil {
		return nil, err
	}
	request, err := c.sign(ctx, "msg_"+rand.Text(), now, body)
	if err != nil {
		return nil, err
	}
	for name, values := range header {
		request.Header[name] = values
	}
	return request, nil
}

// sign returns a signed request with that id and body.
func (c *Client) sign(ctx context.Context, id string, now time.Time, body []byte) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.address, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	var signatures []string
	for _, signer := range c.signers {
		signature, err := signer.Sign(id, now, body)
		if err != nil {
			return nil, err
		}
		signatures = append(signatures, signature)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "s3-sign-srv")
	request.Header.Set(standardwebhooks.HeaderWebhookID, id)
	request.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
	request.Header.Set(standardwebhooks.HeaderWebhookSignature, strings.Join(signatures, " "))
	// An empty one is not sent. It lets net/http repeat the request if the application has closed an idle connection.
	request.Header["Idempotency-Key"] = []string{}
	return request, nil
}

// send returns the response to a request. Its errors do not show the address, which may have a password in its query.
func (c *Client) send(request *http.Request) (status int, body []byte, err error) {
	r, err := c.http.Do(request)
	if err != nil {
		if inner := (*url.Error)(nil); errors.As(err, &inner) {
			err = inner.Err
		}
		return 0, nil, err
	}
	defer r.Body.Close()
	body, err = io.ReadAll(io.LimitReader(r.Body, maxResponseBytes+1))
	return r.StatusCode, body, err
}

// decode reads and checks a response.
func decode(status int, body []byte, out response) error {
	switch {
	case status != http.StatusOK:
		return fmt.Errorf("the response has status %d, not 200", status)
	case len(body) > maxResponseBytes:
		return fmt.Errorf("the response has more than %d bytes", maxResponseBytes)
	}
	if err := json.Unmarshal(body, out, json.RejectUnknownMembers(true)); err != nil {
		return fmt.Errorf("the response is not as docs/webhooks.schema.json describes: %w", err)
	}
	if err := out.check(); err != nil {
		return fmt.Errorf("the response is not as docs/webhooks.schema.json describes: %w", err)
	}
	return nil
}
