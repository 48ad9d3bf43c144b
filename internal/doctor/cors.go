package doctor

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"s3-sign-srv/internal/config"
	"s3-sign-srv/internal/cors"
	"s3-sign-srv/internal/fineuploader"
	"s3-sign-srv/internal/s3admin"
)

// corsProblem is why pages may not send something, and what to do about it.
type corsProblem struct{ text, fix string }

// noRule is the problem of an origin that no rule of the bucket names; the origins are appended.
const noRule = "the bucket has no CORS rule for pages from "

// preflight is a request from a page of one origin, and the outcome of its preflight.
type preflight struct {
	cors.Request
	endpoint, origin string
	problem          corsProblem
	err              error
}

// Headers returns all headers that a page with this client_conf.js sends to the store and a bucket must allow, sorted;
// "x-amz-meta-*" stands for names that only the browser knows.
func Headers(cfg Config) []string {
	r := newRun(cfg)
	params, whole := r.conf.HeaderParams()
	u := fineuploader.Client{Version: r.version(), Params: params}
	var all []string
	for _, request := range u.CORSRequests(Prefix, r.conf.Extra()) {
		all = append(all, request.Headers...)
	}
	if !whole {
		isMeta := func(name string) bool { return strings.HasPrefix(name, fineuploader.MetaPrefix) }
		all = append(slices.DeleteFunc(all, isMeta), fineuploader.MetaPrefix+"*")
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// checkPreflights sends the preflight of each request from each origin.
func (r *run) checkPreflights(ctx context.Context) []Result {
	r.call(func(b *s3admin.Bucket) (err error) {
		r.rules, err = b.CORS(ctx)
		r.rulesKnown = err == nil // the key need not have the permission
		return err
	})
	var all []preflight
	u := r.page()
	u.Params, _ = r.conf.HeaderParams()
	for _, origin := range r.origins() {
		for _, request := range u.CORSRequests(Prefix+"preflight", r.conf.Extra()) {
			all = append(all, preflight{Request: request, endpoint: u.Endpoint, origin: origin})
		}
	}
	rejected := map[corsProblem][]preflight{}
	for _, p := range inParallel(all, func(p preflight) preflight { return r.checkPreflight(ctx, p) }) {
		if p.err != nil {
			return r.explainTransport(p.err)
		}
		if p.problem.text != "" {
			rejected[p.problem] = append(rejected[p.problem], p)
		}
	}
	byText := func(a, b corsProblem) int { return strings.Compare(a.text, b.text) }
	var results []Result
	for _, problem := range slices.SortedFunc(maps.Keys(rejected), byText) {
		results = append(results, failed(r.describe(problem, rejected[problem]), problem.fix)...)
	}
	if results == nil {
		return ok("form, initiate, part, complete and abort are allowed from %s", strings.Join(r.origins(), ", "))
	}
	return results
}

// describe says which operations a problem affects, and which origins unless it is all.
func (r *run) describe(problem corsProblem, rejected []preflight) string {
	var operations, origins []string
	for _, p := range rejected {
		if !slices.Contains(operations, p.Operation) {
			operations = append(operations, p.Operation)
		}
		if !slices.Contains(origins, p.origin) {
			origins = append(origins, p.origin)
		}
	}
	from, text := strings.Join(origins, ", "), problem.text
	others := r.rules.Origins()
	switch {
	case text == noRule && len(others) > 0:
		text += from + ", only for " + strings.Join(others, ", ")
	case text == noRule:
		text += from
	case len(origins) < len(r.origins()):
		text += " to pages from " + from
	}
	return fmt.Sprintf("%s (%s)", text, strings.Join(operations, ", "))
}

// inParallel calls f for up to eight items at a time, so that many origins take no longer than a few.
func inParallel[T, R any](items []T, f func(T) R) []R {
	results, free := make([]R, len(items)), make(chan struct{}, 8)
	var group sync.WaitGroup
	for i, item := range items {
		free <- struct{}{}
		group.Go(func() {
			results[i] = f(item)
			<-free
		})
	}
	group.Wait()
	return results
}

// sendPreflight sends the preflight of p, and returns what it forbids; empty: nothing.
func (r *run) sendPreflight(ctx context.Context, p preflight) (fineuploader.Response, string, error) {
	request, err := p.Preflight(p.endpoint, p.origin)
	if err != nil {
		return fineuploader.Response{}, "", err
	}
	response, err := fineuploader.Send(r.http, request.WithContext(ctx))
	return response, p.Validate(response.Status, response.Header, p.origin), err
}

// checkPreflight sends the preflight of p and finds out what forbids it. A response with a 2xx status says so itself;
// otherwise the bucket's rules tell, or simpler preflights.
func (r *run) checkPreflight(ctx context.Context, p preflight) preflight {
	const forward = "It must forward OPTIONS to the store and leave CORS to it."
	response, problem, err := r.sendPreflight(ctx, p)
	rejected := response.Status/100 != 2
	hasOrigin := response.Header.Get("Access-Control-Allow-Origin") != ""
	allowedByRules := r.rulesKnown && r.rules.Allow(p.origin, p.Method, p.Headers)
	switch {
	case err != nil:
		p.err = err
	case problem == "":
	case !rejected && hasOrigin && cors.Unreadable(response.Header, p.origin) != "":
		p.problem = corsProblem{problem + "; a proxy in front of the store adds or changes it", forward}
	case rejected && !looksLikeS3(response):
		const text = "a proxy in front of the store responds to OPTIONS itself (status %d)"
		p.problem = corsProblem{fmt.Sprintf(text, response.Status), forward}
	case allowedByRules && rejected:
		p.problem = corsProblem{"the store rejects what the bucket's rules allow together; " +
			"Ceph uses only the first rule for an origin", "Combine the rules into one. " + r.corsCommand()}
	case allowedByRules:
		const text = ", although the bucket's rules allow it: a proxy in front of the store changes its responses"
		p.problem = corsProblem{problem + text, forward}
	default:
		p.problem.text, p.err = r.missingRule(ctx, p)
		p.problem.fix = r.corsCommand()
	}
	return p
}

// missingRule says what the bucket's rules do not allow of p.
func (r *run) missingRule(ctx context.Context, p preflight) (text string, err error) {
	allowed := func(method string, headers ...string) bool {
		if r.rulesKnown {
			return r.rules.Allow(p.origin, method, headers)
		}
		simpler := p
		simpler.Method, simpler.Headers = method, headers
		_, problem, sendErr := r.sendPreflight(ctx, simpler)
		err = cmp.Or(err, sendErr)
		return problem == ""
	}
	if !allowed(p.Method) {
		for _, other := range []string{"POST", "PUT", "DELETE", "GET"} {
			if other != p.Method && allowed(other) {
				return "the method " + p.Method + " is not allowed", err
			}
		}
		return noRule, err
	}
	isAllowed := func(name string) bool { return allowed(p.Method, name) }
	missing := slices.DeleteFunc(slices.Clone(p.Headers), isAllowed)
	switch len(missing) {
	case 0:
		return "a combination of headers is not allowed", err
	case 1:
		return "the header " + missing[0] + " is not allowed", err
	}
	return "the headers " + strings.Join(missing, ", ") + " are not allowed", err
}

// corsCommand returns the command that adds the missing rules, and keeps those for other origins.
func (r *run) corsCommand() string {
	command := "Run: " + cmp.Or(r.cfg.CORSCommand, "s3-sign-srv cors")
	present := r.rules.Origins()
	if slices.Contains(present, "*") {
		return command
	}
	var patterns []string // which the command does not take
	sites := slices.Clone(r.origins())
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
