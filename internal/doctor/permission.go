package doctor

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"s3-sign-srv/internal/s3"
	"s3-sign-srv/internal/s3admin"
)

// checkUploadPermission asks for both rights that an upload needs, by an upload that does not exist.
func (e *run) checkUploadPermission(ctx context.Context) []Result {
	const elses = "the bucket may be somebody else's; some Ceph set-ups say the same of a wrong secret key"
	key := e.key("permission")
	abort := e.reach(func(b *s3admin.Bucket) error { return b.MayAbort(ctx, key) })
	if abort != nil && s3admin.Status(abort) != http.StatusForbidden {
		return e.diagnose("say whether the key may abort an upload", abort)
	}
	put := e.reach(func(b *s3admin.Bucket) error { return b.MayUpload(ctx, key) })
	switch {
	case put != nil && s3admin.Status(put) != http.StatusForbidden:
		return e.diagnose("say whether the key may upload", put)
	case put != nil && abort != nil:
		return e.lacking("s3:PutObject and s3:AbortMultipartUpload", elses)
	case put != nil:
		return e.lacking("s3:PutObject", elses)
	case abort != nil:
		return e.lacking("s3:AbortMultipartUpload", "what Cancel leaves would stay; nothing is uploaded here until then")
	}
	return ok("the key may upload and abort")
}

// checkVersions asks whether what doctor writes can be removed without a trace.
func (e *run) checkVersions(ctx context.Context) []Result {
	var term string
	var termKnown, known bool
	err := e.reach(func(b *s3admin.Bucket) (err error) {
		term, termKnown = b.Retention(ctx)
		e.keepsVersions, known, err = b.KeepsVersions(ctx)
		return err
	})
	switch {
	case err != nil:
		return e.diagnose("say whether the bucket keeps versions", err)
	case term != "":
		return skipped("the bucket locks what is written to it for %s, so nothing is uploaded here, as it could not be removed", term)
	case e.keepsVersions && !termKnown:
		return skipped("the bucket keeps versions, and the key may not ask for how long they are locked, so nothing is uploaded here that might stay")
	case e.keepsVersions:
		return e.purgeable(ctx)
	case known:
		return ok("the bucket keeps none, so what is written here can be removed")
	}
	return ok("the key may not ask for them, which it need not; its first deletion tells")
}

// purgeable says whether the key may remove versions.
func (e *run) purgeable(ctx context.Context) []Result {
	err := e.reach(func(b *s3admin.Bucket) error { return b.MayPurge(ctx, e.prefix) })
	switch {
	case err == nil:
		return ok("the bucket keeps them, and the key may delete those that are written here")
	case s3admin.Status(err) == 0:
		return e.diagnose("say whether the key may delete versions", err)
	}
	return skipped("the bucket keeps versions, which the key may not delete and need not, so nothing is uploaded here, as it could not be removed")
}

// checkDeletePermission deletes what is not there, which tells as much as a deletion. Without this
// right, nothing is written that would have to go again.
func (e *run) checkDeletePermission(ctx context.Context) []Result {
	var marker string
	key := e.key("not there")
	err := e.reach(func(b *s3admin.Bucket) (err error) {
		marker, err = b.DeleteVersioned(ctx, key)
		return err
	})
	switch {
	case err == nil:
		return e.mayDelete(ctx, resource{key: key, version: marker})
	case s3admin.Status(err) != http.StatusForbidden:
		return e.diagnose("delete", err)
	case e.set.AllowDelete:
		return e.lacking("s3:DeleteObject", "or set P3S3F_ALLOW_DELETE=0 if the page shall not delete; until then nothing is uploaded here, as it could not be removed")
	}
	return skipped("the key may not delete and need not, so nothing is uploaded here that would have to go again")
}

// mayDelete looks at what the deletion of nothing has left: where the bucket keeps versions, a marker.
func (e *run) mayDelete(ctx context.Context, marker resource) []Result {
	e.deletes = true
	if marker.version != "" {
		e.track(marker)
		e.keepsVersions = true
		if r := e.purgeable(ctx); r[0].Status != OK {
			return r
		}
	}
	e.writes = true
	return ok("the key may delete")
}

// lacking tells of a missing permission.
func (e *run) lacking(actions, remark string) []Result {
	return []Result{{
		Status: Failed, Text: fmt.Sprintf("the key may not do %s in %s (%s)", actions, e.set.Sign.Bucket, remark),
		Fix: "Give the key the permissions below.", Document: e.policy(),
	}}
}

// checkList asks for what the page shows a visitor of earlier uploads.
func (e *run) checkList(ctx context.Context) []Result {
	if !e.set.OwnUploadsOnly {
		return skipped("the page lists none without P3S3F_OWN_UPLOADS_ONLY=1")
	}
	err := e.reach(func(b *s3admin.Bucket) error {
		_, err := b.List(ctx, e.prefix)
		return err
	})
	switch {
	case err == nil:
		return ok("the key may list them")
	case s3.IsForbidden(err):
		return []Result{{
			Status: Warning, Text: "the key may not do s3:ListBucket, so the page does not show what was uploaded before",
			Fix: "Give the key the permissions below, or leave it so.", Document: e.policy(),
		}}
	}
	return e.diagnose("list", err)
}

// checkExcess warns of rights that the server has no use for, and a thief of the key would have.
func (e *run) checkExcess(context.Context) []Result {
	var excess []string
	others := slices.DeleteFunc(slices.Clone(e.names), func(name string) bool { return name == e.set.Sign.Bucket })
	if len(others) > 0 {
		excess = append(excess, fmt.Sprintf("list the store's buckets (%d others)", len(others)))
	}
	if e.deletes && !e.set.AllowDelete {
		excess = append(excess, "delete objects, although P3S3F_ALLOW_DELETE=0")
	}
	if excess == nil {
		return ok("no other bucket is seen with this key")
	}
	return []Result{{
		Status: Warning, Text: "the key may " + strings.Join(excess, ", and "),
		Fix: "Use a key that has the permissions below alone.", Document: e.policy(),
	}}
}

// policy is an IAM or user policy document with what the server and its uploads need.
func (e *run) policy() string {
	actions := []string{"s3:PutObject", "s3:AbortMultipartUpload"}
	if len(e.set.Sign.ACLs) > 0 {
		actions = append(actions, "s3:PutObjectAcl")
	}
	if e.set.VerifySuccess || e.set.OwnUploadsOnly {
		actions = append(actions, "s3:GetObject")
	}
	if e.set.AllowDelete {
		actions = append(actions, "s3:DeleteObject")
	}
	arn := "arn:aws:s3:::" + e.set.Sign.Bucket
	// versitygw 1.8.0 holds forms against the bucket itself; to AWS that adds nothing, as these actions are on objects.
	statements := []map[string]any{{"Effect": "Allow", "Action": actions, "Resource": []string{arn, arn + "/*"}}}
	if e.set.OwnUploadsOnly { // the page's list of one's own uploads
		statements = append(statements, map[string]any{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": arn})
	}
	document, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": statements}, json.Deterministic(true), jsontext.WithIndent("  "))
	if err != nil {
		panic(err) // strings always encode
	}
	return string(document)
}
