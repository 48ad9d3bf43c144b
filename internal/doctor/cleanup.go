package doctor

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"

	"s3-sign-srv/internal/s3admin"
)

// resource is what must not stay: an object, a multipart upload, or one version of an object.
type resource struct{ key, uploadID, version string }

// lost is the upload ID in an answer that did not come.
const lost = "?"

func (l resource) String() string {
	switch {
	case l.uploadID == lost:
		return "perhaps an unfinished upload of " + l.key
	case l.uploadID != "":
		return "the unfinished upload of " + l.key
	case l.version != "":
		return "a delete marker of " + l.key
	}
	return l.key
}

// key returns the name of a file to write.
func (e *run) key(name string) string { return e.prefix + name }

// track puts on the list what is about to be written.
func (e *run) track(l resource) {
	e.resources, e.wrote = append(e.resources, l), true
}

// untrack takes what has gone off the list.
func (e *run) untrack(gone resource) {
	e.resources = slices.DeleteFunc(e.resources, func(l resource) bool { return l == gone })
}

// begin starts a multipart upload and remembers to end it.
func (e *run) begin(ctx context.Context, u uploader, f file) (uploadID string, got answer, err error) {
	e.track(resource{key: f.key, uploadID: lost})
	uploadID, got, err = u.initiate(ctx, f)
	if !mayHaveArrived(err) {
		e.untrack(resource{key: f.key, uploadID: lost})
	}
	if err == nil {
		e.track(resource{key: f.key, uploadID: uploadID})
	}
	return uploadID, got, err
}

// mayHaveArrived reports whether the store may have done what err is no answer to.
func mayHaveArrived(err error) bool {
	var answered *storeError
	var op *net.OpError
	switch {
	case err == nil, signingError(err) != nil, tlsFault(err) != "":
		return false
	case errors.As(err, &answered):
		return answered.status/100 == 2 || answered.status >= 500
	}
	return !errors.As(err, &op) || op.Op != "dial"
}

// end aborts a multipart upload.
func (e *run) end(ctx context.Context, u uploader, key, uploadID string) (answer, error) {
	got, err := u.abort(ctx, key, uploadID)
	if err == nil {
		e.untrack(resource{key: key, uploadID: uploadID})
	}
	return got, err
}

// finish uploads f as one part and completes it.
func (e *run) finish(ctx context.Context, u uploader, f file, uploadID string) (answer, error) {
	etag, got, err := u.part(ctx, f.key, uploadID, 1, f.content)
	if err != nil {
		return got, err
	}
	return e.complete(ctx, u, f.key, uploadID, []string{etag})
}

// complete makes an object of the parts and remembers to delete it.
func (e *run) complete(ctx context.Context, u uploader, key, uploadID string, etags []string) (answer, error) {
	e.track(resource{key: key})
	got, err := u.complete(ctx, key, uploadID, etags)
	if err == nil {
		e.untrack(resource{key: key, uploadID: uploadID})
	}
	e.keepsVersions = e.keepsVersions || got.header.Get("x-amz-version-id") != ""
	return got, err
}

// postForm uploads f in one request and remembers to delete it.
func (e *run) postForm(ctx context.Context, u uploader, f file) (answer, error) {
	e.track(resource{key: f.key})
	got, err := u.form(ctx, f)
	if err != nil && !mayHaveArrived(err) {
		e.untrack(resource{key: f.key})
	}
	e.keepsVersions = e.keepsVersions || got.header.Get("x-amz-version-id") != ""
	return got, err
}

// tryForm asks whether the store takes a form, and leaves nothing: where signature and permission are
// good, a file beyond the range that the policy allows is refused for its size.
func (e *run) tryForm(ctx context.Context, u uploader) error {
	u.sizeLimit = 1
	f := file{key: e.key("too large"), name: "too large", contentType: e.contentType(), content: []byte("too large")}
	_, err := e.postForm(ctx, u, f)
	if r, _ := replyTo(err); r.code == "EntityTooLarge" {
		return nil
	}
	return err
}

// cleanUp removes what is left, and every version of what was deleted.
func (e *run) cleanUp(ctx context.Context) []Result {
	if e.faults != nil || !e.wrote {
		return skipped("nothing was written")
	}
	var left []string
	for _, l := range e.resources {
		if err := e.reach(func(b *s3admin.Bucket) error { return remove(ctx, b, l, e.prefix) }); err != nil {
			left = append(left, l.String())
		}
	}
	if e.keepsVersions && e.writes {
		if err := e.reach(func(b *s3admin.Bucket) error { return b.PurgeVersions(ctx, e.prefix) }); err != nil {
			left = append(left, "versions of what was deleted")
		}
	}
	if left != nil {
		return failed("not everything could be removed: "+strings.Join(left, ", "),
			"Remove what begins with "+e.prefix+" from the bucket, with a key that may delete versions and abort uploads; one that may do s3:GetBucketVersioning spares you that.")
	}
	return ok("nothing is left in the bucket")
}

func remove(ctx context.Context, b *s3admin.Bucket, l resource, prefix string) error {
	switch {
	case l.uploadID == lost:
		return b.PurgeUploads(ctx, prefix)
	case l.uploadID != "":
		return b.Abort(ctx, l.key, l.uploadID)
	case l.version != "":
		return b.DeleteVersion(ctx, l.key, l.version)
	}
	if err := b.Delete(ctx, l.key); s3admin.Status(err) != http.StatusNotFound {
		return err
	}
	return nil
}
