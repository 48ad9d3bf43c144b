package server

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"s3-sign-srv/internal/apierror"
	"s3-sign-srv/internal/hooks"
	"s3-sign-srv/internal/s3"
	"s3-sign-srv/internal/sign"
)

// object is a checked object, and the owner who sent the request.
type object struct{ bucket, key, owner string }

// popObject removes key and bucket from form and checks them and their owner, before any call to the store.
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

// success handles POST and PUT /s3/success, with which Fine Uploader reports an upload. It checks that the object
// exists, and calls the hook.
//
//	key=uuid.txt&bucket=mybucket&uuid=0e4b…&name=a.txt[&etag="…"][&PARAM=VALUE…]
//	→ {"success":true, …the hook's reply}
func (s *server) success(r *http.Request) (any, error) {
	form, err := readForm(r)
	if err != nil {
		return nil, err
	}
	id := pop(form, "uuid")
	if id != "" && !uuid.MatchString(id) {
		return nil, errUUID
	}
	o, err := s.popObject(r, form)
	if err != nil {
		return nil, err
	}
	u := &hooks.Upload{Owner: o.owner, HTTP: r, Bucket: o.bucket, Key: o.key, UUID: id}
	u.Name, u.Form = pop(form, "name"), form
	if err := s.verify(r.Context(), u, pop(form, "etag")); err != nil {
		return nil, err
	}
	if err := s.recordStored(r.Context(), u); err != nil {
		return nil, err
	}
	reply, err := s.judge(r.Context(), u)
	if err := s.recordResult(r.Context(), u.Key, err); err != nil {
		return nil, err
	}
	response := make(map[string]any, len(reply)+1)
	maps.Copy(response, reply)
	delete(response, "error")
	response["success"] = true
	return response, nil
}

// judge checks the limits, and calls the hook Success.
func (s *server) judge(ctx context.Context, u *hooks.Upload) (hooks.Reply, error) {
	if err := s.checkLimits(u); err != nil {
		return nil, err
	}
	return callHook(ctx, s, func(ctx context.Context) (hooks.Reply, error) { return s.Hooks.Success(ctx, u) })
}

// verify looks up the object and adds its properties to u. The ETag that the browser sent, if any, must be
// the object's.
func (s *server) verify(ctx context.Context, u *hooks.Upload, etag string) error {
	if !s.VerifySuccess {
		u.ETag = etag
		u.Delete = func(context.Context) error {
			return errors.New("u.Delete needs P3S3F_VERIFY_SUCCESS=1: without it, nothing is known of the object")
		}
		return nil
	}
	object, err := s.Bucket.Head(ctx, u.Key)
	if err != nil {
		return err
	}
	if etag != "" && etag != "null" && etag != object.ETag {
		return apierror.New(apierror.Conflict, "The object in the store is not the one that was uploaded, because it was "+
			"replaced since; upload the file again under another key.")
	}
	setObject(u, object)
	u.Delete = func(ctx context.Context) error { return s.Bucket.DeleteIfMatch(ctx, u.Key, object.ETag) }
	return nil
}

// setObject adds to u what the store says about the object.
func setObject(u *hooks.Upload, object s3.Object) {
	u.ETag, u.Size, u.ContentType = object.ETag, object.Size, object.ContentType
	u.LastModified, u.Metadata = object.LastModified, decodeMetadata(object)
}

// checkLimits rejects an object that MaxBytes or the allowed types of the Signer forbid. The type is not known, and not
// checked, without setObject.
func (s *server) checkLimits(u *hooks.Upload) error {
	if s.MaxBytes > 0 && u.Size > s.MaxBytes {
		return apierror.New(apierror.Forbidden, fmt.Sprintf("The file has %d bytes, and this server accepts at most %d; "+
			"upload a smaller one.", u.Size, s.MaxBytes))
	}
	if u.Metadata == nil {
		return nil
	}
	return s.Signer.CheckContentType(u.ContentType)
}

// decodeMetadata undoes Fine Uploader's percent-encoding. A value that another client has stored without it stays as it
// is, except for invalid UTF-8.
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
