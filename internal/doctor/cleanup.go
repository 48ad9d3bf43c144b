package doctor

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"

	"s3-sign-srv/internal/fineuploader"
	"s3-sign-srv/internal/s3admin"
)

// resource is something that must not stay in the bucket: an object, a multipart upload, or a version of an object.
type resource struct{ key, uploadID, version string }

// unknownUploadID stands for the upload ID in a response that did not arrive.
const unknownUploadID = "?"

// file returns a small test file under the run's prefix, within the size limit.
func (r *run) file(name, content string) fineuploader.File {
	if limit := r.set.Sign.MaxBytes; limit > 0 {
		content = content[:min(int64(len(content)), limit)]
	}
	return fineuploader.File{
		Key: r.prefix + name, Name: name, ContentType: r.contentType(), Content: []byte(content),
	}
}

// contentType returns one that the server signs.
func (r *run) contentType() string {
	for _, pattern := range r.set.Sign.ContentTypes {
		return strings.Replace(pattern, "*", "x-doctor", 1)
	}
	return "image/png"
}

// track notes what is about to be written.
func (r *run) track(resource resource) {
	r.resources, r.wrote = append(r.resources, resource), true
}

// untrack forgets what was removed, or was not written.
func (r *run) untrack(gone resource) {
	r.resources = slices.DeleteFunc(r.resources, func(r resource) bool { return r == gone })
}

// initiate starts a multipart upload and tracks it.
func (r *run) initiate(ctx context.Context, u fineuploader.Client, f fineuploader.File) (
	uploadID string, response fineuploader.Response, err error,
) {
	unknown := resource{key: f.Key, uploadID: unknownUploadID}
	r.track(unknown)
	uploadID, response, err = u.Initiate(ctx, f)
	if !mayHaveArrived(err) {
		r.untrack(unknown)
	}
	if err == nil {
		r.track(resource{key: f.Key, uploadID: uploadID})
	}
	return uploadID, response, err
}

// mayHaveArrived reports whether the store may have done what a request with this error asked for.
func mayHaveArrived(err error) bool {
	var response *fineuploader.ResponseError
	var op *net.OpError
	switch {
	case err == nil, signingError(err) != nil, certificateError(err) != nil:
		return false
	case errors.As(err, &response):
		return response.Status/100 == 2 || response.Status >= 500
	}
	return !errors.As(err, &op) || op.Op != "dial"
}

// abort aborts a multipart upload.
func (r *run) abort(ctx context.Context, u fineuploader.Client, key, uploadID string) (fineuploader.Response, error) {
	response, err := u.Abort(ctx, key, uploadID)
	if err == nil {
		r.untrack(resource{key: key, uploadID: uploadID})
	}
	return response, err
}

// uploadPart uploads f in one part.
func (r *run) uploadPart(ctx context.Context, u fineuploader.Client, f fineuploader.File) (
	response fineuploader.Response, err error,
) {
	uploadID, response, err := r.initiate(ctx, u, f)
	if err == nil {
		response, err = r.finishUpload(ctx, u, f, uploadID)
	}
	return response, err
}

// finishUpload uploads f as the only part, and completes the upload.
func (r *run) finishUpload(ctx context.Context, u fineuploader.Client, f fineuploader.File, uploadID string) (
	fineuploader.Response, error,
) {
	response, err := u.UploadPart(ctx, f.Key, uploadID, 1, f.Content)
	if err == nil {
		response, err = r.complete(ctx, u, f.Key, uploadID, response.Header.Get("ETag"))
	}
	return response, err
}

// complete combines the parts and tracks the object.
func (r *run) complete(ctx context.Context, u fineuploader.Client, key, uploadID string, etags ...string) (
	fineuploader.Response, error,
) {
	r.track(resource{key: key})
	response, err := u.Complete(ctx, key, uploadID, etags)
	if err == nil {
		r.untrack(resource{key: key, uploadID: uploadID})
	}
	r.keepsVersions = r.keepsVersions || response.Header.Get("x-amz-version-id") != ""
	return response, err
}

// uploadSmall uploads f as the page uploads a small file.
func (r *run) uploadSmall(ctx context.Context, f fineuploader.File) (fineuploader.Response, error) {
	if r.sendsForms() {
		return r.postForm(ctx, r.page(), f)
	}
	return r.uploadPart(ctx, r.page(), f)
}

// postForm uploads f by form and tracks the object.
func (r *run) postForm(ctx context.Context, u fineuploader.Client, f fineuploader.File) (fineuploader.Response, error) {
	r.track(resource{key: f.Key})
	response, err := u.PostForm(ctx, f)
	if err != nil && !mayHaveArrived(err) {
		r.untrack(resource{key: f.Key})
	}
	r.keepsVersions = r.keepsVersions || response.Header.Get("x-amz-version-id") != ""
	return response, err
}

// probeForm checks whether the store accepts a form, and leaves nothing: it rejects a file that is larger than the
// policy allows after it has checked signature and permissions.
func (r *run) probeForm(ctx context.Context, u fineuploader.Client) error {
	u.SizeLimit = 1
	f := r.file("too large", "")
	f.Content = []byte("too large")
	_, err := r.postForm(ctx, u, f)
	if e, _ := responseOf(err); e.code == "EntityTooLarge" {
		return nil
	}
	return err
}

// cleanup removes what is tracked, and every version of what was deleted.
func (r *run) cleanup(ctx context.Context) []Result {
	if !r.wrote {
		return skipped("nothing was written")
	}
	complete := true
	for _, resource := range r.resources {
		err := r.call(func(b *s3admin.Bucket) error { return r.remove(ctx, b, resource) })
		complete = complete && err == nil
	}
	if r.keepsVersions && r.writes {
		err := r.call(func(b *s3admin.Bucket) error { return b.PurgeVersions(ctx, r.prefix) })
		complete = complete && err == nil
	}
	if !complete {
		return failed("not everything could be removed",
			"Remove everything that begins with "+r.prefix+" from the bucket, with a key that may delete versions "+
				"and abort uploads; with s3:GetBucketVersioning, the key of this server would not have written it.")
	}
	return ok("nothing is left in the bucket")
}

func (r *run) remove(ctx context.Context, b *s3admin.Bucket, resource resource) error {
	switch {
	case resource.uploadID == unknownUploadID:
		return b.PurgeUploads(ctx, r.prefix)
	case resource.uploadID != "":
		return b.Abort(ctx, resource.key, resource.uploadID)
	case resource.version != "":
		return b.DeleteVersion(ctx, resource.key, resource.version)
	}
	if err := b.Delete(ctx, resource.key); s3admin.Status(err) != http.StatusNotFound {
		return err
	}
	return nil
}
