//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// TestDoctorVersions expects that doctor leaves nothing in a bucket that keeps every version: if the key may not delete
// versions, nothing is written. The one exception is an empty bucket and a key that may not read the versioning: then
// doctor must report what is left.
func TestDoctorVersions(t *testing.T) {
	t.Parallel()
	const read, readLock, purge, find = "s3:GetBucketVersioning", "s3:GetBucketObjectLockConfiguration",
		"s3:DeleteObjectVersion", "s3:ListBucketVersions"
	for _, u := range startOtherUsers(t) {
		for _, test := range []struct {
			name   string
			rights []string // in addition to those that uploads need
			before bool     // the bucket has an object
			form   string   // status of "form upload", the first check that writes
			leaves bool
		}{
			{name: "may ask and remove", rights: []string{read, readLock, purge, find}, form: "ok"},
			{name: "may remove, not ask", rights: []string{purge, find}, form: "ok"},
			{name: "may ask, not remove", rights: []string{read, readLock}, form: "skipped"},
			{name: "may not ask, an object tells", before: true, form: "skipped"},
			{name: "may not ask, nothing tells", form: "skipped", leaves: true},
		} {
			t.Run(u.store.name+" "+test.name, func(t *testing.T) {
				t.Parallel()
				setup := u.doctorSetup(t, append([]string{toPut, toAbort, toGet, toDelete, toList}, test.rights...)...)
				setup.keepVersions(t, test.before)
				d := setup.runDoctorOnly(t)
				if got := d.of("form upload"); got.Status != test.form {
					t.Errorf("form upload: %+v, want %s", got, test.form)
				}
				if test.leaves {
					d.expectOnly(t, "clean-up", "with s3:GetBucketVersioning, the key")
				} else if !d.Healthy || setup.versions(t) != map[bool]int{true: 1}[test.before] {
					t.Errorf("%d versions in the bucket; %+v", setup.versions(t), d.with("failed"))
				}
			})
		}
	}
}

// keepVersions has the bucket keep every version, from its first object on.
func (setup *doctorSetup) keepVersions(t *testing.T, object bool) {
	t.Helper()
	t.Cleanup(func() { setup.purge(t) })
	enabled := &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled}
	if _, err := setup.client.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{
		Bucket: &setup.name, VersioningConfiguration: enabled,
	}); err != nil {
		t.Fatal(err)
	}
	if !object {
		return
	}
	key := "there before"
	if _, err := setup.client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &setup.name, Key: &key,
		Body: strings.NewReader("x")}); err != nil {
		t.Fatal(err)
	}
}

// TestDoctorLock writes nothing to a bucket that would not let it go.
func TestDoctorLock(t *testing.T) {
	t.Parallel()
	for _, s := range []*store{shared.radosgw, newVersitygw(t, "VGW_VERSIONING_DIR="+t.TempDir()).store} {
		t.Run(s.name, func(t *testing.T) {
			setup := newDoctorSetup(t, s)
			setup.moveToLockedBucket(t)
			d := setup.runDoctor(t)
			if versions := d.of("versions"); !d.Healthy || versions.Status != "skipped" ||
				!strings.Contains(versions.Text, "locks objects") {
				t.Errorf("versions: %+v, want skipped; failed: %+v", versions, d.with("failed"))
			}
			if signatures := d.of("signatures"); signatures.Status != "ok" || d.of("form upload").Status != "skipped" {
				t.Errorf("signatures: %+v, want ok; form upload: %+v, want skipped", signatures, d.of("form upload"))
			}
		})
	}
}

