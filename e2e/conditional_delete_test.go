//go:build e2e

package e2e

import (
	"net/url"
	"testing"

	"s3-sign-srv/internal/s3"
	"s3-sign-srv/internal/sign"
)

// Upload.Delete deletes the object that the hook received. An object that has replaced it stays on versitygw; radosgw
// 16.2.15 ignores the condition.
func TestDeleteIfMatch(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		store *store
		kept  bool
	}{{shared.radosgw, false}, {startVersitygw(t), true}} {
		b := newBucket(t, test.store)
		own := s3.New(s3.Config{
			AccessKey: b.accessKey, SecretKey: sign.NewSecret(b.secretKey), Region: region, Name: b.name,
			Endpoint: &url.URL{Scheme: "http", Host: loopback(b.port)},
		})
		const key = "dir one/é+.txt"
		b.put(t, key, "first")
		first, err := own.Head(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		b.put(t, key, "second")
		if err := own.DeleteIfMatch(t.Context(), key, first.ETag); err != nil || b.has(t, key) != test.kept {
			t.Errorf("%s, replaced object: %v, kept %t, want %t", b.store.name, err, b.has(t, key), test.kept)
		}
		b.put(t, key, "first")
		if err := own.DeleteIfMatch(t.Context(), key, first.ETag); err != nil || b.has(t, key) {
			t.Errorf("%s, received object: %v, kept %t", b.store.name, err, b.has(t, key))
		}
	}
}
