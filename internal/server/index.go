package server

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

// quotedPath is an attribute of index.html with the address of a file.
var quotedPath = regexp.MustCompile(`"static/[^"?#]+"`)

const (
	pageModule = "static/page.js"     // imports the page's other modules
	pageBundle = "static/page.min.js" // all of them in one file, which make has built
)

// index handles GET /: static/index.html, with the bundle in place of the page's modules, and with a version in the
// address of each file except client_conf.js, so that browsers can keep it.
func (s *server) index(w http.ResponseWriter, r *http.Request) {
	html, err := fs.ReadFile(s.Files, "static/index.html")
	if err != nil {
		s.writeError(w, r, errNotFound)
		return
	}
	page := quotedPath.ReplaceAllStringFunc(string(html), func(quoted string) string {
		name := strings.Trim(quoted, `"`)
		if name == pageModule && s.isBundleCurrent() {
			name = pageBundle
		}
		return `"` + s.withVersion(name) + `"`
	})
	w.Header().Set("ETag", etag(fmt.Sprintf("%x", sha256.Sum256([]byte(page)))))
	w.Header().Set("Cache-Control", revalidate)
	http.ServeContent(w, r, "index.html", time.Time{}, strings.NewReader(page))
}

// withVersion returns the address of a file with its version.
func (s *server) withVersion(name string) string {
	if name == customConf {
		return name
	}
	f, modified, err := s.open(name)
	if err != nil {
		return name
	}
	defer f.Close()
	version, err := s.version(name, f, modified.IsZero())
	if err != nil {
		return name
	}
	return name + "?v=" + version
}

// isBundleCurrent reports whether the bundle was built from the modules that are served. Its source map has their
// contents (ECMA-426). Without make there is no bundle, and users may replace modules.
func (s *server) isBundleCurrent() bool {
	encoded, err := fs.ReadFile(s.Files, pageBundle+".map")
	if err != nil {
		return false
	}
	var sourceMap struct {
		Sources        []string `json:"sources"` // relative to the map
		SourcesContent []string `json:"sourcesContent"`
	}
	if json.Unmarshal(encoded, &sourceMap) != nil || len(sourceMap.Sources) != len(sourceMap.SourcesContent) {
		return false
	}
	for i, source := range sourceMap.Sources {
		module, err := fs.ReadFile(s.Files, path.Join(path.Dir(pageBundle), source))
		if err != nil || string(module) != sourceMap.SourcesContent[i] {
			return false
		}
	}
	_, err = fs.Stat(s.Files, pageBundle)
	return err == nil
}
