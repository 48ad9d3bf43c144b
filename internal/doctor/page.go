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

	"github.com/go-json-experiment/json"

	"s3-sign-srv/internal/config"
)

// checkPage serves the page on a free loopback port and looks at it as a browser would: every file that
// it names is there, nothing in it is against its own content security policy, and that lets it reach
// the store.
func (e *run) checkPage(ctx context.Context) []Result {
	if e.cfg.Page == nil {
		return skipped("not asked")
	}
	address, stop, err := servePage(e.cfg.Page, e.set)
	if err != nil {
		text, fix := splitSentence(oneLine(err.Error()))
		return failed("the server does not start: "+text, orElse(fix, "Correct what it says."))
	}
	defer stop()
	if e.noStatic() {
		return skipped("P3S3F_SERVE_PAGE is 0: the server is an API alone")
	}
	get := func(path string) (answer, error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, address+path, nil)
		if err != nil {
			return answer{}, err
		}
		return ask(e.http, r)
	}
	return e.examinePage(get)
}

// examinePage looks at what the server gives out.
func (e *run) examinePage(get func(path string) (answer, error)) []Result {
	page, err := get("/")
	if err != nil || page.status != http.StatusOK {
		return failed(fmt.Sprintf("the page is not served (status %d)", page.status), "Put static/index.html back.")
	}
	html := comment.ReplaceAllString(string(page.body), "")
	if fault := inlined(html); fault != "" {
		return failed("static/index.html has "+fault+", which its content security policy blocks", "Move it into a file below static/.")
	}
	policy := readPolicy(page.header.Get("Content-Security-Policy"))
	own, others := references(html)
	for _, r := range others {
		if !policy.allows(r.directive, r.address) {
			return failed(fmt.Sprintf("static/index.html loads %s, which its content security policy blocks", r.address), "Put that file below static/ and load it from there.")
		}
	}
	_, noBundle := e.bundle()
	told := func(path string) bool { // by checkBundle and checkClientConf
		return path == "/"+bundleFile && noBundle != nil || path == confPath && e.conf.file == ""
	}
	if results := wholePage(get, slices.DeleteFunc(own, told)); results != nil {
		return results
	}
	return e.checkPolicy(policy)
}

// wholePage gets every file that the page names, and every module that they import, nil if all are served.
func wholePage(get func(string) (answer, error), paths []string) []Result {
	named := map[string]string{} // by whom
	for _, path := range paths {
		named[path] = "the page"
	}
	for i := 0; i < len(paths); i++ {
		got, err := get(paths[i])
		if err == nil && paths[i] == confPath && got.status != http.StatusOK {
			if results := refusedConf(got); results != nil {
				return results
			}
			continue
		}
		if err != nil || got.status != http.StatusOK {
			return failed(fmt.Sprintf("%s names %s, which is not served (status %d)", named[paths[i]], paths[i], got.status), "Put the file back, or run make static if it is part of the bundle.")
		}
		for _, module := range imported(paths[i], string(got.body)) {
			if named[module] == "" {
				named[module], paths = paths[i], append(paths, module)
			}
		}
	}
	return nil
}

const confPath = "/static/client_conf.js"

// refusedConf tells why the server does not give client_conf.js out, nil if that is because the hook Identify knows
// nobody without a login.
func refusedConf(got answer) []Result {
	var said struct {
		Error string `json:"error"`
	}
	json.Unmarshal(got.body, &said) // a proxy may have answered
	switch text, fix := splitSentence(said.Error); {
	case got.status == http.StatusUnauthorized || got.status == http.StatusForbidden:
		return nil
	case got.status == http.StatusNotFound && fix != "":
		return failed(text, fix)
	}
	return failed(fmt.Sprintf("the server answers for client_conf.js with status %d: its hook Identify fails", got.status), "Look for the cause in the server's log.")
}

// statement matches import and export of a module, by its address.
var statement = regexp.MustCompile(`(?m)^\s*(?:import|export)\b[^;'"()=]*["'](\.{0,2}/[^"']+)["']`)

// imported returns the paths of the modules that the script at path imports.
func imported(path, script string) (paths []string) {
	if !strings.HasSuffix(path, "js") {
		return nil
	}
	base := &url.URL{Path: path}
	for _, m := range statement.FindAllStringSubmatch(script, -1) {
		if module, err := base.Parse(m[1]); err == nil {
			paths = append(paths, module.Path)
		}
	}
	return paths
}

// checkPolicy wants the page to be let through to the store.
func (e *run) checkPolicy(policy securityPolicy) []Result {
	endpoint, host := browserAddress(e.set)
	scheme, _, _ := strings.Cut(endpoint, "://")
	origin := scheme + "://" + host
	if policy.allows("connect-src", origin) {
		return ok("served, with a content security policy that lets it reach %s", origin)
	}
	return failed("the page's content security policy does not let it reach "+origin, "Look for a proxy that changes the header Content-Security-Policy.")
}

// securityPolicy holds the sources of each directive of a content security policy.
type securityPolicy map[string][]string

func readPolicy(header string) securityPolicy {
	policy := securityPolicy{}
	for directive := range strings.SplitSeq(header, ";") {
		if words := strings.Fields(directive); len(words) > 0 {
			policy[words[0]] = words[1:]
		}
	}
	return policy
}

// allows reports whether the policy, as far as this server writes such, lets the page load or reach address.
func (p securityPolicy) allows(directive, address string) bool {
	sources, known := p[directive]
	if !known && directive != "connect-src" {
		sources, known = p["default-src"]
		if !known {
			return true
		}
	}
	u, err := url.Parse(address)
	return err == nil && slices.Contains(sources, u.Scheme+"://"+u.Host)
}

// servePage starts the server's handler on a free port.
func servePage(handler func(config.Config) (http.Handler, error), set config.Config) (address string, stop func(), err error) {
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
	loads      = regexp.MustCompile(`(?i)<(script|link|img)\b([^>]*)>`)
	address    = regexp.MustCompile(`(?i)\b(?:src|href)\s*=\s*["']([^"']+)["']`)
	relation   = regexp.MustCompile(`(?i)\brel\s*=\s*["']?([a-z]+)`)
)

// inlined names what a policy without 'unsafe-inline' blocks, empty if there is nothing of it.
func inlined(html string) string {
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

// foreign is another site's file, and the directive that it falls under.
type foreign struct{ directive, address string }

// references returns the paths of the page's own files, and other sites'.
func references(html string) (own []string, others []foreign) {
	for _, tag := range loads.FindAllStringSubmatch(html, -1) {
		found := address.FindStringSubmatch(tag[2])
		if found == nil {
			continue
		}
		switch u, err := url.Parse(found[1]); {
		case err != nil || u.Scheme == "data":
		case u.Host != "":
			if directive := directiveOf(tag[1], tag[2]); directive != "" {
				others = append(others, foreign{directive, (&url.URL{Scheme: "https"}).ResolveReference(u).String()})
			}
		case u.Path != "":
			own = append(own, "/"+strings.TrimPrefix(u.Path, "/"))
		}
	}
	return own, others
}

// directiveOf says what a tag loads, empty if nothing.
func directiveOf(tag, attributes string) string {
	switch strings.ToLower(tag) {
	case "script":
		return "script-src"
	case "img":
		return "img-src"
	}
	if found := relation.FindStringSubmatch(attributes); found != nil {
		return map[string]string{"stylesheet": "style-src", "icon": "img-src"}[strings.ToLower(found[1])]
	}
	return ""
}
