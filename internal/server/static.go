package server

import (
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strings"
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

// serveFile serves a regular file of Files, but no dotfile.
func (s *server) serveFile(w http.ResponseWriter, r *http.Request, name string) {
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
	content, isSeeker := f.(io.ReadSeeker)
	if err != nil || !info.Mode().IsRegular() || !isSeeker {
		s.writeError(w, r, errNotFound)
		return
	}
	if info.ModTime().IsZero() { // an embedded file
		if err := setETag(w, content); err != nil {
			s.writeError(w, r, fmt.Errorf("%s: %w", name, err))
			return
		}
	}
	w.Header().Set("Cache-Control", "no-cache") // the browser asks each time, so a changed file is used at once
	http.ServeContent(w, r, name, info.ModTime(), content)
}

// setETag sets an ETag made from content, and rewinds it.
func setETag(w http.ResponseWriter, content io.ReadSeeker) error {
	digest := sha256.New()
	if _, err := io.Copy(digest, content); err != nil {
		return err
	}
	w.Header().Set("ETag", fmt.Sprintf(`"%x"`, digest.Sum(nil)[:16]))
	_, err := content.Seek(0, io.SeekStart)
	return err
}
