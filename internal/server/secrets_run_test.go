package server_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"

	"s3-sign-srv/internal/server"
	"s3-sign-srv/internal/sign"
)

// secretRun is a server with one store, and the secrets to look for.
type secretRun struct {
	*secretSet
	*testServer
	log      *logBuffer
	routes   chi.Routes
	statuses map[string]map[int]int // by route: the number of responses with 200–299, 400–499 and so on
}

// newSecretRun starts a server whose log is written by handler.
func newSecretRun(t *testing.T, s *secretSet, statuses map[string]map[int]int,
	handler func(io.Writer) slog.Handler, store string) *secretRun {
	t.Helper()
	run := &secretRun{secretSet: s, log: new(logBuffer), statuses: statuses}
	var cfg config
	run.testServer = startOwnedServer(t, func(c *config) {
		c.server.Bucket = bucketAt(store)
		c.server.Log = slog.New(handler(run.log))
		c.server.Client = server.Client{
			Endpoint: "http://127.0.0.1:9312/mybucket",
			Host:     "127.0.0.1:9312",
			Bucket:   "mybucket",
			Region:   "us-east-1",
			Version:  sign.V4,
		}
		identify := c.server.Hooks.Identify
		c.server.Hooks = unreliableHooks(loggingHooks(c.server.Log))
		c.server.Hooks.Identify = identify
		cfg = *c
	})
	cfg.server.Signer = sign.New(cfg.sign)
	run.routes = server.Routes(cfg.server)
	return run
}

// sendAll sends all requests, with the hostile ones of this package if hostile is set. Those do not reach the store.
func (run *secretRun) sendAll(t *testing.T, hostile bool) {
	t.Helper()
	cookie, owner := run.openPage(t)
	linked := http.Header{"Sec-Fetch-Mode": {"navigate"}} // gets no cookie
	var requests []attack
	for _, target := range []string{"/static/client_conf.js", "/s3/owner"} {
		requests = append(requests, attack{method: "GET", target: target, header: linked},
			attack{method: "HEAD", target: target, header: linked})
	}
	for _, target := range []string{"/", "/uppy.html", "/success.html", "/static/sub/page.js", "/static/hash-worker.js",
		"/static/client_conf.js", "/static/nowhere", "/static/.env", "/healthz", "/readyz", "/s3/owner", "/s3/session",
		"/s3/success", "/s3/sign", "/nowhere", "/s3/delete/x"} {
		requests = append(requests, plain("GET", target)[0], plain("HEAD", target)[0],
			plain("OPTIONS", target)[0], plain("PATCH", target)[0])
	}
	for _, key := range []string{owner + "/uuid.txt", owner + "/denied.txt", owner + "/broken.txt", owner + "/panics.txt",
		"L53KYQWHDE7D6KZNFKVN75STFR/uuid.txt", ""} {
		every := everyRequest(key)
		for _, name := range slices.Sorted(maps.Keys(every)) {
			q := every[name]
			a := attack{method: q[0], target: q[1], header: http.Header{}, body: q[3]}
			if q[2] != "" {
				a.header.Set("Content-Type", q[2])
			}
			requests = append(requests, a)
			if name == "success" {
				a.method = "PUT"
				requests = append(requests, a)
			}
		}
	}
	for _, a := range requests {
		run.sendAndCheck(t, a)
	}
	if hostile {
		for _, r := range hostileRows() {
			requests = append(requests, r.attacks...)
		}
	}
	for _, a := range requests { // now with the cookie
		a.header = a.header.Clone()
		if a.header == nil {
			a.header = http.Header{}
		}
		a.header.Add("Cookie", cookie)
		run.sendAndCheck(t, a)
	}
}

