package doctor

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// response is what a handler answers, in memory.
type response struct {
	status int
	header http.Header
	body   bytes.Buffer
}

func (r *response) Header() http.Header         { return r.header }
func (r *response) WriteHeader(status int)      { r.status = status }
func (r *response) Write(p []byte) (int, error) { return r.body.Write(p) }

// call returns what the server's handler answers to a request without a body from this machine.
func call(ctx context.Context, h http.Handler, method, path string) *response {
	got := &response{status: http.StatusOK, header: http.Header{}}
	r, err := http.NewRequestWithContext(ctx, method, "http://localhost/"+strings.TrimPrefix(path, "/"), nil)
	if err != nil {
		got.status = http.StatusBadRequest
		return got
	}
	r.RemoteAddr = "127.0.0.1:1"
	h.ServeHTTP(got, r)
	return got
}

// route is one that client_conf.js has to name.
type route struct {
	option, path string
	without      string // what does not happen without the option
}

// checkRoutes asks the server's handler whether it answers where client_conf.js sends requests.
func (e *run) checkRoutes(ctx context.Context) []Result {
	if e.cfg.Page == nil || e.apiOnly() {
		return nil
	}
	handler, err := e.cfg.Page(e.set)
	if err != nil {
		return nil // checkPage reports it
	}
	routes := []route{
		{"signature.endpoint", "/s3/sign", "nothing is signed"},
		{"uploadSuccess.endpoint", "/s3/success", "uploads are not reported to the server"},
	}
	if e.set.AllowDelete && e.conf.on("deleteFile.enabled") {
		routes = append(routes, route{"deleteFile.endpoint", "/s3/delete", "nothing is deleted"})
	}
	var results []Result
	for _, r := range routes {
		results = append(results, e.checkRoute(ctx, handler, r)...)
	}
	return results
}

func (e *run) checkRoute(ctx context.Context, handler http.Handler, r route) []Result {
	value, known := e.conf.text(r.option, "")
	if !known {
		return nil
	}
	has, fix := fmt.Sprintf("%s has %s %q", e.conf.file, r.option, value), fmt.Sprintf("Set %s to %q.", r.option, r.path)
	u, err := url.Parse(value)
	switch {
	case value == "":
		return failed(fmt.Sprintf("%s has no %s, so %s", e.conf.file, r.option, r.without), fix)
	case err != nil:
		return failed(has+", which is no URL", fix)
	case u.Host != "" && !slices.Contains(e.origins(), u.Scheme+"://"+u.Host):
		return warning(fmt.Sprintf("%s has %s at %s, which doctor does not know", e.conf.file, r.option, u.Host),
			"Make sure that it is this server, or name it to doctor by -origin.")
	case u.Query().Has("v4"):
		return failed(fmt.Sprintf("%s has v4 in %s, which Fine Uploader adds itself", e.conf.file, r.option), fix)
	}
	allowed := values(call(ctx, handler, http.MethodOptions, u.Path).header, "Allow")
	switch answers := slices.Contains(allowed, http.MethodPost); {
	case answers && strings.HasSuffix(u.Path, r.path):
		return nil
	case answers:
		return failed(has+", where the server expects other requests", fix)
	case strings.HasSuffix(u.Path, r.path):
		return warning(has+", and the server itself answers at "+r.path, "Make sure that a proxy removes the prefix.")
	}
	return failed(has+", where the server does not answer", fix)
}
