package server

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"s3-sign-srv/internal/sign"
)

// Client has the server's settings for the page's configuration.
type Client struct {
	Endpoint string // request.endpoint, with the bucket
	Host     string // objectProperties.host, what the browser sends as Host
	Bucket   string
	Region   string
	Version  sign.Version
	Types    []string // validation.acceptFiles, for the file dialog; empty: all

	UnsignedPayload bool // signature.unsignedPayload: the page does not hash parts
}

// options returns the members of fine_u_conf that the settings decide, by section.
func (s *server) options() map[string]map[string]any {
	c := s.Client
	sections := map[string]map[string]any{
		"request":          {"endpoint": c.Endpoint, "accessKey": s.Signer.AccessKey()},
		"objectProperties": {"bucket": c.Bucket, "host": c.Host, "region": c.Region},
		"signature":        {"version": int(c.Version), "unsignedPayload": c.UnsignedPayload},
		"validation":       {},
	}
	if s.MaxBytes > 0 {
		sections["validation"]["sizeLimit"] = s.MaxBytes
	}
	if len(c.Types) > 0 {
		sections["validation"]["acceptFiles"] = strings.Join(c.Types, ",")
	}
	if !s.AllowDelete {
		sections["deleteFile"] = map[string]any{"enabled": false}
	}
	if s.OwnUploadsOnly {
		sections["session"] = map[string]any{"endpoint": "/s3/session"}
	}
	return sections
}

// settingsScript is appended to the user's client_conf.js, with the settings in place of SETTINGS.
const settingsScript = `

// Added by s3-sign-srv from its own settings, because there is no static/client_conf.js.
(function (conf, settings) {
    "use strict";
    Object.keys(settings).forEach(function (section) {
        conf[section] = Object.assign(conf[section] || {}, settings[section]);
    });
}(fine_u_conf, SETTINGS));
`

// ownerScript is also appended if P3S3F_OWN_UPLOADS_ONLY requires the owner in front of every key. The user's key
// follows it, and only uploads of the same owner are resumed.
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

const customConf = "static/client_conf.js"

// clientConf handles GET /static/client_conf.js: the user's own file, or client_conf.js with the settings added; both
// with the owner added if keys need one.
func (s *server) clientConf(w http.ResponseWriter, r *http.Request) {
	owner, err := s.ensureCookie(w, r)
	if err != nil {
		s.writeError(w, r, err)
		return
	}
	custom, err := fs.ReadFile(s.Files, customConf)
	isCustom := !errors.Is(err, fs.ErrNotExist)
	switch {
	case isCustom && err != nil:
		s.writeError(w, r, fmt.Errorf("%w (%w)", errUnreadableConf, err))
		return
	case isCustom && !s.OwnUploadsOnly:
		s.serveFile(w, r, customConf)
		return
	case !isCustom:
		if custom, err = s.addSettings(); err != nil {
			s.writeError(w, r, err)
			return
		}
	}
	if s.OwnUploadsOnly {
		custom = append(custom, insertJSON(ownerScript, "OWNER", owner)...)
	}
	w.Header().Set("Cache-Control", "no-store") // it depends on the caller
	http.ServeContent(w, r, "client_conf.js", time.Time{}, strings.NewReader(string(custom)))
}

// addSettings returns client_conf.js with the settings added.
func (s *server) addSettings() ([]byte, error) {
	base, err := fs.ReadFile(s.Files, "client_conf.js")
	if err != nil {
		return nil, fmt.Errorf("client_conf.js: %w", err)
	}
	return append(base, insertJSON(settingsScript, "SETTINGS", s.options())...), nil
}

// insertJSON replaces mark in script by value.
func insertJSON(script, mark string, value any) string {
	encoded, err := json.Marshal(value, json.Deterministic(true),
		jsontext.EscapeForJS(true), jsontext.EscapeForHTML(true))
	if err != nil {
		panic("server: " + err.Error()) // strings, numbers and maps of them always encode
	}
	return strings.Replace(script, mark, string(encoded), 1)
}
