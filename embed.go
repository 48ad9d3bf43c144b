// Package assets has the files that the server reads beside its settings: the page, the Fine Uploader bundle if
// make has built it, the page's configuration, and the bucket's CORS rules. They are built into the binary.
package assets

import (
	"embed"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

//go:embed static client_conf.js basic_cors.xml
var embedded embed.FS

// customConf is the user's own file, which may have been there when the binary was built.
const customConf = "static/client_conf.js"

// FS returns the embedded files, by their paths in the repository. A file of the same name in dir replaces an
// embedded one, and static/ may have more files there. Nothing else in dir can be opened, not even by a link:
// the settings, with the secret key, are kept there too.
func FS(dir string) fs.FS { return overlay(dir) }

type overlay string

// Open opens a file. For a link that leads out of static/, the error is not fs.ErrNotExist.
func (dir overlay) Open(name string) (fs.File, error) {
	f, err := dir.open(name)
	if errors.Is(err, fs.ErrNotExist) && name != customConf {
		return embedded.Open(name)
	}
	return f, err
}

func (dir overlay) open(name string) (fs.File, error) {
	inStatic, isStatic := strings.CutPrefix(name, "static/")
	switch {
	case !fs.ValidPath(name):
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	case isStatic:
		return os.OpenInRoot(filepath.Join(string(dir), "static"), filepath.FromSlash(inStatic))
	case name == "client_conf.js" || name == "basic_cors.xml":
		return os.Open(filepath.Join(string(dir), name))
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}
