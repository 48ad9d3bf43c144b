//go:build e2e

package e2e

import (
	"crypto/md5"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"testing"
)

// The requests that the server rejects are dangerous in practice: the store accepts them if they are signed. Each case
// runs twice, with a signature made with the secret key, and with what the server signs.
func TestStoreAcceptsHostileRequests(t *testing.T) {
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
			a := newAttacker(t, setup.store, setup.version)
			srv := startServer(t, newWorkDir(t), settingsFor(a.own, pathStyle.endpoint(a.own.port)))
			for _, c := range hostileCases {
				if slices.Contains(c.notOn, setup.name) {
					continue
				}
				t.Run(c.name, func(t *testing.T) { a.attack(t, srv, c) })
			}
			t.Run("what an upload needs", func(t *testing.T) { a.checkUploads(t, srv) })
		})
	}
}

// An attacker knows the access key and two buckets of its owner. The server signs for the first one.
type attacker struct {
	t          *testing.T
	version    int
	own, other *bucket
	server     *server // signs the requests; nil: the attacker has the secret key
	rewritten  bool    // the server may sign, because what it signs is not what the attacker asked for
}

func newAttacker(t *testing.T, s *store, version int) *attacker {
	return &attacker{t: t, version: version, own: newBucket(t, s), other: newBucket(t, s)}
}

// attack runs the case with the secret key and with the server. The buckets are empty at the beginning.
func (a attacker) attack(t *testing.T, srv *server, c hostileCase) {
	a.t = t
	defer a.empty()
	if !c.run(&a) {
		t.Error("the store rejects the request although it is signed: the case proves nothing")
	}
	a.empty()
	a.server, a.rewritten = srv, c.rewritten && a.version == 4
	if c.run(&a) {
		t.Error("the store accepted the request with the server's signature")
	}
}

// checkStoreRejects runs the case with the secret key, and checks that the store itself rejects it.
func (a attacker) checkStoreRejects(t *testing.T, c hostileCase) {
	a.t = t
	if c.run(&a) {
		t.Error("the store accepted the request")
	}
}

// send signs a request to b and sends it; see sendRequest.
func (a *attacker) send(b *bucket, r signable) (body string) {
	a.t.Helper()
	return a.sendRequest(r.unsigned(b, a.version))
}

// sendRequest sends r with every signature that the attacker can get, and returns the store's last response. The server
// must reject the request, and what is sent without its signature must have no effect.
func (a *attacker) sendRequest(r unsignedRequest) (body string) {
	a.t.Helper()
	if a.server == nil {
		_, body = sendSigned(a.t, r, r.signUnchecked(a.own.secretKey))
		return body
	}
	before := a.state()
	for _, text := range r.toSign {
		signed := a.server.requestSignature(a.t, r, text)
		if !a.rewritten && !signed.rejected() {
			a.t.Errorf("the server did not reject %q: status %d, %+v", text, signed.status, signed)
		}
		var status int
		if status, body = sendSigned(a.t, r, signed.Signature); status/100 != 4 {
			a.t.Errorf("response of the store: got status %d, want 4xx: %s", status, body)
		}
	}
	if after := a.state(); !reflect.DeepEqual(before, after) {
		a.t.Errorf("the store's content changed from %v to %v", before, after)
	}
	return body
}

// state is the content of the two buckets.
func (a *attacker) state() []string { return append(a.own.state(a.t), a.other.state(a.t)...) }

func (a *attacker) empty() {
	for _, b := range []*bucket{a.own, a.other} {
		if err := b.empty(a.t.Context()); err != nil {
			a.t.Error(err)
		}
	}
}

// isPublic reports whether an object of the server's bucket can be read without a signature.
func (a *attacker) isPublic(key string) bool {
	status, _ := do(a.t, newRequest(http.MethodGet, a.own.url("/"+a.own.name+"/"+key, ""), ""))
	return status == http.StatusOK
}

// checkUploads checks that the requests of an upload are signed and accepted: the hostile requests were rejected for
// what they ask, and not because they were malformed.
func (a attacker) checkUploads(t *testing.T, srv *server) {
	send := func(request signable) {
		t.Helper()
		r := request.unsigned(a.own, a.version)
		signed := srv.requestSignature(t, r, r.asFineUploader())
		if signed.status != http.StatusOK {
			t.Fatal(signed.Error)
		}
		if status, body := sendSigned(t, r, signed.Signature); status/100 != 2 {
			t.Fatalf("response of the store: got status %d, want 2xx: %s", status, body)
		}
	}
	send(postForm{key: "simple.txt", conditions: exactMatch("key", "simple.txt"), body: "simple"})
	send(headerSigned{method: "POST", key: "long.bam", query: "uploads"})
	id := *a.own.listUnfinished(t)[0].UploadId
	send(headerSigned{method: "PUT", key: "long.bam", query: "partNumber=1&uploadId=" + id, body: "long"})
	part := fmt.Sprintf("<Part><PartNumber>1</PartNumber><ETag>%x</ETag></Part>", md5.Sum([]byte("long")))
	send(headerSigned{
		method: "POST", key: "long.bam", query: "uploadId=" + id, contentType: "application/xml; charset=UTF-8",
		body: "<CompleteMultipartUpload>" + part + "</CompleteMultipartUpload>",
	})
	for key, want := range map[string]string{"simple.txt": "simple", "long.bam": "long"} {
		if got := a.own.content(t, key); got != want {
			t.Errorf("content of %s: got %q, want %q", key, got, want)
		}
	}
	id = a.own.initiateUpload(t, "aborted.bam")
	send(headerSigned{method: "DELETE", key: "aborted.bam", query: "uploadId=" + id})
	if left := a.own.listUnfinished(t); len(left) != 0 {
		t.Errorf("unfinished uploads after the abort: got %d, want none", len(left))
	}
}
