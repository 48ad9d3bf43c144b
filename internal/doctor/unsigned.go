package doctor

import (
	"context"
	"errors"
	"net/http"

	"s3-sign-srv/internal/sign"
)

// checkUnsigned adds to a V4 request a header that its signature does not cover, as a visitor could, and
// looks whether it took effect. S3 refuses the request (HeadersNotSigned); radosgw 16.2.15 was seen to
// obey, and then obeys x-amz-copy-source too (see sign.Config.OnlyV2). The header tried here is a harmless
// one: some copy sources were seen to bring a radosgw down.
func (e *run) checkUnsigned(ctx context.Context) []Result {
	way := probe{e.style(), sign.V4}
	switch {
	case e.set.Sign.OnlyV2:
		return skipped("the server signs version 2 alone, which covers every x-amz-* header")
	case e.attempt(ctx, way) != nil:
		return skipped("the store does not take version 4")
	case e.toldETag != "":
		return blockedBy(e.toldETag)
	}
	u := e.uploader(way)
	f := file{key: e.key("unsigned"), name: "unsigned", contentType: e.contentType(), content: []byte("?")}
	u.unsigned = http.Header{"X-Amz-Meta-Unsigned": {"obeyed"}}
	uploadID, _, err := e.begin(ctx, u, f)
	var answered *storeError
	switch {
	case errors.As(err, &answered):
		return ok("the store refuses headers that a signature does not cover (%v)", answered)
	case err != nil:
		return e.diagnose("begin a multipart upload", err)
	}
	u.unsigned = nil
	if _, err := e.finish(ctx, u, f, uploadID); err != nil {
		return e.diagnose("take one part", err)
	}
	switch got, err := e.server().Head(ctx, f.key); {
	case err != nil:
		return skipped("the key may not read what it would have to")
	case got.Metadata["unsigned"] == "":
		return ok("the store ignores headers that a signature does not cover")
	}
	return warning("the store obeys headers that a version 4 signature does not cover: who may upload can copy any object that the key may read",
		"Set P3S3F_SIGNATURE_VERSION=2, which makes the server refuse version 4, and use a key with rights on this bucket alone.")
}
