package doctor

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/textproto"
	"slices"
	"strings"
	"sync"

	"s3-sign-srv/internal/config"
	"s3-sign-srv/internal/s3admin"
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
func crossings(u uploader, extra map[string]string) []crossing {
	signed := []string{"authorization", "x-amz-date"}
	if u.version == sign.V4 {
		signed = append(signed, "x-amz-content-sha256")
	}
	typed := append(slices.Clone(signed), "content-type")
	first := slices.Clone(typed)
	for field := range u.initiation(file{extra: extra}).headers {
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
	e := newRun(cfg)
	defer e.close()
	params, whole := e.conf.headerParams()
	u := uploader{version: e.version(), params: params}
	var all []string
	for _, c := range crossings(u, e.conf.extra()) {
		all = append(all, c.headers...)
	}
	if !whole {
		all = slices.DeleteFunc(all, func(name string) bool { return strings.HasPrefix(name, metaPrefix) })
		all = append(all, metaPrefix+"*")
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// obstacle is why pages may not send something, and what to do about it.
type obstacle struct{ text, fix string }

// noRule is the obstacle of an origin of which the bucket's rules say nothing; the origins stand behind it.
const noRule = "the bucket has no CORS rule for pages from "

// checkPreflights asks leave for each request from each origin.
func (e *run) checkPreflights(ctx context.Context) []Result {
	e.reach(func(b *s3admin.Bucket) (err error) {
		e.rules, err = b.CORS(ctx)
		e.rulesKnown = err == nil // the key need not have the right
		return err
	})
	refused := map[obstacle][]petition{}
	for _, p := range inParallel(e.petitions(), func(p petition) petition { return e.ask(ctx, p) }) {
		if p.err != nil {
			return e.explainTransport(p.err)
		}
		if p.found.text != "" {
			refused[p.found] = append(refused[p.found], p)
		}
	}
	var results []Result
	for _, o := range slices.SortedFunc(maps.Keys(refused), func(a, b obstacle) int { return strings.Compare(a.text, b.text) }) {
		results = append(results, failed(e.describe(o, refused[o]), o.fix)...)
	}
	if results == nil {
		return ok("form, initiate, part, complete and abort are allowed from %s", strings.Join(e.origins(), ", "))
	}
	return results
}

// describe says what an obstacle is in the way of, and whose, unless that is everybody.
func (e *run) describe(o obstacle, refused []petition) string {
	var operations, origins []string
	for _, p := range refused {
		if !slices.Contains(operations, p.operation) {
			operations = append(operations, p.operation)
		}
		if !slices.Contains(origins, p.u.origin) {
			origins = append(origins, p.u.origin)
		}
	}
	from, text := strings.Join(origins, ", "), o.text
	others := e.rules.Origins()
	switch {
	case text == noRule && len(others) > 0:
		text += from + ", only for " + strings.Join(others, ", ")
	case text == noRule:
		text += from
	case len(origins) < len(e.origins()):
		text += " to pages from " + from
	}
	return fmt.Sprintf("%s (%s)", text, strings.Join(operations, ", "))
}

// petition is a request from a page of one origin, and what came of asking leave for it.
type petition struct {
	crossing
	u     uploader
	found obstacle
	err   error
}

func (e *run) petitions() (all []petition) {
	u := e.page()
	u.params, _ = e.conf.headerParams()
	for _, u.origin = range e.origins() {
		for _, c := range crossings(u, e.conf.extra()) {
			all = append(all, petition{crossing: c, u: u})
		}
	}
	return all
}

// inParallel does up to eight things at a time, so that many origins take no longer than a few.
func inParallel[T, R any](items []T, do func(T) R) []R {
	results, free := make([]R, len(items)), make(chan struct{}, 8)
	var all sync.WaitGroup
	for i, item := range items {
		free <- struct{}{}
		all.Go(func() {
			results[i] = do(item)
			<-free
		})
	}
	all.Wait()
	return results
}

// ask asks leave for p, and finds out what is in the way. An answer that browsers take for one tells by
// itself; a refusal does not, so the bucket's rules are consulted, or else simpler questions asked.
func (e *run) ask(ctx context.Context, p petition) petition {
	const pass = "Have it pass OPTIONS on to the store, and leave CORS to that."
	got, fault, err := p.u.preflight(ctx, p.crossing)
	refused := got.status/100 != 2
	switch {
	case err != nil:
		p.err = err
	case fault == "":
	case !refused && got.header.Get("Access-Control-Allow-Origin") != "" && readable(got.header, p.u.origin) != "":
		p.found = obstacle{fault + "; something in front of the store adds or changes it", pass}
	case refused && !looksLikeS3(got):
		p.found = obstacle{fmt.Sprintf("something in front of the store answers OPTIONS itself (status %d)", got.status), pass}
	case e.rulesKnown && e.rules.Allow(p.u.origin, p.method, p.headers) && refused:
		p.found = obstacle{"the store refuses what the bucket's rules together allow; Ceph looks at the first rule for an origin alone", "Put it all into one rule. " + e.corsCommand()}
	case e.rulesKnown && e.rules.Allow(p.u.origin, p.method, p.headers):
		p.found = obstacle{fault + ", although the bucket's rules allow it: something in front of the store changes its answers", pass}
	default:
		p.found.text, p.err = e.lackingRule(ctx, p)
		p.found.fix = e.corsCommand()
	}
	return p
}

// lackingRule says what the bucket's rules do not allow of p.
func (e *run) lackingRule(ctx context.Context, p petition) (text string, err error) {
	allowed := func(method string, headers ...string) bool {
		if e.rulesKnown {
			return e.rules.Allow(p.u.origin, method, headers)
		}
		_, fault, failure := p.u.preflight(ctx, crossing{p.operation, method, p.path, headers})
		err = cmp.Or(err, failure)
		return fault == ""
	}
	if !allowed(p.method) {
		if slices.ContainsFunc([]string{"POST", "PUT", "DELETE", "GET"}, func(method string) bool { return method != p.method && allowed(method) }) {
			return "the method " + p.method + " is not allowed", err
		}
		return noRule, err
	}
	missing := slices.DeleteFunc(slices.Clone(p.headers), func(name string) bool { return allowed(p.method, name) })
	switch len(missing) {
	case 0:
		return "a combination of headers is not allowed", err
	case 1:
		return "the header " + missing[0] + " is not allowed", err
	}
	return "the headers " + strings.Join(missing, ", ") + " are not allowed", err
}

// corsCommand puts the missing rules on the bucket, and keeps out and lets in who was before.
func (e *run) corsCommand() string {
	command := "Run: " + cmp.Or(e.cfg.CORSCommand, "s3-sign-srv cors")
	present := e.rules.Origins()
	if slices.Contains(present, "*") {
		return command
	}
	var patterns []string // which cors does not take
	sites := slices.Clone(e.origins())
	for _, origin := range present {
		switch {
		case strings.Contains(origin, "*"):
			patterns = append(patterns, origin)
		case config.IsOrigin(origin) && !slices.Contains(sites, origin):
			sites = append(sites, origin)
		}
	}
	for _, site := range sites {
		command += " -origin " + site
	}
	if patterns != nil {
		command += " (and add " + strings.Join(patterns, ", ") + " to the rules again)"
	}
	return command
}

// preflight asks leave for c as a browser does, and returns what speaks against it, empty if nothing
// (Fetch, "CORS-preflight fetch").
func (u uploader) preflight(ctx context.Context, c crossing) (got answer, fault string, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodOptions, u.endpoint+c.path, nil)
	if err != nil {
		return got, "", err
	}
	r.Header.Set("Origin", u.origin)
	r.Header.Set("Access-Control-Request-Method", c.method)
	if len(c.headers) > 0 {
		r.Header.Set("Access-Control-Request-Headers", strings.Join(c.headers, ","))
	}
	if got, err = ask(u.http, r); err != nil {
		return got, "", err
	}
	return got, judge(got, u.origin, c), nil
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

// values splits a header that holds a list.
func values(h http.Header, name string) (list []string) {
	for _, line := range h.Values(name) {
		for value := range strings.SplitSeq(line, ",") {
			list = append(list, textproto.TrimString(value))
		}
	}
	return list
}
