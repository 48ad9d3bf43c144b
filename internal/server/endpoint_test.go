package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"s3-sign-srv/internal/cookie"
	"s3-sign-srv/internal/hooks"
	"s3-sign-srv/internal/s3"
	"s3-sign-srv/internal/server"
	"s3-sign-srv/internal/sign"
)

// partV2 is the body of an honest sign request.
const partV2 = `{"headers":"PUT\n\n\n\nx-amz-date:Mon, 23 Nov 2026 11:56:08 GMT\n/mybucket/uuid.txt?partNumber=1&` +
	`uploadId=UPID.abc-_123"}`

// ask sends one request and returns the answer.
func ask(t *testing.T, method, url, contentType, body string, header ...string) answer {
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
	got, err := exchange(r)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// exchange sends r, follows no redirect, and reads the answer.
func exchange(r *http.Request) (answer, error) {
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return answer{res.StatusCode, res.Header, string(text)}, err
}

const (
	formType = "application/x-www-form-urlencoded"
	jsonType = "application/json; charset=UTF-8"
)

// TestTranscripts shows what each route answers to an honest request.
func TestTranscripts(t *testing.T) {
	w := startWorld(t, func(*config) {})
	for _, test := range []struct {
		method, target, kind, body string
		status                     int
		answer                     string // how the body begins
	}{
		{"POST", "/s3/sign", jsonType, partV2, 200, `{"signature":"`},
		{"POST", "/s3/sign", "application/vnd.api+json", partV2, 200, `{"signature":"`},
		{"POST", "/s3/sign?x=1", jsonType, " { \"headers\" " + partV2[len(`{"headers"`):], 200, `{"signature":"`},
		{"POST", "/s3/success", formType, "key=uuid.txt&uuid=0e4b&name=my+file+%C3%A9.txt&bucket=mybucket&" +
			"etag=%22simple-etag%22", 200, `{`},
		{"PUT", "/s3/success", formType, "foo=b+r&key=uuid.txt&uuid=0e4b&name=a&bucket=mybucket&dataset=D+S", 200, `{`},
		{"GET", "/s3/success", "", "", 200, ""},
		{"HEAD", "/s3/success", "", "", 200, ""},
		{"DELETE", "/s3/delete/5176-887?key=dir+one%2F%D1%84+%C3%A9%2B(1)*!%27~%26%3D%23%25.txt&" +
			"bucket=mybucket", "", "", 200, `{"success":true}`},
		{"POST", "/s3/delete", formType, "key=uuid.txt&bucket=mybucket&qquuid=5690-6c85&" +
			"_method=DELETE", 200, `{"success":true}`},
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
		got := ask(t, test.method, w.url+test.target, test.kind, test.body)
		if got.status != test.status || !strings.HasPrefix(got.body, test.answer) || test.answer == "" && got.body != "" {
			t.Errorf("%s %s: %d %s, want %d %s", test.method, test.target, got.status, got.body, test.status, test.answer)
		}
	}
	if allow := ask(t, "PUT", w.url+"/s3/sign", "", "").header.Values("Allow"); !slices.Equal(
		allow,
		[]string{"POST, OPTIONS"},
	) {
		t.Errorf("Allow: %v", allow)
	}
}

// TestHooksAreTold shows what the hooks get to see of an upload.
func TestHooksAreTold(t *testing.T) {
	w := startWorld(t, func(*config) {})
	ask(
		t,
		"POST",
		w.url+"/s3/sign",
		jsonType,
		`{"headers":"POST\n\ntext/plain\n\nx-amz-acl:private\nx-amz-date:Mon, 23 Nov 2026 11:56:08 GMT\n`+
			`x-amz-meta-dataset:D%20S\nx-amz-meta-qqfilename:my%20file%20%C3%A9.txt\n/mybucket/dir%20one/uuid.txt?uploads"}`,
		"Cookie",
		"session=s1",
	)
	ask(
		t,
		"POST",
		w.url+"/s3/success",
		formType,
		"foo=b+r&key=uuid.txt&uuid=0e4b&name=my+file+%C3%A9.txt&bucket=mybucket&etag=%22simple-etag%22&dataset=D+S",
	)
	ask(t, "DELETE", w.url+"/s3/delete/5176-887?foo=b+r&key=a+%2B+b&bucket=mybucket", "", "")

	challenges, uploads, deletions := w.told.taken()
	if len(challenges) != 1 || len(uploads) != 1 || len(deletions) != 1 {
		t.Fatal(challenges, uploads, deletions)
	}
	c, u, d := challenges[0], uploads[0], deletions[0]
	cookie, err := c.HTTP.Cookie("session")
	if err != nil || cookie.Value != "s1" || c.Operation != sign.CreateMultipartUpload || c.Key != "dir one/uuid.txt" ||
		c.Metadata["qqfilename"] != "my file é.txt" ||
		c.Metadata["dataset"] != "D S" ||
		c.ACL != "private" ||
		c.ContentType != "text/plain" ||
		!c.IsInitiate() {
		t.Errorf("challenge %+v", c.Request)
	}
	if u.Bucket != "mybucket" || u.Key != "uuid.txt" || u.UUID != "0e4b" || u.Name != "my file é.txt" || u.Size != 11 ||
		u.ETag != `"simple-etag"` ||
		len(u.Form) != 2 ||
		u.Form["foo"] != "b r" ||
		u.Form["dataset"] != "D S" {
		t.Errorf("upload %+v", u)
	}
	if d.Bucket != "mybucket" || d.Key != "a + b" || d.UUID != "5176-887" || d.Form["foo"] != "b r" {
		t.Errorf("deletion %+v", d)
	}
}

var errHang = errors.New("hangs")

// TestHooksDecide gives the answer that each outcome of a hook becomes.
func TestHooksDecide(t *testing.T) {
	for _, test := range []struct {
		name   string
		err    error
		panics bool
		status int
		says   string
	}{
		{"denies", hooks.Deny("This file has not been approved for transfer."), false, 403, "This file has not been " +
			"approved for transfer."},
		{"denies in Latin-1", hooks.Deny("no \xe9."), false, 403, "no ?."},
		{"wants a login, in Latin-1", hooks.NotLoggedIn("no \xe9."), false, 401, "no ?."},
		{"fails", errors.New("db password s3cret"), false, 500, "give its operator the id"},
		{"panics", nil, true, 500, "give its operator the id"},
		{"hangs", errHang, false, 500, "give its operator the id"},
	} {
		released := make(chan struct{})
		t.Cleanup(func() { close(released) })
		decide := func() error {
			if test.err == errHang {
				<-released // without a look at its context
			}
			if test.panics {
				panic("hook")
			}
			return test.err
		}
		w := startWorld(t, func(c *config) {
			if test.err == errHang {
				c.server.HookTimeout = 20 * time.Millisecond
			}
			c.server.Hooks = hooks.Funcs{
				Identify:        c.server.Hooks.Identify,
				ChallengeIsGood: func(context.Context, *hooks.Challenge) error { return decide() },
				Success:         func(context.Context, *hooks.Upload) (hooks.Reply, error) { return nil, decide() },
				Delete:          func(context.Context, *hooks.Deletion) error { return decide() },
			}
		})
		for _, got := range []answer{
			ask(t, "POST", w.url+"/s3/sign", jsonType, partV2),
			ask(t, "POST", w.url+"/s3/success", formType, "key=uuid.txt&bucket=mybucket"),
			ask(t, "DELETE", w.url+"/s3/delete/5176-887?key=uuid.txt&bucket=mybucket", "", ""),
		} {
			var said struct{ Error, ID string }
			err := json.Unmarshal([]byte(got.body), &said)
			if err != nil || got.status != test.status || !strings.Contains(said.Error, test.says) || said.ID == "" ||
				strings.Contains(got.body, "s3cret") {
				t.Errorf("the hook %s: %d %q, %v", test.name, got.status, got.body, err)
			}
		}
		for _, call := range w.store.taken() {
			if strings.HasPrefix(call, "DELETE") {
				t.Errorf("the hook %s, yet the store was asked to %s", test.name, call)
			}
		}
	}
}

// TestHooksAreAskedAgain has 100 callers ask at once, again and again: each gets the answer to its own question,
// whatever the hooks do to the others.
func TestHooksAreAskedAgain(t *testing.T) {
	released := make(chan struct{})
	w := startWorld(t, func(c *config) {
		c.server.HookTimeout = 5 * time.Second // for a hang; a machine that has other things to do answers the rest sooner
		c.server.Hooks.ChallengeIsGood = func(_ context.Context, c *hooks.Challenge) error {
			switch c.HTTP.Header.Get("Ask") {
			case "hang":
				<-released
			case "panic":
				panic("hook")
			}
			return hooks.Deny(c.HTTP.Header.Get("Ask"))
		}
	})
	t.Cleanup(func() { close(released) })
	var callers sync.WaitGroup
	for i := range 100 {
		callers.Go(func() {
			for _, question := range []string{"panic", fmt.Sprintf("caller %d.", i), "hang", fmt.Sprintf("caller %d again.",
				i)} {
				want := question
				if question == "panic" || question == "hang" {
					want = "give its operator the id"
				}
				if got := ask(t, "POST", w.url+"/s3/sign", jsonType, partV2, "Ask", question); !strings.Contains(got.body, want) {
					t.Errorf("asked to %s, the hook answered %q", question, got.body)
				}
			}
		})
	}
	callers.Wait()
}

// TestReply shows what of a hook's reply reaches the page.
func TestReply(t *testing.T) {
	reply := hooks.Reply{"thumbnailUrl": "/t.png", "success": false, "error": "x"}
	w := startWorld(t, func(c *config) {
		c.server.Hooks.Success = func(context.Context, *hooks.Upload) (hooks.Reply, error) { return reply, nil }
	})
	var got map[string]any
	body := ask(t, "POST", w.url+"/s3/success", formType, "key=uuid.txt&bucket=mybucket").body
	if err := json.Unmarshal([]byte(body), &got); err != nil || len(got) != 2 || got["success"] != true ||
		got["thumbnailUrl"] != "/t.png" {
		t.Errorf("%s %v", body, err)
	}
	reply = hooks.Reply{"channel": make(chan int)}
	if got := ask(t, "POST", w.url+"/s3/success", formType, "key=uuid.txt&bucket=mybucket"); got.status != 500 ||
		!strings.Contains(got.body, "give its operator the id") {
		t.Errorf("%d %s", got.status, got.body)
	}
}

// TestSuccessIsVerified tells apart what the store may say of a reported upload.
func TestSuccessIsVerified(t *testing.T) {
	status := http.StatusOK
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"e1"`)
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Content-Length", "1000")
		w.WriteHeader(status)
	}))
	defer store.Close()
	for _, test := range []struct {
		name   string
		store  int
		change func(*config)
		etag   string
		status int
		says   string
	}{
		{"there", 200, func(*config) {}, "", 200, ""},
		{"there, as uploaded", 200, func(*config) {}, "&etag=%22e1%22", 200, ""},
		{"there, ETag hidden from the browser", 200, func(*config) {}, "&etag=null", 200, ""},
		{"replaced", 200, func(*config) {}, "&etag=%22e2%22", 409, "replaced"},
		{"missing", 404, func(*config) {}, "", 404, "upload the file again"},
		{"missing, not checked", 404, func(c *config) { c.server.VerifySuccess = false }, "", 200, ""},
		{"too large", 200, func(c *config) { c.server.MaxBytes = 999 }, "", 403, "1000 bytes, and this server accepts at " +
			"most 999"},
		{"as large as may be", 200, func(c *config) { c.server.MaxBytes = 1000 }, "", 200, ""},
		{"of a type that is not " +
			"allowed", 200, func(c *config) { c.sign.ContentTypes = []string{"image/*"} }, "", 403, "text/html"},
		{"store refuses", 500, func(*config) {}, "", 502, "check the store"},
	} {
		status = test.store
		w := startWorld(t, func(c *config) {
			c.server.Bucket = s3.New(
				s3.Config{
					AccessKey: accessKey,
					SecretKey: sign.NewSecret(secretKey),
					Endpoint:  mustParse(store.URL),
					Region:    "us-east-1",
					Name:      "mybucket",
				},
			)
			test.change(c)
		})
		got := ask(t, "POST", w.url+"/s3/success", formType, "key=uuid.txt&bucket=mybucket"+test.etag)
		if got.status != test.status || !strings.Contains(got.body, test.says) {
			t.Errorf("%s: %d %s, want %d %s", test.name, got.status, got.body, test.status, test.says)
		}
		if _, uploads, _ := w.told.taken(); (len(uploads) == 1) != (test.status == 200) {
			t.Errorf("%s: the hook was told of %d uploads", test.name, len(uploads))
		}
	}
}

// TestCrossSite asks as a browser does for pages of other sites. What changes something is done for an allowed
// origin and refused for any other; what only reads is answered, but only an allowed origin's page may read it.
func TestCrossSite(t *testing.T) {
	const app = "https://app.example.org"
	for _, test := range []struct {
		allowed []string
		origin  string
		site    string // Sec-Fetch-Site
		trusted bool
		refused bool
	}{
		{nil, "", "", false, false}, // curl
		{nil, "", "same-origin", false, false},
		{nil, app, "cross-site", false, true},
		{nil, "null", "cross-site", false, true},
		{nil, app, "", false, true}, // a browser without Sec-Fetch-Site
		{[]string{app}, app, "cross-site", true, false},
		{[]string{"https://other.example.org", app}, app, "cross-site", true, false},
		{[]string{app}, "https://app.example.org.evil.com", "cross-site", false, true},
		{[]string{app}, "https://appXexample.org", "cross-site", false, true}, // dots are no jokers
		{[]string{app}, "https://evil.app.example.org", "cross-site", false, true},
		{[]string{app}, "https://app.example.org:8443", "cross-site", false, true},
		{[]string{app}, "https://app.example.org, https://evil.com", "cross-site", false, true},
		{[]string{app}, "http://app.example.org", "cross-site", false, true},
		{[]string{app}, "*", "cross-site", false, true},
		{[]string{app}, "null", "cross-site", false, true},
		{[]string{app}, "", "same-origin", false, false},
	} {
		w := startWorld(t, func(c *config) {
			c.server.AllowedOrigins, c.server.OwnUploadsOnly = test.allowed, true
			c.server.Cookies = cookie.NewCodec(c.sign.SecretKey)
			c.server.Hooks.Identify = func(context.Context, *http.Request) (string, error) { return "user/42", nil }
		})
		from := http.Header{}
		for name, value := range map[string]string{"Origin": test.origin, "Sec-Fetch-Site": test.site} {
			if value != "" {
				from.Set(name, value)
			}
		}
		with := func(a attack, more ...string) attack {
			a.header = from.Clone()
			for i := 0; i < len(more); i += 2 {
				a.header.Set(more[i], more[i+1])
			}
			return a
		}
		const object = "key=user/42/uuid.txt&bucket=mybucket"
		changes := []attack{
			with(
				attack{method: "POST", target: "/s3/sign", body: strings.Replace(partV2, "/uuid.txt", "/user/42/uuid.txt", 1)},
				"Content-Type",
				jsonType,
			),
			with(attack{method: "POST", target: "/s3/success", body: object}, "Content-Type", formType),
			with(attack{method: "PUT", target: "/s3/success", body: object}, "Content-Type", formType),
			with(attack{method: "DELETE", target: "/s3/delete/5176-887?" + object}),
			with(
				attack{method: "POST", target: "/s3/delete", body: object + "&qquuid=5690&_method=DELETE"},
				"Content-Type",
				formType,
			),
		}
		var answers []answer
		for _, a := range changes {
			if test.refused {
				w.refuses(t, row{says: "came from a page of another site", code: 403}, a)
			}
			got := w.send(t, a)
			if !test.refused && got.status != 200 {
				t.Errorf("%+v: %s %s: %d %s", test, a.method, a.target, got.status, got.body)
			}
			answers = append(answers, got)
		}
		for target, says := range map[string]string{"/s3/owner": `{"owner":"user/42"}`, "/s3/session": "[]",
			"/static/client_conf.js": "var fine_u_conf = {};"} {
			got := w.send(t, with(attack{method: "GET", target: target}))
			if got.status != 200 || !strings.HasPrefix(got.body, says) {
				t.Errorf("%+v: %s: %d %s", test, target, got.status, got.body)
			}
			answers = append(answers, got)
		}
		preflight := w.send(
			t,
			with(
				attack{method: "OPTIONS", target: "/s3/sign"},
				"Access-Control-Request-Method",
				"POST",
				"Access-Control-Request-Headers",
				"content-type,x-requested-with,cache-control",
			),
		)
		want := map[string]string{
			"Access-Control-Allow-Origin":      "",
			"Access-Control-Allow-Credentials": "",
			"Cross-Origin-Resource-Policy":     "same-origin",
			"Vary":                             "",
		}
		if test.allowed != nil {
			want["Vary"] = "Origin"
		}
		if test.trusted {
			want["Access-Control-Allow-Origin"], want["Access-Control-Allow-Credentials"],
				want["Cross-Origin-Resource-Policy"] = app, "true", "cross-origin"
		}
		for _, got := range append(answers, preflight) {
			for name, value := range want {
				if header := got.header.Get(name); header != value {
					t.Errorf("%+v: %s is %q, want %q, with %s", test, name, header, value, got.body)
				}
			}
		}
		headers := preflight.header.Get("Access-Control-Allow-Headers")
		if test.trusted != (strings.Contains(headers, "x-requested-with") && strings.Contains(headers, "cache-control") &&
			strings.Contains(headers, "content-type")) {
			t.Errorf("%+v: Access-Control-Allow-Headers %q", test, headers)
		}
	}
}

// TestRate lets one address ask in a burst: what a trusted proxy says it is, else the connection's.
func TestRate(t *testing.T) {
	w := startWorld(t, func(c *config) { c.server.Rate, c.server.TrustedProxies = 0.5, []string{"127.0.0.1/32"} })
	burst := func(forwarded string) (signed int, last answer) {
		for range 20 {
			if last = ask(t, "POST", w.url+"/s3/sign", jsonType, partV2, "X-Forwarded-For", forwarded); last.status == 200 {
				signed++
			}
		}
		return signed, last
	}
	for _, address := range []string{"198.51.100.1", "198.51.100.2", "203.0.113.9, 198.51.100.3"} {
		signed, last := burst(address)
		if signed != 5 || last.status != 429 || last.header.Get("Retry-After") == "" ||
			!strings.Contains(last.body, "wait a few seconds") {
			t.Errorf("%s: %d of 20 signed, then %d %v %s", address, signed, last.status, last.header, last.body)
		}
	}
	if signed, _ := burst("203.0.113.10, 198.51.100.3"); signed != 0 { // what the client writes itself does not count
		t.Errorf("a made-up address in front bought %d more", signed)
	}
	// The list of files, which costs the store more, is counted with the sign requests.
	w = owned(t, func(c *config) { c.server.Rate = 0.5 })
	for i, want := range []int{200, 200, 200, 200, 200, 429, 429} {
		method, target := "GET", "/s3/session"
		if i%2 > 0 {
			method, target = "POST", "/s3/sign" // of a stranger: counted, and refused
			want = map[int]int{200: 401, 429: 429}[want]
		}
		if got := ask(t, method, w.url+target, jsonType, partV2); got.status != want {
			t.Errorf("request %d, %s: %d %s, want %d", i, target, got.status, got.body, want)
		}
	}
	// Reports of success and deletions, which cost the store a call each, are counted apart.
	w = startWorld(t, func(c *config) { c.server.Rate = 0.5 })
	for i, want := range []int{200, 200, 200, 200, 200, 429, 429} {
		ask(t, "POST", w.url+"/s3/sign", jsonType, partV2)
		method, target := "POST", "/s3/success"
		if i%2 > 0 {
			method, target = "DELETE", deletePath
		}
		if got := ask(t, method, w.url+target, formType, success); got.status != want {
			t.Errorf("report %d, %s: %d %s, want %d", i, target, got.status, got.body, want)
		}
	}
	for name, trusted := range map[string][]string{"no proxy is": nil, "another proxy is": {"192.0.2.0/24", "::1/128"}} {
		w = startWorld(t, func(c *config) { c.server.Rate, c.server.TrustedProxies = 0.5, trusted })
		for i, address := range []string{"198.51.100.1", "198.51.100.2", "192.0.2.1", "127.0.0.1, 192.0.2.1"} {
			if signed, _ := burst(address); signed != []int{5, 0, 0, 0}[i] {
				t.Errorf("%s trusted, yet X-Forwarded-For %s let %d through", name, address, signed)
			}
		}
		if log := w.log.taken(); strings.Count(log, `"remote_addr":"127.0.0.1"`) != 75 ||
			strings.Count(log, `"remote_addr":`) != 75 { // of 80
			t.Errorf("%s trusted, and the log names as peers: %s", name, log)
		}
	}
}

// TestClientConf serves the user's file as it is, with the owner's part behind it where keys need an owner,
// or one with the settings in it.
func TestClientConf(t *testing.T) {
	site := newSite(t)
	custom := filepath.Join(site.dir, "static", "client_conf.js")
	w := startWorld(t, func(c *config) {
		c.server.Files = site.files
		c.server.Client = server.Client{
			Bucket:   `my"</script>bucket`,
			MaxBytes: 5,
			Types:    []string{"image/*", "text/plain"},
			NoDelete: true,
		}
	})
	get := func() answer { return ask(t, "GET", w.url+"/static/client_conf.js", "", "") }
	if got := get(); !strings.Contains(got.body, `"bucket":"my\"\u003c/script\u003ebucket"`) ||
		got.header.Get("Content-Type") != "text/javascript; charset=utf-8" {
		t.Errorf("%v %s", got.header, got.body)
	}
	if got := get(); !strings.Contains(got.body, `"deleteFile":{"enabled":false}`) ||
		!strings.Contains(got.body, `"validation":{"acceptFiles":"image/*,text/plain","sizeLimit":5}`) {
		t.Error(got.body)
	}
	own := []byte("var fine_u_conf = {own: 1};")
	if err := os.WriteFile(custom, own, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := get(); got.body != string(own) {
		t.Errorf("the user's own file is served as %s", got.body)
	}
	ours := owned(t, func(c *config) { c.server.Files = site.files })
	if got := ask(t, "GET", ours.url+"/static/client_conf.js", "", ""); !strings.HasPrefix(got.body, string(own)+"\n") ||
		!strings.Contains(got.body, "P3S3F_OWN_UPLOADS_ONLY is 1") {
		t.Errorf("the user's own file, where keys need an owner, is served as %s", got.body)
	}
	os.Remove(custom)
	if err := os.Symlink("../client_conf.js", custom); err != nil {
		t.Fatal(err)
	}
	for _, url := range []string{w.url, ours.url} {
		if got := ask(t, "GET", url+"/static/client_conf.js", "", ""); got.status != 404 ||
			!strings.Contains(got.body, "ln -f my_client_conf.js static/client_conf.js") {
			t.Errorf("a symbolic link that leads out: %d %s", got.status, got.body)
		}
	}
	os.Remove(custom)
	os.Remove(filepath.Join(site.dir, "client_conf.js"))
	if got := get(); got.status != 200 || !strings.Contains(got.body, "fine_u_conf") {
		t.Errorf("without any file: %d %s", got.status, got.body)
	}
}

