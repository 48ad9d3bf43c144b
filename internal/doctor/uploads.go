package doctor

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"s3-sign-srv/internal/clientconf"
	"s3-sign-srv/internal/fineuploader"
	"s3-sign-srv/internal/s3"
	"s3-sign-srv/internal/s3admin"
	"s3-sign-srv/internal/sign"
)

// unicodeKey has characters that are easily escaped wrongly.
const unicodeKey = "dir one/фото é+(1)*!'~&=#%.png"

// checkForm uploads a small file. It is the first check that writes an object.
func (r *run) checkForm(ctx context.Context) []Result {
	f := r.file("form/"+unicodeKey, "a form")
	f.Name = "my file é.png"
	response, err := r.uploadSmall(ctx, f)
	if err != nil {
		return r.diagnose("accept a small file with a key in Unicode", err)
	}
	if r.keepsVersions { // versitygw does not tell before
		if results := r.checkPurge(ctx); results[0].Status != OK {
			return results
		}
	}
	if !r.sendsForms() {
		r.uploads = append(r.uploads, upload{"multipart", f})
		return ok("stored in one part under a key in Unicode; chunking.mandatory is set, so the page sends no forms")
	}
	r.formResponse = response
	r.uploads = append(r.uploads, upload{"form", f})
	return ok("stored under a key in Unicode")
}

// checkMultipart uploads two parts, the first of the smallest size allowed.
func (r *run) checkMultipart(ctx context.Context) []Result {
	u, f := r.page(), r.file("parts/"+unicodeKey, "")
	f.Name, f.Content = "my file é.png", bytes.Repeat([]byte("parts of 16 byte"), sign.MinPartBytes/16+1)
	if limit := r.set.Sign.MaxBytes; limit > 0 && limit < int64(len(f.Content)) {
		return skipped("P3S3F_MAX_BYTES allows no second part")
	}
	uploadID, _, err := r.initiate(ctx, u, f)
	if err != nil {
		return r.diagnose("initiate a multipart upload", err)
	}
	hashed := u
	u.UnsignedPayload = r.unsignedPayload()
	var etags []string
	for i, content := range [][]byte{f.Content[:sign.MinPartBytes], f.Content[sign.MinPartBytes:]} {
		response, err := u.UploadPart(ctx, f.Key, uploadID, i+1, content)
		switch {
		case isTimeout(err):
			return warning(fmt.Sprintf("the first part, 5 MiB, took more than %v", Limit),
				"Check the speed of the connection to the store, and the store's log and free space.")
		case err != nil && u.UnsignedPayload && isAccepted(hashed.UploadPart(ctx, f.Key, uploadID, i+1, content)):
			return failed(fmt.Sprintf("the store accepts parts with their SHA-256 only (%v)", err),
				"Set P3S3F_UNSIGNED_PAYLOAD=0.")
		case err != nil:
			return r.diagnose(fmt.Sprintf("accept part %d", i+1), err)
		}
		etags = append(etags, response.Header.Get("ETag"))
	}
	if _, err := r.complete(ctx, u, f.Key, uploadID, etags...); err != nil {
		return r.diagnose("complete an upload", err)
	}
	r.uploads = append(r.uploads, upload{"multipart", f})
	if u.UnsignedPayload {
		return ok("two parts combined under a key in Unicode; as P3S3F_UNSIGNED_PAYLOAD=1 says, the store did not check " +
			"their SHA-256, so only TLS protects them on the way")
	}
	return ok("two parts combined under a key in Unicode")
}

func isAccepted(_ fineuploader.Response, err error) bool { return err == nil }

