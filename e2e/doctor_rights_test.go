//go:build e2e

package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// A statement is one of a bucket policy for the user guest.
type statement struct {
	Effect, Action, Resource any
	Principal                map[string]string
}

// TestDoctorRights gives a second user of radosgw too few, the right, or too many permissions.
func TestDoctorRights(t *testing.T) {
	gateway, err := startRadosgw(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer gateway.stop()
	const access, secret = "E2EGUEST000000000000", "guest/secret+key/0123456789abcdefghijkl"
	add := gateway.run("radosgw-admin", "-c", gateway.file("ceph.conf"), "-n", "client.rgw", "user", "create",
		"--uid=guest", "--display-name=guest", "--access-key="+access, "--secret-key="+secret)
	if err := add(); err != nil {
		t.Fatal(err)
	}
	const put, abort, get, remove = "s3:PutObject", "s3:AbortMultipartUpload", "s3:GetObject", "s3:DeleteObject"
	for _, test := range []struct {
		name         string
		actions      []string
		denied       string // to a user who, as the owner of what it uploads, may else read it
		env          settings
		check, words string // no check: healthy
	}{
		{"somebody else's bucket", nil, "", nil, "upload permission", put},
		{"no right to upload", []string{get, remove}, "", nil, "upload permission", put},
		{"no right to delete", []string{put, abort, get}, "", nil, "delete permission", remove},
		{"no right to read", []string{put, abort, remove}, get, nil, "look-up", get},
		{"no right to read and no need", []string{put, abort, remove}, get, settings{"P3S3F_VERIFY_SUCCESS": "0", "P3S3F_OWN_UPLOADS_ONLY": "0"}, "", ""},
		{"no right to delete and no need", []string{put, abort, get}, "", settings{"P3S3F_ALLOW_DELETE": "0"}, "", ""},
		{"what is needed", []string{put, abort, get, remove}, "", nil, "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPatient(t, gateway.store)
			p.env = p.env.with(settings{"AWS_CLIENT_ACCESS_KEY": access, "AWS_CLIENT_SECRET_KEY": secret, "P3S3F_SIGNATURE_VERSION": "2"}).with(test.env)
			objects := "arn:aws:s3:::" + p.name + "/*"
			var policy []statement
			if test.actions != nil {
				policy = append(policy, statement{Effect: "Allow", Action: test.actions, Resource: objects})
			}
			if test.denied != "" {
				policy = append(policy, statement{Effect: "Deny", Action: test.denied, Resource: objects})
			}
			if policy != nil {
				p.setPolicy(t, policy...)
			}
			d := p.examine(t)
			for _, f := range d.with("warning") {
				if f.Check == "permissions" {
					t.Errorf("false alarm: %+v", f)
				}
			}
			if test.check == "" {
				for _, f := range d.with("failed") {
					t.Errorf("false alarm: %+v", f)
				}
				return
			}
			d.wantOnly(t, test.check, test.words)
			p.setPolicy(t, advice(t, d)...)
			d = p.examine(t)
			for _, f := range append(d.with("failed"), d.with("warning")...) {
				t.Errorf("with the policy that doctor gave: %+v", f)
			}
		})
	}
}

// advice is the policy document that doctor showed.
func advice(t *testing.T, d diagnosis) []statement {
	t.Helper()
	var document struct{ Statement []statement }
	if len(d.with("failed")) == 0 {
		t.Fatal("nothing failed")
	}
	if err := json.Unmarshal([]byte(d.with("failed")[0].Document), &document); err != nil {
		t.Fatal(err)
	}
	return document.Statement
}

// setPolicy makes the statements, for guest, the bucket's policy.
func (p *patient) setPolicy(t *testing.T, statements ...statement) {
	t.Helper()
	for i := range statements {
		statements[i].Principal = map[string]string{"AWS": "arn:aws:iam:::user/guest"}
	}
	document, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": statements})
	if err != nil {
		t.Fatal(err)
	}
	text := string(document)
	if _, err := p.client.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: &p.name, Policy: &text}); err != nil {
		t.Fatal(err)
	}
}

