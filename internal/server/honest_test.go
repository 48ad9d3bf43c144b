package server_test

import (
	"bufio"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"s3-sign-srv/internal/hooks"
)

// honest sends a request that must be granted, and returns the members of the answer.
func (w *world) honest(t *testing.T, a attack) map[string]any {
	t.Helper()
	w.log.taken()
	got := w.send(t, a)
	var members map[string]any
	if err := json.Unmarshal([]byte(got.body), &members); err != nil || got.status != http.StatusOK {
		t.Errorf(
			"an honest request is refused\n%s %s\n%.900q\nanswer %d %s",
			a.method,
			a.target,
			a.body,
			got.status,
			got.body,
		)
	}
	if text := w.log.taken(); text != "" {
		t.Errorf("an honest request is worth no log line, got %s", text)
	}
	return members
}

// grants sends an honest request and checks all that its row says of it.
func (w *world) grants(t *testing.T, r row, a attack) {
	t.Helper()
	defer w.clock.Store(w.clock.Load())
	defer w.store.etag.Store(w.store.etag.Load())
	if !a.at.IsZero() {
		w.clock.Store(&a.at)
	}
	if a.etag != "" {
		w.store.etag.Store(&a.etag)
	}
	w.store.taken()
	w.told.taken()
	members := w.honest(t, a)
	if calls := w.store.taken(); len(calls) != r.calls {
		t.Errorf("S3 was called: %q", calls)
	}
	if told := w.told.keys(); len(told) != 1 || a.key != "" && told[0] != a.key {
		t.Errorf("the hook was told of %q, want %q", told, a.key)
	}
	if signature, isSigned := members["signature"]; isSigned == (r.calls > 0) ||
		a.signature != "" && signature != a.signature {
		t.Errorf("signature %v, want %s", signature, a.signature)
	}
}

// honestRows is every control.
func honestRows(t *testing.T) []row {
	t.Helper()
	return slices.Concat(rowsHonest, capturedRows(t), namedRows())
}

// rowsHonest has every request that the attacks are made from: each differs from one of them in what the
// table shows, and in nothing else.
var rowsHonest = []row{
	{what: "version 2", attacks: stringV2(initiate2, part2, complete2, abort2)},
	{
		what:    "version 2, typed",
		in:      typed,
		attacks: stringV2(initiate2, swap(initiate2, "text/plain", "image/png"), swap(initiate2, "text/plain", "")),
	},
	{
		what: "a recording",
		in:   typed,
		attacks: slices.Concat(
			stringV2(swap(initiate2, "text/plain", "image/webm;codecs=vp8,opus")),
			bodyV2(swap(policy2, "text/plain", "image/webm;codecs=vp8,opus")),
		),
	},
	{
		what:    "version 2, dots in the upload ID",
		attacks: stringV2(swap(part2, "UPID.abc-_123", "..."), swap(abort2, "UPID.abc-_123", ".U")),
	},
	{what: "version 2, limited", in: limited, attacks: stringV2(swap(part2, "partNumber=1&", "partNumber=3&"))},
	{
		what:    "version 2, ACL",
		in:      withACL,
		attacks: stringV2(swap(initiate2, "x-amz-acl:private", "x-amz-acl:public-read")),
	},
	{
		what:    "version 2, date at the window's ends",
		attacks: stringV2(swap(part2, "11:56:08", "11:41:08"), swap(part2, "11:56:08", "12:11:08")),
	},
	{what: "version 2, digest", attacks: stringV2(swap(initiate2, "POST\n\n", "POST\nXrY7u+Ae7tCTyyK7j1rNww==\n"))},
	{
		what:    "version 2, long key",
		attacks: stringV2(swap(initiate2, "/mybucket/uuid.txt", "/mybucket/"+strings.Repeat("k", 1024))),
	},
	{what: "version 4", attacks: stringV4(initiate4, part4, complete4, abort4)},
	{
		what:    "version 4, path-style by name",
		attacks: inPathByName(each(swap(initiate4, host4, "host:localhost:9312\n"), "uuid.txt", "uuid.txt.doc", "x")...),
	},
	{
		what: "version 4, AWS",
		attacks: atAWS(
			each(
				initiate4,
				host4,
				"host:mybucket.s3.amazonaws.com\n",
				"host:mybucket.s3.us-east-1.amazonaws.com\n",
				"host:mybucket.s3-us-east-1.amazonaws.com\n",
				"host:mybucket.s3.dualstack.us-east-1.amazonaws.com\n",
				"host:s3.amazonaws.com\n",
			)...),
	},
	{
		what:    "version 2 alone",
		in:      onlyV2,
		attacks: slices.Concat(stringV2(initiate2, part2, complete2, abort2), bodyV2(policy2)),
	},
	{what: "policies", attacks: slices.Concat(bodyV2(policy2, sized2), bodyV4(policy4))},
	{what: "policies, escaped", attacks: bodyV2(swap(policy2, `"uuid.txt"`, `"\"\\ud83d\\.txt"`))},
	{what: "policies, limited", in: limited, attacks: bodyV2(sized2)},
	{what: "policies, typed", in: typed, attacks: bodyV2(policy2)},
	{
		what:    "success",
		calls:   1,
		attacks: slices.Concat(forms("POST", "/s3/success", success), forms("PUT", "/s3/success?st=1", success)),
	},
	{what: "delete", calls: 1, attacks: slices.Concat(deletes(deletePath), forms("POST", "/s3/delete", deleteForm))},
}

