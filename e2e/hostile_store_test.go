//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// A store that does not support virtual hosts takes the bucket from the path. Under version 4 that bucket may be
// anybody's, so the server signs for virtual hosts only if P3S3F_ADDRESSING says so.
func TestVirtualHostOnPathStore(t *testing.T) {
	t.Parallel()
	a := newAttacker(t, startVersitygw(t), 4)
	name := fmt.Sprintf("store.example:%d", a.own.port)
	srv := startServer(t, newWorkDir(t), settingsFor(a.own, "http://"+name))
	a.attack(t, srv, hostileCase{run: func(a *attacker) bool {
		host := a.own.name + "." + name
		a.send(a.other, headerSigned{method: "POST", key: "evil.bam", query: "uploads", host: host})
		return a.other.hasUnfinished(a.t, "evil.bam")
	}})
}

// A store accepts no other content type than the signed one, so P3S3F_ALLOWED_TYPES holds.
func TestSignedContentType(t *testing.T) {
	t.Parallel()
	versitygw := startVersitygw(t)
	for _, setup := range []struct {
		store   *store
		version int
	}{{shared.radosgw, 2}, {shared.radosgw, 4}, {versitygw, 4}} {
		for _, sent := range []string{"image/png", "text/html", ""} {
			t.Run(fmt.Sprintf("%s/V%d/%q", setup.store.name, setup.version, sent), func(t *testing.T) {
				a := newAttacker(t, setup.store, setup.version)
				a.send(a.own, headerSigned{
					method: "POST", key: "key", query: "uploads", contentType: "image/png",
					unsignedHeader: map[string]string{"Content-Type": sent},
				})
				if got, want := a.own.hasUnfinished(t, "key"), sent == "image/png"; got != want {
					t.Errorf("accepted: got %t, want %t", got, want)
				}
			})
		}
	}
}

// radosgw before 19.2.6 and 20.2.4 applies x-amz-* headers of a version 4 request although they are not signed. With
// any signature for a part, an attacker can then copy any object into that part. P3S3F_SIGNATURE_VERSION=2 gives no
// version 4 signatures.
func TestUnsignedHeader(t *testing.T) {
	t.Parallel()
	copies := hostileCase{run: func(a *attacker) bool {
		a.other.put(a.t, "secret.txt", "the other's secret")
		a.send(a.own, headerSigned{
			method: "PUT", key: "copy.txt", query: "partNumber=1&uploadId=" + a.own.initiateUpload(a.t, "copy.txt"),
			unsignedHeader: map[string]string{"x-amz-copy-source": "/" + a.other.name + "/secret.txt"},
		})
		return a.own.completeUpload(a.t, "copy.txt") && a.own.content(a.t, "copy.txt") == "the other's secret"
	}}
	t.Run("radosgw/V4", func(t *testing.T) {
		a := newAttacker(t, shared.radosgw, 4)
		if !shared.radosgw.obeysUnsigned {
			a.checkStoreRejects(t, copies)
			return
		}
		env := settingsFor(a.own, pathStyle.endpoint(a.own.port)).with(settings{"P3S3F_SIGNATURE_VERSION": "2"})
		a.attack(t, startServer(t, newWorkDir(t), env), copies)
	})
	t.Run("radosgw/V2", func(t *testing.T) { newAttacker(t, shared.radosgw, 2).checkStoreRejects(t, copies) })
	t.Run("versitygw/V4", func(t *testing.T) { newAttacker(t, startVersitygw(t), 4).checkStoreRejects(t, copies) })
}

// Under version 2, radosgw signs only those query parameters that it counts as sub-resources, and no body. So a part's
// signature, which the server has to give, also works with &retention and &legal-hold: if the bucket has object lock
// and the key may use it, a user who may upload can lock an object for as long as he likes. Version 4 signs the whole
// query. docs/security.md says how to prevent this.
func TestUnsignedQuery(t *testing.T) {
	t.Parallel()
	until := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	locks := map[string]string{ // by query parameter
		"legal-hold": "<LegalHold><Status>ON</Status></LegalHold>",
		"retention":  "<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>" + until + "</RetainUntilDate></Retention>",
	}
	b := newLockedBucket(t, shared.radosgw)
	srv := startServer(t, newWorkDir(t), settingsFor(b, pathStyle.endpoint(b.port)))
	for parameter, document := range locks {
		for _, version := range []int{2, 4} {
			t.Run(fmt.Sprintf("V%d/%s", version, parameter), func(t *testing.T) {
				lockWithPart(t, b, srv, version, parameter, document)
			})
		}
	}
}

// lockWithPart locks an object with the signature of a part, which the store must allow under version 2 only.
func lockWithPart(t *testing.T, b *bucket, srv *server, version int, parameter, document string) {
	key := fmt.Sprintf("%s-%d.txt", parameter, version)
	b.put(t, key, "precious")
	query := "partNumber=1&uploadId=" + b.initiateUpload(t, key)
	part := headerSigned{method: "PUT", key: key, query: query, body: document}.unsigned(b, version)
	signed := srv.requestSignature(t, part, part.asFineUploader())
	if signed.status != http.StatusOK {
		t.Fatalf("the server did not sign a part: %+v", signed)
	}
	r := part.complete(signed.Signature)
	r.URL.RawQuery += "&" + parameter
	status, body := do(t, r)
	want := version == 2
	if locked := !b.canDelete(t, key); locked != want {
		t.Errorf("object locked: got %t, want %t", locked, want)
	}
	if accepted := status == http.StatusOK; accepted != want {
		t.Errorf("request accepted: got %t, want %t: status %d: %s", accepted, want, status, body)
	}
	if mismatch := strings.Contains(body, "SignatureDoesNotMatch"); mismatch == want {
		t.Errorf("SignatureDoesNotMatch: got %t, want %t: %s", mismatch, !want, body)
	}
}