// TestAPIAlone has no page.
func TestAPIAlone(t *testing.T) {
	w := startWorld(t, func(c *config) { c.server.Files = nil })
	for target, want := range map[string]int{"/": 404, "/static/sub/page.js": 404, "/static/client_conf.js": 404,
		"/success.html": 404, "/healthz": 200} {
		if got := ask(t, "GET", w.url+target, "", ""); got.status != want {
			t.Errorf("%s: %d", target, got.status)
		}
	}
	if got := ask(t, "POST", w.url+"/s3/sign", jsonType, partV2); got.status != 200 ||
		!bytes.Contains([]byte(got.body), []byte("signature")) {
		t.Errorf("%d %s", got.status, got.body)
	}
}

// TestEmbeddedFilesAreCached checks that a file without a modification time has an ETag, and is not sent again.
func TestEmbeddedFilesAreCached(t *testing.T) {
	w := startWorld(t, func(c *config) {})
	first := ask(t, "GET", w.url+"/static/page.js", "", "")
	etag := first.header.Get("ETag")
	if first.status != 200 || etag == "" || first.body == "" {
		t.Fatalf("status %d, ETag %q, %d bytes", first.status, etag, len(first.body))
	}
	again := ask(t, "GET", w.url+"/static/page.js", "", "", "If-None-Match", etag)
	if again.status != 304 || again.body != "" {
		t.Errorf("with If-None-Match: status %d, %d bytes", again.status, len(again.body))
	}
}
