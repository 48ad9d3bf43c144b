//go:build e2e

package e2e

import (
	"testing"
	"time"
)

// What the hook refuses is not uploaded, and the page says why in the server's own words.
func TestRefusedUpload(t *testing.T) {
	t.Parallel()
	const sentence = "This file has not been approved for transfer, check upload is to correct dataset."
	for _, f := range []testFile{untypedFile, longFile} { // a policy, and the initiation of a chunked upload
		t.Run(f.name, func(t *testing.T) {
			b := newBucket(t, shared.radosgw)
			env := settingsFor(b, pathStyle.endpoint(b.port)).with(settings{
				"P3S3F_EXAMPLE_ALLOW_SMALL": b.name + "/some-dataset/expected.txt",
				"P3S3F_EXAMPLE_ALLOW_LARGE": b.name + "/some-dataset/expected.bam",
			})
			page := openTab(t, startServer(t, newWorkDir(t), env).url, `status of 403`, `response code 403`, sentence)
			page.choose(f)
			page.sees(30*time.Second, sentence)
			page.portray("refused-" + f.name)
			if keys, err := b.keys(t.Context()); err != nil || len(keys) != 0 {
				t.Errorf("the refused upload left %q, %v", keys, err)
			}
			if left, err := b.unfinished(t.Context()); err != nil || len(left) != 0 {
				t.Errorf("the refused upload is begun: %v, %v", left, err)
			}
		})
	}
}
