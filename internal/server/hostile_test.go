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

// A row is one kind of hostile request, with its byte variants. The ids are those by which
// docs/security.md and the issues call them: A is version 2 strings to sign, B version 4 strings,
// C policies, D callers, success, delete and plumbing. A row without an id is a control: honest requests,
// which must be granted.
type row struct {
	id   string
	what string
	in   setup // the server it is sent to, where an attack does not say

	// Of the refusal.
	says string // what the sentence must say, where a person has to be told more than no
	code int    // the status; 0: any 4xx

	calls int // to S3, of an honest request; without one it is signed

	attacks []attack
}

// An attack is one request that must come to nothing, or in a control's row an honest one.
type attack struct {
	in             setup
	method, target string // target as it stands in the request line
	header         http.Header
	body           string
	stream         int64 // bytes to send without a Content-Length, instead of body

	// Of an honest request.
	at             time.Time // the server's clock; zero: now
	etag           string    // of the object in S3
	key, signature string    // what the hook must be told of, and the answer must hold; empty: any
}

// hostileRows is every table of this package.
func hostileRows() []row {
	return slices.Concat(rowsV2, rowsV4, rowsPolicy, rowsCalls)
}

// TestHostile sends every attack to a real server and wants each refused: a 4xx that says why, nothing
// signed, no hook asked, no call to S3, one log line. The controls go to the same servers, and are granted: a
// hook told, a signature given or S3 called, no log line.
func TestHostile(t *testing.T) {
	servers := startAllSetups(t)
	var refused, granted int
	for _, r := range slices.Concat(hostileRows(), honestRows(t)) {
		t.Run(r.what+" ["+cmp.Or(r.id, "honest")+"]", func(t *testing.T) {
			for _, a := range r.attacks {
				w := servers[cmp.Or(a.in, r.in)]
				if r.id == "" {
					w.expectSigned(t, r, a)
					granted++
				} else {
					a.in = cmp.Or(a.in, r.in)
					w.expectRejected(t, r, a)
					refused++
				}
			}
		})
	}
	if refused < 1800 || granted < 3000 {
		t.Errorf("%d hostile and %d honest requests were sent, want at least 1800 and 3000", refused, granted)
	}
	t.Logf("%d hostile and %d honest requests", refused, granted)
}

// Attacks that other tests show:
//
//	A23, A24, C8, D14  uploads and keys of another owner: TestOwnUploadsOnly
//	B19, D5, D6, D9    what the server never does: TestHarmless
//	D2                 foreign origins: TestCrossSite
//	D3, D25            missing, forged and expired cookies: TestStrangers, TestCookie, TestLogin, cookie.TestDecode
//	D10, D22, D27      repeated reports and links: TestHarmless
//	D23                slow clients: TestLimits in cmd/s3-sign-srv
//	D24                too many requests: TestRate
//	D26                hooks that fail: TestHooksDecide

// TestHiddenFilesAreThere holds the row D21 against the site: what it asks for below static/ is there, and would
// be served by a server that opens whatever is asked for. A name without a file is refused by any server.
func TestHiddenFilesAreThere(t *testing.T) {
	dir := newSite(t).dir
	asked := map[string]bool{}
	for _, r := range rowsCalls {
		for _, a := range r.attacks {
			asked[a.target] = asked[a.target] || r.id == "D21"
		}
	}
	for _, target := range []string{
		"/static/.env", "/static/.git/config", "/static/sub/.hidden", // dotfiles
		"/static/out.env", "/static/sub/out.env", "/static/up/p3s3f.env", "/static/away/page.js", // links that lead out
	} {
		text, err := os.ReadFile(filepath.Join(dir, target))
		if err != nil || string(text) != hidden || !asked[target] {
			t.Errorf("%s holds %q, %v; asked for: %t", target, text, err, asked[target])
		}
	}
}

// stringV2 sends strings to sign to the version 2 address.
func stringV2(texts ...string) []attack {
	return signRequests("/s3/sign", "", headersBodies(texts)...)
}

// stringV4 sends each string to sign, which is for the virtual-hosted endpoint, to a server with that
// endpoint, and its like for a path-style endpoint to a server with one.
func stringV4(texts ...string) []attack {
	var pathTexts []string
	for _, text := range texts {
		pathTexts = append(pathTexts, pathOf(text))
	}
	return slices.Concat(
		signRequests("/s3/sign?v4=true", virtualHosted, headersBodies(texts)...),
		signRequests("/s3/sign?v4=true", pathStyle, headersBodies(pathTexts)...))
}

// bodyV2 sends bodies, policies among them, to the version 2 address, bodyV4 to that of version 4.
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

// each returns base once for every new text, which stands in it for the old one.
func each(base, old string, news ...string) []string {
	var variants []string
	for _, text := range news {
		variants = append(variants, swap(base, old, text))
	}
	return variants
}

// swap replaces one text by another; the old one must be there, or the variant would be honest.
func swap(base, old, new string) string {
	if strings.Count(base, old) != 1 || old == new {
		panic(fmt.Sprintf("%q is not once in %q, or is the same as %q", old, base, new))
	}
	return strings.Replace(base, old, new, 1)
}
