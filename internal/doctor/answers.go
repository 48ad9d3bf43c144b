package doctor

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// checkAnswers makes a small upload, and reads every answer to it and that to the form as a page may.
func (e *run) checkAnswers(ctx context.Context) []Result {
	u := e.page()
	f := file{key: e.key("answers"), name: "answers", contentType: e.contentType(), content: []byte("part")}
	uploadID, begun, err := e.begin(ctx, u, f)
	if err != nil {
		return e.diagnose("begin a multipart upload", err)
	}
	if fault := e.checkParts(ctx, u, f, uploadID); fault != nil {
		return fault
	}
	ended, err := e.end(ctx, u, f.key, uploadID)
	if err != nil {
		return e.diagnose("abort an upload", err)
	}
	answers := map[string]answer{"initiate": begun, "abort": ended}
	if e.writes {
		if answers["complete"], err = e.completed(ctx, u, f); err != nil {
			return e.diagnose("put the parts together", err)
		}
	}
	if e.formAnswer.header != nil {
		answers["form"] = e.formAnswer
	}
	for _, what := range slices.Sorted(maps.Keys(answers)) {
		if fault := readable(answers[what].header, u.origin); fault != "" {
			return mayNotRead(what, u.origin, fault)
		}
	}
	return ok("the page may read them, and the ETag of parts")
}

func mayNotRead(what, origin, fault string) []Result {
	return failed(fmt.Sprintf("a page from %s may not read the answer (%s): %s", origin, what, fault), "Look for a proxy that changes answers, and have it leave CORS to the store.")
}

// completed makes a whole upload and returns the last answer.
func (e *run) completed(ctx context.Context, u uploader, f file) (answer, error) {
	uploadID, got, err := e.begin(ctx, u, f)
	if err != nil {
		return got, err
	}
	return e.finish(ctx, u, f, uploadID)
}

// checkParts sends a part from each origin, nil if each may read the answer and its ETag: there may be a
// rule for each.
func (e *run) checkParts(ctx context.Context, u uploader, f file, uploadID string) []Result {
	numbers := make([]int, len(e.origins()))
	for i := range numbers {
		numbers[i] = i + 1
	}
	faults := inParallel(numbers, func(number int) []Result {
		from := u
		from.origin = e.origins()[number-1]
		etag, put, err := from.part(ctx, f.key, uploadID, number, f.content)
		switch {
		case err != nil:
			return e.diagnose("take a part", err)
		case spoilt(etag):
			return spoiltETag(etag)
		case readable(put.header, from.origin) != "":
			return mayNotRead("part", from.origin, readable(put.header, from.origin))
		case !exposes(put.header, "ETag"):
			return e.hiddenETag(from.origin)
		}
		return nil
	})
	for _, fault := range faults {
		if fault != nil {
			e.toldETag = "cors answers"
			return fault
		}
	}
	return nil
}

// spoilt reports whether an ETag is none that completes an upload.
func spoilt(etag string) bool { return etag == "" || strings.HasPrefix(etag, "W/") }

func spoiltETag(etag string) []Result {
	text := "the answer to a part has no ETag, without which no upload can be completed"
	if etag != "" {
		text = "the answer to a part has the weak ETag " + etag + ", which completes no upload"
	}
	return failed(text, "Look for a proxy that takes the ETag out (nginx: proxy_hide_header) or changes it (gzip), and have it pass that on.")
}

// hiddenETag tells a rule that does not expose the ETag from a proxy that hides it.
func (e *run) hiddenETag(origin string) []Result {
	const text = "ETag is not exposed: a page from %s cannot read what completes a multipart upload"
	if e.rules.Expose(origin, http.MethodPut, "ETag") {
		return failed(fmt.Sprintf(text+", although the bucket's rules expose it", origin), "Look for a proxy that takes out Access-Control-Expose-Headers, and have it leave CORS to the store.")
	}
	return failed(fmt.Sprintf(text, origin), "Add <ExposeHeader>ETag</ExposeHeader> to the rule for it. "+e.corsCommand())
}

// readable returns why a page from origin may not read an answer, empty if it may.
func readable(h http.Header, origin string) string {
	allowed := h.Values("Access-Control-Allow-Origin")
	switch {
	case len(allowed) == 0:
		return "the answer has no Access-Control-Allow-Origin"
	case len(allowed) > 1:
		return "the answer has Access-Control-Allow-Origin twice"
	case allowed[0] != "*" && allowed[0] != origin:
		return fmt.Sprintf("the answer is for pages from %s, not from %s", allowed[0], origin)
	}
	return ""
}

// exposes reports whether a page may read a header of the answer.
func exposes(h http.Header, name string) bool {
	return slices.ContainsFunc(values(h, "Access-Control-Expose-Headers"), func(v string) bool { return v == "*" || strings.EqualFold(v, name) })
}
