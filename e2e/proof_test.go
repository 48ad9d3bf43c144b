//go:build e2e

package e2e

import (
	"context"
	"crypto/md5"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// What a signing server must not sign is not dangerous on paper only: the store obeys it. Each abuse is
// tried twice, with a signature from somebody who signs whatever he is given, and with the server's help.
func TestStoreWouldHaveObeyed(t *testing.T) {
	t.Parallel()
	setups := []struct {
		name    string
		store   *store
		version int
	}{
		{"radosgw/V2", shared.radosgw, 2},
		{"radosgw/V4", shared.radosgw, 4},
		{"versitygw/V4", startVersitygw(t), 4},
	}
	for _, setup := range setups {
		t.Run(setup.name, func(t *testing.T) {
			v := newVillain(t, setup.store, setup.version)
			srv := startServer(t, newWorkDir(t), settingsFor(v.mine, pathStyle.endpoint(v.mine.port)))
			for _, a := range abuses {
				if slices.Contains(a.notOn, setup.name) {
					continue
				}
				t.Run(a.name, func(t *testing.T) { v.tries(t, srv, a) })
			}
			t.Run("what an upload needs", func(t *testing.T) { v.uploads(t, srv) })
		})
	}
}

// A store that does not know its virtual hosts reads the bucket from the path, which in version 4 may
// then be anybody's: so the server signs for virtual hosts only where P3S3F_ADDRESSING says so.
func TestVirtualHostOfPathStore(t *testing.T) {
	t.Parallel()
	v := newVillain(t, startVersitygw(t), 4)
	name := fmt.Sprintf("store.example:%d", v.mine.port)
	srv := startServer(t, newWorkDir(t), settingsFor(v.mine, "http://"+name))
	v.tries(t, srv, abuse{try: func(v *villain) bool {
		v.send(call{method: "POST", key: "evil.bam", query: "uploads", host: v.mine.name + "." + name}.wish(v.other, 4))
		return v.other.hasUnfinished(v.t, "evil.bam")
	}})
}

// radosgw obeys x-amz-* headers that a version 4 request sends without having them signed. Then any
// signature for a part copies any object into it; P3S3F_SIGNATURE_VERSION=2 gives none in version 4.
func TestUnsignedHeader(t *testing.T) {
	t.Parallel()
	copies := abuse{try: func(v *villain) bool {
		v.other.put(v.t, "secret.txt", "the other's secret")
		id := v.mine.begin(v.t, "copy.txt")
		v.send(call{method: "PUT", key: "copy.txt", query: "partNumber=1&uploadId=" + id,
			unsigned: map[string]string{"x-amz-copy-source": "/" + v.other.name + "/secret.txt"}}.wish(v.mine, v.version))
		return v.mine.finish(v.t, "copy.txt") && v.mine.text(v.t, "copy.txt") == "the other's secret"
	}}
	t.Run("radosgw/V4", func(t *testing.T) {
		v := newVillain(t, shared.radosgw, 4)
		env := settingsFor(v.mine, pathStyle.endpoint(v.mine.port)).with(settings{"P3S3F_SIGNATURE_VERSION": "2"})
		v.tries(t, startServer(t, newWorkDir(t), env), copies)
	})
	t.Run("radosgw/V2", func(t *testing.T) { newVillain(t, shared.radosgw, 2).fails(t, copies) })
	t.Run("versitygw/V4", func(t *testing.T) { newVillain(t, startVersitygw(t), 4).fails(t, copies) })
}

// radosgw signs, in version 2, only those words of a query that it counts as sub-resources, and no body. So an
// honest part's signature, which the server has to give, is good for &retention and &legal-hold too: where a bucket
// has object lock and the key the right to it, somebody who may upload locks an object for as long as he likes.
// docs/security.md says what to do; version 4 signs the whole query.
func TestUnsignedQuery(t *testing.T) {
	t.Parallel()
	until := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	locks := []struct{ word, body string }{
		{"legal-hold", "<LegalHold><Status>ON</Status></LegalHold>"},
		{"retention", "<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>" + until + "</RetainUntilDate></Retention>"},
	}
	b := newLockedBucket(t, shared.radosgw)
	srv := startServer(t, newWorkDir(t), settingsFor(b, pathStyle.endpoint(b.port)))
	for _, lock := range locks {
		for _, version := range []int{2, 4} {
			t.Run(fmt.Sprintf("V%d/%s", version, lock.word), func(t *testing.T) {
				key := fmt.Sprintf("%s-%d.txt", lock.word, version)
				b.put(t, key, "precious")
				w := call{method: "PUT", key: key, query: "partNumber=1&uploadId=" + b.begin(t, key), body: lock.body}.wish(b, version)
				answer := srv.asked(t, w, w.texts[len(w.texts)-1])
				if answer.status != http.StatusOK {
					t.Fatalf("an honest part is not signed: %+v", answer)
				}
				r := w.complete(answer.Signature)
				r.URL.RawQuery += "&" + lock.word
				status, body := do(t, r)
				if locked := !b.deletes(t, key); locked != (version == 2) || locked != (status == http.StatusOK) || locked == strings.Contains(body, "SignatureDoesNotMatch") {
					t.Errorf("the object is locked: %t; the store answered with status %d: %s", locked, status, body)
				}
			})
		}
	}
}

// newLockedBucket makes a bucket with object lock. What is locked in it when the test is over is freed.
func newLockedBucket(t *testing.T, s *store) *bucket {
	t.Helper()
	b := &bucket{s, "e2e-" + uuid()[:13]}
	if _, err := s.client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &b.name, ObjectLockEnabledForBucket: aws.Bool(true)}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(b.free(), b.remove()); err != nil {
			t.Errorf("bucket %s stays: %v", b.name, err)
		}
	})
	return b
}

