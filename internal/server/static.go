package server

import (
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"time"
)

// hashWorker serves the worker that hashes parts. A worker has the policy of its own response, not that of its page
// (HTML, "initialize worker global scope's policy container").
func (s *server) hashWorker(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Security-Policy", workerPolicy)
	s.static(w, r)
}

// static handles /static/*.
func (s *server) static(w http.ResponseWriter, r *http.Request) {
	s.serveFile(w, r, strings.TrimPrefix(r.URL.Path, "/"))
}

// file returns a handler that serves one file.
func (s *server) file(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { s.serveFile(w, r, name) }
}

// Browsers revalidate a file, so a change takes effect at once, unless its URL has its version.
const (
	revalidate  = "no-cache"
	keepForever = "max-age=31536000, immutable" // seconds
)

// serveFile serves a file of Files. Its URL may have its version, as the URLs in the page do (index).
func (s *server) serveFile(w http.ResponseWriter, r *http.Request, name string) {
	f, modified, err := s.open(name)
	if err != nil {
		s.writeError(w, r, errNotFound)
		return
	}
	defer f.Close()
	cacheControl, requested := revalidate, r.URL.Query().Get("v")
	if isEmbedded := modified.IsZero(); isEmbedded || requested != "" {
		version, err := s.version(name, f, isEmbedded)
		if err != nil {
			s.writeError(w, r, fmt.Errorf("%s: %w", name, err))
			return
		}
		w.Header().Set("ETag", etag(version))
		if requested == version {
			cacheControl = keepForever
		}
	}
	w.Header().Set("Cache-Control", cacheControl)
	http.ServeContent(w, r, name, modified, f)
}

// open opens a regular file of Files, but no dotfile. An embedded file has no modification time.
func (s *server) open(name string) (content io.ReadSeekCloser, modified time.Time, err error) {
	if !fs.ValidPath(name) || strings.Contains(name, "/.") {
		return nil, time.Time{}, fs.ErrNotExist
	}
	f, err := s.Files.Open(name)
	if err != nil {
		return nil, time.Time{}, err
	}
	info, err := f.Stat()
	content, isSeeker := f.(io.ReadSeekCloser)
	if err != nil || !info.Mode().IsRegular() || !isSeeker {
		f.Close()
		return nil, time.Time{}, fs.ErrNotExist
	}
	return content, info.ModTime(), nil
}

// version returns a digest of a file's content, in hex. An embedded file never changes.
func (s *server) version(name string, content io.ReadSeeker, isEmbedded bool) (string, error) {
	if version, ok := s.versions.Load(name); ok && isEmbedded {
		return version.(string), nil
	}
	digest := sha256.New()
	if _, err := io.Copy(digest, content); err != nil {
		return "", err
	}
	version := fmt.Sprintf("%x", digest.Sum(nil)[:16])
	if isEmbedded {
		s.versions.Store(name, version)
	}
	_, err := content.Seek(0, io.SeekStart)
	return version, err
}

// etag returns an ETag for a version. It is weak because a file has it compressed and uncompressed (RFC 9110, 8.8.1).
func etag(version string) string { return `W/"` + version + `"` }
