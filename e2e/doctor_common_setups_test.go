//go:build e2e

package e2e

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// commonBrokenSetups returns mistakes that are possible with every store.
func commonBrokenSetups() []brokenSetup {
	narrow := []string{
		"authorization",
		"content-type",
		"x-amz-acl",
		"x-amz-date",
		"x-amz-meta-qqfilename",
		"x-amz-meta-dataset",
	}
	return []brokenSetup{
		{"another bucket in the host", func(_ *testing.T, setup *doctorSetup) {
			setup.env["AWS_ENDPOINT"] = strings.Replace(setup.env["AWS_ENDPOINT"], "localhost", "other.localhost", 1)
		}, "endpoint", "Remove the bucket from AWS_ENDPOINT"},
		{"a proxy that changes the host", withHost("127.0.0.1"), "keys", "proxy_set_header Host"},
		{
			"the bucket in capitals",
			func(_ *testing.T, setup *doctorSetup) { setup.env["AWS_DEST_BUCKET"] = strings.ToUpper(setup.name) },
			"bucket",
			"e2e-",
		},
		{
			"a proxy that refuses DELETE",
			rejecting(http.StatusMethodNotAllowed, withMethod(http.MethodDelete)),
			"upload permission",
			"must forward DELETE",
		},
		{"forms that hang", hanging(isForm), "signatures", "responds, but not to this request within 10s"},
		{"a proxy that refuses forms", rejecting(http.StatusForbidden, isForm), "signatures", "must forward POST"},
		{
			"a proxy that limits bodies",
			rejecting(http.StatusRequestEntityTooLarge, isLarge),
			"multipart upload",
			"client_max_body_size",
		},
		{"a store that is full", withInterceptor(func(w http.ResponseWriter, _ *http.Request, body []byte) bool {
			full := len(body) > 1<<20
			if full {
				w.WriteHeader(http.StatusInsufficientStorage)
				io.WriteString(w, "<Error><Code>XMinioStorageFull</Code></Error>")
			}
			return full
		}), "multipart upload", "Make room"},
		{"clock", withResponseChanged(func(r *http.Response) error {
			r.Header.Set("Date", time.Now().Add(20*time.Minute+10*time.Second).UTC().Format(http.TimeFormat))
			return nil
		}), "clock", "behind the store's, and S3 allows 15 minutes"},
		{"old Ceph, which wants a content type", withInterceptor(oldCeph), "no MIME type", "make static CEPH=1"},
		{"a proxy that loses metadata", withoutHeader("X-Amz-Meta-Dataset"), "look-up", "x-amz-meta-dataset"},
		{"a proxy that drops headers with a dot in the name, as nginx does", func(t *testing.T, setup *doctorSetup) {
			setup.edit(t, "client_conf.js", "dataset:", `"sample.id": 5, dataset:`)
			withInterceptor(func(_ http.ResponseWriter, r *http.Request, _ []byte) bool {
				r.Header.Del("x-amz-meta-sample.id")
				return false
			})(t, setup)
		}, "cors responses", "changes names with _ or a dot: sample.id In request.params"},
		{"unknown access key", set("AWS_CLIENT_ACCESS_KEY", "E2ENOBODY00000000000"), "keys", "AWS_CLIENT_ACCESS_KEY"},
		{"wrong secret key", set("AWS_CLIENT_SECRET_KEY", "wrong/secret/key/0123456789"), "keys", "AWS_CLIENT_SECRET_KEY"},
		{"no such bucket", set("AWS_DEST_BUCKET", "e2e-nowhere"), "bucket", "AWS_DEST_BUCKET"},
		{"no CORS rules", withoutRules, "cors preflights", "s3-sign-srv cors"},
		{
			"CORS for another site",
			cors(types.CORSRule{AllowedOrigins: []string{"https://example.org"}}),
			"cors preflights",
			"no CORS rule for pages from http://localhost:5000, only for https://example.org " +
				"(form, initiate, part, complete, abort) " +
				"Run: " + shared.binary + " cors -origin http://localhost:5000 -origin https://example.org",
		},
		{"CORS for one of two sites", func(t *testing.T, setup *doctorSetup) {
			cors(types.CORSRule{AllowedOrigins: []string{"http://localhost:5000"}})(t, setup)
			setup.env["P3S3F_ALLOWED_ORIGINS"] = "https://app.example.org"
		}, "cors preflights", "no CORS rule for pages from https://app.example.org"},
		{
			"CORS without POST",
			cors(types.CORSRule{AllowedMethods: []string{"PUT", "DELETE"}}),
			"cors preflights",
			"the method POST is not allowed (form, initiate, complete)",
		},
		{
			"CORS without PUT",
			cors(types.CORSRule{AllowedMethods: []string{"POST", "DELETE"}}),
			"cors preflights",
			"the method PUT is not allowed (part)",
		},
		{
			"CORS without DELETE",
			cors(types.CORSRule{AllowedMethods: []string{"POST", "PUT"}}),
			"cors preflights",
			"the method DELETE is not allowed (abort)",
		},
		{
			"CORS without a header of version 4",
			cors(types.CORSRule{AllowedHeaders: narrow}),
			"cors preflights",
			"these headers are not allowed: x-amz-content-sha256 (",
		},
		{
			"CORS without a parameter of the page",
			cors(types.CORSRule{AllowedHeaders: append(narrow[:5:5], "x-amz-content-sha256")}),
			"cors preflights",
			"these headers are not allowed: x-amz-meta-dataset (initiate)",
		},
		{"CORS without a header that Fine Uploader does not rename", func(t *testing.T, setup *doctorSetup) {
			setup.edit(t, "client_conf.js", "dataset:", `"Cache-Control": "no-store", dataset:`)
			setup.edit(t, "client_conf.js", "mandatory: false", "mandatory: true") // Ceph drops it from forms
			cors(types.CORSRule{AllowedHeaders: append(narrow[:6:6], "x-amz-content-sha256")})(t, setup)
		}, "cors preflights", "these headers are not allowed: cache-control (initiate)"},
		{"CORS for another site, by a key that may not see the rules", func(t *testing.T, setup *doctorSetup) {
			cors(types.CORSRule{AllowedOrigins: []string{"https://example.org"}})(t, setup)
			withInterceptor(func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
				hidden := r.URL.Query().Has("cors")
				if hidden {
					w.WriteHeader(http.StatusForbidden)
					io.WriteString(w, "<Error><Code>AccessDenied</Code></Error>")
				}
				return hidden
			})(t, setup)
		}, "cors preflights", "no CORS rule for pages from http://localhost:5000 (form, initiate, part, complete, abort) " +
			"Run: " + shared.binary + " cors -origin http://localhost:5000"},
		{
			"a proxy that answers preflights",
			rejecting(http.StatusMethodNotAllowed, withMethod(http.MethodOptions)),
			"cors preflights",
			"responds to OPTIONS itself (status 405) (form, initiate, part, complete, abort) It must forward OPTIONS",
		},
		{"a proxy that adds what the store sends already", withResponseChanged(func(r *http.Response) error {
			r.Header.Add("Access-Control-Allow-Origin", "*")
			return nil
		}), "cors preflights", "has Access-Control-Allow-Origin twice"},
		{"a proxy that lets no page in", withResponseChanged(func(r *http.Response) error {
			r.Header.Set("Access-Control-Allow-Origin", "null")
			return nil
		}), "cors preflights", "the response is for pages from null"},
		{
			"preflights that hang",
			hanging(withMethod(http.MethodOptions)),
			"cors preflights",
			"responds, but not to this request within 10s",
		},
		{"a proxy that makes the ETag weak", withResponseChanged(func(r *http.Response) error {
			if etag := r.Header.Get("ETag"); etag != "" {
				r.Header.Set("ETag", "W/"+etag)
			}
			return nil
		}), "cors responses", "no strong ETag (\"W/"},
		{"a proxy that refuses HEAD", rejecting(http.StatusForbidden, func(r *http.Request, _ []byte) bool {
			return r.Method == http.MethodHead && strings.Count(r.URL.Path, "/") > 1
		}), "look-up", "must forward HEAD"},
		{"a proxy that takes the ETag out", withoutHeader("ETag"), "cors responses", "proxy that removes the ETag"},
		{
			"a proxy that hides the ETag",
			withoutHeader("Access-Control-Expose-Headers"),
			"cors responses",
			"look for a proxy that removes Access-Control-Expose-Headers",
		},
		{
			"a proxy that hides whom the answer is for",
			withoutHeaderOnRequests("Access-Control-Allow-Origin"),
			"cors responses",
			"Look for a proxy",
		},
		{"a proxy that hides whom one answer is for", withResponseChanged(func(r *http.Response) error {
			if r.Request.Method == http.MethodPost && r.Request.URL.Query().Has("uploadId") {
				r.Header.Del("Access-Control-Allow-Origin")
			}
			return nil
		}), "cors responses", "may not read the response (complete)"},
	}
}
