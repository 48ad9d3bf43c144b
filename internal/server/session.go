package server

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"s3-sign-srv/internal/hooks"
	"s3-sign-srv/internal/s3"
)

const (
	maxSessionFiles = 200 // the newest files that the page lists
	maxSessionHeads = 16  // HEAD calls at a time, for all pages together
)

// sessionFile is one file of Fine Uploader's initial list.
type sessionFile struct {
	Name   string `json:"name"`
	UUID   string `json:"uuid"`
	Size   int64  `json:"size"`
	Key    string `json:"s3Key"`
	Bucket string `json:"s3Bucket"`
}

// session handles GET /s3/session: the caller's own files, newest first, without those that /s3/success would reject,
// those that the ledger knows and has not accepted, and those that the hook List leaves out. The list is empty if the
// caller is not authenticated, or if the server's key may not list the bucket.
//
//	→ [{"name":…,"uuid":…,"size":…,"s3Key":…,"s3Bucket":…}, …]
func (s *server) session(w http.ResponseWriter, r *http.Request) {
	s.allowOrigin(w, r)
	files := []sessionFile{} // for a browser that has no cookie yet
	owner, err := s.callIdentify(r)
	if err == nil {
		files, err = s.listFiles(w, r, owner)
	} else if errors.Is(err, hooks.ErrUnauthenticated) {
		err = nil
	}
	s.writeResult(w, r, files, err)
}

func (s *server) listFiles(w http.ResponseWriter, r *http.Request, owner string) ([]sessionFile, error) {
	uploads, err := s.listUploads(w, r, owner)
	if err != nil {
		return nil, err
	}
	listed, err := callHook(r.Context(), s, func(ctx context.Context) ([]*hooks.Upload, error) {
		return s.Hooks.List(ctx, uploads)
	})
	if err != nil {
		return nil, err
	}
	files := make([]sessionFile, len(listed))
	for i, u := range listed {
		name := cmp.Or(u.Metadata["qqfilename"], path.Base(u.Key))
		files[i] = sessionFile{name, sessionUUID(u.Key), u.Size, u.Key, s.Client.Bucket}
	}
	return files, nil
}

// listUploads returns the newest files of owner, and sets a header if there are more.
func (s *server) listUploads(w http.ResponseWriter, r *http.Request, owner string) ([]*hooks.Upload, error) {
	ctx, cancel := context.WithTimeout(r.Context(), s3.Timeout) // for all calls
	defer cancel()
	entries, err := s.Bucket.List(ctx, owner+"/")
	if s3.IsForbidden(err) {
		s.Log.InfoContext(ctx, "earlier uploads are not listed: the server's key lacks s3:ListBucket", "cause", err.Error())
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if entries, err = s.withoutUnaccepted(ctx, entries); err != nil {
		return nil, err
	}
	slices.SortFunc(entries, func(a, b s3.Entry) int {
		return cmp.Or(b.LastModified.Compare(a.LastModified), strings.Compare(a.Key, b.Key))
	})
	if len(entries) > maxSessionFiles {
		w.Header().Set("X-Total-Count", strconv.Itoa(len(entries)))
	}
	entries = entries[:min(len(entries), maxSessionFiles)]
	uploads, failures := make([]*hooks.Upload, len(entries)), make([]error, len(entries))
	var group sync.WaitGroup
	for i, entry := range entries {
		group.Go(func() {
			s.headSemaphore <- struct{}{}
			u := &hooks.Upload{Owner: owner, HTTP: r, Bucket: s.Client.Bucket, Key: entry.Key}
			object, err := s.Bucket.Head(ctx, u.Key)
			if err == nil { // else it is listed by its key
				setObject(u, object)
			}
			u.Size, u.LastModified, uploads[i], failures[i] = entry.Size, entry.LastModified, u, err
			<-s.headSemaphore
		})
	}
	group.Wait()
	i := slices.IndexFunc(failures, func(err error) bool { return err != nil })
	if i >= 0 && r.Context().Err() == nil {
		s.Log.WarnContext(ctx, "earlier uploads are listed without name and type",
			"key", entries[i].Key, "cause", failures[i].Error())
	}
	return slices.DeleteFunc(uploads, func(u *hooks.Upload) bool { return s.checkLimits(u) != nil }), nil
}

// sessionUUID returns the uuid in Fine Uploader's default key; for another key it derives one.
func sessionUUID(key string) string {
	stem, _, _ := strings.Cut(path.Base(key), ".")
	if len(stem) == 36 && uuid.MatchString(stem) {
		return stem
	}
	digest := sha256.Sum256([]byte(key))
	return hex.EncodeToString(digest[:16])
}
