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

// maxBytes is P3S3F_MAX_BYTES. reads.bam has that size, "12 MB.png" twice as much.
const maxBytes = 6 * mb

var (
	atLimit   = testFile{"reads.bam", maxBytes} // two of testFiles
	overLimit = testFile{"12 MB.png", 2 * maxBytes}
)

func limitSettings(b *bucket) settings {
	return settingsFor(b, pathStyle.endpoint(b.port)).with(settings{"P3S3F_MAX_BYTES": fmt.Sprint(maxBytes)})
}

// The page shows the limit, and rejects larger files before the upload.
func TestPageShowsSizeLimit(t *testing.T) {
	t.Parallel()
	b := newBucket(t, shared.radosgw)
	srv := startServer(t, newWorkDir(t), limitSettings(b))
	page := openTab(t, srv.url)
	page.awaitText(30*time.Second, "6.0 MB a file")
	page.choose(overLimit, atLimit, smallFile)
	page.awaitText(30*time.Second, `12 MB.png is too large; a file may have 6.0 MB at most.`)
	page.awaitStatus(30*time.Second, 2, done)
	page.screenshot("too-large")
	if n := eval[int](page, `document.querySelectorAll("[qq-file-id]").length`); n != 2 {
		t.Errorf("files in the list: got %d, want 2", n)
	}
	for _, f := range []testFile{atLimit, smallFile} {
		b.checkObject(t, page.uploadOf(f).Key, f, page.dataset())
	}
	if lines := srv.warnings(); lines != nil {
		t.Errorf("warnings in the log: got %s, want none", lines)
	}
}

// The server rejects files of a page whose own limit was removed, at the latest when the page reports the success.
func TestClientWithoutSizeLimit(t *testing.T) {
	t.Parallel()
	const (
		inOnePiece = `fine_u_conf.chunking.enabled = false;`
		largeParts = `fine_u_conf.chunking.partSize = 6 * 1024 * 1024;`
		noLimit    = "This server signs for files of at most 6000000 bytes; " +
			"set validation.sizeLimit in client_conf.js to that or less."
		tooManyParts = "The file is larger than the 6000000 bytes that this server allows; upload a smaller one."
		tooLarge     = "The file has 12000000 bytes, and this server accepts at most 6000000; upload a smaller one."
	)
	cases := []struct {
		name, conf string
		message    string
		stored     bool // an object is never deleted because of its size
	}{
		{"a form without a limit", inOnePiece, noLimit, false},
		{"a form with a higher limit", inOnePiece + `fine_u_conf.validation.sizeLimit = 12000000;`, noLimit, false},
		{"a part number that only a larger file has", ``, tooManyParts, false},
		{"larger parts", largeParts, tooLarge, true},
	}
	expected := []string{
		`status of 403`, `response code 403`, `This server signs`, `this server allows`,
		`Upload success request was rejected`,
	}
	for _, version := range []int{2, 4} {
		for _, c := range cases {
			t.Run(fmt.Sprintf("V%d/%s", version, c.name), func(t *testing.T) {
				b := newBucket(t, shared.radosgw)
				dir := newWorkDir(t)
				conf := b.clientConf(pathStyle, b.port, version)
				conf.more = `fine_u_conf.retry.enableAuto = false;` + c.conf
				conf.write(t, dir)
				page := openTab(t, startServer(t, dir, limitSettings(b)).url, expected...)
				page.choose(overLimit)
				page.awaitText(30*time.Second, c.message)
				b.checkObjectCount(t, map[bool]int{false: 0, true: 1}[c.stored])
			})
		}
	}
}

// Clients other than the page cannot upload larger files either.
func TestSizeLimitForOtherClients(t *testing.T) {
	t.Parallel()
	b := newBucket(t, shared.radosgw)
	srv := startServer(t, newWorkDir(t), limitSettings(b))
	limit := func(max int) []any { return append(exactMatch("key", "k"), []any{"content-length-range", 0, max}) }
	part := func(number int) headerSigned {
		return headerSigned{method: "PUT", key: "k", query: fmt.Sprintf("partNumber=%d&uploadId=U", number)}
	}
	for _, version := range []int{2, 4} {
		cases := []struct {
			name    string
			request signable
			signed  bool
		}{
			{"no range", postForm{key: "k", conditions: exactMatch("key", "k")}, false},
			{"a higher range", postForm{key: "k", conditions: limit(maxBytes + 1)}, false},
			{"the whole range", postForm{key: "k", conditions: limit(maxBytes)}, true},
			{"part 2, the last one", part(2), true},
			{"part 3, one too many", part(3), false},
		}
		for _, c := range cases {
			r := c.request.unsigned(b, version)
			res := srv.requestSignature(t, r, r.asFineUploader())
			rejected := res.rejected() && strings.Contains(res.Error, fmt.Sprint(maxBytes))
			if signed := res.status == http.StatusOK; signed != c.signed || !signed && !rejected {
				t.Errorf("V%d, %s: signed: got %t, want %t: status %d, %+v", version, c.name, signed, c.signed, res.status, res)
			}
		}

		large := postForm{key: "k", conditions: limit(maxBytes), body: strings.Repeat("x", maxBytes+1)}.unsigned(b, version)
		status, body := sendSigned(t, large, srv.requestSignature(t, large, large.asFineUploader()).Signature)
		if status/100 != 4 || !strings.Contains(body, "EntityTooLarge") || b.has(t, "k") {
			t.Errorf("V%d: the store accepted a larger form than the policy allows: status %d %s", version, status, body)
		}
	}

	b.put(t, "large.bin", strings.Repeat("x", maxBytes+1))
	report := url.Values{"bucket": {b.name}, "key": {"large.bin"}, "uuid": {"1"}, "name": {"large.bin"}}
	r := newRequest(http.MethodPost, srv.url+"/s3/success", report.Encode())
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	status, body := do(t, r)
	if status != http.StatusForbidden || !strings.Contains(body, "6000001") || !strings.Contains(body, "6000000") {
		t.Errorf("success report of a larger object: got status %d %s, want 403 with both sizes", status, body)
	}
	if !b.has(t, "large.bin") {
		t.Error("the larger object was deleted")
	}
}
