package main

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	"s3-sign-srv/internal/hooks"
	"s3-sign-srv/internal/sign"
)

// fileType has the limits for files of one extension.
type fileType struct {
	maxBytes  int64
	mediaType string // as browsers name it; empty: any
}

// fileTypes has the accepted file types by their extensions, in lower case.
type fileTypes map[string]fileType

func (f fileTypes) find(key string) (fileType, bool) {
	found, ok := f[strings.ToLower(path.Ext(key))]
	return found, ok
}

// checkRequest rejects what is known to be wrong before the upload. The number of a part gives the least number of
// bytes before it.
func (f fileTypes) checkRequest(c *hooks.Challenge) error {
	limit, ok := f.find(c.Key)
	switch {
	case !ok:
		return hooks.Deny("Files of this kind are not accepted.")
	case c.Operation == sign.UploadPart && int64(c.PartNumber-1)*sign.MinPartBytes >= limit.maxBytes:
		return hooks.Deny(fmt.Sprintf("A file of this kind may have at most %d bytes.", limit.maxBytes))
	}
	return nil
}

// checkUpload rejects an upload by its real size and its type.
func (f fileTypes) checkUpload(u *hooks.Upload) error {
	limit, ok := f.find(u.Key)
	switch {
	case !ok:
		return hooks.Deny("Files of this kind are not accepted.")
	case u.Size > limit.maxBytes:
		const text = "The file has %d bytes; a file of this kind may have at most %d."
		return hooks.Deny(fmt.Sprintf(text, u.Size, limit.maxBytes))
	case limit.mediaType != "" && u.ContentType != limit.mediaType:
		return hooks.Deny(fmt.Sprintf("The file has the type %q; expected %q.", u.ContentType, limit.mediaType))
	}
	return nil
}

// deleteRejected deletes the upload that reason rejects, and returns reason. The user sees reason, and the log also has
// the error of the deletion if there is one.
func deleteRejected(ctx context.Context, u *hooks.Upload, reason error) error {
	return errors.Join(reason, u.Delete(ctx))
}
