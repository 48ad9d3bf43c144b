package fineuploader

import (
	"bufio"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"s3-sign-srv/internal/sign"
)

// captured is a row of what Fine Uploader was seen to send (internal/sign/testdata).
type captured struct {
	Scenario string `json:"scenario"`
	URL      string `json:"url"`
	Body     string `json:"body"`
}

// bodies returns what came to /s3/sign in a scenario, in that order.
func bodies(t *testing.T, scenario string) (found []string) {
	t.Helper()
	f, err := os.Open("../sign/testdata/captured.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var row captured
		if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
			t.Fatal(err)
		}
		if row.Scenario == scenario && strings.HasPrefix(row.URL, "/s3/sign") {
			found = append(found, row.Body)
		}
	}
	if found == nil {
		t.Fatalf("nothing of %q", scenario)
	}
	return found
}

// unicode is the name of a key and of a file in the captured requests.
const unicodeKey, unicodeName = "dir one/фото é+(1)*!'~&=#%.txt", "фото é.txt"

// unsignable are request.params of which Fine Uploader signs some, sends some unsigned, and prefixes some.
var unsignable = map[string]string{
	"Dataset": "ÀÁ {}/x", "Cache-Control": "no-cache",
	"Content-Disposition": `attachment; filename="a b.txt"`,
}

// TestStringsToSign compares the strings with those of the real Fine Uploader, byte by byte.
func TestStringsToSign(t *testing.T) {
	const body = "the captured bodies are not kept, only their hashes"
	const some = " mpu params unsignable (Cache-Control, Content-Disposition, mixed case meta, RRS, SSE)"
	rich := map[string]string{"x-amz-server-side-encryption": "AES256", "x-amz-storage-class": "REDUCED_REDUNDANCY"}
	plain := Client{ACL: "private"}
	unsigned := Client{ACL: "public-read", Params: unsignable}
	digest := Client{ACL: "private", Params: map[string]string{ContentMD5: "1B2M2Y8AsgTpgAmY7PhCfg=="}}
	for _, test := range []struct {
		scenario string
		version  sign.Version
		u        Client
		f        File
	}{
		{"v2 mpu vhost uuid.txt", sign.V2, plain, File{Key: "uuid.txt", Name: "my file é.txt"}},
		{"v4 mpu vhost uuid.txt", sign.V4, plain, File{Key: "uuid.txt", Name: "my file é.txt"}},
		{"v4 mpu vhost unicode key", sign.V4, plain, File{Key: unicodeKey, Name: unicodeName}},
		{"v2" + some, sign.V2, unsigned, File{Key: "uuid.txt", Name: "a.txt", Extra: rich}},
		{"v4" + some, sign.V4, unsigned, File{Key: "uuid.txt", Name: "a.txt", Extra: rich}},
		{"v2 mpu params Content-MD5", sign.V2, digest, File{Key: "uuid.txt", Name: "a.txt"}},
		{"v4 mpu params Content-MD5", sign.V4, digest, File{Key: "uuid.txt", Name: "a.txt"}},
	} {
		for _, sent := range bodies(t, test.scenario) {
			var want struct {
				Headers string `json:"headers"`
			}
			if err := json.Unmarshal([]byte(sent), &want); err != nil {
				t.Fatal(err)
			}
			layout := map[sign.Version]string{sign.V2: dateV2, sign.V4: dateV4}[test.version]
			at := capturedTime(t, want.Headers, layout)
			u, f := test.u, test.f
			u.Version, u.Now = test.version, func() time.Time { return at }
			u.Host, u.Bucket, u.Region = "mybucket.localhost:9312", "mybucket", "us-east-1"
			f.ContentType = "text/plain"
			r := requestLike(u, f, want.Headers, body)
			signed := withContentType(want.Headers, r)
			got, _, _ := u.StringToSign(f.Key, r)
			if maskHash(got, signed) != signed {
				t.Errorf("%s:\n got %q\nwant %q", test.scenario, got, signed)
			}
		}
	}
}

// TestPolicies compares the conditions of policies with those of the real Fine Uploader, in any order.
func TestPolicies(t *testing.T) {
	rich := map[string]string{"x-amz-server-side-encryption": "AES256", "x-amz-storage-class": "REDUCED_REDUNDANCY"}
	for scenario, version := range map[string]sign.Version{
		"v2 policy unicode key + params + sizeLimit": sign.V2, "v4 policy unicode key + params + sizeLimit": sign.V4,
	} {
		var want, got struct {
			Expiration string           `json:"expiration"`
			Conditions []jsontext.Value `json:"conditions"`
		}
		if err := json.Unmarshal([]byte(bodies(t, scenario)[0]), &want); err != nil {
			t.Fatal(err)
		}
		ends, err := time.Parse(dateISO, want.Expiration)
		if err != nil {
			t.Fatal(err)
		}
		u := Client{
			Version: version, ACL: "public-read", Bucket: "mybucket", Region: "us-east-1",
			AccessKey: "AKIAIOSFODNN7EXAMPLE", Params: unsignable,
		}
		f := File{Key: unicodeKey, Name: unicodeName, ContentType: "text/plain", Extra: rich}
		document, _ := u.Policy(f, ends.Add(-expiry))
		if err := json.Unmarshal(document, &got); err != nil {
			t.Fatal(err)
		}
		isSizeRange := func(c jsontext.Value) bool { return c.Kind() == '[' }
		want.Conditions = slices.DeleteFunc(want.Conditions, isSizeRange)
		if got.Expiration != want.Expiration || sorted(got.Conditions) != sorted(want.Conditions) {
			t.Errorf("%s:\n got %s\nwant %s", scenario, sorted(got.Conditions), sorted(want.Conditions))
		}
	}
}

