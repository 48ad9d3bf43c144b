//go:build e2e

package e2e

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// A statement is one of a bucket policy.
type statement struct {
	Effect, Action, Resource any
	Principal                map[string]string
}

// A otherUser is a user of a store, beside the one that the buckets belong to, who may what their policies say.
type otherUser struct {
	store             *store
	principal         string
	accessKey, secret string
}

// startOtherUsers makes a user of the shared radosgw, and one of a versitygw that keeps versions where it is
// told to.
func startOtherUsers(t *testing.T) []otherUser {
	t.Helper()
	access, secret := "E2EGUEST"+strings.ToUpper(uuid()[:8]), "guest/secret+key/0123456789abcdefghijkl"
	shared.gateway.addUser(t, access, secret)
	versity := newVersitygw(t, "VGW_IAM_DIR="+t.TempDir(), "VGW_VERSIONING_DIR="+t.TempDir())
	versity.admin(t, "create-user", "--access", access, "--secret", secret, "--role", "user")
	return []otherUser{
		{shared.radosgw, "arn:aws:iam:::user/" + access, access, secret},
		{versity.store, access, access, secret},
	}
}

// addUser makes a user whose name is the access key.
func (g *radosgw) addUser(t *testing.T, access, secret string) {
	t.Helper()
	g.admin(t, "user", "create", "--uid="+access, "--display-name=guest", "--access-key="+access, "--secret-key="+secret)
}

// admin runs radosgw-admin.
func (g *radosgw) admin(t *testing.T, args ...string) {
	t.Helper()
	if err := g.run(append([]string{"radosgw-admin", "-c", g.file("ceph.conf"), "-n", "client.rgw"},
		args...)...)(); err != nil {
		t.Fatal(err)
	}
}

// admin runs versitygw admin.
func (g *versitygw) admin(t *testing.T, args ...string) {
	t.Helper()
	command := append(
		[]string{"admin", "--access", g.accessKey, "--secret", g.secretKey, "--endpoint-url", "http://" + loopback(g.port)},
		args...)
	if out, err := exec.Command(g.command[0], command...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// doctorSetup makes a setup with the guest's keys; its policy allows these actions.
func (g otherUser) doctorSetup(t *testing.T, actions ...string) *doctorSetup {
	t.Helper()
	p := newDoctorSetup(t, g.store)
	p.env["AWS_CLIENT_ACCESS_KEY"], p.env["AWS_CLIENT_SECRET_KEY"] = g.accessKey, g.secret
	if g.store == shared.radosgw {
		p.env["P3S3F_SIGNATURE_VERSION"] = "2" // radosgw obeys unsigned headers under 4
	}
	if actions != nil {
		g.setPolicy(t, p, statement{Effect: "Allow", Action: actions, Resource: p.resources()})
	}
	return p
}

func (p *doctorSetup) resources() []string {
	return []string{"arn:aws:s3:::" + p.name, "arn:aws:s3:::" + p.name + "/*"}
}

// setPolicy makes the statements, for the guest, the bucket's policy.
func (g otherUser) setPolicy(t *testing.T, p *doctorSetup, statements ...statement) {
	t.Helper()
	for i := range statements {
		statements[i].Principal = map[string]string{"AWS": g.principal}
	}
	document, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": statements})
	if err != nil {
		t.Fatal(err)
	}
	text := string(document)
	if _, err := p.client.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: &p.name,
		Policy: &text}); err != nil {
		t.Fatal(err)
	}
}

// What an upload, and the page's list, need.
const toPut, toAbort, toGet, toDelete, toList = "s3:PutObject", "s3:AbortMultipartUpload", "s3:GetObject",
	"s3:DeleteObject", "s3:ListBucket"

// TestDoctorPermissions gives a second user too few, the right, or too many permissions. The policy that doctor
// prints must put it right.
func TestDoctorPermissions(t *testing.T) {
	t.Parallel()
	for _, g := range startOtherUsers(t) {
		for _, test := range []struct {
			name        string
			actions     []string
			denied      string // to a user who, as the owner of what it uploads, may else read it
			env         settings
			check, text string // no check: healthy
		}{
			{"somebody else's bucket", nil, "", nil, "upload permission", toPut + " and " + toAbort},
			{"no right to upload", []string{toGet, toDelete, toAbort}, "", nil, "upload permission", toPut + " in"},
			{"no right to abort", []string{toPut, toGet, toDelete}, "", nil, "upload permission", toAbort + " in"},
			{"no right to delete", []string{toPut, toAbort, toGet}, "", nil, "delete permission", toDelete},
			{"no right to read", []string{toPut, toAbort, toDelete}, toGet, nil, "look-up", toGet},
			{
				"no right to read and no need",
				[]string{toPut, toAbort, toDelete},
				toGet,
				settings{"P3S3F_VERIFY_SUCCESS": "0", "P3S3F_OWN_UPLOADS_ONLY": "0"},
				"",
				"",
			},
			{"no right to delete and no need", []string{toPut, toAbort, toGet}, "", settings{"P3S3F_ALLOW_DELETE": "0"}, "", ""},
			{"what is needed", []string{toPut, toAbort, toGet, toDelete}, "", nil, "", ""},
		} {
			t.Run(g.store.name+" "+test.name, func(t *testing.T) {
				t.Parallel()
				p := g.doctorSetup(t, test.actions...)
				p.env = p.env.with(test.env)
				if test.denied != "" {
					g.setPolicy(
						t,
						p,
						statement{Effect: "Allow", Action: test.actions, Resource: p.resources()},
						statement{Effect: "Deny", Action: test.denied, Resource: p.resources()[1]},
					)
				}
				g.runDoctor(t, p, test.check, test.text)
			})
		}
	}
}