// free deletes every version of every object, locked or not.
func (b *bucket) free() error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	list, err := b.client.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: &b.name})
	if err != nil {
		return err
	}
	for _, v := range list.Versions {
		off := &types.ObjectLockLegalHold{Status: types.ObjectLockLegalHoldStatusOff}
		_, e := b.client.PutObjectLegalHold(ctx, &s3.PutObjectLegalHoldInput{Bucket: &b.name, Key: v.Key, VersionId: v.VersionId, LegalHold: off})
		err = errors.Join(err, e, b.deleteVersion(ctx, *v.Key, *v.VersionId, true))
	}
	for _, m := range list.DeleteMarkers {
		err = errors.Join(err, b.deleteVersion(ctx, *m.Key, *m.VersionId, true))
	}
	return err
}

func (b *bucket) deleteVersion(ctx context.Context, key, version string, bypass bool) error {
	_, err := b.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &b.name, Key: &key, VersionId: &version, BypassGovernanceRetention: aws.Bool(bypass)})
	return err
}

// deletes deletes the object's one version, and reports whether the store let it.
func (b *bucket) deletes(t *testing.T, key string) bool {
	t.Helper()
	list, err := b.client.ListObjectVersions(t.Context(), &s3.ListObjectVersionsInput{Bucket: &b.name, Prefix: &key})
	if err != nil || len(list.Versions) != 1 {
		t.Fatalf("%s has %d versions, %v", key, len(list.Versions), err)
	}
	return b.deleteVersion(t.Context(), key, *list.Versions[0].VersionId, false) == nil
}

// An abuse is something that no upload needs.
type abuse struct {
	name string
	// try asks for what it takes and does it, and reports whether the store obeyed.
	try func(v *villain) (obeyed bool)
	// repaired: in version 4 the server takes /other/key for the key "other/key" in its own bucket, and signs that.
	repaired bool
	notOn    []string // set-ups that cannot do it; the reason stands beside it
}

