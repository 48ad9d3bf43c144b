//go:build e2e

package e2e

import (
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// A wrong set-up shows when the first request fails: the page says which side refused and what to run,
// and takes it back when an upload works.
func TestSetupFaultsAreShown(t *testing.T) {
	t.Parallel()
	refused := []string{`status of 40\d`, `response code 40\d`, `This server signs`, `Problem`}
	for _, test := range []struct {
		name  string
		spoil func(t *testing.T, b *bucket, conf *clientConf)
		noise []string // console errors that the fault brings
		says  []string
		runs  string
	}{
		{
			"wrong bucket", func(_ *testing.T, _ *bucket, conf *clientConf) { conf.bucket = "another" }, refused,
			[]string{"The signing server refuses what this page asks for.", "set objectProperties.bucket in client_conf.js", "Reference "}, "bin/s3-sign-srv doctor -env my_p3s3f.env",
		},
		{
			"clock", func(_ *testing.T, _ *bucket, conf *clientConf) {
				conf.more = `fine_u_conf.request.clockDrift = 20 * 60 * 1000;`
			}, append(refused, `The clock`),
			[]string{"The clock of the uploading computer is 20 minutes ahead of this server's", "See the top of the page."}, "",
		},
		{
			"no CORS rules", func(t *testing.T, b *bucket, _ *clientConf) {
				if _, err := b.client.DeleteBucketCors(t.Context(), &s3.DeleteBucketCorsInput{Bucket: &b.name}); err != nil {
					t.Fatal(err)
				}
			}, []string{`CORS policy`, `net::ERR_FAILED`, `status of 403`, `Received`, `Empty`, `error`},
			[]string{"The browser cannot reach the store at", "do not let pages from http://localhost:"}, "bin/s3-sign-srv cors -env my_p3s3f.env -origin http://localhost:",
		},
		{
			"no signing server", func(_ *testing.T, _ *bucket, conf *clientConf) {
				conf.more = `fine_u_conf.signature.endpoint = "/nowhere";`
			}, []string{`status of 404`, `nothing at this address`, `404`},
			[]string{"There is no signing server at signature.endpoint."}, "",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBucket(t, shared.radosgw)
			dir := newWorkDir(t)
			conf := b.clientConf(pathStyle, b.port, 4)
			test.spoil(t, b, &conf)
			conf.write(t, dir)
			page := openTab(t, startServer(t, dir, settingsFor(b, pathStyle.endpoint(b.port))).url, test.noise...)
			page.choose(smallFile)
			for _, text := range test.says {
				page.sees(30*time.Second, text)
			}
			if test.runs != "" {
				page.sees(time.Second, test.runs)
			}
			page.portray("setup " + test.name)
		})
	}
}

// An outage after uploads worked is no matter of the set-up, and the panel stays away.
func TestNoSetupFaultAfterSuccess(t *testing.T) {
	t.Parallel()
	b := newBucket(t, shared.radosgw)
	srv := startServer(t, newWorkDir(t), settingsFor(b, pathStyle.endpoint(b.port)))
	page := openTab(t, srv.url, `CORS policy`, `net::ERR_FAILED`, `status of 403`, `error`)
	page.choose(smallFile)
	page.await(30*time.Second, 1, done)
	if _, err := b.client.DeleteBucketCors(t.Context(), &s3.DeleteBucketCorsInput{Bucket: &b.name}); err != nil {
		t.Fatal(err)
	}
	page.choose(untypedFile)
	page.sees(30*time.Second, "does not answer: no network, or the bucket's CORS rules")
	if page.showsFault() {
		t.Error("the panel is shown for a failure after a success")
	}
	if answer, err := http.Get(srv.url + "/healthz"); err != nil || answer.StatusCode != http.StatusOK {
		t.Error(answer, err)
	}
}

// showsFault reports whether the page shows what is wrong with the set-up.
func (p *tab) showsFault() bool {
	p.t.Helper()
	return eval[bool](p, `!document.getElementById("setup-error").hidden`)
}
