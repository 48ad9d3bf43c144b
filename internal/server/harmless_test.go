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

// keys returns the keys that hooks received since they were last asked for.
func (w *hookRecorder) keys() []string {
	var keys []string
	challenges, uploads, deletions := w.drain()
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

// TestHarmless has the rows that need no refusal, because what they ask for does not happen.
func TestHarmless(t *testing.T) {
	servers := startAllSetups(t)
	w := servers[pathStyle]
	grant := func(t *testing.T, body string) (signature string, received *hooks.Challenge) {
		t.Helper()
		target := "/s3/sign"
		if strings.Contains(body, "AWS4-HMAC") {
			target += "?v4=true"
		}
		w.recorder.drain()
		response := w.honest(t, signRequests(target, "", body)[0])
		challenges, _, _ := w.recorder.drain()
		if len(challenges) != 1 {
			t.Fatalf("the hook received %d requests", len(challenges))
		}
		return fmt.Sprint(response["signature"]), challenges[0]
	}

	t.Run("A12 words of another operation in the metadata do not hide the request from the hook", func(t *testing.T) {
		_, received := grant(t, headersBodies(each(initiate2, "qqfilename:my%20file%20%C3%A9.txt", "x:uploadId"))[0])
		if received.Metadata["x"] != "uploadId" || !received.IsInitiate() {
			t.Errorf("received %+v", received.Request)
		}
	})
	t.Run("B18 a bucket in the path of a path-style endpoint is a folder in ours", func(t *testing.T) {
		text := pathOf(swap(part4, "/uuid.txt", "/otherbucket/k"))
		signature, received := grant(t, headersBodies([]string{text})[0])
		if received.Bucket != "mybucket" || received.Key != "otherbucket/k" ||
			signature != signatureV4(swap(text, "/otherbucket/k", "/mybucket/otherbucket/k")) ||
			signature == signatureV4(text) {
			t.Errorf("received %+v, signed %s", received.Request, signature)
		}
	})
	t.Run("B19 patterns in a key stay what they are", func(t *testing.T) {
		text := pathOf(swap(part4, "/uuid.txt", "/%241%5C1%24%26%24%7B0%7D"))
		signature, received := grant(t, headersBodies([]string{text})[0])
		if received.Key != `$1\1$&${0}` || signature != signatureV4(swap(text, "\n/%241", "\n/mybucket/%241")) {
			t.Errorf("received %+v, signed %s", received.Request, signature)
		}
	})
	t.Run("C16 no metadata name is reserved: metadata is what the client says", func(t *testing.T) {
		if _, received := grant(t, swap(policy2, "x-amz-meta-qqfilename",
			"x-amz-meta-role")); received.Metadata["role"] != "my file é.txt" {
			t.Errorf("received %+v", received.Request)
		}
	})
	t.Run("D5 D6 D10 D27 success only asks S3, makes no link, and says the same again", func(t *testing.T) {
		w.store.drain()
		w.recorder.drain()
		report := forms("POST", "/s3/success", swap(success, "key=uuid.txt", "key=victim.txt"))[0]
		first, second := w.send(t, report), w.send(t, report)
		var said, again map[string]any // the members come in any order
		json.Unmarshal([]byte(first.body), &said)
		json.Unmarshal([]byte(second.body), &again)
		if len(said) == 0 || !maps.Equal(said, again) || second.status != http.StatusOK ||
			strings.Contains(first.body, "http") ||
			first.status != http.StatusOK {
			t.Errorf("answers %s and %s", first.body, second.body)
		}
		if calls := w.store.drain(); !slices.Equal(
			calls,
			[]string{"HEAD /mybucket/victim.txt", "HEAD /mybucket/victim.txt"},
		) {
			t.Errorf("S3 was called: %q", calls)
		}
		// The hook is told twice, and not once as one might wish: a client repeats its report when the answer was
		// lost, nothing is stored to know it by, and the page needs the hook's reply. So it is the hook's contract
		// (hooks.Success) that a second call for the same upload changes nothing.
		if received := w.recorder.keys(); !slices.Equal(received, []string{"victim.txt", "victim.txt"}) {
			t.Errorf("the hook received %q", received)
		}
	})
	t.Run("D9 a forged ETag is refused by asking S3 once, a forged name is passed on as it is", func(t *testing.T) {
		w.recorder.drain()
		got := w.send(t, forms("POST", "/s3/success", swap(success, "simple-etag", "forged"))[0])
		if calls := w.store.drain(); got.status != http.StatusConflict || len(calls) != 1 || len(w.recorder.keys()) != 0 {
			t.Errorf("%d %s, S3 was called: %q", got.status, got.body, calls)
		}
		w.send(t, forms("POST", "/s3/success", swap(success, "name=my+file+%C3%A9.txt", "name=a%0Ab%1B%5B2J"))[0])
		if _, uploads, _ := w.recorder.drain(); len(uploads) != 1 || uploads[0].Name != "a\nb\x1b[2J" {
			t.Errorf("received %v", uploads)
		}
	})
	t.Run("D11 GET, HEAD and OPTIONS do nothing", func(t *testing.T) {
		w.store.drain()
		w.recorder.drain()
		for _, method := range []string{"GET", "HEAD", "OPTIONS"} {
			for _, target := range []string{"/s3/success?key=uuid.txt&" +
				"bucket=mybucket", "/s3/sign?v4=true", deletePath, "/s3/delete?" + deleteForm} {
				w.send(t, attack{method: method, target: target})
			}
		}
		if calls, received := w.store.drain(), w.recorder.keys(); len(calls)+len(received) > 0 {
			t.Errorf("S3 was called: %q; hooks received %q", calls, received)
		}
	})
	t.Run("D16 what ends a path or begins a query elsewhere is a letter of the key", func(t *testing.T) {
		for key, path := range map[string]string{
			"x?versionId=null": "/mybucket/x%3FversionId%3Dnull", "x#": "/mybucket/x%23",
			"x#?uploads": "/mybucket/x%23%3Fuploads", "?": "/mybucket/%3F", "#": "/mybucket/%23",
			"x&versionId=1": "/mybucket/x%26versionId%3D1", "a%2F..%2Fb": "/mybucket/a%252F..%252Fb",
			"x;versionId=1": "/mybucket/x%3BversionId%3D1", "x/": "/mybucket/x/",
		} {
			spelt := "key=" + url.QueryEscape(key)
			for _, a := range slices.Concat(deletes(swap(deletePath, "key=uuid.txt", spelt)), forms("POST", "/s3/delete",
				swap(deleteForm, "key=uuid.txt", spelt)), forms("POST", "/s3/success", swap(success, "key=uuid.txt", spelt))) {
				w.store.drain()
				w.honest(t, a)
				calls := w.store.drain()
				if len(calls) == 1 {
					calls[0] = strings.TrimSuffix(calls[0], "?x-id=DeleteObject")
				}
				if want := map[bool]string{true: "HEAD ", false: "DELETE "}[a.target == "/s3/success"] + path; !slices.Equal(
					calls,
					[]string{want},
				) {
					t.Errorf("%q: S3 was called %q, want %s", key, calls, want)
				}
			}
		}
	})
	t.Run("D22 Host bends no answer", func(t *testing.T) {
		evil := http.Header{"Host": {"evil.example"}, "X-Forwarded-Host": {"evil.example"}, "X-Forwarded-Proto": {"evil"}}
		asEvil := evil.Clone()
		asEvil.Set("Content-Type", "application/json")
		for _, a := range []attack{{method: "GET", target: "/", header: evil}, {method: "GET",
			target: "/static/client_conf.js", header: evil}, {method: "GET", target: "/nowhere", header: evil},
			{method: "OPTIONS", target: "/s3/sign", header: evil}, {method: "GET", target: "//evil.example/..", header: evil},
			{method: "POST", target: "/s3/sign", header: asEvil, body: policy2}} {
			if got := w.send(t, a); strings.Contains(fmt.Sprint(got.header, got.body), "evil") ||
				got.header.Get("Location") != "" {
				t.Errorf("%s: %v %s", a.target, got.header, got.body)
			}
		}
	})
}

// signatureV4 is the signature of a V4 string as AWS describes it, derived here anew.
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
