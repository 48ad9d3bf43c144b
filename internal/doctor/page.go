package doctor

import (
	"context"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"golang.org/x/net/html"
)

const confPath = "/static/client_conf.js"

// apiOnly reports whether the server serves no page.
func (e *run) apiOnly() bool { return !e.set.ServePage }

// checkPage reads the page that the server answers with: it has nothing inline, and every file that it names is served,
// except those that other checks report.
func (e *run) checkPage(ctx context.Context) []Result {
	if e.cfg.Page == nil {
		return skipped("not asked")
	}
	handler, err := e.cfg.Page(e.set)
	if err != nil {
		text, fix := splitSentence(oneLine(err.Error()))
		return failed("the server does not start: "+text, orElse(fix, "Correct what it says."))
	}
	if e.apiOnly() {
		return skipped("P3S3F_SERVE_PAGE is 0: the server is an API alone")
	}
	index := call(ctx, handler, http.MethodGet, "/")
	if index.status != http.StatusOK {
		return failed(fmt.Sprintf("the page is not served (status %d)", index.status), "Put static/index.html back.")
	}
	p := page{policy: index.header.Get("Content-Security-Policy")}
	p.read(index.body.String())
	if p.blocked != "" {
		return failed("static/index.html "+p.blocked+", which its content security policy blocks",
			"Move it into a file below static/.")
	}
	_, noBundle := e.bundle()
	reported := func(path string) bool { // by checkBundle and checkClientConf
		return path == "/"+bundleFile && noBundle != nil || path == confPath && e.conf.file == ""
	}
	paths := slices.DeleteFunc(p.paths, reported)
	if results := checkFiles(paths, func(path string) *response {
		return call(ctx, handler, http.MethodGet, path)
	}); results != nil {
		return results
	}
	return ok("served, with every file that it names")
}

// checkFiles gets every file that the page names, and every module that they import. It returns nil if all are served.
func checkFiles(paths []string, get func(path string) *response) []Result {
	namedBy := map[string]string{}
	for i := 0; i < len(paths); i++ {
		path := paths[i]
		got := get(path)
		switch {
		case got.status == http.StatusOK:
		case path == confPath:
			if results := explainConf(got); results != nil {
				return results
			}
		default:
			const text = "%s names %s, which is not served (status %d)"
			return failed(fmt.Sprintf(text, orElse(namedBy[path], "the page"), path, got.status),
				"Put the file back, or run make static if it is part of the bundle.")
		}
		for _, module := range imports(path, got.body.String()) {
			if !slices.Contains(paths, module) {
				namedBy[module], paths = path, append(paths, module)
			}
		}
	}
	return nil
}

// explainConf says why the server does not serve client_conf.js, nil if the hook Identify wants a login first.
func explainConf(got *response) []Result {
	var body struct {
		Error string `json:"error"`
	}
	json.Unmarshal(got.body.Bytes(), &body) // a body of another form has no sentence to show
	switch text, fix := splitSentence(body.Error); {
	case got.status == http.StatusUnauthorized || got.status == http.StatusForbidden:
		return nil
	case got.status == http.StatusNotFound && fix != "":
		return failed(text, fix)
	}
	return failed(fmt.Sprintf("the server answers for client_conf.js with status %d: its hook Identify fails", got.status),
		"Look for the cause in the server's log.")
}

// page is what the HTML of a page says.
type page struct {
	policy  string   // Content-Security-Policy
	paths   []string // of the site's own files
	blocked string   // what the policy blocks, empty: nothing
}

// read reads the elements of HTML, and of the templates in its scripts.
func (p *page) read(text string) {
	root, err := html.Parse(strings.NewReader(text))
	if err != nil { // only for more than 512 levels
		p.blocked = "cannot be parsed (" + err.Error() + ")"
		return
	}
	for n := range root.Descendants() {
		if n.Type == html.ElementNode {
			p.element(n)
		}
	}
}

func (p *page) element(n *html.Node) {
	attributes := map[string]string{}
	for _, a := range n.Attr {
		attributes[a.Key] = a.Val
		switch {
		case a.Key == "style":
			p.blocked = "has a style attribute"
		case strings.HasPrefix(a.Key, "on") && a.Val != "":
			p.blocked = "has an event handler in a tag"
		}
	}
	src, hasSrc := attributes["src"]
	kind := strings.ToLower(attributes["type"])
	switch {
	case n.Data == "style":
		p.blocked = "has a style sheet in it"
	case n.Data == "img":
		p.loads("img-src", src)
	case n.Data == "link":
		directives := map[string]string{"stylesheet": "style-src", "icon": "img-src"}
		p.loads(directives[strings.ToLower(attributes["rel"])], attributes["href"])
	case n.Data == "script" && hasSrc:
		p.loads("script-src", src)
	case n.Data == "script" && (kind == "text/template" || kind == "text/html") && n.FirstChild != nil:
		p.read(n.FirstChild.Data)
	case n.Data == "script" && (kind == "" || kind == "module" || strings.HasSuffix(kind, "javascript")):
		p.blocked = "has a script in it"
	}
}

// loads notes a file that the page loads under a directive of its policy, none for a link.
func (p *page) loads(directive, address string) {
	u, err := (&url.URL{Scheme: "https", Path: "/"}).Parse(address)
	if err != nil || address == "" || u.Scheme == "data" {
		return
	}
	_, sources, _ := strings.Cut(p.policy, directive+" ")
	sources, _, _ = strings.Cut(sources, ";")
	switch {
	case u.Host == "":
		p.paths = append(p.paths, u.Path)
	case directive != "" && !slices.Contains(strings.Fields(sources), u.Scheme+"://"+u.Host):
		p.blocked = "loads " + u.String()
	}
}

// bundleVersion is the Fine Uploader that this server was made and tested with.
const bundleVersion = "5.16.2"

const bundleFile = "static/s3.fine-uploader.min.js"

// bundle reads the page's Fine Uploader.
func (e *run) bundle() ([]byte, error) { return fs.ReadFile(e.cfg.Files, bundleFile) }

// hasWorkAround reports whether the bundle was made with CEPH=1 (bundle/build.mjs).
func (e *run) hasWorkAround() bool {
	script, err := e.bundle()
	return err == nil && strings.Contains(string(script), `.type || "application/octet-stream"`)
}

// checkBundle reads the version in Fine Uploader's first line.
func (e *run) checkBundle(context.Context) []Result {
	if e.apiOnly() {
		return skipped("P3S3F_SERVE_PAGE is 0: the server is an API alone")
	}
	script, err := e.bundle()
	first, _, _ := strings.Cut(string(script), "\n")
	const fix = "Run make static."
	switch {
	case err != nil:
		return failed(bundleFile+" is not there", fix)
	case !strings.Contains(first, "Fine Uploader "):
		return failed(bundleFile+" is not Fine Uploader", fix)
	case !strings.Contains(first, "Fine Uploader "+bundleVersion+" "):
		const text = "%s is not version %s, which this server was tested with: %s"
		return failed(fmt.Sprintf(text, bundleFile, bundleVersion, oneLine(first)), fix)
	case e.hasWorkAround():
		return ok("Fine Uploader %s, with the work-around for old Ceph", bundleVersion)
	}
	return ok("Fine Uploader %s", bundleVersion)
}
