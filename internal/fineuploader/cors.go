package fineuploader

import (
	"net/http"
	"slices"
	"strings"

	"s3-sign-srv/internal/cors"
	"s3-sign-srv/internal/sign"
)

// CORSRequests returns the five requests of an upload below a key, before each of which a browser sends a preflight:
// before a form too, because Fine Uploader listens to its progress (Fetch, "use-CORS-preflight flag").
func (c Client) CORSRequests(key string, extra map[string]string) []cors.Request {
	signed := []string{"authorization", "x-amz-date"}
	if c.Version == sign.V4 {
		signed = append(signed, "x-amz-content-sha256")
	}
	typed := append(slices.Clone(signed), "content-type")
	first := slices.Clone(typed)
	for field := range c.InitiateRequest(File{Extra: extra}).Headers {
		first = append(first, strings.ToLower(field))
	}
	path := "/" + escapeKey(key)
	requests := []cors.Request{
		{Operation: "form", Method: http.MethodPost},
		{Operation: "initiate", Method: http.MethodPost, Path: path + "?uploads", Headers: first},
		{Operation: "part", Method: http.MethodPut, Path: path + "?partNumber=1&uploadId=1", Headers: typed},
		{Operation: "complete", Method: http.MethodPost, Path: path + "?uploadId=1", Headers: typed},
		{Operation: "abort", Method: http.MethodDelete, Path: path + "?uploadId=1", Headers: signed},
	}
	for i := range requests {
		requests[i].Headers = slices.Sorted(slices.Values(requests[i].Headers))
	}
	return requests
}
