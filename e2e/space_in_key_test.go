//go:build e2e

package e2e

import (
	"strings"
	"testing"
	"time"
)

// A small file whose name ends with a space is stored. radosgw rejects a form with such a key, which the name's
// extension is part of, so the page sends the file in a part.
func TestSpaceAtEndOfKey(t *testing.T) {
	t.Parallel()
	forEachStoreAndVersion(t, func(t *testing.T, s *store, version int) {
		for _, key := range []string{`"uuid"`, `"filename"`} {
			b := newBucket(t, s)
			dir := newWorkDir(t)
			conf := b.clientConf(pathStyle, b.port, version)
			conf.key = key
			conf.write(t, dir)
			page := openTab(t, startServer(t, dir, settingsFor(b, pathStyle.endpoint(b.port))).url)
			page.chooseFile(ownFile(t, "report.pdf ", []byte("content")))
			stored := page.awaitStatus(30*time.Second, 1, done)[0].Key
			if !strings.HasSuffix(stored, ".pdf ") || b.content(t, stored) != "content" {
				t.Errorf("key %s: the object %q has the content %q", key, stored, b.content(t, stored))
			}
		}
	})
}