// checkLookUp looks up the uploads as the server does on /s3/success, and compares them with what was sent.
func (r *run) checkLookUp(ctx context.Context) []Result {
	for _, u := range r.uploads {
		object, err := r.server().Head(ctx, u.Key)
		e, _ := responseOf(err)
		missing := e.fromS3 && (e.status == http.StatusNotFound || e.status == http.StatusForbidden)
		switch {
		case missing && !r.set.VerifySuccess:
			return skipped("the key may not read objects, and P3S3F_VERIFY_SUCCESS=0")
		case missing:
			return r.lacksPermission("s3:GetObject", "or set P3S3F_VERIFY_SUCCESS=0 to skip the check in /s3/success")
		case err != nil:
			return r.diagnose("show an upload", err)
		}
		if results := r.compare(u, object); results != nil {
			return results
		}
	}
	return ok("size, content type, headers and metadata are as they were sent")
}

// compare reports the first difference between an object and what was sent; nil: none.
func (r *run) compare(u upload, object s3.Object) []Result {
	changed := func(what, from, to string) []Result {
		return failed(fmt.Sprintf("the store changes what was uploaded (%s): %s: %q became %q", u.method, what, from, to),
			"Look for a proxy in front of the store that changes requests.")
	}
	if size := int64(len(u.Content)); object.Size != size {
		return changed("size", fmt.Sprint(size), fmt.Sprint(object.Size))
	}
	headers := map[string]string{
		"Cache-Control": object.CacheControl, "Content-Disposition": object.ContentDisposition,
		"Content-Encoding": object.ContentEncoding,
	}
	stored := maps.Clone(headers)
	stored["Content-Type"] = object.ContentType
	for name, value := range object.Metadata {
		stored[fineuploader.MetaPrefix+name] = value
	}
	sent := r.page().Fields(u.File)
	sent["Content-Type"] = u.ContentType
	for _, field := range slices.Sorted(maps.Keys(sent)) {
		_, isHeader := headers[field]
		switch {
		case stored[field] == sent[field], strings.HasPrefix(field, clientconf.EncryptionHeader):
		case isUnsafe(field):
			return failed(fmt.Sprintf("the store or a proxy in front of it changes the name %s", field), renameParams)
		case isHeader && u.method == "form":
			return failed(fmt.Sprintf("the store drops %s of request.params from files in one piece", field),
				"Set chunking.enabled and chunking.mandatory to true in client_conf.js, so that small files go up in a part.")
		default:
			return changed(field, sent[field], stored[field])
		}
	}
	return nil
}

// checkNoType uploads a file whose type the browser does not know: old radosgw rejects its form
// (tracker.ceph.com issue 20201).
func (r *run) checkNoType(ctx context.Context) []Result {
	if len(r.set.Sign.ContentTypes) > 0 {
		return skipped("the server rejects files without a known type, because P3S3F_ALLOWED_TYPES is set")
	}
	f := r.file("no type.bam", "?")
	f.ContentType = ""
	_, err := r.uploadSmall(ctx, f)
	switch e, _ := responseOf(err); {
	case err == nil:
		return ok("files without a known type are accepted")
	case !e.fromS3:
		return r.diagnose("accept a file without a known type", err)
	case r.hasCephWorkaround():
		return ok("the store rejects files without a known type; the page sends them as application/octet-stream")
	default:
		return failed(fmt.Sprintf("the store rejects files without a known type (%v)", e),
			"Build the bundle with the workaround for old Ceph: make static CEPH=1.")
	}
}

// checkEncryption checks that encryption is applied.
func (r *run) checkEncryption(ctx context.Context) []Result {
	return r.checkOption(ctx, "objectProperties.serverSideEncryption", clientconf.EncryptionHeader,
		clientconf.EncryptionValue, func(object s3.Object) string { return object.Encryption })
}

// checkStorageClass checks that the storage class is applied.
func (r *run) checkStorageClass(ctx context.Context) []Result {
	return r.checkOption(ctx, "objectProperties.reducedRedundancy", clientconf.StorageHeader,
		clientconf.StorageValue, func(object s3.Object) string { return object.StorageClass })
}

