package doctor

import (
	"bufio"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"s3-sign-srv/internal/sign"
)

// captured is a row of what Fine Uploader was seen to send (internal/sign/testdata).
type captured struct {
	Scenario string `json:"scenario"`
	URL      string `json:"url"`
	Body     string `json:"body"`
}

// strings returns the strings to sign of a scenario, in the order in which they came.
func capturedStrings(t *testing.T, scenario string) (texts []string) {
	t.Helper()
	f, err := os.Open("../sign/testdata/captured.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var row captured
		var body struct {
			Headers string `json:"headers"`
		}
		if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
			t.Fatal(err)
		}
		if row.Scenario == scenario && strings.HasPrefix(row.URL, "/s3/sign") && json.Unmarshal([]byte(row.Body), &body) == nil && body.Headers != "" {
			texts = append(texts, body.Headers)
		}
	}
	if texts == nil {
		t.Fatalf("no strings of %q", scenario)
	}
	return texts
}

// TestStringsToSign holds the strings against those of the real Fine Uploader, to the byte.
func TestStringsToSign(t *testing.T) {
	const body = "<the captured part and list are not kept, only their hashes>"
	for _, test := range []struct {
		scenario string
		version  sign.Version
		layout   string
		key      string
	}{
		{"v2 mpu vhost uuid.txt", sign.V2, dateV2, "uuid.txt"},
		{"v4 mpu vhost uuid.txt", sign.V4, dateV4, "uuid.txt"},
		{"v4 mpu vhost unicode key", sign.V4, dateV4, "dir one/фото é+(1)*!'~&=#%.txt"},
	} {
		for _, want := range capturedStrings(t, test.scenario) {
			at := capturedTime(t, want, test.layout)
			u := uploader{version: test.version, host: "mybucket.localhost:9312", bucket: "mybucket", region: "us-east-1", acl: "private", now: func() time.Time { return at }}
			f := file{key: test.key, name: "my file é.txt", contentType: "text/plain"}
			if strings.Contains(want, "%D1%84") && strings.Contains(want, "qqfilename") {
				f.name = "фото é.txt"
			}
			got, _, _ := u.stringToSign(f.key, requestLike(u, f, want, body))
			if maskHash(got, want) != want {
				t.Errorf("%s:\n got %q\nwant %q", test.scenario, got, want)
			}
		}
	}
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
			if _, _, err := u.authorize(f.key, r); err != nil {
				t.Errorf("V%d %s %s: %v", version, r.method, r.query, err)
			}
		}
	}
}