func sorted(conditions []jsontext.Value) string {
	var lines []string
	for _, c := range conditions {
		lines = append(lines, string(c))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// requestLike returns the operation that text is for.
func requestLike(u Client, f File, text, body string) Request {
	_, id, _ := strings.Cut(text, "uploadId=")
	id, _, _ = strings.Cut(id, "\n")
	switch {
	case strings.Contains(text, "PUT\n"):
		number := "1"
		if strings.Contains(text, "partNumber=2") {
			number = "2"
		}
		return Request{Method: "PUT", Query: "partNumber=" + number + "&uploadId=" + id, Body: []byte(body)}
	case strings.Contains(text, "DELETE\n"):
		return Request{Method: "DELETE", Query: "uploadId=" + id}
	case id != "":
		return Request{Method: "POST", Query: "uploadId=" + id, ContentType: completeType, Body: []byte(body)}
	}
	return u.InitiateRequest(f)
}

// withContentType returns text as the page sends it, which signs the content type under version 4 too.
func withContentType(text string, r Request) string {
	if !strings.HasPrefix(text, algorithmV4) || r.Method == "DELETE" {
		return text
	}
	text = strings.Replace(text, "\nhost:", "\ncontent-type:"+r.ContentType+"\nhost:", 1)
	head, signed, _ := strings.Cut(text, "\n\n")
	return head + "\n\n" + strings.Replace(signed, "host;", "content-type;host;", 1)
}

// maskHash puts the hashes of want, whose bodies are not known, in place of got's.
func maskHash(got, want string) string {
	if !strings.HasPrefix(want, algorithmV4) {
		return got
	}
	tail := func(s string) string { return s[strings.LastIndexByte(s, '\n')+1:] }
	return strings.ReplaceAll(got, tail(got), tail(want))
}

func capturedTime(t *testing.T, text, layout string) time.Time {
	t.Helper()
	_, rest, _ := strings.Cut(text, "x-amz-date:")
	value, _, _ := strings.Cut(rest, "\n")
	at, err := time.Parse(layout, value)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// testClient returns a client for which the server signs.
func testClient(t *testing.T, version sign.Version) Client {
	t.Helper()
	endpoint, err := url.Parse("http://s3.example.org:9000")
	if err != nil {
		t.Fatal(err)
	}
	signer := sign.New(sign.Config{
		AccessKey: "AKIAIOSFODNN7EXAMPLE", SecretKey: sign.NewSecret("s3cret"),
		Bucket: "mybucket", Endpoint: endpoint, Region: "us-east-1",
	})
	return Client{
		Signer: signer, Now: time.Now, Version: version,
		Endpoint: "http://s3.example.org:9000/mybucket", Host: "s3.example.org:9000",
		Bucket: "mybucket", Region: "us-east-1", AccessKey: "AKIAIOSFODNN7EXAMPLE", ACL: "private",
		Params: map[string]string{"dataset": "a (b) ä"},
	}
}

// TestSignerAccepts checks that the server signs every request of an upload.
func TestSignerAccepts(t *testing.T) {
	f := File{Key: unicodeKey, Name: "my file é.png", ContentType: "image/png"}
	for _, version := range []sign.Version{sign.V2, sign.V4} {
		u := testClient(t, version)
		document, _ := u.Policy(f, u.Now().UTC())
		if _, err := u.Signer.ParsePolicy(version, document, u.Now()); err != nil {
			t.Errorf("V%d policy: %v", version, err)
		}
		for _, r := range []Request{
			u.InitiateRequest(f),
			{Method: "PUT", Query: "partNumber=1&uploadId=abc", Body: []byte("x")},
			{Method: "POST", Query: "uploadId=abc", ContentType: completeType, Body: []byte("<x/>")},
			{Method: "DELETE", Query: "uploadId=abc"},
		} {
			if err := u.authorize(f.Key, r, http.Header{}); err != nil {
				t.Errorf("V%d %s %s: %v", version, r.Method, r.Query, err)
			}
		}
	}
}
