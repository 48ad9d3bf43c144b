//go:build e2e

package e2e

import (
	"fmt"
	"testing"
	"time"
)

// P3S3F_ALLOWED_TYPES holds from the first signature: no file of another type reaches the store, and the page shows
// why.
func TestAllowedTypes(t *testing.T) {
	t.Parallel()
	const noType = "Files without a type are not accepted here"
	versitygw := startVersitygw(t)
	for _, setup := range []struct {
		store   *store
		version string
	}{{shared.radosgw, "2"}, {shared.radosgw, "4"}, {versitygw, "4"}} {
		for _, test := range []struct {
			name    string
			file    testFile
			message string // empty: uploaded
		}{
			{"allowed, in parts", testFile{"12 MB.png", 12 * mb}, ""},
			{"not allowed, in parts", oddLongFile, `Files of the type "text/plain" are not accepted here.`},
			{"unknown, in parts", untypedLongFile, noType},
			{"not allowed, form", smallFile, `Files of the type "text/plain" are not accepted here.`},
			{"unknown, form", untypedFile, noType},
		} {
			t.Run(fmt.Sprintf("%s/V%s/%s", setup.store.name, setup.version, test.name), func(t *testing.T) {
				b := newBucket(t, setup.store)
				env := settingsFor(b, pathStyle.endpoint(b.port)).with(settings{
					"P3S3F_ALLOWED_TYPES": "image/*", "P3S3F_SIGNATURE_VERSION": setup.version,
				})
				page := openTab(t, startServer(t, newWorkDir(t), env).url, `status of 403`, `response code 403`, `not accepted`)
				page.choose(test.file)
				if test.message == "" {
					u := page.awaitStatus(30*time.Second, 1, done)[0]
					if o := b.get(t, u.Key); o.contentType != "image/png" {
						t.Errorf("content type: got %q, want image/png", o.contentType)
					}
					return
				}
				page.awaitText(30*time.Second, test.message)
				b.checkObjectCount(t, 0)
				if uploads := b.listUnfinished(t); len(uploads) != 0 {
					t.Errorf("unfinished uploads: got %d, want none", len(uploads))
				}
			})
		}
	}
}
