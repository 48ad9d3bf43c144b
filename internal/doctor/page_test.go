package doctor

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"

	"s3-sign-srv/internal/config"
)

// TestPage reads pages that work, and pages with one mistake.
func TestPage(t *testing.T) {
	const policy = "default-src 'none'; connect-src 'self' http://s3.example.org:9000; script-src 'self'"
	for _, test := range []struct {
		name, html, policy string
		status             Status
		want               string
	}{
		{"healthy", `<script src="/static/there.js"></script><script type="text/template">x</script>`, policy, OK,
			"served"},
		{"a comment", `<!-- <script>x</script> <img src="gone.png"> -->`, policy, OK, ""},
		{"data", `<script type="application/json">{}</script>`, policy, OK, ""},
		{"a title like a handler", `<p title="done once = yes">`, policy, OK, ""},
		{"a title like a style", `<p title="no style = good">`, policy, OK, ""},
		{"an inline script", `<script>run()</script>`, policy, Failed, "a script in it"},
		{"an inline module", `<script type="module">run()</script>`, policy, Failed, "a script in it"},
		{"an inline style", `<p style="color: red">`, policy, Failed, "a style attribute"},
		{"a style sheet", `<style>p {}</style>`, policy, Failed, "a style sheet"},
		{"a handler", `<p onclick="run()">`, policy, Failed, "an event handler"},
		{"a handler without quotes", `<p ONCLICK=run()>`, policy, Failed, "an event handler"},
		{"an inline style in a template", `<script type="text/template"><p style="x: y"></script>`, policy, Failed,
			"a style attribute"},
		{"a missing file", `<script src="static/gone.js"></script>`, policy, Failed,
			"the page names /static/gone.js, which is not served (status 404)"},
		{"a missing file without quotes", `<script src=static/gone.js></script>`, policy, Failed,
			"/static/gone.js, which is not served (status 404)"},
		{"another site's picture", `<img src="https://example.org/x.png">`, policy, Failed,
			"loads https://example.org/x.png, which its content security policy blocks"},
		{"another site's script", `<script src="//cdn.example.org/x.js"></script>`, policy, Failed,
			"loads https://cdn.example.org/x.js"},
		{"another site's style sheet", `<link rel="stylesheet" href="https://cdn.example.org/x.css">`, policy, Failed,
			"loads https://cdn.example.org/x.css"},
		{"another site's page",
			`<link rel="canonical" href="https://example.org/"><a href="https://example.org/">x</a>`, policy, OK, ""},
		{"the store's picture", `<img src="http://s3.example.org:9000/x.png">`,
			policy + "; img-src http://s3.example.org:9000", OK, ""},
		{"the store's script", `<script src="http://s3.example.org:9000/x.js"></script>`, policy, Failed,
			"loads http://s3.example.org:9000/x.js"},
		{"a module", `<script type="module" src="/static/module.js"></script>`, policy, Failed,
			"/static/module.js names /static/lib/gone.js, which is not served (status 404)"},
	} {
		e := examAt(t, "http://s3.example.org:9000")
		e.cfg.Page = func(config.Config) (http.Handler, error) {
			mux := http.NewServeMux()
			mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Security-Policy", test.policy)
				w.Write([]byte("<!doctype html>" + test.html))
			})
			mux.HandleFunc("GET /static/there.js", func(http.ResponseWriter, *http.Request) {})
			mux.HandleFunc("GET /static/module.js", func(w http.ResponseWriter, r *http.Request) {
				w.Write([]byte("import { a } from \"./there.js\";\nexport const text = \"./no.js\";\n" +
					"import {\n  b,\n} from './lib/gone.js';\n"))
			})
			return mux, nil
		}
		got := e.checkPage(t.Context())
		if len(got) != 1 || got[0].Status != test.status || !strings.Contains(got[0].Text, test.want) {
			t.Errorf("%s: %+v, want %s with %q", test.name, got, test.status, test.want)
		}
	}
}

// TestConfNotServed has a server that does not serve client_conf.js.
func TestConfNotServed(t *testing.T) {
	for _, test := range []struct {
		code      int
		body      string
		status    Status
		text, fix string
	}{
		{http.StatusUnauthorized, `{"error":"Please log in.","id":"1a2b3c4d"}`, OK, "served", ""},
		{http.StatusInternalServerError,
			`{"error":"The server could not decide; try again, and tell its operator the id of this answer."}`,
			Failed, "its hook Identify fails", "Look for the cause in the server's log."},
		{http.StatusNotFound, `{"error":"The file static/client_conf.js cannot be read; make it a hard link."}`,
			Failed, "The file static/client_conf.js cannot be read", "Make it a hard link."},
	} {
		e := examAt(t, "http://s3.example.org:9000")
		e.conf.file = "static/client_conf.js"
		e.cfg.Page = func(config.Config) (http.Handler, error) {
			mux := http.NewServeMux()
			mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Security-Policy", "connect-src http://s3.example.org:9000; script-src 'self'")
				io.WriteString(w, `<!doctype html><script src="/static/client_conf.js"></script>`)
			})
			mux.HandleFunc("GET /static/client_conf.js", func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(test.code)
				io.WriteString(w, test.body)
			})
			return mux, nil
		}
		got := e.checkPage(t.Context())
		if len(got) != 1 || got[0].Status != test.status || !strings.Contains(got[0].Text,
			test.text) || got[0].Fix != test.fix {
			t.Errorf("%d: %+v", test.code, got)
		}
	}
}

func TestBundle(t *testing.T) {
	for _, test := range []struct {
		name, script string
		status       Status
		want         string
	}{
		{"none", "", Failed, "is not there"},
		{"right", "// Fine Uploader 5.16.2 - MIT licensed.\n", OK, "5.16.2"},
		{"for old Ceph", "// Fine Uploader 5.16.2 - MIT\nreturn a.getFile(b).type || \"application/octet-stream\"",
			OK, "work-around"},
		{"old", "// Fine Uploader 5.14.4 - MIT licensed.\n", Failed, "not version 5.16.2"},
		{"longer version", "// Fine Uploader 5.16.20 - MIT\n", Failed, "not version 5.16.2"},
		{"something else", "<!doctype html>", Failed, "not Fine Uploader"},
	} {
		e := examOf(t, "", "")
		if test.script != "" {
			e.cfg.Files = fstest.MapFS{"static/s3.fine-uploader.min.js": {Data: []byte(test.script)}}
		}
		if got := e.checkBundle(t.Context()); got[0].Status != test.status || !strings.Contains(got[0].Text, test.want) {
			t.Errorf("%s: %+v", test.name, got)
		}
	}
}

// TestNoPage has a server that serves no page.
func TestNoPage(t *testing.T) {
	e := examOf(t, "", "", "P3S3F_SERVE_PAGE=0")
	e.cfg.Page = func(config.Config) (http.Handler, error) { return http.NotFoundHandler(), nil }
	for name, check := range map[string]func(context.Context) []Result{"page": e.checkPage, "bundle": e.checkBundle} {
		if got := check(t.Context()); len(got) != 1 || got[0].Status != Skipped || !strings.Contains(got[0].Text,
			"the server is an API alone") {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
