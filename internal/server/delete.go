package server

import (
	"context"
	"net/http"
	"regexp"

	"github.com/go-chi/chi/v5"

	"s3-sign-srv/internal/hooks"
)

// uuid matches the ids that Fine Uploader and session lists give to files, none of which begins with a dot.
var uuid = regexp.MustCompile(`^[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,127}$`)

var errUUID = badRequest("The file's uuid has characters that Fine Uploader does not use; " +
	"use an unmodified Fine Uploader.")

// deleteByPath handles DELETE /s3/delete/{uuid}?key=…&bucket=… → {"success":true}.
func (s *server) deleteByPath(r *http.Request) (any, error) {
	form, err := parseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, err
	}
	return s.delete(r, chi.URLParam(r, "uuid"), form)
}

// deleteByForm handles POST /s3/delete, which Fine Uploader sends for deleteFile.method "POST".
//
//	key=…&bucket=…&qquuid=…&_method=DELETE → {"success":true}
func (s *server) deleteByForm(r *http.Request) (any, error) {
	form, err := readForm(r)
	if err != nil {
		return nil, err
	}
	if pop(form, "_method") != http.MethodDelete {
		return nil, badRequest("The form's _method is not DELETE; " +
			"set deleteFile.method to \"DELETE\" or \"POST\" in client_conf.js.")
	}
	return s.delete(r, pop(form, "qquuid"), form)
}

// delete calls the hook Delete, deletes the object, and calls the hook Deleted, also if the browser disconnects
// meanwhile.
func (s *server) delete(r *http.Request, id string, form map[string]string) (any, error) {
	if !uuid.MatchString(id) {
		return nil, errUUID
	}
	o, err := s.popObject(r, form)
	if err != nil {
		return nil, err
	}
	d := &hooks.Deletion{Owner: o.owner, HTTP: r, Bucket: o.bucket, Key: o.key, UUID: id, Form: form}
	_, err = callHook(r.Context(), s, func(ctx context.Context) (any, error) { return nil, s.Hooks.Delete(ctx, d) })
	if err != nil {
		return nil, err
	}
	ctx := context.WithoutCancel(r.Context())
	if err := s.Bucket.Delete(ctx, d.Key); err != nil {
		return nil, err
	}
	if err := s.recordDeleted(ctx, d.Key); err != nil {
		return nil, err
	}
	_, err = callHook(ctx, s, func(ctx context.Context) (any, error) { return nil, s.Hooks.Deleted(ctx, d) })
	return map[string]bool{"success": true}, err
}
