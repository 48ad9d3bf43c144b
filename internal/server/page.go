package server

import (
	"errors"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"s3-sign-srv/internal/sign"
)

// Client is what the page's configuration is told of the server's settings.
type Client struct {
	Endpoint  string // request.endpoint, with the bucket
	Host      string // objectProperties.host, what the browser sends as Host
	Bucket    string
	Region    string
	AccessKey string
	Version   sign.Version
	MaxBytes  int64 // validation.sizeLimit; 0: none
}

// settings returns the members of fine_u_conf that c decides, by section.
func (c Client) settings() map[string]map[string]any {
	sections := map[string]map[string]any{
		"request":          {"endpoint": c.Endpoint, "accessKey": c.AccessKey},
		"objectProperties": {"bucket": c.Bucket, "host": c.Host, "region": c.Region},
		"signature":        {"version": int(c.Version)},
	}
	if c.MaxBytes > 0 {
		sections["validation"] = map[string]any{"sizeLimit": c.MaxBytes}
	}
	return sections
}

// merge is appended to the user's client_conf.js, with the settings in the place of SETTINGS.
const merge = `

// Added by s3-sign-srv from its own settings, because there is no static/client_conf.js.
(function (conf, settings) {
    "use strict";
    Object.keys(settings).forEach(function (section) {
        conf[section] = Object.assign(conf[section] || {}, settings[section]);
    });
}(fine_u_conf, SETTINGS));
`

// clientConf answers with static/client_conf.js, or makes one from the file beside the server.
func (s *server) clientConf(w http.ResponseWriter, r *http.Request) {
	if _, err := s.Static.Stat("client_conf.js"); !errors.Is(err, fs.ErrNotExist) {
		s.static(w, r)
		return
	}
	base, err := os.ReadFile(s.ClientConf)
	if err != nil {
		s.refuse(w, r, notFound)
		return
	}
	settings, err := json.Marshal(s.Client.settings(), json.Deterministic(true), jsontext.EscapeForJS(true), jsontext.EscapeForHTML(true))
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	script := string(base) + strings.Replace(merge, "SETTINGS", string(settings), 1)
	w.Header().Set("Cache-Control", "no-cache")
	http.ServeContent(w, r, "client_conf.js", time.Time{}, strings.NewReader(script))
}

// static answers /static/*: regular files below static/, and no other. Dotfiles are not served, and
// os.Root follows no link that leads outside.
func (s *server) static(w http.ResponseWriter, r *http.Request) {
	s.serve(w, r, strings.TrimPrefix(r.URL.Path, "/static/"))
}

// file answers with one file of static/.
func (s *server) file(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, name) }
}

func (s *server) serve(w http.ResponseWriter, r *http.Request, name string) {
	if !fs.ValidPath(name) || strings.HasPrefix(name, ".") || strings.Contains(name, "/.") {
		s.refuse(w, r, notFound)
		return
	}
	f, err := s.Static.Open(name)
	if err != nil {
		s.refuse(w, r, notFound)
		return
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		s.refuse(w, r, notFound)
		return
	}
	w.Header().Set("Cache-Control", "no-cache") // an edited file is seen by the next reload
	http.ServeContent(w, r, name, info.ModTime(), f)
}
