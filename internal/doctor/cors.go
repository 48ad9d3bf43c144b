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

// Headers returns all headers that a page with this client_conf.js sends to the store and a bucket must allow, sorted;
// "x-amz-meta-*" stands for names that only the browser knows.
func Headers(cfg Config) []string {
	r := newRun(cfg)
	params, whole := r.conf.Under("request.params")
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

// checkPreflights sends the preflight of each request from each origin, and reports the first origin with a problem.
func (r *run) checkPreflights(ctx context.Context) []Result {
	r.call(func(b *s3admin.Bucket) (err error) {
		r.rules, err = b.CORS(ctx) // the key need not have the permission
		return err
	})
	results := inParallel(r.origins(), func(origin string) []Result { return r.checkOrigin(ctx, origin) })
	for _, failures := range results {
		if failures != nil {
			return failures
		}
	}
	return ok("form, initiate, part, complete and abort are allowed from %s", strings.Join(r.origins(), ", "))
}

// checkOrigin sends the preflights of one origin. It returns nil if all requests are allowed.
func (r *run) checkOrigin(ctx context.Context, origin string) (results []Result) {
	u := r.page()
	u.Origin = origin
	if r.isSameOrigin(origin) {
		return nil
	}
	operations := map[corsProblem][]string{}
	for _, request := range u.CORSRequests(Prefix+"preflight", r.conf.Extra()) {
		cause, err := r.checkPreflight(ctx, u, request)
		if err != nil {
			return r.explainTransport(err)
		}
		operations[cause] = append(operations[cause], request.Operation)
	}
	delete(operations, corsProblem{})
	byText := func(a, b corsProblem) int { return strings.Compare(a.text, b.text) }
	for _, cause := range slices.SortedFunc(maps.Keys(operations), byText) {
		text := fmt.Sprintf("%s (%s)", cause.text, strings.Join(operations[cause], ", "))
		results = append(results, failed(text, cause.fix)...)
	}
	return results
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

// isSameOrigin reports whether the bucket has the same origin as a page, so that browsers apply no CORS rules.
func (r *run) isSameOrigin(page string) bool {
	return strings.HasPrefix(r.page().Endpoint+"/", page+"/")
}

// unreadable returns why a page of origin may not read a response; empty: it may.
func (r *run) unreadable(response fineuploader.Response, origin string) string {
	if r.isSameOrigin(origin) {
		return ""
	}
	return cors.Unreadable(response.Header, origin)
}

// sendPreflight sends the preflight of request, and returns what it forbids; empty: nothing.
func (r *run) sendPreflight(ctx context.Context, u fineuploader.Client, request cors.Request) (
	response fineuploader.Response, reason string, err error,
) {
	preflight, err := request.Preflight(u.Endpoint, u.Origin)
	if err != nil {
		return response, "", err
	}
	response, err = fineuploader.Send(r.http, preflight.WithContext(ctx))
	return response, request.Validate(response.Status, response.Header, u.Origin), err
}

// checkPreflight sends the preflight of request and finds out what forbids it, which responses with an error status
// do not say.
func (r *run) checkPreflight(ctx context.Context, u fineuploader.Client, request cors.Request) (corsProblem, error) {
	const forward = "It must forward OPTIONS to the store and leave CORS to it."
	response, reason, err := r.sendPreflight(ctx, u, request)
	isError := response.Status/100 != 2
	hasOrigin := response.Header.Get("Access-Control-Allow-Origin") != ""
	switch {
	case err != nil || reason == "":
		return corsProblem{}, err
	case !isError && hasOrigin && cors.Unreadable(response.Header, u.Origin) != "":
		return corsProblem{reason + "; a proxy in front of the store adds or changes it", forward}, nil
	case isError && !looksLikeS3(response):
		const text = "a proxy in front of the store responds to OPTIONS itself (status %d)"
		return corsProblem{fmt.Sprintf(text, response.Status), forward}, nil
	}
	text, err := r.missingRule(ctx, u, request)
	return corsProblem{text, r.corsCommand()}, err
}

// missingRule finds out with simpler preflights what the bucket's rules do not allow of request.
func (r *run) missingRule(ctx context.Context, u fineuploader.Client, request cors.Request) (text string, err error) {
	allowed := func(method string, headers ...string) bool {
		_, reason, sendErr := r.sendPreflight(ctx, u, cors.Request{Method: method, Path: request.Path, Headers: headers})
		err = cmp.Or(err, sendErr)
		return reason == ""
	}
	if allowed(request.Method) {
		isAllowed := func(name string) bool { return allowed(request.Method, name) }
		missing := slices.DeleteFunc(slices.Clone(request.Headers), isAllowed)
		if len(missing) == 0 {
			return "a combination of headers is not allowed", err
		}
		return "these headers are not allowed: " + strings.Join(missing, ", "), err
	}
	if slices.ContainsFunc([]string{"POST", "PUT", "DELETE"}, func(method string) bool { return allowed(method) }) {
		return "the method " + request.Method + " is not allowed", err
	}
	text = "the bucket has no CORS rule for pages from " + u.Origin
	if others := r.rules.Origins(); others != nil {
		text += ", only for " + strings.Join(others, ", ")
	}
	return text, err
}

// corsCommand returns the command that adds the missing rules, and keeps those for other origins.
func (r *run) corsCommand() string {
	command := "Run: " + cmp.Or(r.cfg.CORSCommand, "s3-sign-srv cors")
	sites := slices.Clone(r.origins())
	for _, origin := range r.rules.Origins() {
		if origin == "*" {
			return command
		}
		if site, err := config.ParseOrigin(origin); err == nil && !slices.Contains(sites, site) {
			sites = append(sites, site)
		}
	}
	for _, site := range sites {
		command += " -origin " + site
	}
	return command
}
