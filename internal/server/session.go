package server

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"path"
	"slices"
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

// session handles GET /s3/session: the caller's own files, newest first. The list is empty if the caller is not
// authenticated, or if the server's key may not list the bucket.
//
//	→ [{"name":…,"uuid":…,"size":…,"s3Key":…,"s3Bucket":…}, …]
func (s *server) session(w http.ResponseWriter, r *http.Request) {
	s.allowOrigin(w, r)
	files := []sessionFile{} // for a browser that has no cookie yet
	owner, err := s.callIdentify(r)
	if err == nil {
		files, err = s.filesOf(r.Context(), owner)
	} else if err == hooks.ErrUnauthenticated {
		err = nil
	}
	s.writeResult(w, r, files, err)
}

func (s *server) filesOf(ctx context.Context, owner string) ([]sessionFile, error) {
	ctx, cancel := context.WithTimeout(ctx, s3.Timeout) // for all calls: files that come late are named by their key
	defer cancel()
	entries, err := s.Bucket.List(ctx, owner+"/")
	if s3.IsForbidden(err) {
		s.Log.InfoContext(ctx, "earlier uploads are not listed: the server's key lacks s3:ListBucket", "cause", err.Error())
		return []sessionFile{}, nil
	}
	if err != nil {
		return nil, err
	}
	slices.SortFunc(entries, func(a, b s3.Entry) int {
		return cmp.Or(b.LastModified.Compare(a.LastModified), strings.Compare(a.Key, b.Key))
	})
	entries = entries[:min(len(entries), maxSessionFiles)]
	files := make([]sessionFile, len(entries))
	var group sync.WaitGroup
	for i, entry := range entries {
		group.Go(func() {
			s.headSemaphore <- struct{}{}
			files[i] = s.sessionFile(ctx, entry)
			<-s.headSemaphore
		})
	}
	group.Wait()
	return files, nil
}

// sessionFile describes entry by its metadata, or by its key if there is none.
func (s *server) sessionFile(ctx context.Context, entry s3.Entry) sessionFile {
	name := path.Base(entry.Key)
	if object, err := s.Bucket.Head(ctx, entry.Key); err == nil {
		name = cmp.Or(decodeMetadata(object)["qqfilename"], name)
	}
	return sessionFile{name, sessionUUID(entry.Key), entry.Size, entry.Key, s.Client.Bucket}
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
