package cors

import (
	"net/http"
	"strings"
	"testing"
)

// headers reads "Name: value" lines.
func headers(lines ...string) http.Header {
	h := http.Header{}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		h.Add("Access-Control-"+name, value)
	}
	return h
}

// TestValidate checks responses to preflights by the Fetch standard.
func TestValidate(t *testing.T) {
	const page = "https://page.example.org"
	put := Request{"part", "PUT", "", []string{"authorization", "content-type"}}
	post := Request{"form", "POST", "", nil}
	for _, test := range []struct {
		name    string
		request Request
		status  int
		h       http.Header
		want    string
	}{
		{"all named", put, 200,
			headers("Allow-Origin: "+page, "Allow-Methods: POST, PUT", "Allow-Headers: Authorization,Content-Type"), ""},
		{"in two headers", put, 204, headers("Allow-Origin: *", "Allow-Methods: PUT",
			"Allow-Headers: authorization", "Allow-Headers: content-type"), ""},
		{"POST need not be named", post, 200, headers("Allow-Origin: *"), ""},
		{"any method", put, 200, headers("Allow-Origin: *", "Allow-Methods: *", "Allow-Headers: authorization, *"), ""},
		{"* is not for authorization", put, 200, headers("Allow-Origin: *", "Allow-Methods: PUT", "Allow-Headers: *"),
			"the header authorization is not allowed"},
		{"a missing header", put, 200, headers("Allow-Origin: *", "Allow-Methods: PUT", "Allow-Headers: authorization"),
			"the header content-type is not allowed"},
		{"a missing method", put, 200, headers("Allow-Origin: *", "Allow-Methods: POST, put"),
			"the method PUT is not allowed"},
		{"no origin", post, 200, headers(), "no Access-Control-Allow-Origin"},
		{"another origin", post, 200, headers("Allow-Origin: https://other.example.org"), "not from " + page},
		{"a slash at the end", post, 200, headers("Allow-Origin: " + page + "/"), "not from " + page},
		{"two origins", post, 200, headers("Allow-Origin: *", "Allow-Origin: "+page), "twice"},
		{"refused", post, 403, headers("Allow-Origin: *"), "status 403"},
		{"redirected", post, 307, headers("Allow-Origin: *"), "status 307"},
	} {
		got := test.request.Validate(test.status, test.h, page)
		if got != test.want && (test.want == "" || !strings.Contains(got, test.want)) {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

func TestExposes(t *testing.T) {
	for value, want := range map[string]bool{"ETag": true, "x-amz-id, etag": true, "*": true, "x-etag": false, "": false} {
		if got := Exposes(headers("Expose-Headers: "+value), "ETag"); got != want {
			t.Errorf("%q: %v", value, got)
		}
	}
}
