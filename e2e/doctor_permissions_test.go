//go:build e2e

package e2e

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// statement is one of a bucket policy.
type statement struct {
	Effect, Action, Resource any
	Principal                map[string]string
}

// otherUser is a second user of a store, who has the permissions that the policies of the buckets give.
type otherUser struct {
	store             *store
	principal         string
	accessKey, secret string
}

// startOtherUsers makes a user of the shared radosgw, and one of a versitygw that supports versions.
func startOtherUsers(t *testing.T) []otherUser {
	t.Helper()
	access, secret := "E2EOTHER"+strings.ToUpper(uuid()[:8]), "other/secret+key/0123456789abcdefghijkl"
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
	g.admin(t, "user", "create", "--uid="+access, "--display-name=other", "--access-key="+access, "--secret-key="+secret)
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

// doctorSetup makes a setup with the user's keys; the bucket's policy allows these actions.
func (u otherUser) doctorSetup(t *testing.T, actions ...string) *doctorSetup {
	t.Helper()
	setup := newDoctorSetup(t, u.store)
	setup.env["AWS_CLIENT_ACCESS_KEY"], setup.env["AWS_CLIENT_SECRET_KEY"] = u.accessKey, u.secret
	if u.store == shared.radosgw {
		setup.env["P3S3F_SIGNATURE_VERSION"] = "2" // radosgw obeys unsigned headers under 4
	}
	if actions != nil {
		u.setPolicy(t, setup, statement{Effect: "Allow", Action: actions, Resource: setup.resources()})
	}
	return setup
}

func (setup *doctorSetup) resources() []string {
	return []string{"arn:aws:s3:::" + setup.name, "arn:aws:s3:::" + setup.name + "/*"}
}

// setPolicy sets the bucket's policy to these statements, for the user.
func (u otherUser) setPolicy(t *testing.T, setup *doctorSetup, statements ...statement) {
	t.Helper()
	for i := range statements {
		statements[i].Principal = map[string]string{"AWS": u.principal}
	}
	document, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": statements})
	if err != nil {
		t.Fatal(err)
	}
	text := string(document)
	if _, err := setup.client.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: &setup.name,
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
	for _, u := range startOtherUsers(t) {
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
			t.Run(u.store.name+" "+test.name, func(t *testing.T) {
				t.Parallel()
				setup := u.doctorSetup(t, test.actions...)
				setup.env = setup.env.with(test.env)
				if test.denied != "" {
					u.setPolicy(
						t,
						setup,
						statement{Effect: "Allow", Action: test.actions, Resource: setup.resources()},
						statement{Effect: "Deny", Action: test.denied, Resource: setup.resources()[1]},
					)
				}
				u.runDoctor(t, setup, test.check, test.text)
			})
		}
	}
}

// TestDoctorVersitygwPolicy has a policy that would do at other stores. Without the right to delete no form
// is uploaded, and yet doctor finds that none would be taken.
func TestDoctorVersitygwPolicy(t *testing.T) {
	t.Parallel()
	u := startOtherUsers(t)[1]
	for name, actions := range map[string][]string{
		"may delete":     {toPut, toAbort, toGet, toDelete},
		"may not delete": {toPut, toAbort, toGet},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			setup := u.doctorSetup(t)
			if len(actions) == 3 {
				setup.env["P3S3F_ALLOW_DELETE"] = "0"
				setup.edit(t, "client_conf.js", "deleteFile: {\n    enabled: true", "deleteFile: {\n    enabled: false")
			}
			u.setPolicy(t, setup, statement{Effect: "Allow", Action: actions, Resource: setup.resources()[1]})
			u.runDoctor(t, setup, "signatures", "the bucket itself among the policy's resources")
		})
	}
}

// runDoctor expects the one fault, if there is to be one, and none left with the policy that doctor prints.
func (u otherUser) runDoctor(t *testing.T, setup *doctorSetup, check, text string) {
	t.Helper()
	d := setup.runDoctor(t)
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
	u.setPolicy(t, setup, suggestedPolicy(t, d)...)
	d = setup.runDoctor(t)
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

// TestDoctorCephUsers has users whose operator has limited or suspended them.
func TestDoctorCephUsers(t *testing.T) {
	t.Parallel()
	quota := func(limit string) [][]string {
		const scope = "--quota-scope=bucket"
		return [][]string{{"quota", "set", scope, limit}, {"quota", "enable", scope}}
	}
	for _, test := range []struct {
		name        string
		commands    [][]string // of radosgw-admin
		check, text string
	}{
		{"a quota below one part", quota("--max-size=1048576"), "multipart upload", "Raise the quota"},
		{"a quota of bytes that is full", quota("--max-size=4096"), "upload permission", "is used up (QuotaExceeded"},
		{"a quota of objects that is full", quota("--max-objects=1"), "upload permission", "Raise the quota"},
		{"suspended", [][]string{{"user", "suspend"}}, "keys", "enable the key's user"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := storeOf(
				"radosgw",
				shared.radosgw.port,
				"E2ELIMITED"+strings.ToUpper(uuid()[:8]),
				"limited/secret+key/0123456789abcdefghijkl",
			)
			shared.gateway.addUser(t, s.accessKey, s.secretKey)
			setup := newDoctorSetup(t, s)
			key := "earlier"
			setup.put(t, key, strings.Repeat("x", 8*kib))
			for _, command := range test.commands {
				shared.gateway.admin(t, append(command, "--uid="+s.accessKey)...)
			}
			d := setup.runDoctorOnly(t)
			shared.gateway.admin(t, "user", "enable", "--uid="+s.accessKey)
			d.expectOnly(t, test.check, test.text)
			earlier := &s3.DeleteObjectInput{Bucket: &setup.name, Key: &key}
			if _, err := setup.client.DeleteObject(t.Context(), earlier); err != nil {
				t.Fatal(err)
			}
			setup.expectEmpty(t)
		})
	}
}

// TestDoctorExcess warns of a key that sees other buckets and may delete without need.
func TestDoctorExcess(t *testing.T) {
	t.Parallel()
	s := startVersitygw(t)
	newBucket(t, s)
	setup := newDoctorSetup(t, s)
	setup.env["P3S3F_ALLOW_DELETE"] = "0"
	setup.edit(t, "client_conf.js", "deleteFile: {\n    enabled: true", "deleteFile: {\n    enabled: false")
	d := setup.runDoctor(t)
	warnings := d.with("warning")
	if !d.Healthy || len(warnings) != 1 || warnings[0].Check != "permissions" ||
		warnings[0].Text != "the key may list the store's buckets (1 others), and delete objects, although "+
			"P3S3F_ALLOW_DELETE=0" {
		t.Errorf("warnings: %+v, want one, at permissions", warnings)
	}
}
