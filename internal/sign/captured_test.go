package sign

import (
	"bufio"
	"errors"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"s3-sign-srv/internal/apierror"
)

// captured is one request that Fine Uploader 5.16.2 sent from Chromium, with the signature that an
// independent implementation computed.
type captured struct {
	Scenario   string `json:"scenario"`
	URL        string `json:"url"`
	Body       string `json:"body"`
	Version    int    `json:"version"`
	Kind       string `json:"kind"`
	Time       string `json:"time"`
	Expiration string `json:"expiration"`
	Endpoint   string `json:"endpoint"`
	Policy     string `json:"policy"`
	Signature  string `json:"signature"`
	Expect     string `json:"expect"`
}

func readCaptured(t testing.TB) []captured {
	t.Helper()
	f, err := os.Open("testdata/captured.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var rows []captured
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var row captured
		if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row)
	}
	return rows
}

// now is the server's clock when the row was captured: the time in it, or 5 minutes before the
// policy's end; the rows whose client was a day ahead were captured a day before theirs.
func (c captured) now(t testing.TB) time.Time {
	t.Helper()
	var at time.Time
	var err error
	switch {
	case c.Expiration != "":
		at, err = time.Parse(dateISO, c.Expiration)
		at = at.Add(-defaultExpiry)
	case c.Version == 2:
		at, err = time.Parse(dateV2, c.Time)
	default:
		at, err = time.Parse(dateV4, c.Time)
	}
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(c.Scenario, "clockDrift +1 day") {
		at = at.AddDate(0, 0, -1)
	}
	return at
}

// parse hands the row to the parser that the server would choose.
func (c captured) parse(t testing.TB, s *Signer) (*Request, error) {
	t.Helper()
	if c.Kind == "policy" {
		return s.ParsePolicy(Version(c.Version), []byte(c.Body), c.now(t))
	}
	var body struct {
		Headers string `json:"headers"`
	}
	if err := json.Unmarshal([]byte(c.Body), &body); err != nil {
		t.Fatal(err)
	}
	return s.ParseStringToSign(Version(c.Version), body.Headers, c.now(t))
}

// exampleConfig is the configuration of the captured run.
func exampleConfig(endpoint string) Config {
	e, err := url.Parse(endpoint)
	if err != nil {
		panic(err)
	}
	return Config{
		AccessKey: "AKIAIOSFODNN7EXAMPLE",
		SecretKey: NewSecret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
		Bucket:    "mybucket",
		Endpoint:  e,
		Region:    "us-east-1",
	}
}

// TestCaptured runs every captured sign request with the clock set to its time. What the row expects
// decides; an error must say what its row says.
func TestCaptured(t *testing.T) {
	const publicRead = "sign only where the ACL public-read is allowed by configuration; refused by default"
	messages := map[string]string{ // expect → what the sentence must say
		publicRead: "P3S3F_ALLOWED_ACLS",
		"refuse: x-amz-date is a day away from the server clock; say by how " +
			"much": "1 day ahead of",
		"refuse: request.endpoint ends in a slash, so the client requests //key; say " +
			"so": "remove the trailing slash from request.endpoint",
		"refuse: Fine Uploader lists content-md5 in SignedHeaders without its line; no signature of it can verify; say " +
			"so": "remove Content-MD5 from request.params",
	}
	counts := map[string]int{}
	for i, row := range readCaptured(t) {
		if row.Kind == "" {
			continue // success and delete requests: internal/server has them
		}
		endpoint, _, _ := strings.Cut(row.Endpoint, " ")
		if endpoint == "" {
			endpoint = "http://localhost:9312"
		}
		cfg := exampleConfig(endpoint)
		cfg.VirtualHosted = !strings.Contains(row.Endpoint, "path-style")
		want, rejected := messages[row.Expect]
		if rejected {
			_, err := row.parse(t, New(cfg))
			var apiErr *apierror.Error
			if !errors.As(err, &apiErr) || !strings.Contains(apiErr.Message, want) {
				t.Errorf("row %d, %s: error %v, want a message with %q", i+1, row.Scenario, err, want)
			}
			counts["refused"]++
		}
		if rejected && row.Expect != publicRead {
			continue
		}
		if row.Expect == publicRead {
			cfg.ACLs = []string{"public-read"}
		}
		s := New(cfg)
		r, err := row.parse(t, s)
		if err != nil {
			t.Errorf("row %d, %s: refused: %v", i+1, row.Scenario, err)
			continue
		}
		if got := s.Sign(r); got != (Signature{row.Policy, row.Signature}) {
			t.Errorf("row %d, %s:\n got %v\nwant %v", i+1, row.Scenario, got, Signature{row.Policy, row.Signature})
		}
		counts["signed"]++
	}
	if counts["signed"] != 113 || counts["refused"] != 14 {
		t.Errorf("counts %v, want 113 signed (4 of them with public-read allowed) and 14 refused", counts)
	}
}
