//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// longest is P3S3F_MAX_BYTES: reads.bam has that size, "12 MB.png" twice as much.
const longest = 6 * mb

var (
	atLimit   = testFile{"reads.bam", longest} // two of testFiles
	overLimit = testFile{"12 MB.png", 2 * longest}
)

func limited(b *bucket) settings {
	return settingsFor(b, pathStyle.endpoint(b.port)).with(settings{"P3S3F_MAX_BYTES": fmt.Sprint(longest)})
}

// The user is told before the upload.
func TestPageTellsTheLimit(t *testing.T) {
	t.Parallel()
	b := newBucket(t, shared.radosgw)
	srv := startServer(t, newWorkDir(t), limited(b))
	page := openTab(t, srv.url)
	page.sees(30*time.Second, "6.0 MB a file")
	page.choose(overLimit, atLimit, smallFile)
	page.sees(30*time.Second, `12 MB.png is too large; a file may have 6.0 MB at most.`)
	page.await(30*time.Second, 2, done)
	page.portray("too-large")
	if n := eval[int](page, `document.querySelectorAll("[qq-file-id]").length`); n != 2 {
		t.Errorf("%d files are in the list", n)
	}
	for _, f := range []testFile{atLimit, smallFile} {
		b.holds(t, page.uploadOf(f).Key, f, eval[string](page, `fine_u_conf.request.params.dataset`))
	}
	if lines := srv.complaints(); lines != nil {
		t.Errorf("the server was asked in vain: %s", lines)
	}
}

// A client whose limit was lifted is refused, at the latest when it reports what it has uploaded.
func TestLiftedLimit(t *testing.T) {
	t.Parallel()
	const (
		inOnePiece = `fine_u_conf.chunking.enabled = false;`
		thickParts = `fine_u_conf.chunking.partSize = 6 * 1024 * 1024;`
		setLimit   = "This server signs for files of at most 6000000 bytes; set validation.sizeLimit in client_conf.js to that or less."
	)
	cases := []struct {
		name, conf string
		says       string
		stored     bool // nothing is ever deleted because of its size
	}{
		{"a form without a limit", inOnePiece, setLimit, false},
		{"a form with a limit of its own", inOnePiece + `fine_u_conf.validation.sizeLimit = 12000000;`, setLimit, false},
		{"parts that only a longer file has", ``, "The file is larger than the 6000000 bytes that this server allows; upload a smaller one.", false},
		{"parts that are longer", thickParts, "The file has 12000000 bytes, and this server takes at most 6000000; upload a smaller one.", true},
	}
	for _, version := range []int{2, 4} {
		for _, c := range cases {
			t.Run(fmt.Sprintf("V%d/%s", version, c.name), func(t *testing.T) {
				b := newBucket(t, shared.radosgw)
				dir := newWorkDir(t)
				conf := b.clientConf(pathStyle, b.port, version)
				conf.more = `fine_u_conf.retry.enableAuto = false;` + c.conf
				conf.write(t, dir)
				page := openTab(t, startServer(t, dir, limited(b)).url, `status of 403`, `response code 403`, `This server signs`, `this server allows`, `Upload success request was rejected`)
				page.choose(overLimit)
				page.sees(30*time.Second, c.says)
				if keys, err := b.keys(t.Context()); err != nil || (len(keys) == 1) != c.stored {
					t.Errorf("the bucket holds %q, %v", keys, err)
				}
			})
		}
	}
}

// A client that is none at all gets no further.
func TestLimitHoldsForOtherClients(t *testing.T) {
	t.Parallel()
	b := newBucket(t, shared.radosgw)
	srv := startServer(t, newWorkDir(t), limited(b))
	limit := func(max int) []any { return append(exactly("key", "k"), []any{"content-length-range", 0, max}) }
	for _, version := range []int{2, 4} {
		cases := []struct {
			name   string
			wish   wish
			signed bool
		}{
			{"no range", form{key: "k", conditions: exactly("key", "k")}.wish(b, version), false},
			{"a range above", form{key: "k", conditions: limit(longest + 1)}.wish(b, version), false},
			{"the whole range", form{key: "k", conditions: limit(longest)}.wish(b, version), true},
			{"part 2, the last", call{method: "PUT", key: "k", query: "partNumber=2&uploadId=U"}.wish(b, version), true},
			{"part 3, one too many", call{method: "PUT", key: "k", query: "partNumber=3&uploadId=U"}.wish(b, version), false},
		}
		for _, c := range cases {
			answer := srv.asked(t, c.wish, c.wish.texts[len(c.wish.texts)-1])
			if c.signed != (answer.status == http.StatusOK) || !c.signed && (!answer.refused() || !strings.Contains(answer.Error, fmt.Sprint(longest))) {
				t.Errorf("V%d, %s: status %d, %+v", version, c.name, answer.status, answer)
			}
		}

		w := form{key: "k", conditions: limit(longest), body: strings.Repeat("x", longest+1)}.wish(b, version)
		status, body := complete(t, w, srv.asked(t, w, w.texts[0]).Signature)
		if status/100 != 4 || !strings.Contains(body, "EntityTooLarge") || b.has(t, "k") {
			t.Errorf("V%d: the store took a larger form than was signed for: status %d %s", version, status, body)
		}
	}

	b.put(t, "large.bin", strings.Repeat("x", longest+1)) // past the server
	r := newRequest(http.MethodPost, srv.url+"/s3/success", url.Values{"bucket": {b.name}, "key": {"large.bin"}, "uuid": {"1"}, "name": {"large.bin"}}.Encode())
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	status, body := do(t, r)
	if status != http.StatusForbidden || !strings.Contains(body, "6000001") || !strings.Contains(body, "6000000") {
		t.Errorf("success of a larger object: status %d %s", status, body)
	}
	if !b.has(t, "large.bin") {
		t.Error("the larger object was deleted")
	}
}
