package server_test

import (
	"cmp"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// row is one threat, with its byte variants. The ids are grouped: A are version 2 strings to sign, B version 4 strings,
// C policies, D callers, reports, deletions and the rest, E requests of Uppy. A row without an id has honest requests,
// which must succeed.
type row struct {
	id   string
	what string
	in   setup // the server, unless an attack names another

	// Of the expected rejection.
	message string // part of the error message; empty: any
	status  int    // 0: any 4xx

	calls int // to S3 by an honest request; 0: it gets a signature

	attacks []attack
}

// attack is one request: a hostile one that must have no effect, or in a row without an id an honest one.
type attack struct {
	in             setup
	method, target string // as in the request line
	header         http.Header
	body           string
	stream         int64 // bytes to send without a Content-Length, instead of body

	// Of an honest request.
	at             time.Time // the server's clock; zero: now
	etag           string    // of the object in S3
	key, signature string    // that the hook and the response must have; empty: any
}

// hostileRows is every table of this package.
func hostileRows() []row {
	return slices.Concat(rowsV2, rowsV4, rowsPolicy, rowsCalls, rowsPresign)
}

// TestHostile sends every attack to a real server. Each must be rejected: a 4xx with a reason, no signature, no call to
// a hook or to S3, one log line. The honest requests go to the same servers. They must succeed: one call to a hook, a
// signature or a call to S3, no log line.
func TestHostile(t *testing.T) {
	servers := startAllSetups(t)
	for _, r := range slices.Concat(hostileRows(), honestRows(t)) {
		t.Run(r.what+" ["+cmp.Or(r.id, "honest")+"]", func(t *testing.T) {
			if len(r.attacks) == 0 {
				t.Fatal("the row has no requests")
			}
			for _, a := range r.attacks {
				s := servers[cmp.Or(a.in, r.in)]
				if r.id == "" {
					s.expectSigned(t, r, a)
				} else {
					a.in = cmp.Or(a.in, r.in)
					s.expectRejected(t, r, a)
				}
			}
		})
	}
}

// Other tests cover these ids:
//
//	A23, A24, C8, D14  uploads and keys of another owner: TestOwnUploadsOnly
//	B19, D5, D6, D9    what the server never does: TestHarmless
//	D2                 foreign origins: TestCrossSite
//	D3, D25            missing, forged and expired cookies: TestUnauthenticated, TestCookie, TestLogin, cookie.TestDecode
//	D10, D22, D27      repeated reports and links: TestHarmless
//	D23                slow clients: TestLimits in internal/cli
//	D24                too many requests: TestRate
//	D26                hooks that fail: TestHookErrors

// TestHiddenFilesExist checks that the files in row D21 exist, so that a server which opens any path would serve them.
func TestHiddenFilesExist(t *testing.T) {
	dir := newSite(t).dir
	requested := map[string]bool{}
	for _, r := range rowsCalls {
		for _, a := range r.attacks {
			requested[a.target] = requested[a.target] || r.id == "D21"
		}
	}
	for _, target := range []string{
		"/static/.env", "/static/.git/config", "/static/sub/.hidden", // dotfiles
		// symbolic links out of static/
		"/static/out.env", "/static/sub/out.env", "/static/up/p3s3f.env", "/static/away/page.js",
	} {
		text, err := os.ReadFile(filepath.Join(dir, target))
		if err != nil || string(text) != hidden || !requested[target] {
			t.Errorf("%s has %q, %v; requested in D21: %t", target, text, err, requested[target])
		}
	}
}

// stringV2 sends strings to sign to the version 2 address.
func stringV2(texts ...string) []attack {
	return signRequests("/s3/sign", "", headersBodies(texts)...)
}

// stringV4 sends each string, which is for the virtual-hosted endpoint, to a server with that endpoint. It also sends
// its path-style variant to a server with a path-style endpoint.
func stringV4(texts ...string) []attack {
	var pathTexts []string
	for _, text := range texts {
		pathTexts = append(pathTexts, pathOf(text))
	}
	return slices.Concat(
		signRequests("/s3/sign?v4=true", virtualHosted, headersBodies(texts)...),
		signRequests("/s3/sign?v4=true", pathStyle, headersBodies(pathTexts)...))
}

// bodyV2 sends bodies, such as policies, to the version 2 address, and bodyV4 to that of version 4.
func bodyV2(bodies ...string) []attack { return signRequests("/s3/sign", "", bodies...) }
func bodyV4(bodies ...string) []attack { return signRequests("/s3/sign?v4=true", "", bodies...) }

func signRequests(target string, in setup, bodies ...string) []attack {
	var attacks []attack
	for _, body := range bodies {
		attacks = append(attacks, attack{in: in, method: "POST", target: target, header: asJSON, body: body})
	}
	return attacks
}

// headersBodies wraps strings to sign as Fine Uploader does.
func headersBodies(texts []string) []string {
	var bodies []string
	for _, text := range texts {
		bodies = append(bodies, `{"headers":`+quoteJSON(text)+`}`)
	}
	return bodies
}

var (
	asJSON = http.Header{"Content-Type": {"application/json; charset=UTF-8"}}
	asForm = http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
)

// each returns one variant of base for every new text, which replaces the old one.
func each(base, old string, news ...string) []string {
	var variants []string
	for _, text := range news {
		variants = append(variants, swap(base, old, text))
	}
	return variants
}

// swap replaces one text by another. The old one must be there, otherwise the variant would be honest.
func swap(base, old, new string) string {
	if strings.Count(base, old) != 1 || old == new {
		panic(fmt.Sprintf("%q is not exactly once in %q, or is the same as %q", old, base, new))
	}
	return strings.Replace(base, old, new, 1)
}