// checkOption uploads with a field that an option in client_conf.js adds, by form and by multipart, and checks that the
// object has its value.
func (r *run) checkOption(
	ctx context.Context, option, field, value string, actual func(s3.Object) string,
) []Result {
	if !r.conf.On(option) {
		return skipped("client_conf.js does not set %s", option)
	}
	f := r.file(field, "?")
	f.Extra = map[string]string{field: value}
	fix := fmt.Sprintf("Remove %s from client_conf.js, or configure the store for it.", option)
	_, err := r.uploadSmall(ctx, f)
	if err == nil {
		_, err = r.uploadPart(ctx, r.page(), f)
	}
	if e, _ := responseOf(err); e.fromS3 {
		return failed(fmt.Sprintf("the store rejects %s: %s, which %s adds (%v)", field, value, option, e), fix)
	}
	if err != nil {
		return r.diagnose("accept "+field, err)
	}
	object, err := r.server().Head(ctx, f.Key)
	switch {
	case err == nil && actual(object) == value:
		return ok("%s: %s is accepted and applied", field, value)
	case err == nil:
		return failed(fmt.Sprintf("the store accepts %s: %s and does not apply it", field, value), fix)
	case s3admin.Status(err) == 0:
		return r.diagnose("show an upload", err)
	}
	return ok("%s: %s is accepted; the key may not check whether it was applied", field, value)
}

// checkUnsigned starts a version 4 upload with a header that its signature does not cover, as an attacker could. S3
// rejects the request (HeadersNotSigned); radosgw 16.2.15 obeys the header, and then also x-amz-copy-source (see
// sign.Config.OnlyV2). The header used here is harmless; some copy sources crash radosgw.
func (r *run) checkUnsigned(ctx context.Context) []Result {
	p := probe{r.style(), sign.V4}
	switch {
	case r.set.Sign.OnlyV2:
		return skipped("the server signs version 2 only, which covers every x-amz-* header")
	case r.probe(ctx, p) != nil:
		return skipped("the store does not accept version 4")
	}
	u, f := r.client(p), r.file("unsigned", "?")
	u.Unsigned = http.Header{"X-Amz-Meta-Unsigned": {"obeyed"}}
	uploadID, _, err := r.initiate(ctx, u, f)
	if e, _ := responseOf(err); e.fromS3 && (e.status == http.StatusBadRequest || e.status == http.StatusForbidden) {
		return ok("the store rejects headers that a signature does not cover (%v)", e)
	}
	if err == nil {
		_, err = r.finishUpload(ctx, r.client(p), f, uploadID)
	}
	if err != nil {
		return r.diagnose("accept a multipart upload", err)
	}
	switch object, err := r.server().Head(ctx, f.Key); {
	case err != nil:
		return skipped("the key may not read objects, which this check needs")
	case object.Metadata["unsigned"] == "":
		return ok("the store ignores headers that a signature does not cover")
	}
	return warning("the store obeys headers that a version 4 signature does not cover: "+
		"whoever may upload can copy any object that the key may read",
		"Upgrade the store (radosgw is fixed in 19.2.6 and 20.2.4), or set P3S3F_SIGNATURE_VERSION=2, with which the "+
			"server refuses version 4, and use a key with permissions for this bucket only.")
}

// checkDelete deletes the uploads as the server does, and checks that they are gone.
func (r *run) checkDelete(ctx context.Context) []Result {
	for _, resource := range slices.Clone(r.resources) {
		if resource.uploadID != "" || resource.version != "" {
			continue
		}
		if err := r.server().Delete(ctx, resource.key); err != nil {
			return r.diagnose("delete an upload", err)
		}
		r.untrack(resource)
	}
	for _, u := range r.uploads {
		if _, err := r.server().Head(ctx, u.Key); err == nil {
			return failed("an object still exists after it was deleted",
				"Check the log of the store, and retention rules of the bucket.")
		}
	}
	return ok("the uploads could be deleted")
}
