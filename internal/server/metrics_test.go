package server_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"s3-sign-srv/internal/hooks"
)

// scrape returns the metrics of the server itself without durations, as name{labels} value.
func (s *testServer) scrape() (lines []string) {
	w := httptest.NewRecorder()
	s.metrics.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for line := range strings.Lines(w.Body.String()) {
		if strings.HasPrefix(line, "s3_sign_srv_") && !strings.Contains(line, "_seconds_bucket") &&
			!strings.Contains(line, "_seconds_sum") {
			lines = append(lines, strings.TrimSpace(strings.TrimPrefix(line, "s3_sign_srv_")))
		}
	}
	return lines
}

// TestMetrics sends one request to a new server, and wants exactly these metrics.
func TestMetrics(t *testing.T) {
	all := everyRequest("uuid.txt")
	rejected := func(c *config) {
		c.server.Hooks.ChallengeIsGood = func(context.Context, *hooks.Challenge) error { return hooks.Deny("No.") }
	}
	failing := func(c *config) {
		c.server.Hooks.Success = func(context.Context, *hooks.Upload) (hooks.Reply, error) { panic("the hook") }
	}
	identified := `hook_duration_seconds_count{hook="Identify",result="rejected"} 1`
	for _, test := range []struct {
		name    string
		change  func(*config)
		request [4]string
		want    []string // but for zeros, build_info, identified and the count of request_duration_seconds
	}{
		{"a small upload begins", setups[pathStyle], all["V2 PostObject"], []string{
			`requests_total{operation="PostObject",route="/s3/sign",status="200",version="2"} 1`,
			`hook_duration_seconds_count{hook="ChallengeIsGood",result="ok"} 1`, `uploads_begun_total 1`}},
		{"a chunked upload begins", setups[pathStyle], all["V4 CreateMultipartUpload"], []string{
			`requests_total{operation="CreateMultipartUpload",route="/s3/sign",status="200",version="4"} 1`,
			`hook_duration_seconds_count{hook="ChallengeIsGood",result="ok"} 1`, `uploads_begun_total 1`}},
		{"a part", setups[pathStyle], all["V4 UploadPart"], []string{
			`requests_total{operation="UploadPart",route="/s3/sign",status="200",version="4"} 1`,
			`hook_duration_seconds_count{hook="ChallengeIsGood",result="ok"} 1`}},
		{"a chunked upload is aborted", setups[pathStyle], all["V2 AbortMultipartUpload"], []string{
			`requests_total{operation="AbortMultipartUpload",route="/s3/sign",status="200",version="2"} 1`,
			`hook_duration_seconds_count{hook="ChallengeIsGood",result="ok"} 1`, `uploads_aborted_total 1`}},
		{"a hook rejects an upload", rejected, all["V4 CreateMultipartUpload"], []string{
			`requests_total{operation="CreateMultipartUpload",route="/s3/sign",status="403",version="4"} 1`,
			`hook_duration_seconds_count{hook="ChallengeIsGood",result="rejected"} 1`,
			`request_errors_total{code="forbidden",kind=""} 1`}},
		{"an upload is complete", setups[pathStyle], all["success"], []string{
			`requests_total{operation="",route="/s3/success",status="200",version=""} 1`,
			`hook_duration_seconds_count{hook="Success",result="ok"} 1`, `uploads_completed_total 1`,
			`store_duration_seconds_count{operation="HeadObject",result="ok"} 1`, `uploads_completed_bytes_total 11`}},
		{"a hook panics", failing, all["success"], []string{
			`requests_total{operation="",route="/s3/success",status="500",version=""} 1`,
			`hook_duration_seconds_count{hook="Success",result="failed"} 1`,
			`request_errors_total{code="internal",kind=""} 1`,
			`store_duration_seconds_count{operation="HeadObject",result="ok"} 1`}},
		{"an object is deleted", setups[pathStyle], all["delete"], []string{
			`requests_total{operation="",route="/s3/delete/{uuid}",status="200",version=""} 1`,
			`hook_duration_seconds_count{hook="Delete",result="ok"} 1`,
			`hook_duration_seconds_count{hook="Deleted",result="ok"} 1`,
			`store_duration_seconds_count{operation="DeleteObject",result="ok"} 1`}},
		{"the store is away", func(c *config) {
			c.server.Bucket = observedBucket("http://127.0.0.1:1",
				c.server.Metrics.ObserveStore)
		}, all["delete"], []string{
			`requests_total{operation="",route="/s3/delete/{uuid}",status="502",version=""} 1`,
			`hook_duration_seconds_count{hook="Delete",result="ok"} 1`,
			`request_errors_total{code="store_failed",kind=""} 1`,
			`store_duration_seconds_count{operation="DeleteObject",result="failed"} 1`}},
	} {
		s := startTestServer(t, test.change)
		do(t, test.request[0], s.url+test.request[1], test.request[2], test.request[3])
		actual := slices.DeleteFunc(s.scrape(), func(line string) bool {
			return strings.HasSuffix(line, " 0") || strings.HasPrefix(line, "build_info") || line == identified ||
				strings.HasPrefix(line, "request_duration_seconds_count{route=\"/s3/")
		})
		slices.Sort(actual)
		slices.Sort(test.want)
		if !slices.Equal(actual, test.want) {
			t.Errorf("%s:\n%s\nwant\n%s", test.name, strings.Join(actual, "\n"), strings.Join(test.want, "\n"))
		}
	}
}

// TestMetricsAreBounded sends requests that no two have anything in common. They add one time series in all, and
// nothing that they contain.
func TestMetricsAreBounded(t *testing.T) {
	s := startTestServer(t, setups[pathStyle])
	send := func(i int) {
		text := fmt.Sprintf("evil%d", i)
		do(t, "GET", s.url+"/"+text, "", "")
		do(t, text, s.url+"/"+text, "", "")
		do(t, text, s.url+"/s3/sign", "", "")
		do(t, "OPTIONS", s.url+"/s3/sign?"+text, "", "", "Origin", "https://"+text+".example.org")
		do(t, "POST", s.url+"/s3/sign?v4="+text, text, text)
		do(t, "POST", s.url+"/s3/delete?"+text, formType, "bucket="+text, "Host", text)
		do(t, "GET", s.url+"/static/"+text, "", "")
		do(t, "DELETE", s.url+"/s3/delete/"+text, "", "", "User-Agent", text)
	}
	series := regexp.MustCompile(` \S+$`)
	names := func() (list []string) {
		for _, line := range s.scrape() {
			list = append(list, series.ReplaceAllString(line, ""))
		}
		return list
	}
	send(0)
	first := names()
	for i := range 20 {
		send(i)
	}
	if later := names(); !slices.Equal(first, later) || strings.Contains(strings.Join(later, ""), "evil") {
		t.Errorf("%d series became\n%s", len(first), strings.Join(later, "\n"))
	}
	if !slices.Contains(first, `requests_total{operation="",route="unknown",status="404",version=""}`) {
		t.Errorf("no unknown route in\n%s", strings.Join(first, "\n"))
	}
}
