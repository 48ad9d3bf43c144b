package webhook

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"s3-sign-srv/internal/apierror"
)

// TestResponses checks what each response leads to. The schema must accept the same responses, except where it cannot.
func TestResponses(t *testing.T) {
	const none = "401 This browser is not known here, or its cookie has expired; reload the page, with cookies allowed, " +
		"and try again."
	for _, test := range []struct {
		kind, response string
		want           string
		beyondSchema   bool // the schema accepts the response
	}{
		{typeIdentify, `{"allow":true}`, none, false},
		{typeIdentify, `{"allow":true,"owner":null,"message":null,"login_required":null,"cache_seconds":null}`, none, false},
		{typeIdentify, `{"allow":true,"owner":"user/42","cache_seconds":3600}`, "user/42", false},
		{typeIdentify, `{"allow":false,"message":"Please log in.","login_required":true}`, "401 Please log in.", false},
		{typeIdentify, `{"allow":false,"message":"You are blocked."}`, "403 You are blocked.", false},
		{typeIdentify, `{"allow":false}`, "502", false},
		{typeIdentify, `{"allow":false,"message":""}`, "502", false},
		{typeIdentify, `{"allow":false,"message":null}`, "502", false},
		{typeIdentify, `{"owner":"user/42"}`, "502", false},
		{typeIdentify, `{"allow":null,"owner":"user/42"}`, "502", false},
		{typeIdentify, `{"allow":1}`, "502", false},
		{typeIdentify, `{"allow":"true"}`, "502", false},
		{typeIdentify, `{"Allow":true,"owner":"user/42"}`, "502", false},
		{typeIdentify, `{"allow":true,"ownr":"user/42"}`, "502", false},
		{typeIdentify, `{"allow":true,"owner":42}`, "502", false},
		{typeIdentify, `{"allow":true,"owner":""}`, "502", false},
		{typeIdentify, `{"allow":true,"owner":"/user"}`, "502", false},
		{typeIdentify, `{"allow":true,"owner":"user/"}`, "502", false},
		{typeIdentify, `{"allow":true,"owner":"a//b"}`, "502", false},
		{typeIdentify, `{"allow":true,"owner":"` + strings.Repeat("o", 513) + `"}`, "502", false},
		{typeIdentify, `{"allow":true,"owner":"a/../b"}`, "502", true},
		{typeIdentify, `{"allow":true,"owner":"a\u0000"}`, "502", true},
		{typeIdentify, `{"allow":false,"allow":true}`, "502", true},
		{typeIdentify, `{"allow":true,"cache_seconds":3601}`, "502", false},
		{typeIdentify, `{"allow":true,"cache_seconds":-1}`, "502", false},
		{typeIdentify, `{"allow":true,"cache_seconds":1.5}`, "502", false},
		{typeIdentify, `[]`, "502", false},
		{typeIdentify, `true`, "502", false},
		{typeIdentify, `null`, "502", false},
		{typeIdentify, ``, "502", false},
		{typeIdentify, `<!doctype html>`, "502", false},
		{typeIdentify, `{"allow":true} {"allow":true}`, "502", false},
		{typeIdentify, `{"allow":true,"message":"` + "\xff" + `"}`, "502", true},
		{typeIdentify, `{"allow":true,"message":"` + strings.Repeat("x", maxResponseBytes) + `"}`, "502", true},

		{typeChallenge, `{"allow":true}`, "signed", false},
		{typeChallenge, `{"allow":true,"cache_seconds":60}`, "signed", false},
		{typeChallenge, `{"allow":false,"message":"Not expected."}`, "403 Not expected.", false},
		{typeChallenge, `{"allow":true,"owner":"user/43"}`, "502", false},
		{typeChallenge, `{}`, "502", false},

		{typeSuccess, `{"allow":true}`, `{"dataset":"of Go","go":true}`, false},
		{typeSuccess, `{"allow":true,"reply":null,"delete_object":false}`, `{"dataset":"of Go","go":true}`, false},
		{typeSuccess, `{"allow":true,"reply":{"dataset":"D1","n":[1]}}`, `{"dataset":"D1","go":true,"n":[1]}`, false},
		{typeSuccess, `{"allow":false,"message":"It has a virus."}`, "403 It has a virus.", false},
		{typeSuccess, `{"allow":false,"message":"A virus.","delete_object":true}`, "403 A virus. deleted", false},
		{typeSuccess, `{"allow":true,"delete_object":true}`, "502", false},
		{typeSuccess, `{"allow":false,"delete_object":true}`, "502", false},
		{typeSuccess, `{"allow":true,"reply":[]}`, "502", false},

		{typeDelete, `{"allow":true}`, "deletes", false},
		{typeDelete, `{"allow":false,"message":"It is in use."}`, "403 It is in use.", false},
		{typeDelete, `{"allow":true,"delete_object":true}`, "502", false},
		{typeDeleted, `{"allow":true}`, "deleted", false},
		{typeDeleted, `{"allow":false,"message":"Delete it again."}`, "403 Delete it again.", false},

		{typeList, `{"allow":true}`, "user/42/k1.bam user/42/k2.bam", false},
		{typeList, `{"allow":true,"hidden_keys":["user/42/k1.bam","other"]}`, "user/42/k2.bam", false},
		{typeList, `{"allow":true,"hidden_keys":null}`, "user/42/k1.bam user/42/k2.bam", false},
		{typeList, `{"allow":true,"hidden_keys":"user/42/k1.bam"}`, "502", false},
		{typeList, `{"allow":false,"message":"Not now."}`, "403 Not now.", false},
	} {
		a := startApplication(t)
		a.respond(http.StatusOK, test.response)
		value, err := calls[test.kind](t.Context(), hooksOf(t, a.URL))
		got := describe(value, err)
		if err != nil && strings.HasPrefix(value, "deleted{") || strings.HasPrefix(value, "deletednull") {
			got += " deleted"
		}
		if got != test.want {
			t.Errorf("%s, %.100s: %s, %v; want %s", test.kind, test.response, got, err, test.want)
		}
		fits := isValid(schemaOf(t, "#/$defs/"+test.kind+"_response"), test.response) == nil
		if accepted := test.want != "502"; fits != (accepted || test.beyondSchema) {
			t.Errorf("%s, %.100s: fits the schema: %t", test.kind, test.response, fits)
		}
	}
}

