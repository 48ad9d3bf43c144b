package server_test

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// partV2 is the body of an honest sign request.
const partV2 = `{"headers":"PUT\n\n\n\nx-amz-date:Mon, 23 Nov 2026 11:56:08 GMT\n/mybucket/uuid.txt?partNumber=1&` +
	`uploadId=UPID.abc-_123"}`

// do sends one request and returns the response.
func do(t *testing.T, method, url, contentType, body string, header ...string) response {
	t.Helper()
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	got, err := roundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// roundTrip sends r without following redirects, and reads the response.
func roundTrip(r *http.Request) (response, error) {
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return response{}, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return response{res.StatusCode, res.Header, string(text)}, err
}

const (
	formType = "application/x-www-form-urlencoded"
	jsonType = "application/json; charset=UTF-8"
)

// TestRoutes checks the response of each route to an honest request.
func TestRoutes(t *testing.T) {
	s := startTestServer(t, func(*config) {})
	for _, test := range []struct {
		method, target, kind, body string
		status                     int
		response                   string // how the body begins
	}{
		{"POST", "/s3/sign", jsonType, partV2, 200, `{"signature":"`},
		{"POST", "/s3/sign", "application/vnd.api+json", partV2, 200, `{"signature":"`},
		{"POST", "/s3/sign?x=1", jsonType, " { \"headers\" " + partV2[len(`{"headers"`):], 200, `{"signature":"`},
		{"POST", "/s3/success", formType,
			"key=uuid.txt&uuid=0e4b&name=my+file+%C3%A9.txt&bucket=mybucket&etag=%22simple-etag%22", 200, `{`},
		{"PUT", "/s3/success", formType, "foo=b+r&key=uuid.txt&uuid=0e4b&name=a&bucket=mybucket&dataset=D+S", 200, `{`},
		{"GET", "/s3/success", "", "", 200, ""},
		{"HEAD", "/s3/success", "", "", 200, ""},
		{"DELETE", "/s3/delete/5176-887?key=dir+one%2F%D1%84+%C3%A9%2B(1)*!%27~%26%3D%23%25.txt&bucket=mybucket",
			"", "", 200, `{"success":true}`},
		{"POST", "/s3/delete", formType, "key=uuid.txt&bucket=mybucket&qquuid=5690-6c85&_method=DELETE", 200,
			`{"success":true}`},
		{"OPTIONS", "/s3/sign", "", "", 200, ""},
		{"GET", "/s3/sign", "", "", 405, `{"error":"This address does not accept this method`},
		{"GET", "/s3/delete", "", "", 405, `{"error":"`},
		{"GET", "/nowhere", "", "", 404, `{"error":"There is nothing at this address`},
		{"GET", "/healthz", "", "", 200, "ok\n"},
		{"GET", "/", "", "", 200, "<!doctype html>"},
		{"HEAD", "/", "", "", 200, ""},
		{"GET", "/success.html", "", "", 200, "<!doctype html>"},
		{"GET", "/static/sub/page.js", "", "", 200, "1"},
		{"GET", "/static/client_conf.js", "", "", 200, "var fine_u_conf = {};"},
	} {
		got := do(t, test.method, s.url+test.target, test.kind, test.body)
		if got.status != test.status || !strings.HasPrefix(got.body, test.response) || test.response == "" && got.body != "" {
			t.Errorf("%s %s: %d %s, want %d %s", test.method, test.target, got.status, got.body, test.status, test.response)
		}
	}
	if allow := do(t, "PUT", s.url+"/s3/sign", "", "").header.Values("Allow"); !slices.Equal(allow,
		[]string{"POST, OPTIONS"}) {
		t.Errorf("Allow: %v", allow)
	}
}
