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

// response is the response to a request.
type response struct {
	status int
	header http.Header
	body   string
}

// send sends the request byte for byte. It does not clean the target or follow redirects.
func (s *testServer) send(t testing.TB, a attack) response {
	t.Helper()
	var body io.Reader = strings.NewReader(a.body)
	if a.stream > 0 {
		body = io.LimitReader(endless{}, a.stream)
	}
	r, err := http.NewRequest(a.method, s.url, body)
	if err != nil {
		t.Fatal(err)
	}
	r.URL.Opaque = a.target
	if strings.HasPrefix(a.target, "//") {
		r.URL.Opaque = "//" + r.URL.Host + a.target // otherwise it would be the host
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

// endless is a body of spaces, with which JSON may begin.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// expectRejected sends a hostile request. It expects a 4xx error, one log line, and no call to a hook or to S3.
func (s *testServer) expectRejected(t *testing.T, r row, a attack) {
	t.Helper()
	s.store.drain()
	s.log.drain()
	got := s.send(t, a)
	var failures []string
	fail := func(format string, args ...any) { failures = append(failures, fmt.Sprintf(format, args...)) }
	if got.status < 400 || got.status > 499 || r.status != 0 && got.status != r.status {
		fail("the status is %d", got.status)
	}
	id, message := s.readErrorResponse(got, a, fail)
	if !strings.Contains(message, r.message) {
		fail("the message does not contain %q", r.message)
	}
	s.expectOneLogLine(id, fail)
	if calls := s.store.drain(); len(calls) > 0 {
		fail("S3 was called: %q", calls)
	}
	if c, u, d := s.recorder.drain(); len(c)+len(u)+len(d) > 0 {
		fail("a hook was called: %v %v %v", c, u, d)
	}
	if len(failures) > 0 {
		t.Errorf("%s\nrequest %s %.200s %v to the server with %s\n%.700q\nresponse %d %.300s",
			strings.Join(failures, "\n"), a.method, a.target, a.header, a.in, a.body, got.status, got.body)
	}
}

// maxMessage is the limit for an error message, in bytes. It may quote a name of 100 characters, each as \U0010ffff.
const maxMessage = 1500

// readErrorResponse reads {"error":"message.","id":"…"}. An error response has nothing else, except a kind.
func (s *testServer) readErrorResponse(got response, a attack, fail func(string, ...any)) (id, message string) {
	if a.method == http.MethodHead {
		return "", "" // no body
	}
	var members map[string]string
	if err := json.Unmarshal([]byte(got.body), &members); err != nil {
		fail("the response is not JSON: %v", err)
		return "", ""
	}
	id, message = members["id"], members["error"]
	if delete(members, "kind"); len(members) != 2 || id == "" || !strings.HasSuffix(message, ".") ||
		strings.ContainsAny(message, "\r\n\x1b\x00") ||
		len(message) > maxMessage {
		fail("the response is not one sentence and an id")
	}
	if kind := got.header.Get("Content-Type"); kind != "application/json; charset=utf-8" ||
		got.header.Get("X-Content-Type-Options") != "nosniff" {
		fail("the response has type %q", kind)
	}
	for name := range got.header {
		if strings.HasPrefix(name, "Access-Control-") || name == "Set-Cookie" || name == "Location" {
			fail("the response has a header %s", name)
		}
	}
	return id, message
}

// maxLine is the limit for a log line, in bytes, however large the request is.
const maxLine = 8 << 10

// expectOneLogLine checks that the log has one complete line, with the id of the response and without secrets.
func (s *testServer) expectOneLogLine(id string, fail func(string, ...any)) {
	text := s.log.drain()
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
			fail("the log line has a secret: %.700s", text)
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
