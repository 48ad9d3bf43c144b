//go:build e2e

package e2e

import (
	"testing"
	"time"
)

// A file that the hook rejects is not uploaded, and the page shows the hook's message.
func TestRejectedUpload(t *testing.T) {
	t.Parallel()
	const message = "This file has not been approved for transfer, check upload is to correct dataset."
	for _, f := range []testFile{untypedFile, longFile} { // a policy, and the start of a multipart upload
		t.Run(f.name, func(t *testing.T) {
			b := newBucket(t, shared.radosgw)
			env := settingsFor(b, pathStyle.endpoint(b.port)).with(settings{
				"P3S3F_EXAMPLE_ALLOW_SMALL": b.name + "/some-dataset/expected.txt",
				"P3S3F_EXAMPLE_ALLOW_LARGE": b.name + "/some-dataset/expected.bam",
			})
			page := openTab(t, startServer(t, newWorkDir(t), env).url, `status of 403`, `response code 403`, message)
			page.choose(f)
			page.awaitText(30*time.Second, message)
			page.screenshot("rejected-" + f.name)
			b.checkObjectCount(t, 0)
			if uploads := b.listUnfinished(t); len(uploads) != 0 {
				t.Errorf("unfinished uploads: got %d, want none", len(uploads))
			}
		})
	}
}
