package doctor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"s3-sign-srv/internal/apierror"
	"s3-sign-srv/internal/s3"
	"s3-sign-srv/internal/sign"
)

// What Fine Uploader sends for objectProperties.serverSideEncryption and reducedRedundancy.
const (
	encryptionHeader, encryptionValue = "x-amz-server-side-encryption", "AES256"
	storageHeader, storageValue       = "x-amz-storage-class", "REDUCED_REDUNDANCY"
)

// unusual is a key with what other ways of building a URL lose.
const unusual = "dir one/фото é+(1)*!'~&=#%.png"

// partBytes is the least that a store takes for a part that is not the last.
const partBytes = sign.MinPartBytes

// checkForm uploads a small file in one POST, as the page does. It is the first that writes.
func (e *run) checkForm(ctx context.Context) []Result {
	u := e.page()
	f := file{key: e.key("form/" + unusual), name: "my file é.png", contentType: e.contentType(), content: e.content("a form")}
	got, err := e.postForm(ctx, u, f)
	if err != nil {
		return e.diagnose("take a form with a key in Unicode", err)
	}
	if e.keepsVersions { // versitygw does not tell before
		if r := e.purgeable(ctx); r[0].Status != OK {
			return r
		}
	}
	e.formAnswer = got
	e.stored = append(e.stored, stored{"form", f})
	return ok("stored under a key in Unicode")
}

// checkMultipart uploads two parts, the first of the least size there is.
func (e *run) checkMultipart(ctx context.Context) []Result {
	u := e.page()
	f := file{key: e.key("parts/" + unusual), name: "my file é.png", contentType: e.contentType(), content: bytes.Repeat([]byte("parts of 16 byte"), partBytes/16+1)}
	if limit := e.set.Sign.MaxBytes; limit > 0 && limit < int64(len(f.content)) {
		return skipped("P3S3F_MAX_BYTES allows no second part")
	}
	uploadID, _, err := e.begin(ctx, u, f)
	if err != nil {
		return e.diagnose("begin a multipart upload", err)
	}
	var etags []string
	for i, content := range [][]byte{f.content[:partBytes], f.content[partBytes:]} {
		etag, _, err := u.part(ctx, f.key, uploadID, i+1, content)
		if isLate(err) {
			return warning(fmt.Sprintf("the first part, 5 MiB, had not arrived after %v", Limit), "Look at the speed of the line to the store; if that is as it should be, look at the store's log and free space.")
		}
		if err != nil {
			return e.diagnose(fmt.Sprintf("take part %d", i+1), err)
		}
		if spoilt(etag) && e.toldETag != "" {
			return blockedBy(e.toldETag)
		}
		if spoilt(etag) {
			e.toldETag = "multipart upload"
			return spoiltETag(etag)
		}
		etags = append(etags, etag)
	}
	if _, err := e.complete(ctx, u, f.key, uploadID, etags); err != nil {
		return e.diagnose("put the parts together", err)
	}
	e.stored = append(e.stored, stored{"multipart", f})
	return ok("two parts put together under a key in Unicode")
}

// contentType is one that the server signs for.
func (e *run) contentType() string {
	for _, pattern := range e.set.Sign.ContentTypes {
		return strings.Replace(pattern, "*", "x-doctor", 1)
	}
	return "image/png"
}

// content is what a small file holds, within the size limit.
func (e *run) content(text string) []byte {
	if limit := e.set.Sign.MaxBytes; limit > 0 {
		text = text[:min(int64(len(text)), limit)]
	}
	return []byte(text)
}

// checkLookUp asks for the uploads as the server does on /s3/success, and compares.
func (e *run) checkLookUp(ctx context.Context) []Result {
	for _, s := range e.stored {
		got, err := e.server().Head(ctx, s.key)
		var refused *apierror.Error
		r, answered := replyTo(err)
		missing := errors.As(err, &refused) && refused.Code == apierror.NotFound
		switch {
		case answered && !r.s3:
			return e.diagnose("show an upload", err)
		case missing && !e.set.VerifySuccess:
			return skipped("the key may not read, and P3S3F_VERIFY_SUCCESS=0")
		case missing:
			return e.lacking("s3:GetObject", "or set P3S3F_VERIFY_SUCCESS=0 if /s3/success shall not ask the store")
		case err != nil:
			return e.diagnose("show an upload", err)
		}
		if fault := e.differs(s, got); fault != "" {
			return failed(fmt.Sprintf("the store does not keep what was uploaded (%s): %s", s.how, fault), "Look for a proxy between here and the store that changes requests.")
		}
	}
	return ok("size, content type and metadata are as they were sent")
}

