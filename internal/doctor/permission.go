package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"s3-sign-srv/internal/s3"
	"s3-sign-srv/internal/s3admin"
)

// checkUploadPermission checks both permissions that an upload needs, with an upload that does not exist.
func (r *run) checkUploadPermission(ctx context.Context) []Result {
	const remark = "another user may own the bucket; some Ceph setups say the same for a wrong secret key"
	key := r.prefix + "permission"
	abort := r.call(func(b *s3admin.Bucket) error { return b.MayAbort(ctx, key) })
	if abort != nil && !s3.IsForbidden(abort) {
		return r.diagnose("abort an upload", abort)
	}
	put := r.call(func(b *s3admin.Bucket) error { return b.MayUpload(ctx, key) })
	switch {
	case put != nil && !s3.IsForbidden(put): // QuotaExceeded also has the status 403
		return r.diagnose("accept an upload", put)
	case put != nil && abort != nil:
		return r.lacksPermission("s3:PutObject and s3:AbortMultipartUpload", remark)
	case put != nil:
		return r.lacksPermission("s3:PutObject", remark)
	case abort != nil:
		return r.lacksPermission("s3:AbortMultipartUpload",
			"the parts of cancelled uploads would stay; doctor uploads nothing without it")
	}
	return ok("the key may upload and abort")
}

// checkVersions checks whether what doctor writes can be removed completely.
func (r *run) checkVersions(ctx context.Context) []Result {
	var locks, locksKnown, known bool
	err := r.call(func(b *s3admin.Bucket) (err error) {
		locks, locksKnown = b.Locks(ctx)
		r.keepsVersions, known, err = b.KeepsVersions(ctx)
		return err
	})
	switch {
	case err != nil:
		return r.diagnose("tell whether the bucket keeps versions", err)
	case locks:
		return skipped("the bucket locks objects; doctor could not remove them, so it uploads nothing")
	case r.keepsVersions && !locksKnown:
		return skipped("the bucket keeps versions, and the key may not read for how long they are locked; " +
			"doctor might not be able to remove them, so it uploads nothing")
	case r.keepsVersions:
		return r.checkPurge(ctx)
	case known:
		return ok("the bucket keeps no versions, so test objects can be removed")
	}
	return ok("the key may not read whether the bucket keeps versions, and need not; the first deletion tells")
}

// checkPurge checks whether the key may delete versions.
func (r *run) checkPurge(ctx context.Context) []Result {
	err := r.call(func(b *s3admin.Bucket) error { return b.MayPurge(ctx, r.prefix) })
	switch {
	case err == nil:
		return ok("the bucket keeps versions, and the key may delete those of test objects")
	case s3admin.Status(err) == 0:
		return r.diagnose("tell whether the key may delete versions", err)
	}
	return skipped("the bucket keeps versions; the key may not delete them, and need not, so doctor uploads nothing")
}

// checkDeletePermission deletes an object that does not exist. Without this permission, doctor uploads nothing.
func (r *run) checkDeletePermission(ctx context.Context) []Result {
	var marker string
	key := r.prefix + "missing"
	err := r.call(func(b *s3admin.Bucket) (err error) {
		marker, err = b.DeleteVersioned(ctx, key)
		return err
	})
	switch {
	case err == nil:
		return r.mayDelete(ctx, resource{key: key, version: marker})
	case !s3.IsForbidden(err):
		return r.diagnose("delete", err)
	case r.set.AllowDelete:
		return r.lacksPermission("s3:DeleteObject",
			"or set P3S3F_ALLOW_DELETE=0 if the page is not to delete; doctor uploads nothing without it")
	}
	return skipped("the key may not delete, and need not, so doctor uploads nothing")
}

// mayDelete tracks the delete marker that a bucket with versions has added.
func (r *run) mayDelete(ctx context.Context, marker resource) []Result {
	r.deletes = true
	if marker.version != "" {
		r.track(marker)
		r.keepsVersions = true
		if results := r.checkPurge(ctx); results[0].Status != OK {
			return results
		}
	}
	r.writes = true
	return ok("the key may delete")
}

// lacksPermission reports a missing permission.
func (r *run) lacksPermission(actions, remark string) []Result {
	return r.withPolicy(failed(fmt.Sprintf("the key lacks %s in %s (%s)", actions, r.set.Sign.Bucket, remark),
		"Give the key the permissions below."))
}

// withPolicy adds the policy to a result.
func (r *run) withPolicy(results []Result) []Result {
	results[0].Document = r.policy()
	return results
}

// checkList lists objects as the server does for the page.
func (r *run) checkList(ctx context.Context) []Result {
	if !r.set.OwnUploadsOnly {
		return skipped("the page shows none unless P3S3F_OWN_UPLOADS_ONLY=1")
	}
	err := r.call(func(b *s3admin.Bucket) error {
		_, err := b.List(ctx, r.prefix)
		return err
	})
	switch {
	case err == nil:
		return ok("the key may list earlier uploads")
	case s3.IsForbidden(err):
		return r.withPolicy(warning("the key lacks s3:ListBucket, so the page does not show earlier uploads",
			"Give the key the permissions below, or ignore this."))
	}
	return r.diagnose("list", err)
}

// checkExcess warns of permissions that the server does not use, but a thief of the key could.
func (r *run) checkExcess(context.Context) []Result {
	var excess []string
	isOurs := func(name string) bool { return name == r.set.Sign.Bucket }
	if others := slices.DeleteFunc(slices.Clone(r.buckets), isOurs); len(others) > 0 {
		excess = append(excess, fmt.Sprintf("list the store's buckets (%d others)", len(others)))
	}
	if r.deletes && !r.set.AllowDelete {
		excess = append(excess, "delete objects, although P3S3F_ALLOW_DELETE=0")
	}
	if excess == nil {
		return ok("the key sees no other bucket")
	}
	return r.withPolicy(warning("the key may "+strings.Join(excess, ", and "),
		"Use a key that has only the permissions below."))
}

// policy returns an IAM or user policy with what the server and its uploads need.
func (r *run) policy() string {
	actions := []string{"s3:PutObject", "s3:AbortMultipartUpload"}
	if len(r.set.Sign.ACLs) > 0 {
		actions = append(actions, "s3:PutObjectAcl")
	}
	if r.set.VerifySuccess || r.set.OwnUploadsOnly {
		actions = append(actions, "s3:GetObject")
	}
	if r.set.AllowDelete {
		actions = append(actions, "s3:DeleteObject")
	}
	arn := "arn:aws:s3:::" + r.set.Sign.Bucket
	// versitygw 1.8.0 checks forms against the bucket itself; on AWS this changes nothing, as the actions are on objects.
	statements := []map[string]any{{"Effect": "Allow", "Action": actions, "Resource": []string{arn, arn + "/*"}}}
	if r.set.OwnUploadsOnly { // the page lists the caller's uploads
		statements = append(statements, map[string]any{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": arn})
	}
	policy := map[string]any{"Version": "2012-10-17", "Statement": statements}
	document, err := json.Marshal(policy, json.Deterministic(true), jsontext.WithIndent("  "))
	if err != nil {
		panic(err) // strings always encode
	}
	return string(document)
}
