package server

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
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
	MaxBytes  int64    // validation.sizeLimit; 0: none
	Types     []string // validation.acceptFiles, what the file dialog offers; empty: all
	NoDelete  bool     // deleteFile.enabled is false
}

// settings returns the members of fine_u_conf that c decides, by section.
func (c Client) settings(owner string) map[string]map[string]any {
	sections := map[string]map[string]any{
		"request":          {"endpoint": c.Endpoint, "accessKey": c.AccessKey},
		"objectProperties": {"bucket": c.Bucket, "host": c.Host, "region": c.Region},
		"signature":        {"version": int(c.Version)},
	}
	validation := map[string]any{}
	if c.MaxBytes > 0 {
		validation["sizeLimit"] = c.MaxBytes
	}
	if len(c.Types) > 0 {
		validation["acceptFiles"] = strings.Join(c.Types, ",")
	}
	if len(validation) > 0 {
		sections["validation"] = validation
	}
	if c.NoDelete {
		sections["deleteFile"] = map[string]any{"enabled": false}
	}
	if owner != "" {
		sections["session"] = map[string]any{"endpoint": "/s3/session"}
	}
	return sections
}

// settingsScript is appended to the user's client_conf.js, with the settings in the place of SETTINGS.
const settingsScript = `

// Added by s3-sign-srv from its own settings, because there is no static/client_conf.js.
(function (conf, settings) {
    "use strict";
    Object.keys(settings).forEach(function (section) {
        conf[section] = Object.assign(conf[section] || {}, settings[section]);
    });
}(fine_u_conf, SETTINGS));
`

// ownerScript is appended too where P3S3F_OWN_UPLOADS_ONLY wants the owner in front of every key. What the
// user set as the key stays behind it; a resumed upload is one of the same owner.
const ownerScript = `

// Added by s3-sign-srv, because P3S3F_OWN_UPLOADS_ONLY is 1.
(function (conf, owner) {
    "use strict";
    var properties = conf.objectProperties = conf.objectProperties || {}, key = properties.key || "uuid";
    var resume = conf.resume = Object.assign({}, conf.resume), customKeys = resume.customKeys;
    properties.key = function (id) {
        function own(name) { return name.indexOf(owner + "/") === 0 ? name : owner + "/" + name; }
        if (typeof key === "function") {
            var name = key.call(this, id);
            return name && typeof name.then === "function" ? name.then(own) : own(name);
        }
        var filename = this.getName(id), extension = qq.getExtension(filename);
        return own(key === "filename" ? filename : this.getUuid(id) + (extension === undefined ? "" : "." + extension));
    };
    resume.owner = owner;
    resume.customKeys = function (id) { return [owner].concat(customKeys ? customKeys.call(this, id) : []); };
}(fine_u_conf, OWNER));
`

// clientConf answers with static/client_conf.js, or makes one from the file beside the server.
func (s *server) clientConf(w http.ResponseWriter, r *http.Request) {
	owner, err := s.ensureCookie(w, r)
	if err != nil {
		s.writeError(w, r, err)
		return
	}
	custom, err := s.hasCustomConf()
	if err != nil {
		s.writeError(w, r, err)
		return
	}
	if custom && !s.OwnUploadsOnly {
		s.static(w, r)
		return
	}
	script, err := s.script(owner, custom)
	if err != nil {
		s.writeError(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store") // it is the caller's own
	http.ServeContent(w, r, "client_conf.js", time.Time{}, strings.NewReader(script))
}

// hasCustomConf reports whether there is a static/client_conf.js. The error says that it is there and cannot be read.
func (s *server) hasCustomConf() (bool, error) {
	f, err := s.Files.Open("static/client_conf.js")
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, errUnreadableConf.WithCause(err)
	}
	return true, f.Close()
}

// script is the user's own file, with the owner's part behind it where there is one; what is made from the
// file beside the server has the server's settings too.
func (s *server) script(owner string, custom bool) (string, error) {
	if !s.OwnUploadsOnly {
		owner = ""
	}
	if custom {
		base, err := fs.ReadFile(s.Files, "static/client_conf.js")
		if err != nil {
			return "", errUnreadableConf.WithCause(err)
		}
		own, err := insertJSON(ownerScript, "OWNER", owner)
		return string(base) + own, err
	}
	base, err := fs.ReadFile(s.Files, "client_conf.js")
	if err != nil {
		return "", fmt.Errorf("client_conf.js: %w", err)
	}
	return s.Client.script(string(base), owner)
}

// script appends c, and the owner if there is one, to the user's base.
func (c Client) script(base, owner string) (string, error) {
	script, err := insertJSON(settingsScript, "SETTINGS", c.settings(owner))
	if err != nil || owner == "" {
		return base + script, err
	}
	own, err := insertJSON(ownerScript, "OWNER", owner)
	return base + script + own, err
}

// insertJSON puts value into script in the place of mark.
func insertJSON(script, mark string, value any) (string, error) {
	encoded, err := json.Marshal(value, json.Deterministic(true), jsontext.EscapeForJS(true), jsontext.EscapeForHTML(true))
	return strings.Replace(script, mark, string(encoded), 1), err
}

// hashWorker answers with the worker that hashes parts. A worker has the policy that it comes with, not that of its page
// (HTML, "initialize worker global scope's policy container").
func (s *server) hashWorker(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Security-Policy", workerPolicy)
	s.static(w, r)
}

// static answers /static/*: regular files below static/, and no other. Dotfiles are not served, and
// os.Root follows no link that leads outside.
func (s *server) static(w http.ResponseWriter, r *http.Request) {
	s.serve(w, r, strings.TrimPrefix(r.URL.Path, "/"))
}

// file answers with one file.
func (s *server) file(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, name) }
}

func (s *server) serve(w http.ResponseWriter, r *http.Request, name string) {
	if !fs.ValidPath(name) || strings.Contains(name, "/.") {
		s.writeError(w, r, errNotFound)
		return
	}
	f, err := s.Files.Open(name)
	if err != nil {
		s.writeError(w, r, errNotFound)
		return
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		s.writeError(w, r, errNotFound)
		return
	}
	content, ok := f.(io.ReadSeeker)
	if !ok {
		s.writeError(w, r, fmt.Errorf("%s cannot be served: its file system does not seek", name))
		return
	}
	w.Header().Set("Cache-Control", "no-cache") // an edited file is seen by the next reload
	http.ServeContent(w, r, name, info.ModTime(), content)
}
