// Package assets has the files that the server reads beside its settings: the page, the Fine Uploader bundle if
// make has built it, the page's configuration, and the bucket's CORS rules. They are built into the binary.
package assets

import (
	"embed"
	"errors"
	"fmt"
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
// embedded one, and static/ may have more files there. A copy named my_client_conf.js or my_basic_cors.xml, which git
// ignores, replaces both. Nothing else in dir can be opened, not even by a link: the settings, with the secret key, are
// kept there too.
func FS(dir string) fs.FS { return overlay(dir) }

type overlay string

// Open opens a file. For a link that leads nowhere, or out of static/, the error is not fs.ErrNotExist.
func (dir overlay) Open(name string) (fs.File, error) {
	f, err := dir.open(name)
	if errors.Is(err, fs.ErrNotExist) && name != customConf {
		return embedded.Open(name)
	}
	return f, err
}

func (dir overlay) open(name string) (f fs.File, err error) {
	path := filepath.Join(string(dir), filepath.FromSlash(name))
	inStatic, isStatic := strings.CutPrefix(name, "static/")
	switch {
	case !fs.ValidPath(name):
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	case isStatic:
		f, err = os.OpenInRoot(filepath.Join(string(dir), "static"), filepath.FromSlash(inStatic))
	case name == "client_conf.js" || name == "basic_cors.xml":
		if copied := filepath.Join(string(dir), "my_"+name); exists(copied) {
			path = copied
		}
		f, err = os.Open(path)
	default:
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	if info, linkErr := os.Lstat(path); linkErr == nil && info.Mode().Type() == fs.ModeSymlink &&
		errors.Is(err, fs.ErrNotExist) {
		err = &fs.PathError{Op: "open", Path: path, Err: errors.New("a link to a file that does not exist")}
	}
	return f, err
}

// exists reports whether there is a file, or a link that may lead nowhere.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// Warnings names the files in dir that FS cannot open, one sentence each. The built-in files are not served instead.
func Warnings(dir string) (warnings []string) {
	names := []string{"client_conf.js", "basic_cors.xml"}
	fs.WalkDir(os.DirFS(filepath.Join(dir, "static")), ".", func(name string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && !strings.Contains("/"+name, "/.") { // dotfiles are not served
			names = append(names, "static/"+name)
		}
		return nil
	})
	for _, name := range names {
		f, err := FS(dir).Open(name)
		var pathErr *fs.PathError
		switch {
		case err == nil:
			f.Close()
		case errors.As(err, &pathErr) && !errors.Is(err, fs.ErrNotExist):
			if copied := "my_" + name; filepath.Base(pathErr.Path) == copied {
				name = copied
			}
			warnings = append(warnings, fmt.Sprintf("%s cannot be read (%v), and the built-in file is not served instead; "+
				"make it a readable file or a link to one in static/, or remove it", name, pathErr.Err))
		}
	}
	return warnings
}
