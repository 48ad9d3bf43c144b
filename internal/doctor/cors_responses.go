package doctor

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"s3-sign-srv/internal/cors"
	"s3-sign-srv/internal/fineuploader"
)

// checkCORSResponses makes a small upload, and checks that a page may read each response to it and to the form.
func (r *run) checkCORSResponses(ctx context.Context) []Result {
	u, f := r.page(), r.file("answers", "part")
	uploadID, initiated, err := r.initiate(ctx, u, f)
	if err != nil {
		return r.diagnose("initiate a multipart upload", err)
	}
	if problem := r.checkPartResponses(ctx, u, f, uploadID); problem != nil {
		return problem
	}
	aborted, err := r.abort(ctx, u, f.Key, uploadID)
	if err != nil {
		return r.diagnose("abort an upload", err)
	}
	responses := map[string]fineuploader.Response{"initiate": initiated, "abort": aborted}
	if r.writes {
		uploadID, response, err := r.initiate(ctx, u, f)
		if err == nil {
			response, err = r.finish(ctx, u, f, uploadID)
		}
		if err != nil {
			return r.diagnose("complete an upload", err)
		}
		responses["complete"] = response
	}
	if r.formResponse.Header != nil {
		responses["form"] = r.formResponse
	}
	for _, operation := range slices.Sorted(maps.Keys(responses)) {
		if problem := cors.Unreadable(responses[operation].Header, u.Origin); problem != "" {
			return unreadableResponse(operation, u.Origin, problem)
		}
	}
	return ok("the page may read the responses, and the ETag of parts")
}

func unreadableResponse(operation, origin, problem string) []Result {
	return failed(fmt.Sprintf("a page from %s may not read the response (%s): %s", origin, operation, problem),
		"Look for a proxy that changes responses; it must leave CORS to the store.")
}

// checkPartResponses uploads a part from each origin, because each may have its own rule. It returns nil if each may
// read the response and its ETag.
func (r *run) checkPartResponses(
	ctx context.Context, u fineuploader.Client, f fineuploader.File, uploadID string,
) []Result {
	numbers := make([]int, len(r.origins()))
	for i := range numbers {
		numbers[i] = i + 1
	}
	problems := inParallel(numbers, func(number int) []Result {
		from := u
		from.Origin = r.origins()[number-1]
		response, err := from.UploadPart(ctx, f.Key, uploadID, number, f.Content)
		etag := response.Header.Get("ETag")
		switch problem := cors.Unreadable(response.Header, from.Origin); {
		case err != nil:
			return r.diagnose("accept a part", err)
		case !isStrong(etag):
			return badETag(etag)
		case problem != "":
			return unreadableResponse("part", from.Origin, problem)
		case !cors.Exposes(response.Header, "ETag"):
			return r.hiddenETag(from.Origin)
		}
		return nil
	})
	for _, problem := range problems {
		if problem != nil {
			r.etagReported = "cors answers"
			return problem
		}
	}
	return nil
}

// isStrong reports whether an upload can be completed with an ETag.
func isStrong(etag string) bool { return etag != "" && !strings.HasPrefix(etag, "W/") }

func badETag(etag string) []Result {
	text := "the response to a part has no ETag, without which no upload can be completed"
	if etag != "" {
		text = "the response to a part has the weak ETag " + etag + ", with which no upload can be completed"
	}
	return failed(text, "Look for a proxy that removes the ETag (nginx: proxy_hide_header) or changes it (gzip); "+
		"it must forward the ETag unchanged.")
}

// hiddenETag distinguishes a rule that does not expose the ETag from a proxy that hides it.
func (r *run) hiddenETag(origin string) []Result {
	text := fmt.Sprintf("ETag is not exposed: a page from %s cannot read what completes a multipart upload", origin)
	if r.rules.Expose(origin, http.MethodPut, "ETag") {
		return failed(text+", although the bucket's rules expose it",
			"Look for a proxy that removes Access-Control-Expose-Headers; it must leave CORS to the store.")
	}
	return failed(text, "Add <ExposeHeader>ETag</ExposeHeader> to the rule for it. "+r.corsCommand())
}