// TestDoctorVersitygwPolicy has a policy that would do at other stores. Without the right to delete no form
// is uploaded, and yet doctor finds that none would be taken.
func TestDoctorVersitygwPolicy(t *testing.T) {
	t.Parallel()
	g := startOtherUsers(t)[1]
	for name, actions := range map[string][]string{
		"may delete":     {toPut, toAbort, toGet, toDelete},
		"may not delete": {toPut, toAbort, toGet},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := g.doctorSetup(t)
			if len(actions) == 3 {
				p.env["P3S3F_ALLOW_DELETE"] = "0"
				p.edit(t, "client_conf.js", "deleteFile: {\n    enabled: true", "deleteFile: {\n    enabled: false")
			}
			g.setPolicy(t, p, statement{Effect: "Allow", Action: actions, Resource: p.resources()[1]})
			g.runDoctor(t, p, "signatures", "the bucket itself among the policy's resources")
		})
	}
}

// runDoctor expects the one fault, if there is to be one, and none left with the policy that doctor prints.
func (g otherUser) runDoctor(t *testing.T, p *doctorSetup, check, text string) {
	t.Helper()
	d := p.runDoctor(t)
	for _, f := range d.with("warning") {
		if f.Check == "permissions" {
			t.Errorf("false alarm: %+v", f)
		}
	}
	if check == "" {
		for _, f := range d.with("failed") {
			t.Errorf("false alarm: %+v", f)
		}
		return
	}
	d.expectOnly(t, check, text)
	g.setPolicy(t, p, suggestedPolicy(t, d)...)
	d = p.runDoctor(t)
	for _, f := range append(d.with("failed"), d.with("warning")...) {
		t.Errorf("with the policy that doctor gave: %+v", f)
	}
}

// suggestedPolicy is the policy document that doctor showed.
func suggestedPolicy(t *testing.T, d doctorReport) []statement {
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

// TestDoctorCephUsers has users whom their operator holds back.
func TestDoctorCephUsers(t *testing.T) {
	t.Parallel()
	const quota = "--quota-scope=bucket"
	for _, test := range []struct {
		name        string
		hold        [][]string
		check, text string
	}{
		{"quota", [][]string{{"quota", "set", quota, "--max-size=1048576"}, {"quota", "enable", quota}}, "multipart upload",
			"Raise the quota"},
		{"suspended", [][]string{{"user", "suspend"}}, "keys", "enable the key's user"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := storeOf(
				"radosgw",
				shared.radosgw.port,
				"E2EHELD"+strings.ToUpper(uuid()[:8]),
				"held/secret+key/0123456789abcdefghijkl",
			)
			shared.gateway.addUser(t, s.accessKey, s.secretKey)
			p := newDoctorSetup(t, s)
			for _, command := range test.hold {
				shared.gateway.admin(t, append(command, "--uid="+s.accessKey)...)
			}
			d := p.runDoctorOnly(t)
			shared.gateway.admin(t, "user", "enable", "--uid="+s.accessKey)
			d.expectOnly(t, test.check, test.text)
			p.expectEmpty(t)
		})
	}
}

// TestDoctorExcess warns of a key that sees other buckets and may delete without need.
func TestDoctorExcess(t *testing.T) {
	t.Parallel()
	s := startVersitygw(t)
	newBucket(t, s)
	p := newDoctorSetup(t, s)
	p.env["P3S3F_ALLOW_DELETE"] = "0"
	p.edit(t, "client_conf.js", "deleteFile: {\n    enabled: true", "deleteFile: {\n    enabled: false")
	d := p.runDoctor(t)
	warnings := d.with("warning")
	if !d.Healthy || len(warnings) != 1 || warnings[0].Check != "permissions" ||
		warnings[0].Text != "the key may list the store's buckets (1 others), and delete objects, although "+
			"P3S3F_ALLOW_DELETE=0" {
		t.Errorf("%+v", warnings)
	}
}
