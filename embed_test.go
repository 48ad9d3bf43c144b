package assets

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestFS opens files with and without replacements in the working directory.
func TestFS(t *testing.T) {
	dir := t.TempDir()
	write := func(name string) {
		t.Helper()
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte("mine"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{
		"p3s3f.env", "my_p3s3f.env", "server.key",
		"my_basic_cors.xml", "static/page.js", "static/more/logo.svg", "static/client_conf.js",
	} {
		write(name)
	}
	for link, target := range map[string]string{
		"static/settings.env": "../p3s3f.env", "static/up": "..", "static/page.css": "../p3s3f.env",
		"static/copy.js": "page.js", "static/hash.js": "gone.js", "static/.#page.js": "user@host.1",
	} {
		if err := os.Symlink(target, filepath.Join(dir, filepath.FromSlash(link))); err != nil {
			t.Fatal(err)
		}
	}
	const embedded, mine, missing, refused = "embedded", "mine", "not there", "refused"
	for _, test := range []struct{ name, file, want string }{
		{"embedded file", "static/index.html", embedded},
		{"embedded file beside static", "client_conf.js", embedded},
		{"replaced file", "static/page.js", mine},
		{"the user's copy of a file beside static", "basic_cors.xml", mine},
		{"the user's copy by its own name", "my_basic_cors.xml", missing},
		{"the user's copy of the settings", "my_p3s3f.env", missing},
		{"extra file", "static/more/logo.svg", mine},
		{"the user's own configuration", "static/client_conf.js", mine},
		{"link within static", "static/copy.js", mine},
		{"file of the program", "embed.go", missing},
		{"unknown file in static", "static/gone.js", missing},
		{"settings", "p3s3f.env", missing},
		{"key of the certificate", "server.key", missing},
		{"link to the settings", "static/settings.env", refused},
		{"link to the settings in place of an embedded file", "static/page.css", refused},
		{"settings by a linked folder", "static/up/p3s3f.env", refused},
		{"settings by dots", "static/../p3s3f.env", refused},
		{"settings by an absolute path", filepath.ToSlash(dir) + "/p3s3f.env", refused},
		{"link to nothing in place of an embedded file", "static/hash.js", refused},
		{"empty path", "", refused},
	} {
		text, err := fs.ReadFile(FS(dir), test.file)
		actual := embedded
		switch {
		case errors.Is(err, fs.ErrNotExist):
			actual = missing
		case err != nil:
			actual = refused
		case string(text) == "mine":
			actual = mine
		}
		if actual != test.want {
			t.Errorf("%s: %s is %s (%v), want %s", test.name, test.file, actual, err, test.want)
		}
	}
}

// TestWarnings has files that cannot be opened. A link to nothing is not the same as no file.
func TestWarnings(t *testing.T) {
	dir := t.TempDir()
	if warnings := Warnings(dir); warnings != nil {
		t.Errorf("an empty folder: %q", warnings)
	}
	if err := os.MkdirAll(filepath.Join(dir, "static", ".git"), 0o755); err != nil {
		t.Fatal(err)
	}
	for link, target := range map[string]string{
		"static/client_conf.js": "../my_client_conf.js", "static/page.css": "gone.css", "client_conf.js": "gone.js",
		"static/.#page.js": "user@host.1", "static/.git/x": "gone", "static/copy.css": ".", "basic_cors.xml": "/etc/passwd",
		"my_basic_cors.xml": "gone.xml",
	} {
		if err := os.Symlink(target, filepath.Join(dir, filepath.FromSlash(link))); err != nil {
			t.Fatal(err)
		}
	}
	const gone, rest = "a link to a file that does not exist", "), and the built-in file is not served instead; " +
		"make it a readable file or a link to one in static/, or remove it"
	want := []string{
		"client_conf.js cannot be read (" + gone + rest,
		"my_basic_cors.xml cannot be read (" + gone + rest,
		"static/client_conf.js cannot be read (path escapes from parent" + rest,
		"static/page.css cannot be read (" + gone + rest,
	}
	if warnings := Warnings(dir); !slices.Equal(warnings, want) {
		t.Errorf("%q, want %q", warnings, want)
	}
}

// TestClientConfNotEmbedded shows that no user's own configuration becomes part of a binary.
func TestClientConfNotEmbedded(t *testing.T) {
	if _, err := fs.Stat(FS(t.TempDir()), "static/client_conf.js"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("static/client_conf.js is embedded: %v", err)
	}
}