// TestFailures checks that the browser's request is rejected if the application redirects, fails, is slow or away, and
// that there is no second message.
func TestFailures(t *testing.T) {
	released := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-released }))
	defer slow.Close()
	defer close(released)
	away := httptest.NewServer(nil)
	away.Close()
	for _, test := range []struct {
		name    string
		status  int
		address string
		want    string
		cause   string
	}{
		{"redirect", 302, "", "502", "the response has status 302, not 200"},
		{"redirect that keeps the method", 307, "", "502", "the response has status 307, not 200"},
		{"no content", 204, "", "502", "the response has status 204, not 200"},
		{"its own error", 500, "", "502", "the response has status 500, not 200"},
		{"not found", 404, "", "502", "the response has status 404, not 200"},
		{"slow", 0, slow.URL, "503", "deadline exceeded"},
		{"away", 0, away.URL, "503", "connection refused"},
	} {
		a := startApplication(t)
		a.respond(test.status, `{"allow":true}`)
		address := a.URL
		if test.address != "" {
			address = test.address
		}
		for kind, call := range calls {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			if test.name == "slow" {
				ctx, cancel = context.WithTimeout(t.Context(), 500*time.Millisecond)
			}
			_, err := call(ctx, hooksOf(t, address+"/hooks?password=s3cret"))
			var failure *apierror.Error
			if got := describe("", err); got != test.want || !errors.As(err, &failure) ||
				!strings.Contains(failure.Err.Error(), test.cause) || strings.Contains(failure.Err.Error(), "s3cret") {
				t.Errorf("%s, %s: %s, %v, want %s with %q", test.name, kind, got, err, test.want, test.cause)
			}
			if ctx.Err() != nil {
				t.Errorf("%s, %s: no time was left to the caller", test.name, kind)
			}
			cancel()
			if messages := a.drain(); test.address == "" && len(messages) != 1 {
				t.Errorf("%s, %s: %d messages, want 1", test.name, kind, len(messages))
			}
		}
	}
}
