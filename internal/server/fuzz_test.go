package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// target is a server whose handler is called directly, for speed. Its calls to the store are real.
type target struct {
	*testServer
	handler http.Handler
}

func newTarget(f *testing.F) target {
	s := startTestServer(f, func(*config) {})
	return target{s, s.handler(f, func(*config) {})}
}

// call sends one request, and checks that the response is JSON and not a 5xx.
func (g target) call(t *testing.T, method, path, query, body string) response {
	t.Helper()
	g.store.drain()
	g.log.drain()
	g.recorder.drain()
	r := httptest.NewRequest(method, "/", strings.NewReader(body))
	r.URL = &url.URL{Path: path, RawQuery: query}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	recorder := httptest.NewRecorder()
	g.handler.ServeHTTP(recorder, r)
	got := response{recorder.Code, recorder.Header(), recorder.Body.String()}
	if got.status >= http.StatusInternalServerError || got.status != http.StatusOK && got.status < http.StatusBadRequest {
		t.Errorf("the status is %d: %s", got.status, got.body)
	}
	var members map[string]any
	if err := json.Unmarshal([]byte(got.body), &members); err != nil ||
		(members["error"] != nil) == (got.status == http.StatusOK) {
		t.Errorf("the response %d is %q, %v", got.status, got.body, err)
	}
	return got
}

// wantCalls checks that an accepted request makes one call, for the key as any parser decodes it, in the right bucket.
// A rejected request makes none, unless the store decides.
func (g target) wantCalls(t *testing.T, got response, method string, forms ...string) {
	t.Helper()
	calls, received := g.store.drain(), g.recorder.keys()
	if got.status != http.StatusOK && got.status != http.StatusConflict { // 409: another ETag in S3
		if len(calls)+len(received) > 0 {
			t.Errorf("rejected, but S3 was called: %q; hooks received %q", calls, received)
		}
		return
	}
	key := readObject(t, forms...)
	path := method + " /mybucket/" + escapePath(key)
	if len(calls) != 1 || calls[0] != path && calls[0] != path+"?x-id=DeleteObject" {
		t.Errorf("S3 was called %q for the key %q in %q", calls, key, forms)
	}
	if slices.ContainsFunc(strings.Split(key, "/"), func(s string) bool { return s == "." || s == ".." }) ||
		strings.HasPrefix(key, "/") ||
		key == "" {
		t.Errorf("S3 was called for the key %q", key)
	}
	if got.status == http.StatusOK && !slices.Equal(received, []string{key}) {
		t.Errorf("the hook received %q, S3 was called %q", received, calls)
	}
}

// readObject returns the key of an accepted request. It must be the same for every parser: also for one that takes
// semicolons as separators, and for one that reads query and body.
func readObject(t *testing.T, forms ...string) string {
	t.Helper()
	var keys []string
	for _, separators := range []string{"&", "&;"} {
		var key, bucket []string
		for _, form := range forms {
			for _, pair := range readPairs(form, separators) {
				switch pair[0] {
				case "key":
					key = append(key, pair[1])
				case "bucket":
					bucket = append(bucket, pair[1])
				}
			}
		}
		if len(key) != 1 || !slices.Equal(bucket, []string{"mybucket"}) {
			t.Fatalf("accepted with the keys %q in %q: %q, separated by %q", key, bucket, forms, separators)
		}
		keys = append(keys, key[0])
	}
	if keys[0] != keys[1] {
		t.Errorf("accepted, though it can be read as %q: %q", keys, forms)
	}
	return keys[0]
}

// readPairs parses a form as the URL standard does ("application/x-www-form-urlencoded parsing"), which rejects
// nothing. It is independent of net/url, which the server uses.
func readPairs(form, separators string) (pairs [][2]string) {
	for _, sequence := range strings.FieldsFunc(form, func(c rune) bool { return strings.ContainsRune(separators, c) }) {
		name, value := sequence, ""
		if i := strings.IndexByte(sequence, '='); i >= 0 {
			name, value = sequence[:i], sequence[i+1:]
		}
		pairs = append(pairs, [2]string{decodePlus(name), decodePlus(value)})
	}
	return pairs
}

// decodePlus decodes + and %XX, and keeps a % that begins no escape.
func decodePlus(text string) string {
	const digits = "0123456789ABCDEF0123456789abcdef"
	var b []byte
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '+':
			b = append(b, ' ')
		case c == '%' && i+2 < len(text):
			high, low := strings.IndexByte(digits, text[i+1]), strings.IndexByte(digits, text[i+2])
			if high < 0 || low < 0 {
				b = append(b, c)
				continue
			}
			b = append(b, byte(high%16<<4|low%16))
			i += 2
		default:
			b = append(b, c)
		}
	}
	return string(b)
}

// escapePath escapes a key for a request to S3 (RFC 3986, slashes kept).
func escapePath(key string) string {
	var b strings.Builder
	for _, c := range []byte(key) {
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~/", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// FuzzSuccessForm checks that a report makes at most one HEAD call, for the decoded key in the right bucket.
func FuzzSuccessForm(f *testing.F) {
	f.Add("", success)
	f.Add("st=1&a=%20",
		"foo=b+r&key=dir+one%2F%D1%84%D0%BE%D1%82%D0%BE+%C3%A9%2B(1)*!%27~%26%3D%23%25.txt&uuid=u&name=n&bucket=mybucket&"+
			"dataset=D+S")
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
		g.wantCalls(t, got, "HEAD", query, body)
	})
}

// FuzzDelete checks that a deletion, by path or form, makes at most one DELETE call, for the decoded key in the right
// bucket.
func FuzzDelete(f *testing.F) {
	f.Add(false, "51768878-9869", "key=uuid.txt&bucket=mybucket", "")
	f.Add(true, "", "", deleteForm)
	f.Add(true, "", "x=1",
		strings.Replace(deleteForm, "key=uuid.txt", "key=dir+one%2F%D1%84+%C3%A9%2B(1)*!%27~%26%3D%23%25.txt&foo=b", 1))
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
		if !byForm {
			g.wantCalls(t, g.call(t, "DELETE", "/s3/delete/"+id, query, body), "DELETE", query)
			return
		}
		got := g.call(t, "POST", "/s3/delete", query, body)
		g.wantCalls(t, got, "DELETE", query, body)
		var methods []string
		for _, pair := range slices.Concat(readPairs(query, "&;"), readPairs(body, "&;")) {
			if pair[0] == "_method" {
				methods = append(methods, pair[1])
			}
		}
		if got.status == http.StatusOK && !slices.Equal(methods, []string{"DELETE"}) {
			t.Errorf("deleted by the method %q", methods)
		}
	})
}
