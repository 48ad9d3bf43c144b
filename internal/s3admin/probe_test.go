package s3admin

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"testing"

	"s3-sign-srv/internal/s3"
	"s3-sign-srv/internal/sign"
)

// bucketAt returns a bucket at address.
func bucketAt(t *testing.T, address string) *Bucket {
	t.Helper()
	endpoint, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return New(s3.Config{
		AccessKey: "AKIAIOSFODNN7EXAMPLE", SecretKey: sign.NewSecret("s3cret"),
		Endpoint: endpoint, Region: "us-east-1", Name: "mybucket",
	})
}

// TestPurgeKeepsOthers uses a store that ignores the prefix of a request.
func TestPurgeKeepsOthers(t *testing.T) {
	var deleted []string
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch q := r.URL.Query(); {
		case r.Method == http.MethodDelete:
			deleted = append(deleted, r.URL.Path+" "+q.Get("versionId")+q.Get("uploadId"))
			w.WriteHeader(http.StatusNoContent)
		case q.Has("versions"):
			fmt.Fprint(w, `<ListVersionsResult><Version><Key>mine/a</Key><VersionId>1</VersionId></Version>
				<Version><Key>yours</Key><VersionId>2</VersionId></Version>
				<DeleteMarker><Key>mine/a</Key><VersionId>3</VersionId></DeleteMarker></ListVersionsResult>`)
		case q.Has("uploads"):
			fmt.Fprint(w, `<ListMultipartUploadsResult><Upload><Key>mine/b</Key><UploadId>4</UploadId></Upload>
				<Upload><Key>yours</Key><UploadId>5</UploadId></Upload></ListMultipartUploadsResult>`)
		}
	}))
	defer store.Close()
	b := bucketAt(t, store.URL)
	if b.PurgeVersions(t.Context(), "") == nil || b.PurgeUploads(t.Context(), "") == nil || deleted != nil {
		t.Errorf("without a prefix: %q", deleted)
	}
	if err := errors.Join(b.PurgeVersions(t.Context(), "mine/"), b.PurgeUploads(t.Context(), "mine/")); err != nil {
		t.Error(err)
	}
	if want := []string{"/mybucket/mine/a 1", "/mybucket/mine/a 3", "/mybucket/mine/b 4"}; !slices.Equal(deleted, want) {
		t.Errorf("%q, want %q", deleted, want)
	}
}

// TestKeepsVersions uses keys with different permissions. e2e has the same test with real stores.
func TestKeepsVersions(t *testing.T) {
	const listed = "<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>"
	for _, test := range []struct {
		name, versioning, list, version string
		kept, known                     bool
	}{
		{"never", "<VersioningConfiguration/>", "", "", false, true},
		{"enabled", "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>", "", "", true, true},
		{"suspended", "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>", "", "", true, true},
		{"no permission, an object has a version", "", listed, "1", true, true},
		{"no permission, an object has none", "", listed, "", false, true},
		{"no permission, an empty bucket", "", "<ListBucketResult/>", "", false, false},
		{"no permission, not even to list", "", "", "", false, false},
	} {
		store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body := test.list
			if r.URL.Query().Has("versioning") {
				body = test.versioning
			}
			switch {
			case r.Method == http.MethodHead && test.version != "":
				w.Header().Set("x-amz-version-id", test.version)
			case r.Method != http.MethodHead && body == "":
				w.WriteHeader(http.StatusForbidden)
				body = "<Error><Code>AccessDenied</Code></Error>"
			}
			fmt.Fprint(w, body)
		}))
		kept, known, err := bucketAt(t, store.URL).KeepsVersions(t.Context())
		store.Close()
		if kept != test.kept || known != test.known || err != nil {
			t.Errorf("%s: %v %v %v", test.name, kept, known, err)
		}
	}
}

// TestCode reads the error code and the status of a response, and has neither without a response.
func TestCode(t *testing.T) {
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, "<Error><Code>InvalidAccessKeyId</Code></Error>")
	}))
	_, err := bucketAt(t, store.URL).Buckets(t.Context())
	if s3.Code(err) != "InvalidAccessKeyId" || Status(err) != http.StatusForbidden {
		t.Errorf("%q %d", s3.Code(err), Status(err))
	}
	store.Close()
	_, err = bucketAt(t, store.URL).Buckets(t.Context())
	if s3.Code(err) != "" || Status(err) != 0 {
		t.Errorf("nothing listens: %q %d", s3.Code(err), Status(err))
	}
	if s3.Code(nil) != "" || Status(nil) != 0 {
		t.Error("no error has a code")
	}
}
