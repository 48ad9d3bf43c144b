package bucket

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// TestPurgeKeepsOthers has a store that does not heed the prefix it is asked for.
func TestPurgeKeepsOthers(t *testing.T) {
	var deleted []string
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch q := r.URL.Query(); {
		case r.Method == http.MethodDelete:
			deleted = append(deleted, r.URL.Path+" "+q.Get("versionId")+q.Get("uploadId"))
			w.WriteHeader(http.StatusNoContent)
		case q.Has("versions"):
			fmt.Fprint(w, `<ListVersionsResult><Version><Key>mine/a</Key><VersionId>1</VersionId></Version>
				<Version><Key>yours</Key><VersionId>2</VersionId></Version><DeleteMarker><Key>mine/a</Key><VersionId>3</VersionId></DeleteMarker></ListVersionsResult>`)
		case q.Has("uploads"):
			fmt.Fprint(w, `<ListMultipartUploadsResult><Upload><Key>mine/b</Key><UploadId>4</UploadId></Upload><Upload><Key>yours</Key><UploadId>5</UploadId></Upload></ListMultipartUploadsResult>`)
		}
	}))
	defer store.Close()
	b := at(t, store.URL)
	if err := b.Purge(t.Context(), ""); err == nil || deleted != nil {
		t.Errorf("without a prefix: %v, %q", err, deleted)
	}
	if err := b.Purge(t.Context(), "mine/"); err != nil {
		t.Error(err)
	}
	if want := []string{"/mybucket/mine/a 1", "/mybucket/mine/a 3", "/mybucket/mine/b 4"}; !slices.Equal(deleted, want) {
		t.Errorf("%q, want %q", deleted, want)
	}
}

// TestCode tells the store's word and status, also of answers without a body.
func TestCode(t *testing.T) {
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, "<Error><Code>InvalidAccessKeyId</Code></Error>")
	}))
	_, err := at(t, store.URL).Buckets(t.Context())
	if Code(err) != "InvalidAccessKeyId" || Status(err) != http.StatusForbidden {
		t.Errorf("%q %d", Code(err), Status(err))
	}
	store.Close()
	_, err = at(t, store.URL).Buckets(t.Context())
	if Code(err) != "" || Status(err) != 0 {
		t.Errorf("nobody answers: %q %d", Code(err), Status(err))
	}
	if Code(nil) != "" || Status(nil) != 0 {
		t.Error("no error has a code")
	}
}

// TestCORSDocument reads rules, writes them and narrows them.
func TestCORSDocument(t *testing.T) {
	const wide = `<CORSConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><!-- no --><CORSRule><ID>x</ID><AllowedOrigin>*</AllowedOrigin><AllowedMethod>PUT</AllowedMethod><AllowedHeader>*</AllowedHeader><ExposeHeader>ETag</ExposeHeader></CORSRule></CORSConfiguration>`
	flat := func(document []byte, err error) string {
		if err != nil {
			t.Error(err)
		}
		var b strings.Builder
		for line := range strings.Lines(string(document)) {
			b.WriteString(strings.TrimSpace(line))
		}
		return b.String()
	}
	narrow := flat(NarrowCORS([]byte(wide), []string{"https://a.example.org", "https://b.example.org"}, []string{"x-amz-date"}))
	for _, test := range []struct{ got, want string }{
		{flat(FormatCORS([]byte(wide))), "<CORSConfiguration><CORSRule><ID>x</ID><AllowedOrigin>*</AllowedOrigin><AllowedMethod>PUT</AllowedMethod><AllowedHeader>*</AllowedHeader><ExposeHeader>ETag</ExposeHeader></CORSRule></CORSConfiguration>"},
		{narrow, "<CORSConfiguration><CORSRule><ID>x</ID><AllowedOrigin>https://a.example.org</AllowedOrigin><AllowedOrigin>https://b.example.org</AllowedOrigin><AllowedMethod>PUT</AllowedMethod><AllowedHeader>x-amz-date</AllowedHeader><ExposeHeader>ETag</ExposeHeader></CORSRule></CORSConfiguration>"},
	} {
		if test.got != test.want {
			t.Errorf("\n got %s\nwant %s", test.got, test.want)
		}
	}
	same := strings.Replace(wide, "<ID>x</ID>", "", 1)
	if !SameCORS([]byte(wide), []byte(same)) || SameCORS([]byte(wide), []byte(narrow)) || SameCORS([]byte(wide), nil) {
		t.Error("rules are not compared by what they allow")
	}
	for _, bad := range []string{"", "<html/>", "<CORSConfiguration/>", "<CORSConfiguration>"} {
		if _, err := FormatCORS([]byte(bad)); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}