var abuses = []abuse{
	{name: "begin an upload to another bucket", repaired: true, try: func(v *villain) bool {
		v.send(call{method: "POST", key: "evil.bam", query: "uploads"}.wish(v.other, v.version))
		return v.other.hasUnfinished(v.t, "evil.bam")
	}},
	{name: "upload a form to another bucket", try: func(v *villain) bool {
		v.send(form{key: "evil.txt", conditions: exactly("key", "evil.txt")}.wish(v.other, v.version))
		return v.other.has(v.t, "evil.txt")
	}},
	{name: "upload a form to any key", try: func(v *villain) bool {
		v.mine.put(v.t, "victim.txt", "precious")
		anyKey := []any{[]string{"starts-with", "$key", ""}}
		v.send(form{key: "victim.txt", conditions: anyKey, body: "replaced"}.wish(v.mine, v.version))
		return v.mine.text(v.t, "victim.txt") == "replaced"
	}},
	{name: "upload a form in a year", try: func(v *villain) bool {
		v.send(form{key: "late.txt", conditions: exactly("key", "late.txt"), life: 365 * 24 * time.Hour}.wish(v.mine, v.version))
		return v.mine.has(v.t, "late.txt")
	}},
	{name: "upload a form that everybody may read", notOn: noACLs, try: func(v *villain) bool {
		conditions := append(exactly("key", "public.html"), exactly("acl", "public-read")...)
		v.send(form{key: "public.html", conditions: conditions, fields: map[string]string{"acl": "public-read"}}.wish(v.mine, v.version))
		return v.everybodyReads("public.html")
	}},
	{name: "have a policy signed as if it were a string to sign", notOn: onlyV2, try: func(v *villain) bool {
		w := form{key: "evil.txt", conditions: []any{[]string{"starts-with", "$key", ""}}}.wish(v.other, 2)
		w.texts, w.policy = []string{encodePolicy(w.texts[0])}, false
		v.send(w)
		return v.other.has(v.t, "evil.txt")
	}},
	{name: "replace an object", try: func(v *villain) bool {
		v.mine.put(v.t, "victim.txt", "precious")
		v.send(call{method: "PUT", key: "victim.txt", body: "replaced"}.wish(v.mine, v.version))
		return v.mine.text(v.t, "victim.txt") == "replaced"
	}},
	{name: "delete an object", try: func(v *villain) bool {
		v.mine.put(v.t, "victim.txt", "precious")
		v.send(call{method: "DELETE", key: "victim.txt"}.wish(v.mine, v.version))
		return !v.mine.has(v.t, "victim.txt")
	}},
	{name: "show an object to everybody", notOn: noACLs, try: func(v *villain) bool {
		v.mine.put(v.t, "victim.txt", "precious")
		v.send(call{method: "PUT", key: "victim.txt", query: "acl", header: map[string]string{"x-amz-acl": "public-read"}}.wish(v.mine, v.version))
		return v.everybodyReads("victim.txt")
	}},
	{name: "begin an upload that everybody may read", notOn: noACLs, try: func(v *villain) bool {
		v.send(call{method: "POST", key: "public.bam", query: "uploads", header: map[string]string{"x-amz-acl": "public-read"}}.wish(v.mine, v.version))
		return v.mine.finish(v.t, "public.bam") && v.everybodyReads("public.bam")
	}},
	{name: "end everybody's uploads", notOn: checkedIDs, try: func(v *villain) bool {
		v.mine.begin(v.t, "victim.bam")
		v.send(call{method: "DELETE", key: "evil.bam", query: "uploadId=.."}.wish(v.mine, v.version))
		return !v.mine.hasUnfinished(v.t, "victim.bam")
	}},
	{name: "list the bucket", try: func(v *villain) bool {
		v.mine.put(v.t, "victim.txt", "precious")
		return strings.Contains(v.send(call{method: "GET"}.wish(v.mine, v.version)), "victim.txt")
	}},
	{name: "copy from another bucket into a part", try: func(v *villain) bool {
		v.other.put(v.t, "secret.txt", "the other's secret")
		id := v.mine.begin(v.t, "copy.txt")
		v.send(call{method: "PUT", key: "copy.txt", query: "partNumber=1&uploadId=" + id,
			header: map[string]string{"x-amz-copy-source": "/" + v.other.name + "/secret.txt"}}.wish(v.mine, v.version))
		return v.mine.finish(v.t, "copy.txt") && v.mine.text(v.t, "copy.txt") == "the other's secret"
	}},
	{name: "make a link that reads an object", try: func(v *villain) bool {
		v.mine.put(v.t, "victim.txt", "precious")
		return v.send(link{method: "GET", key: "victim.txt"}.wish(v.mine, v.version)) == "precious"
	}},
	{name: "make a link that writes an object", try: func(v *villain) bool {
		v.send(link{method: "PUT", key: "linked.txt", body: "anything"}.wish(v.mine, v.version))
		return v.mine.has(v.t, "linked.txt")
	}},
}

// Why some abuses are not tried everywhere.
var (
	noACLs     = []string{"versitygw/V4"}               // it gives objects no ACLs
	checkedIDs = []string{"radosgw/V2", "radosgw/V4"}   // versitygw keeps an upload in a folder by its ID
	onlyV2     = []string{"radosgw/V4", "versitygw/V4"} // version 4 signs a string only behind a first line of its own
)

// exactly is a condition as Fine Uploader writes it.
func exactly(name, value string) []any { return []any{map[string]string{name: value}} }

