package doctor

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/textproto"
	"slices"
	"strings"

	"s3-sign-srv/internal/sign"
)

// crossing is one of the requests that a browser asks leave for before it sends it to another site.
type crossing struct {
	operation string
	method    string
	path      string   // below request.endpoint
	headers   []string // those that are not safe by themselves, sorted, in lower case
}

// crossings are the five requests of an upload. Fine Uploader listens to the progress of a form's
// upload, which makes browsers ask leave for that too (Fetch, "use-CORS-preflight flag").
func crossings(u uploader, extra []string) []crossing {
	signed := []string{"authorization", "x-amz-date"}
	if u.version == sign.V4 {
		signed = append(signed, "x-amz-content-sha256")
	}
	typed := append(slices.Clone(signed), "content-type")
	first := append(slices.Concat(typed, extra), "x-amz-acl")
	for field := range u.fields(file{}) {
		first = append(first, strings.ToLower(field))
	}
	key := "/" + Prefix + "preflight"
	list := []crossing{
		{"form", http.MethodPost, "", nil},
		{"initiate", http.MethodPost, key + "?uploads", first},
		{"part", http.MethodPut, key + "?partNumber=1&uploadId=1", typed},
		{"complete", http.MethodPost, key + "?uploadId=1", typed},
		{"abort", http.MethodDelete, key + "?uploadId=1", signed},
	}
	for _, c := range list {
		slices.Sort(c.headers)
	}
	return list
}

// Headers are all that a page with this client_conf.js sends to the store and a bucket must allow, sorted;
// "x-amz-meta-*" stands for names that only the browser knows.
func Headers(cfg Config) []string {
	e := newExam(cfg)
	defer e.close()
	params, whole := e.conf.params()
	u := uploader{version: e.version(), params: params}
	var all []string
	for _, c := range crossings(u, e.conf.extraHeaders()) {
		all = append(all, c.headers...)
	}
	if !whole {
		all = slices.DeleteFunc(all, func(name string) bool { return strings.HasPrefix(name, metaPrefix) })
		all = append(all, metaPrefix+"*")
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// checkPreflights asks leave for each request from each origin.
func (e *exam) checkPreflights(ctx context.Context) []Result {
	u := e.page()
	u.params, _ = e.conf.params()
	faults := map[string][]string{} // operations by what is not allowed
	for _, origin := range e.origins() {
		u.origin = origin
		for _, c := range crossings(u, e.conf.extraHeaders()) {
			fault, err := u.diagnose(ctx, c)
			if err != nil {
				return e.explainTransport(err)
			}
			if fault != "" && !slices.Contains(faults[fault], c.operation) {
				faults[fault] = append(faults[fault], c.operation)
			}
		}
	}
	var results []Result
	for _, fault := range slices.Sorted(maps.Keys(faults)) {
		text := fmt.Sprintf("%s (%s)", fault, strings.Join(faults[fault], ", "))
		results = append(results, failed(text, "Run s3-sign-srv cors, which puts basic_cors.xml on the bucket; with -origin URL for that site alone.")...)
	}
	if results == nil {
		return ok("form, initiate, part, complete and abort are allowed from %s", strings.Join(e.origins(), ", "))
	}
	return results
}

// diagnose returns what the bucket's rules do not allow of c, empty if nothing. A refused preflight
// does not say what was wrong, so simpler ones are asked to find out.
func (u uploader) diagnose(ctx context.Context, c crossing) (fault string, err error) {
	fault, err = u.preflight(ctx, c)
	if fault == "" || err != nil {
		return fault, err
	}
	bare := c
	bare.headers = nil
	if fault, err := u.preflight(ctx, bare); err != nil || fault != "" {
		return u.diagnoseMethod(ctx, bare, err)
	}
	var missing []string
	for _, name := range c.headers {
		one := c
		one.headers = []string{name}
		if fault, err := u.preflight(ctx, one); err != nil {
			return "", err
		} else if fault != "" {
			missing = append(missing, name)
		}
	}
	if missing == nil {
		return "a combination of headers is not allowed", nil
	}
	return "the header " + strings.Join(missing, ", ") + " is not allowed", nil
}

// diagnoseMethod tells a missing method from a missing origin.
func (u uploader) diagnoseMethod(ctx context.Context, c crossing, err error) (string, error) {
	if err != nil {
		return "", err
	}
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodGet} {
		other := c
		other.method = method
		if fault, err := u.preflight(ctx, other); err != nil {
			return "", err
		} else if fault == "" && method != c.method {
			return "the method " + c.method + " is not allowed", nil
		}
	}
	return "the bucket has no CORS rule for pages from " + u.origin, nil
}

// preflight asks leave for c as a browser does, and returns what speaks against it, empty if nothing
// (Fetch, "CORS-preflight fetch").
func (u uploader) preflight(ctx context.Context, c crossing) (fault string, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodOptions, u.endpoint+c.path, nil)
	if err != nil {
		return "", err
	}
	r.Header.Set("Origin", u.origin)
	r.Header.Set("Access-Control-Request-Method", c.method)
	if len(c.headers) > 0 {
		r.Header.Set("Access-Control-Request-Headers", strings.Join(c.headers, ","))
	}
	got, err := ask(u.http, r)
	if err != nil {
		return "", err
	}
	return judge(got, u.origin, c), nil
}

