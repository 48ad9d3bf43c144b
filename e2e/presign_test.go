//go:build e2e

package e2e

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// presign sends a request of Uppy's signRequest, without a browser.
func (srv *server) presign(t *testing.T, message string) (status int, body string) {
	t.Helper()
	r := newRequest(http.MethodPost, srv.url+"/s3/presign", message)
	r.Header.Set("Content-Type", "application/json")
	return do(t, r)
}

// presignedURLIn is the URL in a response of /s3/presign.
func presignedURLIn(t *testing.T, status int, body string) string {
	t.Helper()
	var response struct{ URL string }
	if err := json.Unmarshal([]byte(body), &response); err != nil || status != http.StatusOK {
		t.Fatalf("presign: status %d, %v: %s", status, err, body)
	}
	return response.URL
}

// tags counts the tags of an object.
func (b *bucket) tags(t *testing.T, key string) int {
	t.Helper()
	tags, err := b.client.GetObjectTagging(t.Context(), &s3.GetObjectTaggingInput{Bucket: &b.name, Key: &key})
	if err != nil {
		t.Fatal(err)
	}
	return len(tags.TagSet)
}
