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

// secretSet has every secret of a run, and finds them in texts.
type secretSet struct {
	mu      sync.Mutex
	secrets map[string][]secret // by their first secretPrefix bytes
}

type secret struct{ what, value string }

const secretPrefix = 16

// add adds a secret, as it is and as it is encoded in a URL.
func (s *secretSet) add(what, value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.secrets == nil {
		s.secrets = map[string][]secret{}
	}
	for _, encoded := range []string{value, url.QueryEscape(value)} {
		if begin := encoded[:secretPrefix]; !slices.ContainsFunc(s.secrets[begin],
			func(s secret) bool { return s.value == encoded }) {
			s.secrets[begin] = append(s.secrets[begin], secret{what, encoded})
		}
	}
}

// find returns the secrets in text.
func (s *secretSet) find(text string) (found []secret) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range max(0, len(text)-secretPrefix+1) {
		for _, s := range s.secrets[text[i:i+secretPrefix]] {
			if strings.HasPrefix(text[i:], s.value) {
				found = append(found, s)
			}
		}
	}
	return found
}

// has reports whether a secret of that kind is known.
func (s *secretSet) has(what string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, list := range s.secrets {
		if slices.ContainsFunc(list, func(s secret) bool { return s.what == what }) {
			return true
		}
	}
	return false
}

// failingStore rejects the server's signatures as S3 does, with an error that repeats the request.
func (s *secretSet) failingStore(t *testing.T) string {
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.recordRequest(r)
		_, signature, _ := strings.Cut(r.Header.Get("Authorization"), "Signature=")
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintf(w, "<Error><Code>SignatureDoesNotMatch</Code><Message>The request signature we calculated does not "+
			"match the signature you provided.</Message><AWSAccessKeyId>%s</AWSAccessKeyId>"+
			"<SignatureProvided>%s</SignatureProvided><StringToSign>%s</StringToSign></Error>",
			accessKey, signature, r.Header.Get("Authorization"))
	}))
	t.Cleanup(store.Close)
	return store.URL
}

// recordRequest adds the signature of the server's own call to a store.
func (s *secretSet) recordRequest(r *http.Request) {
	if _, signature, signed := strings.Cut(r.Header.Get("Authorization"), "Signature="); signed {
		s.add("the signature of the server's own "+r.Method, signature)
	}
}

// workingStore has every object, and lists one.
func (s *secretSet) workingStore(t *testing.T) string {
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.recordRequest(r)
		switch r.Method {
		case http.MethodGet:
			fmt.Fprintf(w,
				"<ListBucketResult><Contents><Key>%suuid.txt</Key><Size>1</Size></Contents></ListBucketResult>",
				r.URL.Query().Get("prefix"))
		case http.MethodDelete:
			w.WriteHeader(http.StatusNoContent)
		}
	}))
	t.Cleanup(store.Close)
	return store.URL
}
