package doctor

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"s3-sign-srv/internal/bucket"
)

// checkUploadPermission begins an upload and aborts it.
func (e *exam) checkUploadPermission(ctx context.Context) []Result {
	key := e.key("permission")
	err := e.reach(func(b *bucket.Bucket) error { return b.TryUpload(ctx, key) })
	switch {
	case err == nil:
		return ok("the key may upload and abort")
	case bucket.Status(err) == http.StatusForbidden:
		return e.lacking("s3:PutObject and s3:AbortMultipartUpload", "the bucket may be somebody else's; some Ceph set-ups say the same of a wrong secret key")
	case bucket.Status(err) == 0:
		return e.explainTransport(err)
	}
	return failed(fmt.Sprintf("the store refuses to begin an upload: status %d %s", bucket.Status(err), bucket.Code(err)), "Look at the store's log.")
}

// checkDeletePermission deletes what is not there, which tells as much as a deletion. Without this
// right, nothing is written that would have to go again.
func (e *exam) checkDeletePermission(ctx context.Context) []Result {
	err := e.reach(func(b *bucket.Bucket) error { return b.Delete(ctx, e.key("not there")) })
	switch {
	case err == nil:
		e.mayDelete = true
		return ok("the key may delete")
	case bucket.Status(err) == 0:
		return e.explainTransport(err)
	case bucket.Status(err) != http.StatusForbidden:
		return failed(fmt.Sprintf("the store refuses to delete: status %d %s", bucket.Status(err), bucket.Code(err)), "Look at the store's log.")
	case e.set.AllowDelete:
		return e.lacking("s3:DeleteObject", "or set P3S3F_ALLOW_DELETE=0 if the page shall not delete; until then nothing is uploaded here, as it could not be removed")
	}
	return skipped("the key may not delete and need not, so nothing is uploaded here that would have to go again")
}

// lacking tells of a missing permission.
func (e *exam) lacking(actions, remark string) []Result {
	return []Result{{
		Status: Failed, Text: fmt.Sprintf("the key may not do %s in %s (%s)", actions, e.set.Sign.Bucket, remark),
		Fix: "Give the key the permissions below.", Document: e.policy(),
	}}
}

// checkList asks for what the page shows a visitor of earlier uploads.
func (e *exam) checkList(ctx context.Context) []Result {
	if !e.set.OwnUploadsOnly {
		return skipped("the page lists none without P3S3F_OWN_UPLOADS_ONLY=1")
	}
	err := e.reach(func(b *bucket.Bucket) error {
		_, err := b.List(ctx, e.prefix)
		return err
	})
	switch {
	case err == nil:
		return ok("the key may list them")
	case bucket.IsForbidden(err):
		return []Result{{
			Status: Warning, Text: "the key may not do s3:ListBucket, so the page does not show what was uploaded before",
			Fix: "Give the key the permissions below, or leave it so.", Document: e.policy(),
		}}
	}
	return failed("the store does not list: "+strings.TrimSuffix(err.Error(), "."), "Look at the store's log.")
}

// checkExcess warns of rights that the server has no use for, and a thief of the key would have.
func (e *exam) checkExcess(context.Context) []Result {
	var excess []string
	others := slices.DeleteFunc(slices.Clone(e.names), func(name string) bool { return name == e.set.Sign.Bucket })
	if len(others) > 0 {
		excess = append(excess, fmt.Sprintf("list the store's buckets (%d others)", len(others)))
	}
	if e.mayDelete && !e.set.AllowDelete {
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
func (e *exam) policy() string {
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
	statements := []map[string]any{{"Effect": "Allow", "Action": actions, "Resource": arn + "/*"}}
	if e.set.OwnUploadsOnly { // the page's list of one's own uploads
		statements = append(statements, map[string]any{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": arn})
	}
	document, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": statements}, json.Deterministic(true), jsontext.WithIndent("  "))
	if err != nil {
		panic(err) // strings always encode
	}
	return string(document)
}