// moveToLockedBucket moves to a new bucket that keeps for a day what is written to it.
func (setup *doctorSetup) moveToLockedBucket(t *testing.T) {
	t.Helper()
	name, locks, days := "e2e-"+uuid()[:13], true, int32(1)
	if _, err := setup.client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &name,
		ObjectLockEnabledForBucket: &locks}); err != nil {
		t.Fatal(err)
	}
	setup.bucket = &bucket{setup.store, name}
	setup.env["AWS_DEST_BUCKET"] = name
	b := setup.bucket
	t.Cleanup(func() {
		if err := b.remove(); err != nil {
			t.Error(err)
		}
	})
	if err := setup.putCORS(t.Context(), "../basic_cors.xml"); err != nil {
		t.Fatal(err)
	}
	retention := &types.DefaultRetention{Mode: types.ObjectLockRetentionModeGovernance, Days: &days}
	if _, err := setup.client.PutObjectLockConfiguration(t.Context(), &s3.PutObjectLockConfigurationInput{
		Bucket: &name,
		ObjectLockConfiguration: &types.ObjectLockConfiguration{
			ObjectLockEnabled: types.ObjectLockEnabledEnabled,
			Rule:              &types.ObjectLockRule{DefaultRetention: retention},
		},
	}); err != nil {
		t.Fatal(err)
	}
}

// versions counts the versions and delete markers in the bucket.
func (setup *doctorSetup) versions(t *testing.T) int {
	t.Helper()
	list, err := setup.client.ListObjectVersions(t.Context(), &s3.ListObjectVersionsInput{Bucket: &setup.name})
	if err != nil {
		t.Fatal(err)
	}
	return len(list.Versions) + len(list.DeleteMarkers)
}

// purge deletes every version.
func (setup *doctorSetup) purge(t *testing.T) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context()) // tests' contexts end before what cleans up after them
	list, err := setup.client.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: &setup.name})
	if err != nil {
		t.Fatal(err)
	}
	remove := func(key, version *string) {
		if _, err := setup.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &setup.name, Key: key,
			VersionId: version}); err != nil {
			t.Error(err)
		}
	}
	for _, v := range list.Versions {
		remove(v.Key, v.VersionId)
	}
	for _, m := range list.DeleteMarkers {
		remove(m.Key, m.VersionId)
	}
}

// TestDoctorInterrupted ends doctor while a part is on its way, by Ctrl-C, by systemd or by a terminal that
// closes: the upload is aborted all the same.
func TestDoctorInterrupted(t *testing.T) {
	t.Parallel()
	versity := startVersitygw(t)
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		t.Run(sig.String(), func(t *testing.T) {
			t.Parallel()
			setup := newDoctorSetup(t, versity)
			arrived := make(chan struct{}, 10)
			hanging(func(r *http.Request, body []byte) bool {
				part := r.Method == http.MethodPut && len(body) > 0
				if part {
					arrived <- struct{}{}
				}
				return part
			})(t, setup)
			// under nohup, which may be above this test, it would not hear of the terminal
			command := []string{"env", "--default-signal=HUP", shared.binary, "doctor"}
			doctor, err := startProcess(setup.dir, setup.env.environment(), command...)
			if err != nil {
				t.Fatal(err)
			}
			defer doctor.stop()
			select {
			case <-arrived:
			case <-time.After(30 * time.Second):
				t.Fatalf("no part came\n%s", doctor.output)
			}
			if uploads, err := setup.unfinished(t.Context()); err != nil || len(uploads) != 1 {
				t.Fatalf("%d uploads, %v", len(uploads), err)
			}
			doctor.signal(sig)
			if code, err := doctor.exitCode(30 * time.Second); err != nil || code != 1 {
				t.Errorf("exit code %d, %v\n%s", code, err, doctor.output)
			}
			setup.expectEmpty(t)
		})
	}
}

// TestDoctorUnread closes the pipe that doctor writes to when it has begun to upload.
func TestDoctorUnread(t *testing.T) {
	t.Parallel()
	setup := newDoctorSetup(t, startVersitygw(t))
	for _, lines := range []int{3, 11, 14, 16} {
		command := fmt.Sprintf("%s doctor | head -n %d; exit ${PIPESTATUS[0]}", shared.binary, lines)
		doctor, err := startProcess(setup.dir, setup.env.environment(), "bash", "-c", command)
		if err != nil {
			t.Fatal(err)
		}
		code, err := doctor.exitCode(20 * time.Second)
		doctor.stop()
		if output := doctor.output.String(); err != nil || code != 1 || strings.Count(output, "\n") != lines {
			t.Errorf("%d lines: exit code %d, %v\n%s", lines, code, err, output)
		}
		setup.expectEmpty(t)
	}
}
