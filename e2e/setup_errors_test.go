//go:build e2e

package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// rejectedErrors are the console errors of a request that the server rejects.
var rejectedErrors = []string{`status of 40\d`, `response code 40\d`, `This server signs`, `Problem`}

// setupErrors are mistakes in a set-up, and what the page says about them when its first request fails.
var setupErrors = []struct {
	name     string
	change   func(t *testing.T, b *bucket, conf *clientConf)
	console  []string // expected errors
	messages []string
	row      string // what the row of the file says: the panel above it can close
	command  string // that the page says to run
}{
	{
		name:    "wrong bucket",
		change:  func(_ *testing.T, _ *bucket, conf *clientConf) { conf.bucket = "another" },
		console: rejectedErrors,
		messages: []string{
			"The signing server refuses what this page asks for.",
			"set objectProperties.bucket in client_conf.js",
			"Reference ",
		},
		row:     "set objectProperties.bucket in client_conf.js",
		command: "bin/s3-sign-srv doctor -env my_p3s3f.env",
	}, {
		name: "clock",
		change: func(_ *testing.T, _ *bucket, conf *clientConf) {
			conf.more = `fine_u_conf.request.clockDrift = 20 * 60 * 1000;`
		},
		console: append(rejectedErrors[:4:4], `The clock`),
		messages: []string{
			"The clock of the uploading computer is 20 minutes ahead of this server's",
		},
		row: "The clock of the uploading computer is 20 minutes ahead of this server's",
	}, {
		name:    "no CORS rules",
		change:  func(t *testing.T, b *bucket, _ *clientConf) { b.deleteCORS(t) },
		console: []string{`CORS policy`, `net::ERR_FAILED`, `status of 403`, `Received`, `Empty`, `error`},
		messages: []string{
			"The browser cannot read what the store at",
			"do not let pages from http://localhost:",
		},
		row:     "answers, but the bucket's CORS rules do not let pages from http://localhost:",
		command: "bin/s3-sign-srv cors -env my_p3s3f.env -origin http://localhost:",
	}, {
		name: "another store than the server's",
		change: func(_ *testing.T, _ *bucket, conf *clientConf) {
			conf.endpoint = strings.Replace(conf.endpoint, "127.0.0.1", "localhost", 1)
		},
		console:  []string{`Content Security Policy`, `net::ERR_`, `Fine Uploader`, `Refused to connect`},
		messages: []string{"This page may not send requests to localhost:"},
		row:      "Set request.endpoint in client_conf.js to the address in AWS_ENDPOINT",
	}, {
		name: "no signing server",
		change: func(_ *testing.T, _ *bucket, conf *clientConf) {
			conf.more = `fine_u_conf.signature.endpoint = "/nowhere";`
		},
		console:  []string{`status of 404`, `nothing at this address`, `404`},
		messages: []string{"There is no signing server at signature.endpoint."},
		row:      "There is nothing at this address",
	},
}

func TestSetupErrorsAreShown(t *testing.T) {
	t.Parallel()
	for _, test := range setupErrors {
		t.Run(test.name, func(t *testing.T) {
			b := newBucket(t, shared.radosgw)
			dir := newWorkDir(t)
			conf := b.clientConf(pathStyle, b.port, 4)
			test.change(t, b, &conf)
			conf.write(t, dir)
			page := openTab(t, startServer(t, dir, settingsFor(b, pathStyle.endpoint(b.port))).url, test.console...)
			page.choose(smallFile)
			for _, text := range test.messages {
				page.awaitText(30*time.Second, text)
			}
			row := eval[string](page, `document.querySelector("[data-role=error]").textContent`)
			if !strings.Contains(row, test.row) {
				t.Errorf("error in the row: got %q, want %q", row, test.row)
			}
			if test.command != "" {
				page.awaitText(time.Second, test.command)
			}
			page.screenshot("setup " + test.name)
		})
	}
}

// An outage after a successful upload is not reported as a setup error.
func TestNoSetupErrorAfterSuccess(t *testing.T) {
	t.Parallel()
	b := newBucket(t, shared.radosgw)
	srv := startServer(t, newWorkDir(t), settingsFor(b, pathStyle.endpoint(b.port)))
	page := openTab(t, srv.url, `CORS policy`, `net::ERR_FAILED`, `status of 403`, `error`)
	page.choose(smallFile)
	page.awaitStatus(30*time.Second, 1, done)
	b.deleteCORS(t)
	page.choose(untypedFile)
	page.awaitText(30*time.Second, "responds, but this request got no readable response. If this repeats, a proxy")
	if page.showsSetupError() {
		t.Error("the page shows a setup error for a failure after a success")
	}
	if response, err := http.Get(srv.url + "/healthz"); err != nil || response.StatusCode != http.StatusOK {
		t.Errorf("/healthz: got %v, %v, want status 200", response, err)
	}
}

// A page that cannot read the ETag of its parts cannot complete an upload: it says so at the first part, and sends no
// more.
func TestHiddenETag(t *testing.T) {
	t.Parallel()
	b := newBucket(t, shared.radosgw)
	list, err := b.client.GetBucketCors(t.Context(), &s3.GetBucketCorsInput{Bucket: &b.name})
	if err != nil {
		t.Fatal(err)
	}
	list.CORSRules[0].ExposeHeaders = nil
	hide := s3.PutBucketCorsInput{Bucket: &b.name}
	hide.CORSConfiguration = &types.CORSConfiguration{CORSRules: list.CORSRules}
	if _, err := b.client.PutBucketCors(t.Context(), &hide); err != nil {
		t.Fatal(err)
	}
	proxy := startHTTPProxy(t, b.port, -1)
	srv := startServer(t, newWorkDir(t), settingsFor(b, pathStyle.endpoint(proxy.port)))
	page := openTab(t, srv.url, `Refused to get unsafe header`, `Fine Uploader`, `net::ERR_`)
	page.choose(longFile)
	page.awaitText(30*time.Second, "The bucket's CORS rules hide the ETag of what is stored.")
	page.awaitText(time.Second, "bin/s3-sign-srv cors -env my_p3s3f.env -origin http://localhost:")
	page.awaitStatus(30*time.Second, 1, failed)
	page.screenshot("setup hidden ETag")
	if sent := proxy.partsSent(); sent > 6 {
		t.Errorf("parts sent: got %d, want at most the six that are sent at the same time", sent)
	}
}

func (b *bucket) deleteCORS(t *testing.T) {
	t.Helper()
	if _, err := b.client.DeleteBucketCors(t.Context(), &s3.DeleteBucketCorsInput{Bucket: &b.name}); err != nil {
		t.Fatal(err)
	}
}

// showsSetupError reports whether the page shows an error of the set-up.
func (p *tab) showsSetupError() bool {
	p.t.Helper()
	return eval[bool](p, `!document.getElementById("setup-error").hidden`)
}
