package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"

	"s3-sign-srv/internal/sign"
)

// attempt begins an upload as a browser would and aborts it, once for each way to reach the bucket.
func (e *run) attempt(ctx context.Context, t probe) error {
	if err, done := e.probes[t]; done {
		return err
	}
	u := e.uploader(t)
	f := file{key: e.key("attempt"), name: "attempt", contentType: e.contentType()}
	uploadID, _, err := e.begin(ctx, u, f)
	if err == nil {
		_, err = e.end(ctx, u, f.key, uploadID)
	}
	e.probes[t] = err
	return err
}

// works reports whether a style works with any signature version. The error is that of the page's version.
func (e *run) works(ctx context.Context, s style) (bool, error) {
	first := e.attempt(ctx, probe{s, e.version()})
	if first == nil {
		return true, nil
	}
	return e.attempt(ctx, probe{s, otherThan(e.version())}) == nil, first
}

// checkAddressing tries both ways to name the bucket. A server that signs for virtual hosts at a store
// that does not know them lets a client write into any bucket (see sign.Config.VirtualHosted).
func (e *run) checkAddressing(ctx context.Context) []Result {
	ours := e.style()
	for _, s := range []style{style(e.set.Sign.VirtualHosted), ours} {
		if good, err := e.works(ctx, s); !good {
			return e.explainStyle(ctx, s, err)
		}
	}
	endpoint, host := browserAddress(e.pageSettings())
	text := fmt.Sprintf("request.endpoint %q, objectProperties.host %q", endpoint, host)
	if e.set.Sign.IsAddress() {
		return ok("%s (virtual-hosted needs a name)", text)
	}
	if good, _ := e.works(ctx, !ours); good {
		return ok("%s (%s works too)", text, !ours)
	}
	return ok("%s (%s does not work)", text, !ours)
}

// explainStyle tells why a style that is set does not work, and what the other does.
func (e *run) explainStyle(ctx context.Context, s style, err error) []Result {
	cause, fix := explain(err)
	if other := !s; !e.set.Sign.IsAddress() || other == pathStyle {
		if good, _ := e.works(ctx, other); good {
			fix = e.styleSetting(other)
		}
	}
	host := e.set.Sign.Bucket + "." + e.host()
	_, answered := replyTo(err)
	var dns *net.DNSError
	switch {
	case s == pathStyle && !answered:
		return e.explainTransport(err)
	case s == pathStyle:
		return failed("the store does not take the bucket from the path: "+cause, fix)
	case errors.As(err, &dns):
		return failed(fmt.Sprintf("virtual-hosted addresses need the name %s, which cannot be found", host), fix)
	case tlsFault(err) != "":
		return failed(fmt.Sprintf("virtual-hosted addresses need a certificate for %s: %s", host, tlsFault(err)), fix)
	}
	return failed(fmt.Sprintf("the store does not take the bucket from the host name %s (%s), so that signatures for virtual hosts could reach other buckets", host, cause), fix)
}

// styleSetting is what decides the style.
func (e *run) styleSetting(s style) string {
	fix := fmt.Sprintf("Set P3S3F_ADDRESSING=%s", s)
	if !e.conf.own {
		return fix + "."
	}
	set := e.set
	set.Sign.VirtualHosted = bool(s)
	endpoint, host := browserAddress(set)
	return fix + fmt.Sprintf(", and in static/client_conf.js request.endpoint to %q and objectProperties.host to %q.", endpoint, host)
}

// explain puts an error of the uploader into words, and says what to do about it.
func explain(err error) (cause, fix string) {
	if e := signingError(err); e != nil {
		cause, fix = splitSentence(e.Message)
		return "this server refuses to sign: " + cause, fix
	}
	if r, answered := replyTo(err); answered {
		return r.remedy()
	}
	return "the connection failed", "Look at the network."
}

// taken says what a store does with one signature version.
type taken struct{ requests, forms error }

func (t taken) String() string {
	switch {
	case t.requests == nil && t.forms == nil:
		return "yes"
	case t.requests == nil:
		return "for multipart, not for forms"
	case t.forms == nil:
		return "for forms, not for multipart"
	}
	return "no"
}

// unanswered is the error of a try to which no answer came, nil if both were answered.
func (t taken) unanswered() error {
	for _, err := range []error{t.requests, t.forms} {
		if _, answered := replyTo(err); err != nil && !answered {
			return err
		}
	}
	return nil
}

// checkSignatures asks with both versions, by request and by form.
func (e *run) checkSignatures(ctx context.Context) []Result {
	ours := e.take(ctx, e.version())
	if err := ours.unanswered(); err != nil {
		return e.explainTransport(err)
	}
	other := e.take(ctx, otherThan(e.version()))
	if err := other.unanswered(); err != nil {
		return e.explainTransport(err)
	}
	v4, v2 := ours, other
	if e.version() == sign.V2 {
		v4, v2 = other, ours
	}
	text := fmt.Sprintf("the store takes version 4: %v; version 2: %v; the page uses %d", v4, v2, e.version())
	cause, fix := explain(cmp.Or(ours.requests, ours.forms))
	switch r, _ := replyTo(ours.forms); {
	case ours == taken{}:
		return ok("%s", text)
	case other == taken{}:
		return failed(text, fmt.Sprintf("Set %s.", e.conf.versionSetting(otherThan(e.version()))))
	case ours.requests == nil && r.s3 && r.status == http.StatusForbidden:
		return e.lacking("s3:PutObject by a form", "by requests it may; versitygw wants the bucket itself among the policy's resources")
	}
	return failed(text+"; "+cause, fix)
}

func otherThan(v sign.Version) sign.Version { return sign.V2 + sign.V4 - v }

// take tries one version.
func (e *run) take(ctx context.Context, v sign.Version) taken {
	way := probe{e.style(), v}
	return taken{requests: e.attempt(ctx, way), forms: e.tryForm(ctx, e.uploader(way))}
}