// captured is a request that Fine Uploader sent (internal/sign/testdata).
type captured struct {
	Scenario, Method, URL, ContentType, Body string
	Version                                  int
	Kind, Time, Expiration, Endpoint         string
	Signature, Expect                        string
}

// now is the server's clock for the row.
func (c captured) now(t *testing.T) time.Time {
	t.Helper()
	value, layout := c.Time, map[int]string{2: http.TimeFormat, 4: "20060102T150405Z"}[c.Version]
	back := time.Duration(0)
	switch {
	case c.Kind == "":
		return now
	case c.Expiration != "":
		value, layout, back = c.Expiration, time.RFC3339Nano, 5*time.Minute
	}
	at, err := time.Parse(layout, value)
	if err != nil {
		t.Fatal(err)
	}
	return at.Add(-back)
}

// capturedRows has every captured request that is to be granted, the clock at its time.
func capturedRows(t *testing.T) (rows []row) {
	t.Helper()
	f, err := os.Open("../sign/testdata/captured.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var c captured
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(c.Expect, "refuse") {
			continue
		}
		r := row{what: "captured: " + c.Scenario, in: pathStyle}
		switch {
		case strings.Contains(c.Expect, "ACL"):
			r.in = virtualWithACL
		case strings.Contains(c.Endpoint, "virtual"):
			r.in = virtualHosted
		}
		a := attack{
			method:    c.Method,
			target:    c.URL,
			header:    http.Header{"Content-Type": {c.ContentType}},
			body:      c.Body,
			at:        c.now(t),
			signature: c.Signature,
		}
		if c.Kind == "" { // a report or a delete
			r.calls = 1
			form, _ := url.ParseQuery(c.Body)
			a.etag = form.Get("etag")
		}
		r.attacks = []attack{a}
		rows = append(rows, r)
	}
	if len(rows) < 120 {
		t.Errorf("%d captured requests are to be granted, want at least 120", len(rows))
	}
	return rows
}

// honestNames are the files of the browser tests, and some more; each is difficult in its own way.
var honestNames = []string{
	"one byte.txt", "kibibyte.csv", "12 MB.png", "11 MB without extension", "reads.bam", "spaces  and (brackets), " +
		"more.txt", "Füße größer als Äpfel.txt",
	"a+b & c=d #1 100%.txt", "a+b & c=d #1 100% in " +
		"parts.txt", "日本語.tar.gz", "日本語 in parts.tar.gz", "hello.txt", "long.bam", "untyped", "untyped and long",
	"survey.bam", "second survey.bam", "third survey.bam", "200 MB.bam",
	"it's ~50% \"done\"!*.txt", "..twodots", "trailing dot.", "a..b", "$1 \\1 $& ${HOME.txt", "🙂.txt", "e\u0301.txt",
}

// keySchemes are the ways in which the browser tests name objects: objectProperties.key as it stands there, and
// the keys that come of it. Where callers have owners, each may have one in front.
var keySchemes = []struct{ script, key string }{
	{`"uuid"`, "UUID.EXTENSION"},
	{`"filename"`, "NAME"},
	{`function (id) { return "a folder/of number " + id + "/" + this.getName(id); }`, "a folder/of number 3/NAME"},
	{`function (id) { return "a folder/" + this.getName(id); }`, "a folder/NAME"},
	{`function (id) { return Promise.resolve("later/" + this.getName(id)); }`, "later/NAME"},
	{`function (id) {
  var name = this.getUuid(id) + "." + qq.getExtension(this.getName(id));
  return owner.then(function (id) { return id + "/" + name; });
}`, "UUID.EXTENSION"},
}

