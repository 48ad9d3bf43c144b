package server_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// A target is a server whose HTTP side is called directly, for speed; its calls to the store are real.
type target struct {
	*world
	handler http.Handler
}

func newTarget(f *testing.F) target {
	w := startWorld(f, func(*config) {})
	return target{w, w.handler(f, func(*config) {})}
}

// call sends one request and checks what every answer must be: JSON, never a fault of the server's.
func (g target) call(t *testing.T, method, path, query, body string) answer {
	t.Helper()
	g.store.taken()
	g.log.taken()
	g.told.taken()
	r := httptest.NewRequest(method, "/", strings.NewReader(body))
	r.URL = &url.URL{Path: path, RawQuery: query}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	recorder := httptest.NewRecorder()
	g.handler.ServeHTTP(recorder, r)
	got := answer{recorder.Code, recorder.Header(), recorder.Body.String()}
	if got.status >= http.StatusInternalServerError || got.status != http.StatusOK && got.status < http.StatusBadRequest {
		t.Errorf("the status is %d: %s", got.status, got.body)
	}
	var members map[string]any
	if err := json.Unmarshal([]byte(got.body), &members); err != nil || (members["error"] != nil) == (got.status == http.StatusOK) {
		t.Errorf("the answer %d is %q, %v", got.status, got.body, err)
	}
	return got
}

// wantCalls wants the one call that an accepted request makes, for the key as decoded, in our bucket; none
// where the request is refused before, and a refusal after the call only where the store decides.
func (g target) wantCalls(t *testing.T, got answer, method string, form url.Values) {
	t.Helper()
	calls, told := g.store.taken(), g.told.keys()
	if got.status != http.StatusOK && got.status != http.StatusConflict { // 409: the ETag that S3 told is another
		if len(calls)+len(told) > 0 {
			t.Errorf("refused, but S3 was called: %q; hooks were told of %q", calls, told)
		}
		return
	}
	if len(calls) != 1 {
		t.Fatalf("S3 was called %q", calls)
	}
	called, _, _ := strings.Cut(calls[0], " ")
	requested, err := url.ParseRequestURI(calls[0][len(called)+1:])
	if err != nil || called != method {
		t.Fatalf("S3 was called %q, %v", calls[0], err)
	}
	keys, buckets := form["key"], form["bucket"]
	if !slices.Equal(buckets, []string{"mybucket"}) || len(keys) != 1 || requested.Path != "/mybucket/"+keys[0] || requested.EscapedPath() != "/mybucket/"+strings.ReplaceAll(escape(keys[0]), "%2F", "/") {
		t.Errorf("S3 was called %q for the keys %q in %q", calls[0], keys, buckets)
	}
	if query := requested.Query(); len(query) > 1 || len(query) == 1 && query.Get("x-id") == "" {
		t.Errorf("S3 was called with a query: %q", calls[0])
	}
	if slices.ContainsFunc(strings.Split(keys[0], "/"), func(s string) bool { return s == "." || s == ".." }) || strings.HasPrefix(keys[0], "/") || keys[0] == "" {
		t.Errorf("S3 was called for the key %q", keys[0])
	}
	if got.status == http.StatusOK && !slices.Equal(told, keys) {
		t.Errorf("the hook was told of %q, S3 was called %q", told, calls[0])
	}
}

// FuzzSuccessForm: a report makes at most one HEAD, of the key as decoded, in our bucket.
func FuzzSuccessForm(f *testing.F) {
	f.Add("", success)
	f.Add("st=1&a=%20", "foo=b+r&key=dir+one%2F%D1%84%D0%BE%D1%82%D0%BE+%C3%A9%2B(1)*!%27~%26%3D%23%25.txt&uuid=u&name=n&bucket=mybucket&dataset=D+S")
	for _, key := range badKeys {
		f.Add("", strings.Replace(success, "key=uuid.txt", key, 1))
	}
	for _, r := range rowsCalls {
		for _, a := range r.attacks {
			if path, query, _ := strings.Cut(a.target, "?"); path == "/s3/success" && len(a.body) < 2000 {
				f.Add(query, a.body)
			}
		}
	}
	g := newTarget(f)
	f.Fuzz(func(t *testing.T, query, body string) {
		got := g.call(t, "POST", "/s3/success", query, body)
		form, _ := url.ParseQuery(body)
		g.wantCalls(t, got, "HEAD", form)
	})
}

// FuzzDelete: a delete makes at most one DELETE, of the key as decoded, in our bucket; by path or by form.
func FuzzDelete(f *testing.F) {
	f.Add(false, "51768878-9869", "key=uuid.txt&bucket=mybucket", "")
	f.Add(true, "", "", deleteForm)
	f.Add(true, "", "x=1", strings.Replace(deleteForm, "key=uuid.txt", "key=dir+one%2F%D1%84+%C3%A9%2B(1)*!%27~%26%3D%23%25.txt&foo=b", 1))
	for _, key := range badKeys {
		f.Add(false, "u", key+"&bucket=mybucket", "")
	}
	for _, r := range rowsCalls {
		for _, a := range r.attacks {
			path, query, _ := strings.Cut(a.target, "?")
			if id, ok := strings.CutPrefix(path, "/s3/delete/"); ok && len(query) < 2000 {
				f.Add(false, id, query, a.body)
			} else if path == "/s3/delete" && len(a.body) < 2000 {
				f.Add(true, "", query, a.body)
			}
		}
	}
	g := newTarget(f)
	f.Fuzz(func(t *testing.T, byForm bool, id, query, body string) {
		var got answer
		var form url.Values
		if byForm {
			got = g.call(t, "POST", "/s3/delete", query, body)
			form, _ = url.ParseQuery(body)
			if got.status == http.StatusOK && !slices.Equal(form["_method"], []string{"DELETE"}) {
				t.Errorf("deleted by the method %q", form["_method"])
			}
		} else {
			got = g.call(t, "DELETE", "/s3/delete/"+id, query, body)
			form, _ = url.ParseQuery(query)
		}
		g.wantCalls(t, got, "DELETE", form)
	})
}
