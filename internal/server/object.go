package server

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/go-chi/chi/v5"

	"s3-sign-srv/internal/apierror"
	"s3-sign-srv/internal/hooks"
	"s3-sign-srv/internal/s3"
	"s3-sign-srv/internal/sign"
)

// pop removes name from form and returns its value.
func pop(form map[string]string, name string) string {
	value := form[name]
	delete(form, name)
	return value
}

// popObject removes key and bucket from form and checks them and their owner, before any call to the
// store.
func (s *server) popObject(r *http.Request, form map[string]string) (o object, err error) {
	o.bucket, o.key = pop(form, "bucket"), pop(form, "key")
	if err := s.Signer.CheckBucket(o.bucket); err != nil {
		return o, err
	}
	if err := sign.CheckKey(o.key); err != nil {
		return o, err
	}
	if o.owner, err = s.callIdentify(r); err != nil {
		return o, err
	}
	return o, s.checkOwner(o.owner, o.key)
}

// object is a checked object and who asks about it.
type object struct{ bucket, key, owner string }

// success answers POST and PUT /s3/success: an upload is done, says the browser. The store is asked
// whether it is, then the hook is told.
func (s *server) success(r *http.Request) (any, error) {
	form, err := readForm(r)
	if err != nil {
		return nil, err
	}
	if err := rejectDuplicates(r, form); err != nil {
		return nil, err
	}
	o, err := s.popObject(r, form)
	if err != nil {
		return nil, err
	}
	u := &hooks.Upload{Owner: o.owner, HTTP: r, Bucket: o.bucket, Key: o.key}
	u.UUID, u.Name, u.Form = pop(form, "uuid"), pop(form, "name"), form
	etag := pop(form, "etag")
	if !s.VerifySuccess {
		u.ETag = etag
	} else if err := s.verify(r, u, etag); err != nil {
		return nil, err
	}
	var writeResult hooks.Reply
	if err := s.callHook(r.Context(), func(ctx context.Context) (err error) {
		writeResult, err = s.Hooks.Success(ctx, u)
		return err
	}); err != nil {
		return nil, err
	}
	jsonHandler := make(map[string]any, len(writeResult)+1)
	maps.Copy(jsonHandler, writeResult)
	delete(jsonHandler, "error")
	jsonHandler["success"] = true
	return jsonHandler, nil
}

// rejectDuplicates refuses a form whose names are in the query too, where another reader might look first.
func rejectDuplicates(r *http.Request, form map[string]string) error {
	query, err := parseQuery(r.URL.RawQuery)
	if err != nil {
		return err
	}
	for name := range query {
		if _, both := form[name]; both || name == "key" || name == "bucket" {
			return badRequest("A name of the form is in the query too; take it out of uploadSuccess.endpoint or deleteFile.endpoint.")
		}
	}
	return nil
}

// verify fills u with what the store says of the object. The browser's ETag, where S3 let it see one,
// must be the object's.
func (s *server) verify(r *http.Request, u *hooks.Upload, etag string) error {
	object, err := s.Bucket.Head(r.Context(), u.Key)
	if err != nil {
		return err
	}
	if etag != "" && etag != "null" && etag != object.ETag {
		return apierror.New(apierror.Conflict, "The object in the store is not the one that was uploaded, somebody has replaced it since; upload the file again under another key.")
	}
	if s.MaxBytes > 0 && object.Size > s.MaxBytes {
		return apierror.New(apierror.Forbidden, fmt.Sprintf("The file has %d bytes, and this server takes at most %d; upload a smaller one.", object.Size, s.MaxBytes))
	}
	if err := s.Signer.CheckContentType(object.ContentType); err != nil {
		return err
	}
	u.ETag, u.Size, u.ContentType, u.LastModified = object.ETag, object.Size, object.ContentType, object.LastModified
	u.Metadata = decodeMetadata(object)
	return nil
}

// decodeMetadata undoes Fine Uploader's percent-encoding; a value that another client stored without
// it stays as it is, but for what is no UTF-8.
func decodeMetadata(object s3.Object) map[string]string {
	decoded := make(map[string]string, len(object.Metadata))
	for name, value := range object.Metadata {
		decoded[name] = strings.ToValidUTF8(value, "\ufffd")
		if plain, err := url.PathUnescape(value); err == nil && utf8.ValidString(plain) {
			decoded[name] = plain
		}
	}
	return decoded
}

// uuid is what Fine Uploader and session lists use to name a file; it is only passed on.
var uuid = regexp.MustCompile(`^[A-Za-z0-9._~-]{1,128}$`)

// deleteByPath answers DELETE /s3/delete/{uuid}?key=…&bucket=….
func (s *server) deleteByPath(r *http.Request) (any, error) {
	form, err := parseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, err
	}
	return s.delete(r, chi.URLParam(r, "uuid"), form)
}

// deleteByForm answers POST /s3/delete, Fine Uploader's deleteFile.method "POST".
func (s *server) deleteByForm(r *http.Request) (any, error) {
	form, err := readForm(r)
	if err != nil {
		return nil, err
	}
	if err := rejectDuplicates(r, form); err != nil {
		return nil, err
	}
	if pop(form, "_method") != http.MethodDelete {
		return nil, badRequest("The form's _method is not DELETE; set deleteFile.method to \"DELETE\" or \"POST\" in client_conf.js.")
	}
	return s.delete(r, pop(form, "qquuid"), form)
}

// delete asks the hook, then the store.
func (s *server) delete(r *http.Request, id string, form map[string]string) (any, error) {
	if !uuid.MatchString(id) {
		return nil, badRequest("The file's uuid has characters that Fine Uploader does not use; use an unmodified Fine Uploader.")
	}
	o, err := s.popObject(r, form)
	if err != nil {
		return nil, err
	}
	d := &hooks.Deletion{Owner: o.owner, HTTP: r, Bucket: o.bucket, Key: o.key, UUID: id, Form: form}
	if err := s.callHook(r.Context(), func(ctx context.Context) error { return s.Hooks.Delete(ctx, d) }); err != nil {
		return nil, err
	}
	if err := s.Bucket.Delete(r.Context(), d.Key); err != nil {
		return nil, err
	}
	return map[string]bool{"success": true}, nil
}
