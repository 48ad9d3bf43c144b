package server_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
)

// A secretSet knows every secret of a run, and finds them in texts.
type secretSet struct {
	mu      sync.Mutex
	secrets map[string][]secret // by their first bytes
}

type secret struct{ what, value string }

const secretPrefix = 16

// hide notes a secret, as it is and as it stands in a URL.
func (v *secretSet) hide(what, value string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.secrets == nil {
		v.secrets = map[string][]secret{}
	}
	for _, spelt := range []string{value, url.QueryEscape(value)} {
		if begin := spelt[:secretPrefix]; !slices.ContainsFunc(
			v.secrets[begin],
			func(s secret) bool { return s.value == spelt },
		) {
			v.secrets[begin] = append(v.secrets[begin], secret{what, spelt})
		}
	}
}

// found returns the secrets in text.
func (v *secretSet) found(text string) (found []secret) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for i := range max(0, len(text)-secretPrefix+1) {
		for _, s := range v.secrets[text[i:i+secretPrefix]] {
			if strings.HasPrefix(text[i:], s.value) {
				found = append(found, s)
			}
		}
	}
	return found
}

// holds reports whether a secret of that kind is known.
func (v *secretSet) holds(what string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, list := range v.secrets {
		if slices.ContainsFunc(list, func(s secret) bool { return s.what == what }) {
			return true
		}
	}
	return false
}

// failingStore finds the server's signatures wrong, and says so as S3 does, with all that it was sent.
func (v *secretSet) failingStore(t *testing.T) string {
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v.recordRequest(r)
		_, signature, _ := strings.Cut(r.Header.Get("Authorization"), "Signature=")
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintf(
			w,
			"<Error><Code>SignatureDoesNotMatch</Code><Message>The request signature we calculated does not match the "+
				"signature you provided.</Message>"+
				"<AWSAccessKeyId>%s</AWSAccessKeyId><SignatureProvided>%s</SignatureProvided><StringToSign>%s</StringToSign>"+
				"</Error>",
			accessKey,
			signature,
			r.Header.Get("Authorization"),
		)
	}))
	t.Cleanup(store.Close)
	return store.URL
}

// recordRequest hides the signature of the server's own call to a store.
func (v *secretSet) recordRequest(r *http.Request) {
	if _, signature, signed := strings.Cut(r.Header.Get("Authorization"), "Signature="); signed {
		v.hide("the signature of the server's own "+r.Method, signature)
	}
}

// workingStore has all objects, and lists one.
func (v *secretSet) workingStore(t *testing.T) string {
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v.recordRequest(r)
		switch r.Method {
		case http.MethodGet:
			fmt.Fprintf(
				w,
				"<ListBucketResult><Contents><Key>%suuid.txt</Key><Size>1</Size></Contents></ListBucketResult>",
				r.URL.Query().Get("prefix"),
			)
		case http.MethodDelete:
			w.WriteHeader(http.StatusNoContent)
		}
	}))
	t.Cleanup(store.Close)
	return store.URL
}