// keysOf are the keys that a file of that name may get, once each.
func keysOf(name string) (keys []string) {
	const uuid = "0e4b5c5a-aa56-40e3-80a0-f315d8d6b43a"
	extension := path.Ext(name)
	if extension == name || extension == "." {
		extension = "" // Fine Uploader finds none in ".name" and "name."
	}
	for _, scheme := range keySchemes {
		key := strings.NewReplacer("UUID.EXTENSION", uuid+extension, "NAME", name).Replace(scheme.key)
		for _, key := range []string{key, "L53KYQWHDE7D6KZNFKVN75STFR/" + key} {
			if !slices.Contains(keys, key) {
				keys = append(keys, key)
			}
		}
	}
	return keys
}

// namedRows has every operation for every name, in each scheme of keys.
func namedRows() (rows []row) {
	for _, name := range honestNames {
		signed := row{what: "operations on " + name}
		told := row{what: "reports of " + name, calls: 1}
		for _, key := range keysOf(name) {
			escaped := "/" + strings.ReplaceAll(escape(key), "%2F", "/")
			on := func(base string) string {
				return strings.Replace(
					strings.Replace(base, "/uuid.txt", escaped, 1),
					"qqfilename:my%20file%20%C3%A9.txt",
					"qqfilename:"+escape(name),
					1,
				)
			}
			attacks := slices.Concat(
				stringV2(on(initiate2), on(part2), on(complete2), on(abort2)),
				stringV4(on(initiate4), on(part4), on(complete4), on(abort4)),
			)
			if !strings.Contains(key, "${") { // which only a policy's key must not have
				attacks = slices.Concat(attacks, bodyV2(swapKey(policy2, key, name)), bodyV4(swapKey(policy4, key, name)))
			}
			spelt := "key=" + url.QueryEscape(key)
			reports := slices.Concat(
				forms("POST", "/s3/success", swap(success, "key=uuid.txt", spelt)),
				deletes(swap(deletePath, "key=uuid.txt", spelt)),
				forms("POST", "/s3/delete", swap(deleteForm, "key=uuid.txt", spelt)),
			)
			for _, list := range [][]attack{attacks, reports} {
				for i := range list {
					list[i].key = key
				}
			}
			signed.attacks, told.attacks = append(signed.attacks, attacks...), append(told.attacks, reports...)
		}
		rows = append(rows, signed, told)
	}
	return rows
}

