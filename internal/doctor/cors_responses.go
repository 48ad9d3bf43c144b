package doctor

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"s3-sign-srv/internal/cors"
	"s3-sign-srv/internal/fineuploader"
)

// checkCORSResponses makes a small upload, and checks that a page may read each response to it and to the form.
func (r *run) checkCORSResponses(ctx context.Context) []Result {
	u, f := r.page(), r.file("responses", "part")
	uploadID, initiated, err := r.initiate(ctx, u, f)
	if err != nil {
		return r.diagnose("initiate a multipart upload", err)
	}
	// Each origin may have its own rule.
	parts := inParallel(r.origins(), func(origin string) []Result { return r.checkPart(ctx, origin, f, uploadID) })
	for _, failures := range parts {
		if failures != nil {
			return failures
		}
	}
	aborted, err := r.abort(ctx, u, f.Key, uploadID)
	if err != nil {
		return r.diagnose("abort an upload", err)
	}
	responses := map[string]fineuploader.Response{"initiate": initiated, "abort": aborted}
	if r.writes {
		if responses["complete"], err = r.uploadPart(ctx, u, f); err != nil {
			return r.diagnose("complete an upload", err)
		}
	}
	if r.formResponse.Header != nil {
		responses["form"] = r.formResponse
	}
	for _, operation := range slices.Sorted(maps.Keys(responses)) {
		if reason := r.unreadable(responses[operation], u.Origin); reason != "" {
			return unreadableResponse(operation, u.Origin, reason)
		}
	}
	return ok("the page may read the responses, and the ETag of parts")
}

func unreadableResponse(operation, origin, reason string) []Result {
	return failed(fmt.Sprintf("a page from %s may not read the response (%s): %s", origin, operation, reason),
		"Look for a proxy that changes responses; it must leave CORS to the store.")
}

// checkPart uploads a part from a page of origin. It returns nil if the page may read the response and its ETag.
func (r *run) checkPart(ctx context.Context, origin string, f fineuploader.File, uploadID string) []Result {
	u := r.page()
	u.Origin = origin
	response, err := u.UploadPart(ctx, f.Key, uploadID, 1+slices.Index(r.origins(), origin), f.Content)
	etag := response.Header.Get("ETag")
	switch reason := r.unreadable(response, origin); {
	case err != nil:
		return r.diagnose("accept a part", err)
	case etag == "" || strings.HasPrefix(etag, "W/"):
		return failed(fmt.Sprintf("the response to a part has no strong ETag (%q), which completes an upload", etag),
			"Look for a proxy that removes the ETag (nginx: proxy_hide_header) or changes it (gzip).")
	case reason != "":
		return unreadableResponse("part", origin, reason)
	case !r.isSameOrigin(origin) && !cors.Exposes(response.Header, "ETag"):
		return failed(fmt.Sprintf("a page from %s cannot read the ETag of a part, which completes an upload", origin),
			"Add <ExposeHeader>ETag</ExposeHeader> to the rule for it. "+r.corsCommand()+
				" If the rule has it, look for a proxy that removes Access-Control-Expose-Headers.")
	}
	return nil
}
