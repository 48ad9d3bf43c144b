//go:build e2e

package e2e

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"
)

// Every store, signature version, style of address and kind of key works with every kind of file: content and metadata
// arrive, and the page can delete what it has uploaded.
func TestUploadAndDelete(t *testing.T) {
	t.Parallel()
	versitygw := startVersitygw(t)
	setups := []struct {
		store   *store
		version int
		style   style
	}{
		{shared.radosgw, 2, virtualStyle},
		{shared.radosgw, 2, pathStyle},
		{shared.radosgw, 4, virtualStyle},
		{shared.radosgw, 4, pathStyle},
		{versitygw, 4, virtualStyle},
		{versitygw, 4, pathStyle},
	}
	for _, setup := range setups {
		for _, key := range keySchemes {
			name := fmt.Sprintf("%s/V%d/%s/%s", setup.store.name, setup.version, setup.style, key.name)
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				b := newBucket(t, setup.store)
				dir := newWorkDir(t)
				env := settingsFor(b, setup.style.endpoint(b.port)).with(settings{
					"P3S3F_ADDRESSING":        string(setup.style),
					"P3S3F_SIGNATURE_VERSION": strconv.Itoa(setup.version),
				})
				if key.script != "" {
					conf := b.clientConf(setup.style, b.port, setup.version)
					conf.key = key.script
					conf.write(t, dir)
				}
				srv := startServer(t, dir, env)
				uploadAndDelete(t, openTab(t, srv.url), b, key.of)
				if lines := srv.warnings(); lines != nil {
					t.Errorf("warnings in the log: got %s, want none", lines)
				}
			})
		}
	}
}

// keySchemes are Fine Uploader's ways to name objects.
var keySchemes = []struct {
	name   string
	script string                // objectProperties.key; "": use the server's own client configuration
	of     func(u upload) string // the expected key; "": any
}{
	{"uuid", "", func(upload) string { return "" }},
	{"filename", `"filename"`, func(u upload) string { return u.Name }},
	{"function", `function (id) { return "a folder/of number " + id + "/" + this.getName(id); }`,
		func(u upload) string { return fmt.Sprintf("a folder/of number %d/%s", u.ID, u.Name) }},
}

func uploadAndDelete(t *testing.T, page *tab, b *bucket, keyOf func(upload) string) {
	page.choose(testFiles...)
	uploads := page.awaitStatus(30*time.Second, len(testFiles), done)
	dataset := page.dataset()
	for _, u := range uploads {
		if want := keyOf(u); want != "" && u.Key != want {
			t.Errorf("key of %s: got %q, want %q", u.Name, u.Key, want)
		}
		b.checkObject(t, u.Key, u.file(t), dataset)
	}
	b.checkObjectCount(t, len(uploads))
	for _, u := range uploads {
		page.delete(u.ID)
	}
	b.checkObjectCount(t, 0)
}

// file is the file with the upload's name.
func (u upload) file(t *testing.T) testFile {
	i := slices.IndexFunc(testFiles, func(f testFile) bool { return f.name == u.Name })
	if i < 0 {
		t.Fatalf("no test file is named %q", u.Name)
	}
	return testFiles[i]
}
