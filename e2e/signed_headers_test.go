//go:build e2e

package e2e

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Under version 4 the page signs the Content-Type of every request that has one, even an empty one, and every x-amz-*
// header. radosgw 19.2.6, 20.2.4 and newer reject other requests.
func TestSignedHeaders(t *testing.T) {
	t.Parallel()
	p := openProxiedPage(t, -1)
	requests := recordSigned(p.proxy)
	p.choose(partsFile, untypedLongFile)
	p.awaitStatus(30*time.Second, 2, done)
	p.proxy.update(func() { p.proxy.budget = firstParts })
	p.choose(longFile)
	p.awaitBlocked()
	p.clickByScript(p.uploadOf(longFile).ID, "cancel")
	p.proxy.unblock()
	p.bucket.awaitUnfinished(t, 0)

	seen := map[string]int{} // by operation, and content type
	for _, r := range requests() {
		value, isTyped := r.Header["Content-Type"]
		seen[operation(r)+" "+strings.Join(value, ",")]++
		_, list, _ := strings.Cut(r.Header.Get("Authorization"), "SignedHeaders=")
		list, _, _ = strings.Cut(list, ",")
		signed := strings.Split(list, ";")
		if slices.Contains(signed, "content-type") != isTyped {
			t.Errorf("%s with the content type %q signs %s", operation(r), value, list)
		}
		for name := range r.Header {
			if name = strings.ToLower(name); strings.HasPrefix(name, "x-amz-") && !slices.Contains(signed, name) {
				t.Errorf("%s does not sign %s", operation(r), name)
			}
		}
	}
	for _, want := range []string{
		"create image/png", "create ", "part ", "complete application/xml; charset=UTF-8", "abort ",
	} {
		if seen[want] == 0 {
			t.Errorf("no request %q in %v", want, seen)
		}
	}
}

// recordSigned records the signed requests of browsers.
func recordSigned(proxy *httpProxy) (requests func() []*http.Request) {
	var mu sync.Mutex
	var recorded []*http.Request
	proxy.respondTo(func(r *http.Request) bool {
		mu.Lock()
		defer mu.Unlock()
		if r.Header.Get("Origin") != "" && r.Header.Get("Authorization") != "" {
			recorded = append(recorded, r)
		}
		return false
	}, nil)
	return func() []*http.Request {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(recorded)
	}
}

func operation(r *http.Request) string {
	switch {
	case isInitiate(r):
		return "create"
	case isComplete(r):
		return "complete"
	case isAbort(r):
		return "abort"
	}
	return "part"
}
