package server_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// An response is what came back for a request.
type response struct {
	status int
	header http.Header
	body   string
}

// send sends the request byte for byte: the target is not cleaned, no redirect followed.
func (w *testServer) send(t testing.TB, a attack) response {
	t.Helper()
	var body io.Reader = strings.NewReader(a.body)
	if a.stream > 0 {
		body = io.LimitReader(endless{}, a.stream)
	}
	r, err := http.NewRequest(a.method, w.url, body)
	if err != nil {
		t.Fatal(err)
	}
	r.URL.Opaque = a.target
	if strings.HasPrefix(a.target, "//") {
		r.URL.Opaque = "//" + r.URL.Host + a.target // or it would be taken for the host
	}
	for name, values := range a.header {
		r.Header[name] = values
	}
	r.Host = a.header.Get("Host")
	r.Header.Del("Host")
	got, err := roundTrip(r)
	if err != nil {
		t.Fatalf("%s %s: %v", a.method, a.target, err)
	}
	return got
}

// endless is a body of spaces, which JSON may begin with.
type endless struct{}

// expectRejected sends a hostile request and checks all that a refusal is.
func (w *testServer) expectRejected(t *testing.T, r row, a attack) {
	t.Helper()
	w.store.drain()
	w.log.drain()
	got := w.send(t, a)
	var faults []string
	fail := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	if got.status < 400 || got.status > 499 || r.code != 0 && got.status != r.code {
		fail("the status is %d", got.status)
	}
	id, sentence := w.readErrorResponse(got, a, fail)
	if !strings.Contains(sentence, r.says) {
		fail("the sentence does not say %q", r.says)
	}
	w.expectOneLogLine(id, fail)
	if calls := w.store.drain(); len(calls) > 0 {
		fail("S3 was called: %q", calls)
	}
	if c, u, d := w.recorder.drain(); len(c)+len(u)+len(d) > 0 {
		fail("a hook was asked: %v %v %v", c, u, d)
	}
	if len(faults) > 0 {
		t.Errorf(
			"%s\nrequest %s %.200s %v to the server with %s\n%.700q\nanswer %d %.300s",
			strings.Join(faults, "\n"),
			a.method,
			a.target,
			a.header,
			a.in,
			a.body,
			got.status,
			got.body,
		)
	}
}

// maxSentence bounds what a person is asked to read, in bytes: a name of 100 characters may be quoted in it,
// each as \U0010ffff at most.
const maxSentence = 1500

// readErrorResponse reads {"error":"sentence.","id":"…"}, which is all that a refusal may be.
func (w *testServer) readErrorResponse(got response, a attack, fail func(string, ...any)) (id, sentence string) {
	if a.method == http.MethodHead {
		return "", "" // has no body
	}
	var members map[string]string
	if err := json.Unmarshal([]byte(got.body), &members); err != nil {
		fail("the answer is not JSON: %v", err)
		return "", ""
	}
	id, sentence = members["id"], members["error"]
	if delete(members, "kind"); len(members) != 2 || id == "" || !strings.HasSuffix(sentence, ".") ||
		strings.ContainsAny(sentence, "\r\n\x1b\x00") ||
		len(sentence) > maxSentence {
		fail("the answer is not one sentence and an id")
	}
	if kind := got.header.Get("Content-Type"); kind != "application/json; charset=utf-8" ||
		got.header.Get("X-Content-Type-Options") != "nosniff" {
		fail("the answer is sent as %q", kind)
	}
	for name := range got.header {
		if strings.HasPrefix(name, "Access-Control-") || name == "Set-Cookie" || name == "Location" {
			fail("the answer has a header %s", name)
		}
	}
	return id, sentence
}

// maxLine bounds a log line: a request of 64 KiB must not become a line of many times that.
const maxLine = 8 << 10

// expectOneLogLine wants one log line, whole and with the answer's id, and none of the secrets in it.
func (w *testServer) expectOneLogLine(id string, fail func(string, ...any)) {
	text := w.log.drain()
	var line map[string]any
	if err := json.Unmarshal([]byte(text), &line); err != nil || strings.Count(text, "\n") != 1 ||
		!strings.HasSuffix(text, "\n") {
		fail("want one log line, got %d: %.500q", strings.Count(text, "\n"), text)
		return
	}
	if id != "" && line["error_id"] != id {
		fail("the log line has another id: %.500s", text)
	}
	level := "WARN"
	switch message, _ := line["error"].(string); {
	case strings.HasPrefix(message, "There is nothing at this address"), line["status"] == 405.0, line["status"] == 429.0:
		level = "INFO" // scanners cause many of them
	}
	if line["level"] != level || len(text) > maxLine {
		fail("the log line has level %v and %d bytes", line["level"], len(text))
	}
	for _, secret := range secrets {
		if strings.Contains(text, secret) {
			fail("the log line has a secret in it: %.700s", text)
		}
	}
}

func quoteJSON(text string) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(text); err != nil {
		panic(err)
	}
	return strings.TrimSuffix(b.String(), "\n")
}