// A villain knows the access key and both buckets of its owner. One of them is the server's.
type villain struct {
	t           *testing.T
	version     int
	mine, other *bucket
	server      *server // that has to sign for him; nil: he has somebody who signs everything
	repaired    bool    // the server may sign, since it does not sign what he means
}

func newVillain(t *testing.T, s *store, version int) *villain {
	return &villain{t: t, version: version, mine: newBucket(t, s), other: newBucket(t, s)}
}

// tries the abuse with each signer; the buckets are empty at the beginning.
func (v villain) tries(t *testing.T, srv *server, a abuse) {
	v.t = t
	defer v.empty()
	if !a.try(&v) {
		t.Error("the store does not obey the raw key: this proves nothing")
	}
	v.empty()
	v.server, v.repaired = srv, a.repaired && v.version == 4
	if a.try(&v) {
		t.Error("the store obeyed, with the server's help")
	}
}

// fails tries the abuse with the raw key, and sees the store itself refuse it.
func (v villain) fails(t *testing.T, a abuse) {
	v.t = t
	if a.try(&v) {
		t.Error("the store obeyed")
	}
}

// send completes w with every signature that can be had, and returns what the store said last.
// The server must not help: it refuses, and nothing that is sent without its help has an effect.
func (v *villain) send(w wish) (body string) {
	v.t.Helper()
	if v.server == nil {
		_, body = complete(v.t, w, w.naively(v.mine.secretKey))
		return body
	}
	before := v.state()
	for _, text := range w.texts {
		answer := v.server.asked(v.t, w, text)
		if !v.repaired && !answer.refused() {
			v.t.Errorf("status %d %+v for %q", answer.status, answer, text)
		}
		var status int
		if status, body = complete(v.t, w, answer.Signature); status/100 != 4 {
			v.t.Errorf("the store answered with status %d: %s", status, body)
		}
	}
	if after := v.state(); !reflect.DeepEqual(before, after) {
		v.t.Errorf("the store changed from %v to %v", before, after)
	}
	return body
}

// complete sends w to the store.
func complete(t *testing.T, w wish, signature string) (status int, body string) {
	t.Helper()
	return do(t, w.complete(signature))
}

func do(t *testing.T, r *http.Request) (status int, body string) {
	t.Helper()
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// A reply is the server's answer to a sign request.
type reply struct {
	status            int
	Policy, Signature string
	Error, ID         string
}

func (r reply) refused() bool {
	return r.status/100 == 4 && r.Policy+r.Signature == "" && r.Error != "" && r.ID != ""
}

func readReply(t *testing.T, status int, body string) reply {
	t.Helper()
	r := reply{status: status}
	if err := json.Unmarshal([]byte(body), &r); err != nil {
		t.Fatalf("status %d, %v: %s", status, err, body)
	}
	return r
}

// asked is the server's reply to one who is no browser.
func (srv *server) asked(t *testing.T, w wish, text string) reply {
	t.Helper()
	r := newRequest(http.MethodPost, srv.url+w.endpoint(), w.document(text))
	r.Header.Set("Content-Type", "application/json; charset=UTF-8")
	status, body := do(t, r)
	return readReply(t, status, body)
}

// state is all that the two buckets hold.
func (v *villain) state() []string { return append(v.mine.state(v.t), v.other.state(v.t)...) }

// state is every object and every unfinished upload of the bucket.
func (b *bucket) state(t *testing.T) (found []string) {
	t.Helper()
	list, err := b.client.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &b.name})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range list.Contents {
		found = append(found, *o.Key+" "+*o.ETag)
	}
	for _, u := range b.mustUnfinished(t) {
		found = append(found, *u.Key+" "+*u.UploadId)
	}
	return found
}

func (v *villain) empty() {
	for _, b := range []*bucket{v.mine, v.other} {
		if err := b.empty(v.t.Context()); err != nil {
			v.t.Error(err)
		}
	}
}

// everybodyReads reports whether an object of the server's bucket can be had without any signature.
func (v *villain) everybodyReads(key string) bool {
	status, _ := do(v.t, newRequest(http.MethodGet, v.mine.url("/"+v.mine.name+"/"+key, ""), ""))
	return status == http.StatusOK
}

