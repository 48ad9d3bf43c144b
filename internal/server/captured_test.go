package server_test

import (
	"bufio"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"
)

// expectOK sends an honest request, which must succeed, and returns the members of the response.
func (s *testServer) expectOK(t *testing.T, a attack) map[string]any {
	t.Helper()
	s.log.drain()
	got := s.send(t, a)
	var members map[string]any
	if err := json.Unmarshal([]byte(got.body), &members); err != nil || got.status != http.StatusOK {
		t.Errorf("an honest request is rejected\n%s %s\n%.900q\nresponse %d %s", a.method, a.target, a.body,
			got.status, got.body)
	}
	if text := s.log.drain(); text != "" {
		t.Errorf("an honest request is logged: %s", text)
	}
	return members
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

// capturedRows has every captured request that must succeed, with the clock at its time.
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
		t.Errorf("%d captured requests must succeed, want at least 120", len(rows))
	}
	return rows
}
