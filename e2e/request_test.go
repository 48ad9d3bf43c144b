//go:build e2e

package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"
)

// A response is the signing server's.
type response struct {
	status            int
	Policy, Signature string
	Error, ID         string
}

func (r response) rejected() bool {
	return r.status/100 == 4 && r.Policy+r.Signature == "" && r.Error != "" && r.ID != ""
}

func parseResponse(t *testing.T, status int, body string) response {
	t.Helper()
	r := response{status: status}
	if err := json.Unmarshal([]byte(body), &r); err != nil {
		t.Fatalf("status %d, %v: %s", status, err, body)
	}
	return r
}

// requestSignature requests a signature of text, without a browser.
func (srv *server) requestSignature(t *testing.T, unsigned unsignedRequest, text string) response {
	t.Helper()
	r := newRequest(http.MethodPost, srv.url+unsigned.signPath(), unsigned.signBody(text))
	r.Header.Set("Content-Type", "application/json; charset=UTF-8")
	status, body := do(t, r)
	return parseResponse(t, status, body)
}

// sendSigned sends a request to the store.
func sendSigned(t *testing.T, r unsignedRequest, signature string) (status int, body string) {
	t.Helper()
	return do(t, r.complete(signature))
}

func do(t *testing.T, r *http.Request) (status int, body string) {
	t.Helper()
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}