// differs compares what came with what was sent, empty if it is the same.
func (e *run) differs(s stored, got s3.Object) string {
	if got.Size != int64(len(s.content)) {
		return fmt.Sprintf("%d bytes became %d", len(s.content), got.Size)
	}
	if got.ContentType != s.contentType {
		return fmt.Sprintf("the type %s became %q", s.contentType, got.ContentType)
	}
	sent := e.page().fields(s.file)
	for _, field := range slices.Sorted(maps.Keys(sent)) {
		name, meta := strings.CutPrefix(field, metaPrefix)
		if meta && got.Metadata[name] != sent[field] {
			return fmt.Sprintf("%s: %q became %q", field, sent[field], got.Metadata[name])
		}
	}
	return ""
}

// uploadBothWays sends f as a form, and begins a multipart upload with it.
func (e *run) uploadBothWays(ctx context.Context, f file) error {
	u := e.page()
	if _, err := e.postForm(ctx, u, f); err != nil {
		return err
	}
	uploadID, _, err := e.begin(ctx, u, f)
	if err == nil {
		_, err = e.end(ctx, u, f.key, uploadID)
	}
	return err
}

// checkNoType uploads a file whose type the browser does not know: old radosgw refuses the form
// (tracker.ceph.com issue 20201).
func (e *run) checkNoType(ctx context.Context) []Result {
	f := file{key: e.key("no type.bam"), name: "no type.bam", content: []byte("?")}
	err := e.uploadBothWays(ctx, f)
	switch r, answered := replyTo(err); {
	case err == nil:
		return ok("files without a known type are taken")
	case !answered || !r.s3:
		return e.diagnose("take a file without a known type", err)
	case e.hasWorkAround():
		return ok("the store refuses files without a known type, and the page's bundle sends application/octet-stream for them")
	default:
		return failed(fmt.Sprintf("the store refuses files without a known type (%v)", r), "Build the bundle with the work-around for old Ceph: make static CEPH=1.")
	}
}

// checkEncryption wants what is to be encrypted to be encrypted.
func (e *run) checkEncryption(ctx context.Context) []Result {
	const option = "objectProperties.serverSideEncryption"
	results, got := e.checkOption(ctx, option, encryptionHeader, encryptionValue)
	if results == nil && got.Encryption != encryptionValue {
		return failed("the store takes "+encryptionHeader+" and does not encrypt", "Set the store up for encryption, or take "+option+" out of client_conf.js, so that nobody relies on it.")
	}
	return kept(results, encryptionHeader, encryptionValue)
}

// checkStorageClass wants the class to be kept, which costs only money if not.
func (e *run) checkStorageClass(ctx context.Context) []Result {
	const option = "objectProperties.reducedRedundancy"
	results, got := e.checkOption(ctx, option, storageHeader, storageValue)
	if results == nil && got.StorageClass != storageValue {
		return warning(fmt.Sprintf("the store takes %s: %s and stores as %s", storageHeader, storageValue, orElse(got.StorageClass, "STANDARD")), "Set the storage class up, or take "+option+" out of client_conf.js.")
	}
	return kept(results, storageHeader, storageValue)
}

func kept(results []Result, field, value string) []Result {
	if results == nil {
		return ok("%s: %s is taken and kept", field, value)
	}
	return results
}

// checkOption uploads with a field that client_conf.js asks for, by form and by multipart, and returns what
// the store says of the object; results is nil where that is what it was asked to make of it.
func (e *run) checkOption(ctx context.Context, option, field, value string) (results []Result, got s3.Object) {
	if !e.conf.on(option) {
		return skipped("client_conf.js does not set %s", option), got
	}
	f := file{key: e.key(field), name: field, contentType: e.contentType(), content: []byte("?"), extra: map[string]string{field: value}}
	err := e.uploadBothWays(ctx, f)
	if r, answered := replyTo(err); answered && r.s3 {
		return failed(fmt.Sprintf("the store does not take %s: %s, which %s asks for (%v)", field, value, option, r),
			fmt.Sprintf("Take %s out of client_conf.js, or set the store up for it.", option)), got
	}
	if err != nil {
		return e.diagnose("take "+field, err), got
	}
	got, err = e.server().Head(ctx, f.key)
	if r, answered := replyTo(err); answered && (r.status == http.StatusForbidden || r.status == http.StatusNotFound) {
		return ok("%s: %s is taken; the key may not look what became of it", field, value), got
	}
	if err != nil {
		return e.diagnose("show an upload", err), got
	}
	return nil, got
}

// checkDelete deletes what was uploaded, as the server does, and asks whether it is gone.
func (e *run) checkDelete(ctx context.Context) []Result {
	for _, l := range slices.Clone(e.resources) {
		if l.uploadID != "" || l.version != "" {
			continue
		}
		if err := e.server().Delete(ctx, l.key); err != nil {
			return e.diagnose("delete an upload", err)
		}
		e.untrack(l)
	}
	for _, s := range e.stored {
		if _, err := e.server().Head(ctx, s.key); err == nil {
			return failed("an object is still there after it was deleted", "Look at the store's log, and at retention rules on the bucket.")
		}
	}
	return ok("what was uploaded could be deleted")
}
