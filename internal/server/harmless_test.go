package server_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"s3-sign-srv/internal/hooks"
)

// keys returns the keys that the hooks received since the last call.
func (s *hookRecorder) keys() []string {
	var keys []string
	challenges, uploads, deletions := s.drain()
	for _, c := range challenges {
		keys = append(keys, c.Key)
	}
	for _, u := range uploads {
		keys = append(keys, u.Key)
	}
	for _, d := range deletions {
		keys = append(keys, d.Key)
	}
	return keys
}

// TestHarmless has requests that need no rejection, because the server does nothing of what the attacker wants.
func TestHarmless(t *testing.T) {
	servers := startAllSetups(t)
	s := servers[pathStyle]
	expectSigned := func(t *testing.T, body string) (signature string, received *hooks.Challenge) {
		t.Helper()
		target := "/s3/sign"
		if strings.Contains(body, "AWS4-HMAC") {
			target += "?v4=true"
		}
		s.recorder.drain()
		response := s.expectOK(t, signRequests(target, "", body)[0])
		challenges, _, _ := s.recorder.drain()
		if len(challenges) != 1 {
			t.Fatalf("the hook received %d requests", len(challenges))
		}
		return fmt.Sprint(response["signature"]), challenges[0]
	}

	t.Run("words of another operation in the metadata do not hide the request from the hook [A12]", func(t *testing.T) {
		_, received := expectSigned(t, headersBodies(each(initiate2, "qqfilename:my%20file%20%C3%A9.txt", "x:uploadId"))[0])
		if received.Metadata["x"] != "uploadId" || !received.IsInitiate() {
			t.Errorf("received %+v", received.Request)
		}
	})
	t.Run("another bucket in the path of a path-style endpoint is a folder in ours [B18]", func(t *testing.T) {
		text := pathOf(swap(part4, "/uuid.txt", "/otherbucket/k"))
		signature, received := expectSigned(t, headersBodies([]string{text})[0])
		if received.Bucket != "mybucket" || received.Key != "otherbucket/k" ||
			signature != signatureV4(swap(text, "/otherbucket/k", "/mybucket/otherbucket/k")) ||
			signature == signatureV4(text) {
			t.Errorf("received %+v, signed %s", received.Request, signature)
		}
	})
	t.Run("patterns in a key are not expanded [B19]", func(t *testing.T) {
		text := pathOf(swap(part4, "/uuid.txt", "/%241%5C1%24%26%24%7B0%7D"))
		signature, received := expectSigned(t, headersBodies([]string{text})[0])
		if received.Key != `$1\1$&${0}` || signature != signatureV4(swap(text, "\n/%241", "\n/mybucket/%241")) {
			t.Errorf("received %+v, signed %s", received.Request, signature)
		}
	})
	t.Run("no metadata name is reserved, because metadata comes from the client [C16]", func(t *testing.T) {
		if _, received := expectSigned(t, swap(policy2, "x-amz-meta-qqfilename",
			"x-amz-meta-role")); received.Metadata["role"] != "my file é.txt" {
			t.Errorf("received %+v", received.Request)
		}
	})
	t.Run("success only calls HEAD, returns no link, and can be repeated [D5, D6, D10, D27]", func(t *testing.T) {
		s.store.drain()
		s.recorder.drain()
		report := forms("POST", "/s3/success", swap(success, "key=uuid.txt", "key=victim.txt"))[0]
		first, second := s.send(t, report), s.send(t, report)
		var reply, again map[string]any // the order of members varies
		json.Unmarshal([]byte(first.body), &reply)
		json.Unmarshal([]byte(second.body), &again)
		if len(reply) == 0 || !maps.Equal(reply, again) || second.status != http.StatusOK ||
			strings.Contains(first.body, "http") ||
			first.status != http.StatusOK {
			t.Errorf("responses %s and %s", first.body, second.body)
		}
		if calls := s.store.drain(); !slices.Equal(calls,
			[]string{"HEAD /mybucket/victim.txt", "HEAD /mybucket/victim.txt"}) {
			t.Errorf("S3 was called: %q", calls)
		}
		// The hook is called twice: a client repeats its report if it gets no response, the server stores nothing, and
		// the page needs the hook's reply. hooks.Success documents it.
		if received := s.recorder.keys(); !slices.Equal(received, []string{"victim.txt", "victim.txt"}) {
			t.Errorf("the hook received %q", received)
		}
	})
	t.Run("a forged ETag is rejected after one HEAD, a forged name is passed on unchanged [D9]", func(t *testing.T) {
		s.recorder.drain()
		got := s.send(t, forms("POST", "/s3/success", swap(success, "simple-etag", "forged"))[0])
		if calls := s.store.drain(); got.status != http.StatusConflict || len(calls) != 1 || len(s.recorder.keys()) != 0 {
			t.Errorf("%d %s, S3 was called: %q", got.status, got.body, calls)
		}
		s.send(t, forms("POST", "/s3/success", swap(success, "name=my+file+%C3%A9.txt", "name=a%0Ab%1B%5B2J"))[0])
		if _, uploads, _ := s.recorder.drain(); len(uploads) != 1 || uploads[0].Name != "a\nb\x1b[2J" {
			t.Errorf("received %v", uploads)
		}
	})
	t.Run("GET, HEAD and OPTIONS have no effect [D11]", func(t *testing.T) {
		s.store.drain()
		s.recorder.drain()
		for _, method := range []string{"GET", "HEAD", "OPTIONS"} {
			for _, target := range []string{
				"/s3/success?key=uuid.txt&bucket=mybucket", "/s3/sign?v4=true", deletePath, "/s3/delete?" + deleteForm,
			} {
				s.send(t, attack{method: method, target: target})
			}
		}
		if calls, received := s.store.drain(), s.recorder.keys(); len(calls)+len(received) > 0 {
			t.Errorf("S3 was called: %q; hooks received %q", calls, received)
		}
	})
	t.Run("?, # and ; in a key do not end the path [D16]", func(t *testing.T) {
		for key, path := range map[string]string{
			"x?versionId=null": "/mybucket/x%3FversionId%3Dnull", "x#": "/mybucket/x%23",
			"x#?uploads": "/mybucket/x%23%3Fuploads", "?": "/mybucket/%3F", "#": "/mybucket/%23",
			"x&versionId=1": "/mybucket/x%26versionId%3D1", "a%2F..%2Fb": "/mybucket/a%252F..%252Fb",
			"x;versionId=1": "/mybucket/x%3BversionId%3D1", "x/": "/mybucket/x/",
		} {
			encoded := "key=" + url.QueryEscape(key)
			for _, a := range slices.Concat(
				deletes(swap(deletePath, "key=uuid.txt", encoded)),
				forms("POST", "/s3/delete", swap(deleteForm, "key=uuid.txt", encoded)),
				forms("POST", "/s3/success", swap(success, "key=uuid.txt", encoded)),
			) {
				want := "DELETE " + path
				if a.target == "/s3/success" {
					want = "HEAD " + path
				}
				s.store.drain()
				s.expectOK(t, a)
				calls := s.store.drain()
				if len(calls) != 1 || strings.TrimSuffix(calls[0], "?x-id=DeleteObject") != want {
					t.Errorf("%q: S3 was called %q, want %s", key, calls, want)
				}
			}
		}
	})
	t.Run("a forged Host does not change the response [D22]", func(t *testing.T) {
		evil := http.Header{"Host": {"evil.example"}, "X-Forwarded-Host": {"evil.example"}, "X-Forwarded-Proto": {"evil"}}
		asEvil := evil.Clone()
		asEvil.Set("Content-Type", "application/json")
		for _, a := range []attack{{method: "GET", target: "/", header: evil}, {method: "GET",
			target: "/static/client_conf.js", header: evil}, {method: "GET", target: "/nowhere", header: evil},
			{method: "OPTIONS", target: "/s3/sign", header: evil}, {method: "GET", target: "//evil.example/..", header: evil},
			{method: "POST", target: "/s3/sign", header: asEvil, body: policy2}} {
			if got := s.send(t, a); strings.Contains(fmt.Sprint(got.header, got.body), "evil") ||
				got.header.Get("Location") != "" {
				t.Errorf("%s: %v %s", a.target, got.header, got.body)
			}
		}
	})
}

// signatureV4 computes the signature of a V4 string as AWS documents it, independently of internal/sign.
func signatureV4(text string) string {
	lines := strings.SplitN(text, "\n", 4)
	digest := sha256.Sum256([]byte(lines[3]))
	return hex.EncodeToString(macV4(lines[2], strings.Join(lines[:3], "\n")+"\n"+hex.EncodeToString(digest[:])))
}

// macV4 is the HMAC of text by the signing key of a scope.
func macV4(scope, text string) []byte {
	mac := func(key []byte, text string) []byte {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(text))
		return h.Sum(nil)
	}
	key := []byte("AWS4" + secretKey)
	for step := range strings.SplitSeq(scope, "/") {
		key = mac(key, step)
	}
	return mac(key, text)
}