// keys returns the keys that hooks were told of since they were last asked for.
func (w *witness) keys() []string {
	var keys []string
	challenges, uploads, deletions := w.taken()
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

// escape is encodeURIComponent with !'()* escaped too, as S3 wants it.
func escape(text string) string {
	return strings.ReplaceAll(url.QueryEscape(text), "+", "%20")
}

func swapKey(policy, key, name string) string {
	return swapTo(swapTo(policy, `"uuid.txt"`, quoteJSON(key)), `"my%20file%20%C3%A9.txt"`, quoteJSON(escape(name)))
}

// swapTo is swap where old and new may be the same.
func swapTo(base, old, new string) string { return strings.Replace(base, old, new, 1) }

// TestHarmless has the rows that need no refusal, because what they ask for does not happen.
func TestHarmless(t *testing.T) {
	servers := startSetups(t)
	w := servers[pathStyle]
	grant := func(t *testing.T, body string) (signature string, told *hooks.Challenge) {
		t.Helper()
		target := "/s3/sign"
		if strings.Contains(body, "AWS4-HMAC") {
			target += "?v4=true"
		}
		w.told.taken()
		answer := w.honest(t, signRequests(target, "", body)[0])
		challenges, _, _ := w.told.taken()
		if len(challenges) != 1 {
			t.Fatalf("the hook was told of %d requests", len(challenges))
		}
		return fmt.Sprint(answer["signature"]), challenges[0]
	}

	t.Run("A12 words of another operation in the metadata do not hide the request from the hook", func(t *testing.T) {
		_, told := grant(t, headersBodies(each(initiate2, "qqfilename:my%20file%20%C3%A9.txt", "x:uploadId"))[0])
		if told.Metadata["x"] != "uploadId" || !told.IsInitiate() {
			t.Errorf("told %+v", told.Request)
		}
	})
	t.Run("B18 a bucket in the path of a path-style endpoint is a folder in ours", func(t *testing.T) {
		text := pathOf(swap(part4, "/uuid.txt", "/otherbucket/k"))
		signature, told := grant(t, headersBodies([]string{text})[0])
		if told.Bucket != "mybucket" || told.Key != "otherbucket/k" ||
			signature != signatureV4(swap(text, "/otherbucket/k", "/mybucket/otherbucket/k")) ||
			signature == signatureV4(text) {
			t.Errorf("told %+v, signed %s", told.Request, signature)
		}
	})
	t.Run("B19 patterns in a key stay what they are", func(t *testing.T) {
		text := pathOf(swap(part4, "/uuid.txt", "/%241%5C1%24%26%24%7B0%7D"))
		signature, told := grant(t, headersBodies([]string{text})[0])
		if told.Key != `$1\1$&${0}` || signature != signatureV4(swap(text, "\n/%241", "\n/mybucket/%241")) {
			t.Errorf("told %+v, signed %s", told.Request, signature)
		}
	})
	t.Run("C16 no metadata name is reserved: metadata is what the client says", func(t *testing.T) {
		if _, told := grant(t, swap(policy2, "x-amz-meta-qqfilename",
			"x-amz-meta-role")); told.Metadata["role"] != "my file é.txt" {
			t.Errorf("told %+v", told.Request)
		}
	})
	t.Run("D5 D6 D10 D27 success only asks S3, makes no link, and says the same again", func(t *testing.T) {
		w.store.taken()
		w.told.taken()
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
		if calls := w.store.taken(); !slices.Equal(
			calls,
			[]string{"HEAD /mybucket/victim.txt", "HEAD /mybucket/victim.txt"},
		) {
			t.Errorf("S3 was called: %q", calls)
		}
		// The hook is told twice, and not once as one might wish: a client repeats its report when the answer was
		// lost, nothing is stored to know it by, and the page needs the hook's reply. So it is the hook's contract
		// (hooks.Success) that a second call for the same upload changes nothing.
		if told := w.told.keys(); !slices.Equal(told, []string{"victim.txt", "victim.txt"}) {
			t.Errorf("the hook was told of %q", told)
		}
	})
	t.Run("D9 a forged ETag is refused by asking S3 once, a forged name is passed on as it is", func(t *testing.T) {
		w.told.taken()
		got := w.send(t, forms("POST", "/s3/success", swap(success, "simple-etag", "forged"))[0])
		if calls := w.store.taken(); got.status != http.StatusConflict || len(calls) != 1 || len(w.told.keys()) != 0 {
			t.Errorf("%d %s, S3 was called: %q", got.status, got.body, calls)
		}
		w.send(t, forms("POST", "/s3/success", swap(success, "name=my+file+%C3%A9.txt", "name=a%0Ab%1B%5B2J"))[0])
		if _, uploads, _ := w.told.taken(); len(uploads) != 1 || uploads[0].Name != "a\nb\x1b[2J" {
			t.Errorf("told %v", uploads)
		}
	})
	t.Run("D11 GET, HEAD and OPTIONS do nothing", func(t *testing.T) {
		w.store.taken()
		w.told.taken()
		for _, method := range []string{"GET", "HEAD", "OPTIONS"} {
			for _, target := range []string{"/s3/success?key=uuid.txt&" +
				"bucket=mybucket", "/s3/sign?v4=true", deletePath, "/s3/delete?" + deleteForm} {
				w.send(t, attack{method: method, target: target})
			}
		}
		if calls, told := w.store.taken(), w.told.keys(); len(calls)+len(told) > 0 {
			t.Errorf("S3 was called: %q; hooks were told of %q", calls, told)
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
				w.store.taken()
				w.honest(t, a)
				calls := w.store.taken()
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

// TestLogHoldsNoSecretAndNoForgery sends everything in this package, good and bad, to a server with
// hooks that log all they can, and wants no secret, no signature and no forged line in the log.
func TestLogHoldsNoSecretAndNoForgery(t *testing.T) {
	debug := &slog.HandlerOptions{Level: slog.LevelDebug}
	for name, handler := range map[string]func(io.Writer) slog.Handler{
		"text": func(w io.Writer) slog.Handler { return slog.NewTextHandler(w, debug) },
		"json": func(w io.Writer) slog.Handler { return slog.NewJSONHandler(w, debug) },
	} {
		t.Run(name, func(t *testing.T) {
			log := new(logBuffer)
			w := startWorld(t, func(c *config) {
				c.server.Log = slog.New(handler(log))
				c.server.Hooks = talkative(c.server.Log)
			})
			given := sendEverything(t, w)
			if len(given) < 8 {
				t.Errorf("only %d requests were signed", len(given))
			}
			wantClean(t, name, log.taken(), append(given, secrets...))
		})
	}
}

// talkative hooks log all that they are told but the HTTP request. Those of internal/hooks are the
// user's to edit, so no test outside that package may lean on them.
func talkative(log *slog.Logger) hooks.Funcs {
	return hooks.Funcs{
		Identify: func(context.Context, *http.Request) (string, error) { return "", hooks.ErrUnauthenticated },
		ChallengeIsGood: func(ctx context.Context, c *hooks.Challenge) error {
			log.InfoContext(
				ctx,
				"challenge",
				"operation",
				c.Operation,
				"key",
				c.Key,
				"metadata",
				c.Metadata,
				"headers",
				c.Headers,
				"type",
				c.ContentType,
			)
			return nil
		},
		Success: func(ctx context.Context, u *hooks.Upload) (hooks.Reply, error) {
			log.InfoContext(ctx, "success", "key", u.Key, "uuid", u.UUID, "name", u.Name, "metadata", u.Metadata, "form", u.Form)
			return nil, nil
		},
		Delete: func(ctx context.Context, d *hooks.Deletion) error {
			log.InfoContext(ctx, "delete", "key", d.Key, "uuid", d.UUID, "form", d.Form)
			return nil
		},
	}
}

// sendEverything sends all attacks and all that is honest, some with names that would forge log lines,
// and returns the signatures and policies that were given out.
func sendEverything(t *testing.T, w *world) (given []string) {
	t.Helper()
	const forged = `%22%7D%0A%7B%22level%22%3A%22ERROR%22%7D%1B%5B2J%0Alevel%3DERROR`
	const hidden = `%7F%C2%85%C2%9B2J%E2%80%AEtxt%E2%81%A6`
	everything := slices.Concat(
		stringV2(
			swap(initiate2, "my%20file%20%C3%A9.txt", hidden),
			swap(initiate2, "/uuid.txt", "/%E2%80%AEtxt.exe"),
		),
		stringV4(swap(initiate4, "my%20file%20%C3%A9.txt", hidden)),
		bodyV2(swap(policy2, "my%20file%20%C3%A9.txt", hidden)),
		forms(
			"POST",
			"/s3/success",
			swap(success, "name=my+file+%C3%A9.txt", "name="+hidden),
			success+"&"+hidden+"="+hidden,
			swap(success, "key=uuid.txt", "key=%E2%80%AEtxt.exe"),
		),
		deletes(deletePath+"&"+hidden+"="+hidden),
		stringV2(
			initiate2,
			part2,
			complete2,
			abort2,
			swap(initiate2, "my%20file%20%C3%A9.txt", forged),
		),
		stringV4(initiate4, part4),
		bodyV2(policy2, swap(policy2, "my%20file%20%C3%A9.txt", forged)),
		bodyV4(policy4),
		forms(
			"POST",
			"/s3/success",
			success,
			swap(success, "name=my+file+%C3%A9.txt", "name="+forged),
			success+"&"+forged+"="+forged,
			swap(success, "uuid=", "uuid="+forged),
		),
		deletes(deletePath, deletePath+"&"+forged+"="+forged),
	)
	for _, r := range hostileRows() {
		everything = append(everything, r.attacks...)
	}
	for _, a := range everything {
		got := w.send(t, a)
		var signed struct{ Policy, Signature string }
		if json.Unmarshal([]byte(got.body), &signed) == nil && signed.Signature != "" {
			given = append(given, signed.Signature)
		}
		if signed.Policy != "" {
			given = append(given, signed.Policy)
		}
		if strings.Contains(got.body, secretKey) || strings.Contains(got.body, sseKey) ||
			strings.Contains(got.body, sessionToken) {
			t.Errorf("%s %.200s is answered with a secret: %s", a.method, a.target, got.body)
		}
	}
	return given
}

// wantClean wants every log line whole, of the server's own making, printable and without a secret. What slog's
// handlers leave as it is, DEL in text and what is valid in JSON, the logger of cmd/s3-sign-srv escapes: TestLogs
// is there.
func wantClean(t *testing.T, handler, text string, secrets []string) {
	t.Helper()
	mark := map[string]string{"text": `\u202etxt`, "json": "\u202etxt"}[handler]
	if strings.Count(text, mark) < 8 {
		t.Errorf("%d hidden marks were logged, want at least 8", strings.Count(text, mark))
	}
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		isWhole := strings.HasPrefix(line, "time=2") &&
			!strings.ContainsFunc(line, func(c rune) bool { return c != 0x7f && !unicode.IsPrint(c) })
		if handler == "json" {
			isWhole = strings.HasPrefix(line, `{"time":"2`) && json.Valid([]byte(line)) &&
				!strings.ContainsAny(line, "\x00\x1b\r\u2028")
		}
		if !isWhole {
			t.Errorf("a forged line, or one with control characters: %.300q", line)
		}
		for _, secret := range secrets {
			if strings.Contains(line, secret) {
				t.Errorf("%q is in the log: %.500s", secret, line)
			}
		}
	}
}