// TestDoctorExcess warns of a key that sees other buckets and may delete without need.
func TestDoctorExcess(t *testing.T) {
	s := startVersitygw(t)
	newBucket(t, s)
	p := newPatient(t, s)
	p.env["P3S3F_ALLOW_DELETE"] = "0"
	p.edit(t, "client_conf.js", "deleteFile: {\n    enabled: true", "deleteFile: {\n    enabled: false")
	d := p.examine(t)
	warnings := d.with("warning")
	if !d.Healthy || len(warnings) != 1 || warnings[0].Check != "permissions" || warnings[0].Text != "the key may list the store's buckets (1 others), and delete objects, although P3S3F_ALLOW_DELETE=0" {
		t.Errorf("%+v", warnings)
	}
}

// TestDoctorVersions wants nothing left in a bucket that keeps every version.
func TestDoctorVersions(t *testing.T) {
	p := newPatient(t, shared.radosgw)
	if _, err := p.client.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{
		Bucket: &p.name, VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled},
	}); err != nil {
		t.Fatal(err)
	}
	for _, f := range p.examine(t).with("failed") {
		t.Errorf("false alarm: %+v", f)
	}
}

// TestDoctorInterrupted presses Ctrl-C while a part is on its way: the upload is aborted all the same.
func TestDoctorInterrupted(t *testing.T) {
	p := newPatient(t, startVersitygw(t))
	arrived := make(chan struct{}, 10)
	store := &httputil.ReverseProxy{Rewrite: toStore(p)}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			io.Copy(io.Discard, r.Body)
			arrived <- struct{}{}
			<-r.Context().Done()
			return
		}
		store.ServeHTTP(w, r)
	}))
	defer proxy.Close()
	p.env["AWS_ENDPOINT"] = proxy.URL
	doctor, err := startProcess(p.dir, p.env.environment(), shared.binary, "doctor")
	if err != nil {
		t.Fatal(err)
	}
	defer doctor.stop()
	select {
	case <-arrived:
	case <-time.After(10 * time.Second):
		t.Fatalf("no part came\n%s", doctor.output)
	}
	if uploads, err := p.unfinished(t.Context()); err != nil || len(uploads) != 1 {
		t.Fatalf("%d uploads, %v", len(uploads), err)
	}
	doctor.signal(syscall.SIGINT)
	if code, err := doctor.exitCode(10 * time.Second); err != nil || code != 1 {
		t.Errorf("exit code %d, %v\n%s", code, err, doctor.output)
	}
	p.wantEmpty(t)
}

// TestCORSCommand puts rules on a bucket, wide and narrow, and has doctor judge them.
func TestCORSCommand(t *testing.T) {
	versity := startVersitygw(t)
	for _, s := range []*store{shared.radosgw, versity} {
		t.Run(s.name, func(t *testing.T) {
			p := newPatient(t, s)
			if _, err := p.client.DeleteBucketCors(t.Context(), &s3.DeleteBucketCorsInput{Bucket: &p.name}); err != nil {
				t.Fatal(err)
			}
			for _, step := range []struct {
				args    []string
				says    string
				healthy bool // afterwards, for a page at localhost:5000
			}{
				{[]string{"-dry-run"}, p.name + " had no CORS rules.\nThey would become:", false},
				{nil, p.name + " had no CORS rules.\nThey are now:", true},
				{nil, p.name + " has these rules already", true},
				{[]string{"-origin", "https://app.example.org"}, "The rules of " + p.name + " before:", false},
				{[]string{"-origin", "https://app.example.org", "-origin", "http://localhost:5000"}, "<AllowedHeader>x-amz-meta-dataset</AllowedHeader>", true},
			} {
				p.runCORS(t, step.args, step.says)
				d := p.examine(t)
				if d.Healthy != step.healthy {
					t.Errorf("after cors %q: %+v", step.args, d.with("failed"))
				}
			}
		})
	}
}

// runCORS wants the command to end well and to say something.
func (p *patient) runCORS(t *testing.T, args []string, says string) {
	t.Helper()
	cors, err := startProcess(p.dir, p.env.environment(), append([]string{shared.binary, "cors"}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	defer cors.stop()
	code, err := cors.exitCode(15 * time.Second)
	if output := cors.output.String(); err != nil || code != 0 || !strings.Contains(output, says) {
		t.Errorf("cors %q: exit code %d, %v\n%s", args, code, err, output)
	}
}