// judge reads the answer to a preflight.
func judge(got answer, origin string, c crossing) string {
	if got.status/100 != 2 {
		return fmt.Sprintf("status %d", got.status)
	}
	if fault := readable(got.header, origin); fault != "" {
		return fault
	}
	methods := values(got.header, "Access-Control-Allow-Methods")
	safe := c.method == http.MethodPost // or GET or HEAD, which no upload uses
	if !safe && !slices.Contains(methods, c.method) && !slices.Contains(methods, "*") {
		return "the method " + c.method + " is not allowed"
	}
	headers := values(got.header, "Access-Control-Allow-Headers")
	for _, name := range c.headers {
		named := slices.ContainsFunc(headers, func(h string) bool { return strings.EqualFold(h, name) })
		// "*" is for every header but authorization, which must be named (Fetch, 4.8 step 7).
		if !named && (name == "authorization" || !slices.Contains(headers, "*")) {
			return "the header " + name + " is not allowed"
		}
	}
	return ""
}

// readable returns why a page from origin may not read an answer, empty if it may.
func readable(h http.Header, origin string) string {
	allowed := h.Values("Access-Control-Allow-Origin")
	switch {
	case len(allowed) == 0:
		return "the answer has no Access-Control-Allow-Origin"
	case len(allowed) > 1:
		return "the answer has Access-Control-Allow-Origin twice; a proxy may add its own"
	case allowed[0] != "*" && allowed[0] != origin:
		return fmt.Sprintf("the answer is for pages from %s, not from %s", allowed[0], origin)
	}
	return ""
}

// exposes reports whether a page may read a header of the answer.
func exposes(h http.Header, name string) bool {
	return slices.ContainsFunc(values(h, "Access-Control-Expose-Headers"), func(v string) bool { return v == "*" || strings.EqualFold(v, name) })
}

// values splits a header that holds a list.
func values(h http.Header, name string) (list []string) {
	for _, line := range h.Values(name) {
		for value := range strings.SplitSeq(line, ",") {
			list = append(list, textproto.TrimString(value))
		}
	}
	return list
}

// checkAnswers begins an upload, sends a part and aborts, and reads these answers and that to the form
// as a page may.
func (e *exam) checkAnswers(ctx context.Context) []Result {
	u := e.page()
	f := file{key: e.key("answers"), name: "answers", contentType: e.contentType(), content: []byte("part")}
	uploadID, begun, err := e.begin(ctx, u, f)
	if err != nil {
		return e.unable("begin a multipart upload", err)
	}
	etag, put, err := u.part(ctx, f.key, uploadID, 1, f.content)
	if err != nil {
		return e.unable("take a part", err)
	}
	ended, err := e.end(ctx, u, f.key, uploadID)
	if err != nil {
		return e.unable("abort an upload", err)
	}
	answers := map[string]answer{"initiate": begun, "part": put, "abort": ended}
	if e.formAnswer.header != nil {
		answers["form"] = e.formAnswer
	}
	for _, what := range slices.Sorted(maps.Keys(answers)) {
		if fault := readable(answers[what].header, u.origin); fault != "" {
			return failed(fmt.Sprintf("a page from %s may not read the answer (%s): %s", u.origin, what, fault), "Run s3-sign-srv cors, and look for a proxy that changes answers.")
		}
	}
	if etag == "" {
		return failed("the store gives no ETag for a part", "Look for a proxy that takes the ETag out.")
	}
	if !exposes(put.header, "ETag") {
		return failed("ETag is not exposed: the page cannot read what completes a multipart upload", "Add <ExposeHeader>ETag</ExposeHeader> to the rules, or run s3-sign-srv cors.")
	}
	return ok("the page may read them, and the ETag of parts")
}
