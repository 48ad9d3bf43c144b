package doctor

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"s3-sign-srv/internal/settings"
)

// checkPage serves the page on a free loopback port and looks at it as a browser would: every file that
// it names is there, nothing in it is against its own content security policy, and that lets it reach
// the store.
func (e *exam) checkPage(ctx context.Context) []Result {
	switch {
	case e.cfg.Page == nil:
		return skipped("not asked")
	case e.noStatic():
		return skipped("there is no folder static here: the server is an API alone")
	}
	address, stop, err := servePage(e.cfg.Page, e.set)
	if err != nil {
		return failed("the server does not start: "+oneLine(err.Error()), "Correct what it says.")
	}
	defer stop()
	get := func(path string) (answer, error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, address+path, nil)
		if err != nil {
			return answer{}, err
		}
		return ask(e.http, r)
	}
	page, err := get("/")
	if err != nil || page.status != http.StatusOK {
		return failed(fmt.Sprintf("the page is not served (status %d)", page.status), "Put static/index.html back.")
	}
	if fault := inlined(string(page.body)); fault != "" {
		return failed("static/index.html has "+fault+", which its content security policy blocks", "Move it into a file below static/.")
	}
	for _, path := range linked(string(page.body)) {
		if got, err := get(path); err != nil || got.status != http.StatusOK {
			return failed(fmt.Sprintf("the page names %s, which is not served (status %d)", path, got.status), "Run make static, or correct static/index.html.")
		}
	}
	return e.checkPolicy(page.header.Get("Content-Security-Policy"))
}

// checkPolicy wants the page to be let through to the store.
func (e *exam) checkPolicy(policy string) []Result {
	endpoint, host := browserAddress(e.set)
	scheme, _, _ := strings.Cut(endpoint, "://")
	origin := scheme + "://" + host
	for directive := range strings.SplitSeq(policy, ";") {
		words := strings.Fields(directive)
		if len(words) > 0 && words[0] == "connect-src" && slices.Contains(words, origin) {
			return ok("served, with a content security policy that lets it reach %s", origin)
		}
	}
	return failed("the page's content security policy does not let it reach "+origin, "Look for a proxy that changes the header Content-Security-Policy.")
}

// servePage starts the server's handler on a free port.
func servePage(handler func(settings.Settings) (http.Handler, error), set settings.Settings) (address string, stop func(), err error) {
	h, err := handler(set)
	if err != nil {
		return "", nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	web := &http.Server{Handler: h, ReadHeaderTimeout: Limit}
	go web.Serve(l)
	return "http://" + l.Addr().String(), func() { web.Close() }, nil
}

var (
	comment    = regexp.MustCompile(`(?s)<!--.*?-->`)
	scriptTag  = regexp.MustCompile(`(?i)<script\b([^>]*)>`)
	sourceName = regexp.MustCompile(`(?i)\bsrc\s*=`)
	dataBlock  = regexp.MustCompile(`(?i)\btype\s*=\s*["']?(?:text/template|text/html|application/json|text/x-)`)
	styleTag   = regexp.MustCompile(`(?i)<style\b`)
	styleAttr  = regexp.MustCompile(`(?i)<[a-z][^>]*\sstyle\s*=`)
	handler    = regexp.MustCompile(`(?i)<[a-z][^>]*\son[a-z]+\s*=`)
	reference  = regexp.MustCompile(`(?i)<(?:script|link|img)\b[^>]*\b(?:src|href)\s*=\s*["']([^"']+)["']`)
)

// inlined names what a policy without 'unsafe-inline' blocks, empty if there is nothing of it.
func inlined(html string) string {
	html = comment.ReplaceAllString(html, "")
	for _, tag := range scriptTag.FindAllStringSubmatch(html, -1) {
		if !sourceName.MatchString(tag[1]) && !dataBlock.MatchString(tag[1]) {
			return "a script in it"
		}
	}
	switch {
	case styleTag.MatchString(html):
		return "a style sheet in it"
	case styleAttr.MatchString(html):
		return "a style attribute"
	case handler.MatchString(html):
		return "an event handler in a tag"
	}
	return ""
}

// linked returns the paths of the page's own files.
func linked(html string) (paths []string) {
	for _, m := range reference.FindAllStringSubmatch(comment.ReplaceAllString(html, ""), -1) {
		if u, err := url.Parse(m[1]); err == nil && u.Host == "" && u.Scheme == "" && u.Path != "" {
			paths = append(paths, "/"+strings.TrimPrefix(u.Path, "/"))
		}
	}
	return paths
}
