package doctor

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// route is one that client_conf.js has to name.
type route struct {
	option, path, method string
	needed               string // what does not happen without
}

// checkRoutes has the server say whether it answers where client_conf.js sends its own requests.
func (e *run) checkRoutes(ctx context.Context) []Result {
	if e.cfg.Page == nil || e.noStatic() {
		return nil
	}
	address, stop, err := servePage(e.cfg.Page, e.set)
	if err != nil {
		return nil // checkPage tells
	}
	defer stop()
	routes := []route{{"signature.endpoint", "/s3/sign", http.MethodPost, "nothing is signed"}, {"uploadSuccess.endpoint", "/s3/success", http.MethodPost, "the server is told of no upload"}}
	if e.set.AllowDelete && e.conf.on("deleteFile.enabled") {
		routes = append(routes, route{"deleteFile.endpoint", "/s3/delete", http.MethodPost, "nothing is deleted"})
	}
	var results []Result
	for _, r := range routes {
		results = append(results, e.checkRoute(ctx, address, r)...)
	}
	return results
}

func (e *run) checkRoute(ctx context.Context, address string, r route) []Result {
	fix := fmt.Sprintf("Set %s to %q.", r.option, r.path)
	value, known := e.conf.text(r.option, "")
	u, err := url.Parse(value)
	switch {
	case !known:
		return nil
	case value == "":
		return failed(fmt.Sprintf("%s has no %s, so that %s", e.conf.file, r.option, r.needed), fix)
	case err != nil:
		return failed(fmt.Sprintf("%s has %s %q", e.conf.file, r.option, value), fix)
	case u.Host != "" && !slices.Contains(e.origins(), u.Scheme+"://"+u.Host):
		return warning(fmt.Sprintf("%s has %s at %s, which doctor does not know", e.conf.file, r.option, u.Host), "See that it is this server, or name it to doctor by -origin.")
	case u.Query().Has("v4"):
		return failed(fmt.Sprintf("%s has v4 in %s, which Fine Uploader adds itself where it is due", e.conf.file, r.option), fix)
	case e.answersTo(ctx, address+"/"+strings.TrimPrefix(u.Path, "/"), r.method):
		if !strings.HasSuffix(u.Path, r.path) {
			return failed(fmt.Sprintf("%s has %s %q, where the server wants other requests", e.conf.file, r.option, value), fix)
		}
		return nil
	case strings.HasSuffix(u.Path, r.path):
		return warning(fmt.Sprintf("%s has %s %q, and the server itself answers at %s", e.conf.file, r.option, value, r.path), "See that a proxy takes off what stands in front.")
	}
	return failed(fmt.Sprintf("%s has %s %q, where the server does not answer", e.conf.file, r.option, value), fix)
}

// answersTo asks the server which methods an address has.
func (e *run) answersTo(ctx context.Context, address, method string) bool {
	r, err := http.NewRequestWithContext(ctx, http.MethodOptions, address, nil)
	if err != nil {
		return false
	}
	got, err := ask(e.http, r)
	return err == nil && slices.Contains(values(got.header, "Allow"), method)
}
