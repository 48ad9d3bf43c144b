//go:build e2e

package e2e

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// With chunking.mandatory, the page sends a small file in one part, so that radosgw keeps the headers of
// request.params, which it drops from forms.
func TestObjectHeaders(t *testing.T) {
	t.Parallel()
	forEachStoreAndVersion(t, func(t *testing.T, s *store, version int) {
		b := newBucket(t, s)
		dir := newWorkDir(t)
		conf := b.clientConf(pathStyle, b.port, version)
		conf.more = `
fine_u_conf.chunking.mandatory = true;
fine_u_conf.request.params = {
  dataset: "d", "Content-Disposition": "attachment", "Cache-Control": "no-store", "Content-Encoding": "identity"
};`
		conf.write(t, dir)
		page := openTab(t, startServer(t, dir, settingsFor(b, pathStyle.endpoint(b.port))).url)
		f := testFile{"small.html", 2 * kib}
		page.chooseFile(ownFile(t, f.name, f.content()))
		page.awaitStatus(30*time.Second, 1, done)
		key := page.uploadOf(f).Key
		head, err := b.client.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &b.name, Key: &key})
		if err != nil {
			t.Fatal(err)
		}
		for name, header := range map[string]struct {
			value *string
			want  string
		}{
			"Content-Disposition": {head.ContentDisposition, "attachment"},
			"Cache-Control":       {head.CacheControl, "no-store"},
			"Content-Encoding":    {head.ContentEncoding, "identity"},
		} {
			if actual := aws.ToString(header.value); actual != header.want {
				t.Errorf("%s: got %q, want %q", name, actual, header.want)
			}
		}
		if parts := partsOf(aws.ToString(head.ETag)); parts != 1 {
			t.Errorf("parts: got %d, want 1", parts)
		}
	})
}
