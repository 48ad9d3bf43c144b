//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// A ledgerClient uploads one file without a browser. It sends what Fine Uploader sends to the server, and stores the
// object with the tests' own client.
type ledgerClient struct {
	b      *bucket
	cookie *http.Cookie
	key    string
}

// newLedgerClient is a client with a cookie of srv.
func newLedgerClient(t *testing.T, b *bucket, srv *server) *ledgerClient {
	t.Helper()
	cookie := srv.newCookie(t)
	owner, _, _ := strings.Cut(cookie.Value, ".")
	return &ledgerClient{b: b, cookie: cookie, key: owner + "/" + uuid() + ".bam"}
}

// post sends a request to the server. The error has the status and the body of a response other than 200.
func (c *ledgerClient) post(srv *server, target, contentType, body string) error {
	r, err := http.NewRequest(http.MethodPost, srv.url+target, strings.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", contentType)
	r.AddCookie(c.cookie)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%d %s", res.StatusCode, text)
	}
	return err
}

// sign requests the signature of a step with version 2: form, initiate, part or complete.
func (c *ledgerClient) sign(srv *server, step string) error {
	now := time.Now().UTC()
	if step == "form" {
		return c.post(srv, "/s3/sign", "application/json", fmt.Sprintf(`{"expiration":"%s","conditions":[{"acl":"private"},`+
			`{"bucket":"%s"},{"success_action_status":"200"},{"key":"%s"},{"x-amz-meta-dataset":"D1"},`+
			`{"x-amz-meta-qqfilename":"reads.bam"}]}`,
			now.Add(5*time.Minute).Format("2006-01-02T15:04:05.000Z"), c.b.name, c.key))
	}
	const meta = "\nx-amz-meta-dataset:D1\nx-amz-meta-qqfilename:reads.bam"
	date := "x-amz-date:" + now.Format("Mon, 02 Jan 2006 15:04:05 GMT")
	path := "/" + c.b.name + "/" + c.key
	text := map[string]string{
		"initiate": "POST\n\n\n\nx-amz-acl:private\n" + date + meta + "\n" + path + "?uploads",
		"part":     "PUT\n\n\n\n" + date + "\n" + path + "?partNumber=1&uploadId=U",
		"complete": "POST\n\napplication/xml; charset=UTF-8\n\n" + date + "\n" + path + "?uploadId=U",
	}[step]
	return c.post(srv, "/s3/sign", "application/json", asJSON(map[string]string{"headers": text}))
}

// store stores the object.
func (c *ledgerClient) store(t *testing.T) error {
	_, err := c.b.client.PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: &c.b.name, Key: &c.key, Body: strings.NewReader("reads"),
		Metadata: map[string]string{"dataset": "D1", "qqfilename": "reads.bam"},
	})
	return err
}

func (c *ledgerClient) report(srv *server) error {
	form := url.Values{"key": {c.key}, "bucket": {c.b.name}, "name": {"reads.bam"}, "uuid": {uuid()}}
	return c.post(srv, "/s3/success", "application/x-www-form-urlencoded", form.Encode())
}

// upload signs the steps, stores the object and reports it.
func (c *ledgerClient) upload(t *testing.T, srv *server, steps ...string) error {
	for _, step := range steps {
		if err := c.sign(srv, step); err != nil {
			return err
		}
	}
	return errors.Join(c.store(t), c.report(srv))
}

// expect imports a manifest with the settings of a server.
func expect(t *testing.T, s settings, manifest string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "manifest.csv")
	writeFile(t, file, manifest)
	s.run(t, "expect", "import", file)
}

// run runs a command with these settings and returns what it prints.
func (s settings) run(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command(shared.binary, args...)
	cmd.Env = s.environment()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, out)
	}
	return string(out)
}

// restart kills srv and starts it again at the same port.
func (srv *server) restart(t *testing.T, s settings) *server {
	t.Helper()
	srv.signal(syscall.SIGKILL)
	<-srv.exited
	return startServer(t, srv.dir, s.with(settings{"P3S3F_HOST_PORT": srv.port()}))
}