// uploads does honest work: everything is signed, and the store takes it. What the villain was refused
// was refused for what it was.
func (v villain) uploads(t *testing.T, srv *server) {
	send := func(w wish) {
		t.Helper()
		answer := srv.asked(t, w, w.texts[len(w.texts)-1])
		if answer.status != http.StatusOK {
			t.Fatal(answer.Error)
		}
		if status, body := complete(t, w, answer.Signature); status/100 != 2 {
			t.Fatalf("the store answered with status %d: %s", status, body)
		}
	}
	send(form{key: "simple.txt", conditions: exactly("key", "simple.txt"), body: "simple"}.wish(v.mine, v.version))
	send(call{method: "POST", key: "long.bam", query: "uploads"}.wish(v.mine, v.version))
	id := *v.mine.mustUnfinished(t)[0].UploadId
	send(call{method: "PUT", key: "long.bam", query: "partNumber=1&uploadId=" + id, body: "long"}.wish(v.mine, v.version))
	send(call{method: "POST", key: "long.bam", query: "uploadId=" + id, contentType: "application/xml; charset=UTF-8",
		body: fmt.Sprintf("<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>%x</ETag></Part></CompleteMultipartUpload>", md5.Sum([]byte("long")))}.wish(v.mine, v.version))
	if simple, long := v.mine.text(t, "simple.txt"), v.mine.text(t, "long.bam"); simple != "simple" || long != "long" {
		t.Errorf("simple.txt is %q, long.bam is %q", simple, long)
	}
	id = v.mine.begin(t, "aborted.bam")
	send(call{method: "DELETE", key: "aborted.bam", query: "uploadId=" + id}.wish(v.mine, v.version))
	if left := v.mine.mustUnfinished(t); len(left) != 0 {
		t.Errorf("%d unfinished uploads after the abort", len(left))
	}
}

// put makes an object, past the server.
func (b *bucket) put(t *testing.T, key, text string) {
	t.Helper()
	if _, err := b.client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &b.name, Key: &key, Body: strings.NewReader(text)}); err != nil {
		t.Fatal(err)
	}
}

// text is what an object holds; "" where there is none.
func (b *bucket) text(t *testing.T, key string) string {
	t.Helper()
	if !b.has(t, key) {
		return ""
	}
	o, err := b.client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &b.name, Key: &key})
	if err != nil {
		t.Fatal(err)
	}
	defer o.Body.Close()
	text, err := io.ReadAll(o.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func (b *bucket) has(t *testing.T, key string) bool {
	t.Helper()
	keys, err := b.keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return slices.Contains(keys, key)
}

func (b *bucket) mustUnfinished(t *testing.T) []types.MultipartUpload {
	t.Helper()
	uploads, err := b.unfinished(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return uploads
}

func (b *bucket) hasUnfinished(t *testing.T, key string) bool {
	t.Helper()
	return slices.ContainsFunc(b.mustUnfinished(t), func(u types.MultipartUpload) bool { return *u.Key == key })
}

// begin begins a multipart upload, past the server.
func (b *bucket) begin(t *testing.T, key string) (id string) {
	t.Helper()
	u, err := b.client.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: &b.name, Key: &key})
	if err != nil {
		t.Fatal(err)
	}
	return *u.UploadId
}

// finish completes the upload of key, if there is one, past the server. An upload without parts gets one.
func (b *bucket) finish(t *testing.T, key string) bool {
	t.Helper()
	uploads := b.mustUnfinished(t)
	i := slices.IndexFunc(uploads, func(u types.MultipartUpload) bool { return *u.Key == key })
	if i < 0 {
		return false
	}
	id := uploads[i].UploadId
	list, err := b.client.ListParts(t.Context(), &s3.ListPartsInput{Bucket: &b.name, Key: &key, UploadId: id})
	if err != nil {
		t.Fatal(err)
	}
	var etag *string
	if len(list.Parts) > 0 {
		etag = list.Parts[0].ETag
	} else {
		part, err := b.client.UploadPart(t.Context(), &s3.UploadPartInput{Bucket: &b.name, Key: &key, UploadId: id, PartNumber: aws.Int32(1), Body: strings.NewReader("any part")})
		if err != nil {
			t.Fatal(err)
		}
		etag = part.ETag
	}
	_, err = b.client.CompleteMultipartUpload(t.Context(), &s3.CompleteMultipartUploadInput{Bucket: &b.name, Key: &key, UploadId: id,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: []types.CompletedPart{{PartNumber: aws.Int32(1), ETag: etag}}}})
	if err != nil {
		t.Fatal(err)
	}
	return true
}
