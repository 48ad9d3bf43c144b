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
		etag, err := s.etag(name, content)
		if err != nil {
			s.writeError(w, r, fmt.Errorf("%s: %w", name, err))
			return
		}
		w.Header().Set("ETag", etag)
	}
	w.Header().Set("Cache-Control", "no-cache") // browsers revalidate it, so a change takes effect at once
	http.ServeContent(w, r, name, info.ModTime(), content)
}

// etag returns an ETag made from the content of an embedded file, which never changes.
func (s *server) etag(name string, content io.ReadSeeker) (string, error) {
	if etag, ok := s.etags.Load(name); ok {
		return etag.(string), nil
	}
	digest := sha256.New()
	if _, err := io.Copy(digest, content); err != nil {
		return "", err
	}
	etag := fmt.Sprintf(`"%x"`, digest.Sum(nil)[:16])
	s.etags.Store(name, etag)
	_, err := content.Seek(0, io.SeekStart)
	return etag, err
}
