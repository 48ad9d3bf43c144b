package doctor

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/http"

	"s3-sign-srv/internal/sign"
)

// probe initiates an upload as a browser would and aborts it, once for each way to reach the bucket.
func (r *run) probe(ctx context.Context, p probe) error {
	if err, done := r.probes[p]; done {
		return err
	}
	u, f := r.client(p), r.file("attempt", "")
	maps.DeleteFunc(u.Params, func(name, _ string) bool { return isUnsafe(name) }) // diagnose tells about them
	uploadID, _, err := r.initiate(ctx, u, f)
	if err == nil {
		_, err = r.abort(ctx, u, f.Key, uploadID)
	}
	r.probes[p] = err
	return err
}

// works reports whether a style works with any signature version. The error is that of the page's version.
func (r *run) works(ctx context.Context, s style) (bool, error) {
	err := r.probe(ctx, probe{s, r.version()})
	return err == nil || r.probe(ctx, probe{s, otherVersion(r.version())}) == nil, err
}

func otherVersion(v sign.Version) sign.Version { return sign.V2 + sign.V4 - v }

// checkAddressing checks both styles. A server that signs for virtual hosts at a store that does not know them lets a
// client write to any bucket (see sign.Config.VirtualHosted).
func (r *run) checkAddressing(ctx context.Context) []Result {
	for _, s := range []style{style(r.set.Sign.VirtualHosted), r.style()} {
		if good, err := r.works(ctx, s); !good {
			return r.explainStyle(ctx, s, err)
		}
	}
	endpoint, host := r.withStyle(r.style()).Sign.BucketURL()
	return ok("request.endpoint %q, objectProperties.host %q", endpoint, host)
}

// explainStyle explains why a configured style does not work, and whether the other does.
func (r *run) explainStyle(ctx context.Context, s style, err error) []Result {
	if _, responded := responseOf(err); s == pathStyle && !responded {
		return r.explainTransport(err)
	}
	cause, fix := r.explain(err)
	if !r.set.Sign.IsAddress() || s == virtualHosted {
		if good, _ := r.works(ctx, !s); good {
			fix = r.styleSetting(!s)
		}
	}
	location := "the path"
	if s == virtualHosted {
		location = "the host name " + r.set.Sign.Bucket + "." + r.host()
	}
	return failed(fmt.Sprintf("the store does not read the bucket from %s: %s", location, cause), fix)
}

// styleSetting says how to set a style.
func (r *run) styleSetting(s style) string {
	fix := fmt.Sprintf("Set P3S3F_ADDRESSING=%s.", s)
	if r.conf.Custom {
		endpoint, host := r.withStyle(s).Sign.BucketURL()
		fix += fmt.Sprintf(" In static/client_conf.js, set request.endpoint to %q and objectProperties.host to %q.",
			endpoint, host)
	}
	return fix
}

// explain describes an error of a request, and says what to do about it.
func (r *run) explain(err error) (cause, fix string) {
	if e := signingError(err); e != nil {
		cause, fix = splitSentence(e.Message)
		return "this server refuses to sign: " + cause, fix
	}
	if e, responded := responseOf(err); responded {
		return e.explain()
	}
	result := r.explainTransport(err)[0]
	return result.Text, result.Fix
}

// acceptance holds the errors of a store for one signature version; nil: accepted.
type acceptance struct{ requests, forms error }

func (a acceptance) String() string {
	switch {
	case a == acceptance{}:
		return "yes"
	case a.requests == nil || a.forms == nil:
		return "in part"
	}
	return "no"
}

// probeVersion checks whether the store accepts a signature version. The error is that of a request without response.
func (r *run) probeVersion(ctx context.Context, v sign.Version) (acceptance, error) {
	p := probe{r.style(), v}
	a := acceptance{requests: r.probe(ctx, p)}
	if r.sendsForms() {
		a.forms = r.probeForm(ctx, r.client(p))
	}
	for _, err := range []error{a.requests, a.forms} {
		if _, responded := responseOf(err); err != nil && !responded {
			return a, err
		}
	}
	return a, nil
}

// checkSignatures checks both signature versions, for requests and for forms.
func (r *run) checkSignatures(ctx context.Context) []Result {
	accepted := map[sign.Version]acceptance{}
	for _, v := range []sign.Version{sign.V4, sign.V2} {
		var err error
		if accepted[v], err = r.probeVersion(ctx, v); err != nil {
			return r.explainTransport(err)
		}
	}
	used, other := accepted[r.version()], accepted[otherVersion(r.version())]
	text := fmt.Sprintf("the store accepts version 4: %v; version 2: %v; the page uses %d",
		accepted[sign.V4], accepted[sign.V2], r.version())
	switch e, _ := responseOf(used.forms); {
	case used == acceptance{}:
		return ok("%s", text)
	case other == acceptance{}:
		return failed(text, fmt.Sprintf("Set %s.", r.conf.VersionSetting(otherVersion(r.version()))))
	case used.requests == nil && e.fromS3 && e.status == http.StatusForbidden:
		return r.lacksPermission("s3:PutObject by form",
			"it may by request; versitygw requires the bucket itself among the policy's resources")
	}
	cause, fix := r.explain(cmp.Or(used.requests, used.forms))
	return failed(text+"; "+cause, fix)
}
