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
	maxSessionFiles = 200 // newest files that the page is told of
	maxSessionHeads = 16  // signLimiter to the store at a time, by all pages together
)

// sessionFile is one file of Fine Uploader's initial list.
type sessionFile struct {
	Name   string `json:"name"`
	UUID   string `json:"uuid"`
	Size   int64  `json:"size"`
	Key    string `json:"s3Key"`
	Bucket string `json:"s3Bucket"`
}

// session answers GET /s3/session with the caller's own files, newest first. Strangers have none;
// where the server's key may not list, nobody has.
func (s *server) session(w http.ResponseWriter, r *http.Request) {
	s.allowOrigin(w, r)
	files := []sessionFile{} // a stranger's: a first visit asks before it has its cookie
	owner, err := s.callIdentify(r)
	if err == nil {
		files, err = s.filesOf(r.Context(), owner)
	} else if err == hooks.ErrUnauthenticated {
		err = nil
	}
	s.writeResult(w, r, files, err)
}

func (s *server) filesOf(ctx context.Context, owner string) ([]sessionFile, error) {
	ctx, cancel := context.WithTimeout(ctx, s3.Timeout) // for all of it: late files go by their key
	defer cancel()
	entries, err := s.Bucket.List(ctx, owner+"/")
	if s3.IsForbidden(err) {
		s.Log.InfoContext(ctx, "the server's key may not list the bucket, so the page shows no earlier uploads", "cause", err.Error())
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

// sessionFile describes entry by its metadata; where that cannot be had, by its key.
func (s *server) sessionFile(ctx context.Context, entry s3.Entry) sessionFile {
	name := path.Base(entry.Key)
	if object, err := s.Bucket.Head(ctx, entry.Key); err == nil {
		name = cmp.Or(decodeMetadata(object)["qqfilename"], name)
	}
	return sessionFile{name, sessionUUID(entry.Key), entry.Size, entry.Key, s.Client.Bucket}
}

// sessionUUID takes Fine Uploader's uuid out of its default key; other keys get a name of their own.
func sessionUUID(key string) string {
	stem, _, _ := strings.Cut(path.Base(key), ".")
	if len(stem) == 36 && uuid.MatchString(stem) {
		return stem
	}
	digest := sha256.Sum256([]byte(key))
	return hex.EncodeToString(digest[:16])
}