// sendAndCheck sends a request and looks for secrets in the response.
func (run *secretRun) sendAndCheck(t *testing.T, a attack) {
	t.Helper()
	for _, signature := range signaturesOf(a) {
		run.add("a signature", signature)
	}
	got := run.send(t, a)
	path, _, _ := strings.Cut(a.target, "?")
	if route := run.routes.Find(chi.NewRouteContext(), a.method, path); route != "" {
		route = a.method + " " + route
		if run.statuses[route] == nil {
			run.statuses[route] = map[int]int{}
		}
		run.statuses[route][got.status/100*100]++
	}
	var issued struct{ Signature string }
	if got.status == http.StatusOK && path == "/s3/sign" && json.Unmarshal([]byte(got.body), &issued) == nil &&
		issued.Signature != "" {
		if !slices.Contains(signaturesOf(a), issued.Signature) {
			t.Errorf("%s gets another signature than the requested one: %s", a.body, got.body)
		}
		got.body = strings.Replace(got.body, issued.Signature, "", 1)
	}
	if path == "/s3/presign" {
		for _, signature := range regexp.MustCompile("[0-9a-f]{64}").FindAllString(got.body, -1) {
			run.add("a signature", signature)
			got.body = strings.ReplaceAll(got.body, signature, "")
		}
	}
	if set, _, _ := strings.Cut(got.header.Get("Set-Cookie"), ";"); set != "" {
		run.add("a cookie's MAC", set[strings.LastIndexByte(set, '.')+1:])
		got.header.Del("Set-Cookie")
	}
	for _, s := range run.find(fmt.Sprint(got.header, got.body)) {
		t.Errorf("%s %.200s %.300q gets a response with %s: %v %.500s",
			a.method, a.target, a.body, s.what, got.header, got.body)
	}
}

// signaturesOf returns the signatures that a server would return, in each version, if it signed any request.
func signaturesOf(a attack) []string {
	if !strings.HasPrefix(a.target, "/s3/sign") || a.body == "" {
		return nil
	}
	text := base64.StdEncoding.EncodeToString([]byte(a.body)) // a policy
	texts := []string{text}
	var message struct{ Headers string }
	if json.Unmarshal([]byte(a.body), &message) == nil && message.Headers != "" {
		text = message.Headers
		withBucket := regexp.MustCompile(`\n(POST|PUT|DELETE)\n/`).ReplaceAllString(text, "\n$1\n/mybucket/")
		texts = []string{text, withBucket}
	}
	h := hmac.New(sha1.New, []byte(secretKey))
	io.WriteString(h, text)
	signatures := []string{base64.StdEncoding.EncodeToString(h.Sum(nil))}
	for _, text := range texts {
		if strings.Count(text, "\n") > 3 {
			signatures = append(signatures, signatureV4(text))
		} else if len(texts) == 1 {
			signatures = append(signatures, policySignatureV4(a.body, text)...)
		}
	}
	return signatures
}

// expectEveryRoute checks that each route was called, succeeded, and rejected a request if it can.
func (run *secretRun) expectEveryRoute(t *testing.T) {
	t.Helper()
	walked := 0
	always := regexp.MustCompile(
		`^(GET|HEAD) (/healthz|/readyz|/s3/success|/|/(uppy|success)\.html|/static/hash-worker\.js)$`)
	err := chi.Walk(run.routes, func(method, route string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		walked++
		route = method + " " + route
		statuses := run.statuses[route]
		succeeded, rejected := statuses[200], statuses[400]+statuses[500]
		if succeeded == 0 || rejected == 0 && !always.MatchString(route) {
			t.Errorf("%s succeeded %d times, and rejected %d times", route, succeeded, rejected)
		}
		return nil
	})
	if err != nil || walked < 18 {
		t.Errorf("%d routes, %v", walked, err)
	}
}

// policySignatureV4 returns the signature of a policy in base64, with the key of its credential.
func policySignatureV4(document, text string) []string {
	scope := regexp.MustCompile(accessKey + `/(\d{8}/us-east-1/s3/aws4_request)`).FindStringSubmatch(document)
	if scope == nil {
		return nil
	}
	return []string{hex.EncodeToString(macV4(scope[1], text))}
}

// lineWith returns the line of text that contains part.
func lineWith(text, part string) string {
	for line := range strings.Lines(text) {
		if strings.Contains(line, part) {
			return fmt.Sprintf("%.500s", line)
		}
	}
	return ""
}
