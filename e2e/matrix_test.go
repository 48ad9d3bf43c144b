//go:build e2e

package e2e

import (
	"fmt"
	"net/url"
	"strconv"
	"testing"
	"time"
)

// Every way to reach a store and to name objects in it carries every kind of file: the bytes and the
// metadata arrive, and the page's client can delete what it uploaded.
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
				if lines := srv.complaints(); lines != nil {
					t.Errorf("the server was not content: %s", lines)
				}
			})
		}
	}
}

// keySchemes are the ways to name objects that Fine Uploader has.
var keySchemes = []struct {
	name   string
	script string                // objectProperties.key; "": the client configuration is the server's own
	of     func(u upload) string // what the key has to be; "": chosen by the client
}{
	{"uuid", "", func(upload) string { return "" }},
	{"filename", `"filename"`, func(u upload) string { return u.Name }},
	{"function", `function (id) { return "a folder/of number " + id + "/" + this.getName(id); }`,
		func(u upload) string { return fmt.Sprintf("a folder/of number %d/%s", u.ID, u.Name) }},
}

func uploadAndDelete(t *testing.T, page *tab, b *bucket, keyOf func(upload) string) {
	page.choose(testFiles...)
	uploads := page.await(30*time.Second, len(testFiles), done)
	dataset := eval[string](page, `fine_u_conf.request.params.dataset`)
	for _, u := range uploads {
		if want := keyOf(u); want != "" && u.Key != want {
			t.Errorf("%s is stored as %q, want %q", u.Name, u.Key, want)
		}
		b.holds(t, u.Key, u.file(t), dataset)
	}
	if keys, err := b.keys(t.Context()); err != nil || len(keys) != len(uploads) {
		t.Errorf("the bucket holds %q, %v; want %d objects", keys, err, len(uploads))
	}

	for _, u := range uploads {
		page.delete(u.ID)
	}
	if keys, err := b.keys(t.Context()); err != nil || len(keys) != 0 {
		t.Errorf("after the delete the bucket holds %q, %v", keys, err)
	}
}

// file finds the file that was chosen under the upload's name.
func (u upload) file(t *testing.T) testFile {
	for _, f := range testFiles {
		if f.name == u.Name {
			return f
		}
	}
	t.Fatalf("no test file is named %q", u.Name)
	return testFile{}
}

// holds checks that the object is the file, came up in the right number of parts, and says where it is from.
func (b *bucket) holds(t *testing.T, key string, f testFile, dataset string) {
	t.Helper()
	o := b.get(t, key)
	if o.size != f.size || o.sum != f.sum(t) {
		t.Errorf("%s: %d bytes with SHA-256 %x arrived, want %d bytes with %x", f.name, o.size, o.sum, f.size, f.sum(t))
	}
	if want := f.parts(); o.parts != want {
		t.Errorf("%s: came in %d parts, want %d", f.name, o.parts, want)
	}
	if name, err := url.PathUnescape(o.metadata["qqfilename"]); err != nil || name != f.name {
		t.Errorf("%s: metadata qqfilename is %q, %v", f.name, o.metadata["qqfilename"], err)
	}
	if o.metadata["dataset"] != dataset || dataset == "" {
		t.Errorf("%s: metadata dataset is %q, want %q", f.name, o.metadata["dataset"], dataset)
	}
}
