package doctor

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
var unsignable = map[string]string{"Dataset": "ÀÁ {}/x", "Cache-Control": "no-cache", "Content-Disposition": `attachment; filename="a b.txt"`}

// TestStringsToSign holds the strings against those of the real Fine Uploader, to the byte.
func TestStringsToSign(t *testing.T) {
	const body = "<the captured part and list are not kept, only their hashes>"
	const some = " mpu params unsignable (Cache-Control, Content-Disposition, mixed case meta, RRS, SSE)"
	rich := map[string]string{"x-amz-server-side-encryption": "AES256", "x-amz-storage-class": "REDUCED_REDUNDANCY"}
	plain := uploader{acl: "private"}
	digest := uploader{acl: "private", params: map[string]string{contentMD5: "1B2M2Y8AsgTpgAmY7PhCfg=="}}
	for _, test := range []struct {
		scenario string
		version  sign.Version
		u        uploader
		f        file
	}{
		{"v2 mpu vhost uuid.txt", sign.V2, plain, file{key: "uuid.txt", name: "my file é.txt"}},
		{"v4 mpu vhost uuid.txt", sign.V4, plain, file{key: "uuid.txt", name: "my file é.txt"}},
		{"v4 mpu vhost unicode key", sign.V4, plain, file{key: unicodeKey, name: unicodeName}},
		{"v2" + some, sign.V2, uploader{acl: "public-read", params: unsignable}, file{key: "uuid.txt", name: "a.txt", extra: rich}},
		{"v4" + some, sign.V4, uploader{acl: "public-read", params: unsignable}, file{key: "uuid.txt", name: "a.txt", extra: rich}},
		{"v2 mpu params Content-MD5", sign.V2, digest, file{key: "uuid.txt", name: "a.txt"}},
		{"v4 mpu params Content-MD5", sign.V4, digest, file{key: "uuid.txt", name: "a.txt"}},
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
			u.version, u.now, u.host, u.bucket, u.region = test.version, func() time.Time { return at }, "mybucket.localhost:9312", "mybucket", "us-east-1"
			f.contentType = "text/plain"
			got, _, _ := u.stringToSign(f.key, requestLike(u, f, want.Headers, body))
			if maskHash(got, want.Headers) != want.Headers {
				t.Errorf("%s:\n got %q\nwant %q", test.scenario, got, want.Headers)
			}
		}
	}
}

// TestPolicies holds the conditions of policies against those of the real Fine Uploader, in any order.
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
		u := uploader{version: version, acl: "public-read", bucket: "mybucket", region: "us-east-1", accessKey: "AKIAIOSFODNN7EXAMPLE", params: unsignable}
		document, _ := u.policy(file{key: unicodeKey, name: unicodeName, contentType: "text/plain", extra: rich}, ends.Add(-expiry))
		if err := json.Unmarshal(document, &got); err != nil {
			t.Fatal(err)
		}
		want.Conditions = slices.DeleteFunc(want.Conditions, func(c jsontext.Value) bool { return c.Kind() == '[' }) // the size range
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
func requestLike(u uploader, f file, text, body string) request {
	_, id, _ := strings.Cut(text, "uploadId=")
	id, _, _ = strings.Cut(id, "\n")
	switch {
	case strings.Contains(text, "PUT\n"):
		number := "1"
		if strings.Contains(text, "partNumber=2") {
			number = "2"
		}
		return request{method: "PUT", query: "partNumber=" + number + "&uploadId=" + id, body: []byte(body)}
	case strings.Contains(text, "DELETE\n"):
		return request{method: "DELETE", query: "uploadId=" + id}
	case id != "":
		return request{method: "POST", query: "uploadId=" + id, contentType: completeType, body: []byte(body)}
	}
	return u.initiation(f)
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

// testUploader is one that the server would sign for.
func testUploader(t *testing.T, version sign.Version) uploader {
	t.Helper()
	endpoint, err := url.Parse("http://s3.example.org:9000")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := sign.New(sign.Config{AccessKey: "AKIAIOSFODNN7EXAMPLE", SecretKey: sign.NewSecret("s3cret"), Bucket: "mybucket", Endpoint: endpoint, Region: "us-east-1"})
	if err != nil {
		t.Fatal(err)
	}
	return uploader{
		signer: signer, now: time.Now, version: version, endpoint: "http://s3.example.org:9000/mybucket", host: "s3.example.org:9000",
		bucket: "mybucket", region: "us-east-1", accessKey: "AKIAIOSFODNN7EXAMPLE", acl: "private", params: map[string]string{"dataset": "a (b) ä"},
	}
}

// TestSignerTakesThem has the server judge every request of an upload.
func TestSignerTakesThem(t *testing.T) {
	f := file{key: unusual, name: "my file é.png", contentType: "image/png"}
	for _, version := range []sign.Version{sign.V2, sign.V4} {
		u := testUploader(t, version)
		document, _ := u.policy(f, u.now().UTC())
		if _, err := u.signer.ParsePolicy(version, document, u.now()); err != nil {
			t.Errorf("V%d policy: %v", version, err)
		}
		for _, r := range []request{
			u.initiation(f),
			{method: "PUT", query: "partNumber=1&uploadId=abc", body: []byte("x")},
			{method: "POST", query: "uploadId=abc", contentType: completeType, body: []byte("<x/>")},
			{method: "DELETE", query: "uploadId=abc"},
		} {
			if err := u.authorize(f.key, r, http.Header{}); err != nil {
				t.Errorf("V%d %s %s: %v", version, r.method, r.query, err)
			}
		}
	}
}
