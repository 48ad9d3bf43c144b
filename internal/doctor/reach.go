package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"s3-sign-srv/internal/sign"
)

// attempt begins an upload as a browser would and aborts it, once for each way to reach the bucket.
func (e *exam) attempt(ctx context.Context, t try) error {
	if err, done := e.tries[t]; done {
		return err
	}
	u := e.uploader(t)
	f := file{key: e.key("attempt"), name: "attempt", contentType: e.contentType()}
	uploadID, _, err := e.begin(ctx, u, f)
	if err == nil {
		_, err = e.end(ctx, u, f.key, uploadID)
	}
	e.tries[t] = err
	return err
}

// works reports whether a style works with any signature version. The error is that of the page's version.
func (e *exam) works(ctx context.Context, s style) (bool, error) {
	first := e.attempt(ctx, try{s, e.version()})
	if first == nil {
		return true, nil
	}
	other := sign.V2 + sign.V4 - e.version()
	return e.attempt(ctx, try{s, other}) == nil, first
}

// checkAddressing tries both ways to name the bucket. A server that signs for virtual hosts at a store
// that does not know them lets a client write into any bucket (see sign.Config.VirtualHosted).
func (e *exam) checkAddressing(ctx context.Context) []Result {
	ours := e.style()
	for _, s := range []style{style(e.set.Sign.VirtualHosted), ours} {
		if good, err := e.works(ctx, s); !good {
			return e.explainStyle(ctx, s, err)
		}
	}
	endpoint, host := browserAddress(e.pageSettings())
	text := fmt.Sprintf("request.endpoint %q, objectProperties.host %q", endpoint, host)
	if e.numeric() {
		return ok("%s (virtual-hosted needs a name)", text)
	}
	if good, _ := e.works(ctx, !ours); good {
		return ok("%s (%s works too)", text, !ours)
	}
	return ok("%s (%s does not work)", text, !ours)
}

// explainStyle tells why a style that is set does not work, and what the other does.
func (e *exam) explainStyle(ctx context.Context, s style, err error) []Result {
	fix := "Look at the store's log."
	if other := !s; !e.numeric() || other == pathStyle {
		if good, _ := e.works(ctx, other); good {
			fix = e.styleSetting(other)
		}
	}
	if s == pathStyle {
		return failed("the store does not take the bucket from the path: "+explain(err), fix)
	}
	host := e.set.Sign.Bucket + "." + e.host()
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns):
		return failed(fmt.Sprintf("virtual-hosted addresses need the name %s, which cannot be found", host), fix)
	case tlsFault(err) != "":
		return failed(fmt.Sprintf("virtual-hosted addresses need a certificate for %s: %s", host, tlsFault(err)), fix)
	}
	return failed(fmt.Sprintf("the store does not take the bucket from the host name %s (%s), so that signatures for virtual hosts could reach other buckets", host, explain(err)), fix)
}

// styleSetting is what decides the style.
func (e *exam) styleSetting(s style) string {
	fix := fmt.Sprintf("Set P3S3F_ADDRESSING=%s", s)
	if !e.conf.own {
		return fix + "."
	}
	set := e.set
	set.Sign.VirtualHosted = bool(s)
	endpoint, host := browserAddress(set)
	return fix + fmt.Sprintf(", and in static/client_conf.js request.endpoint to %q and objectProperties.host to %q.", endpoint, host)
}

// explain puts an error of the uploader into words.
func explain(err error) string {
	var refusal *sign.Refusal
	var answered *storeError
	switch {
	case errors.As(err, &refusal):
		return "this server refuses to sign: " + refusal.Text
	case errors.As(err, &answered):
		return "the store answered " + answered.Error()
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Sprintf("no answer within %v", Limit)
	}
	return "the connection failed"
}

// taken says what a store does with one signature version.
type taken struct{ requests, forms error }

func (t taken) words(forms bool) string {
	switch {
	case t.requests == nil && (!forms || t.forms == nil):
		return "yes"
	case t.requests == nil:
		return "for multipart, not for forms"
	case forms && t.forms == nil:
		return "for forms, not for multipart"
	}
	return "no"
}

// checkSignatures uploads with both versions, by request and by form.
func (e *exam) checkSignatures(ctx context.Context) []Result {
	v4, v2 := e.take(ctx, sign.V4), e.take(ctx, sign.V2)
	ours, other, otherVersion := v4, v2, sign.V2
	if e.version() == sign.V2 {
		ours, other, otherVersion = v2, v4, sign.V4
	}
	text := fmt.Sprintf("the store takes version 4: %s; version 2: %s; the page uses %d", v4.words(e.mayDelete), v2.words(e.mayDelete), e.version())
	if ours.words(e.mayDelete) == "yes" {
		return ok("%s", text)
	}
	if other.words(e.mayDelete) == "yes" {
		return failed(text, fmt.Sprintf("Set %s.", e.conf.versionSetting(otherVersion)))
	}
	return failed(text+" ("+strings.TrimPrefix(explain(firstError(ours.requests, ours.forms)), "the store answered ")+")", "Look at the store's log.")
}

// take tries one version. Forms leave an object, so they need the right to delete.
func (e *exam) take(ctx context.Context, v sign.Version) (t taken) {
	way := try{e.style(), v}
	t.requests = e.attempt(ctx, way)
	if e.mayDelete {
		_, t.forms = e.postForm(ctx, e.uploader(way), file{key: e.key(fmt.Sprintf("form v%d", v)), name: "form", contentType: e.contentType(), content: []byte("form")})
	}
	return t
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
