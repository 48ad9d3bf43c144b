package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"s3-sign-srv/internal/hooks"
)

// TestApplicationFails sends a request to a server whose application fails. The browser gets an error with an id and no
// signature, and one line of the log has the id and the cause, but no cookie.
func TestApplicationFails(t *testing.T) {
	const secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
	const policy = `{"expiration":%q,"conditions":[{"acl":"private"},{"bucket":"mybucket"},` +
		`{"Content-Type":"text/plain"},{"success_action_status":"200"},{"key":"user/42/a.txt"}]}`
	for _, test := range []struct {
		name   string
		app    http.HandlerFunc
		status int
		cause  string
	}{
		{"nonsense", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "<html>", r.Header["Cookie"]) }, 502,
			"webhook identify: the response is not as docs/webhooks.schema.json describes"},
		{"a redirect", http.RedirectHandler("/login", http.StatusSeeOther).ServeHTTP, 502,
			"webhook identify: the response has status 303, not 200"},
		{"no response", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 503,
			"webhook identify: EOF"},
	} {
		app := httptest.NewServer(test.app)
		var log bytes.Buffer // read after the server has stopped
		p := startWith(t, nil, environ{"P3S3F_HOOKS_URL": app.URL, "P3S3F_HOOKS_SECRET": secret}, hooks.New, &log)
		body := fmt.Sprintf(policy, time.Now().Add(time.Minute).UTC().Format("2006-01-02T15:04:05.000Z"))
		request, err := http.NewRequest("POST", p.url+"/s3/sign", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Cookie", "session=s3cret")
		request.Header.Set("Authorization", "Bearer s3cret")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(response.Body)
		response.Body.Close()
		var shown struct{ Error, ID, Signature string }
		if err != nil || json.Unmarshal(text, &shown) != nil || response.StatusCode != test.status || shown.ID == "" ||
			!strings.HasPrefix(shown.Error, "The application that decides about uploads ") || shown.Signature != "" {
			t.Errorf("%s: %d %s, %v", test.name, response.StatusCode, text, err)
		}
		if err := p.stop(); err != nil {
			t.Error(err)
		}
		logged := log.String()
		_, line, _ := strings.Cut(logged, "request failed")
		if strings.Count(logged, shown.ID) != 1 || !strings.Contains(line, "error_id="+shown.ID) ||
			!strings.Contains(line, test.cause) || strings.Contains(logged, "s3cret") {
			t.Errorf("%s: log %s", test.name, logged)
		}
		app.Close()
	}
}
