//go:build e2e

package e2e

import (
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// A hostilePresign is a request of Uppy's signRequest that no upload needs.
type hostilePresign struct {
	name  string
	notOn []string
	// message is sent to /s3/presign. It may name an upload of the key "copy.txt" with the ID "ID".
	message map[string]any
	// would is what a server would sign that did not check the message.
	would wouldSign
	// works reports whether the request had an effect, by the store's response or content.
	works func(a *attacker, body string) bool
}

// wouldSign is a request to the store. Its path begins with the bucket.
type wouldSign struct {
	method, path, body string
	query              url.Values
	header             map[string]string
	lifetime           time.Duration // 0: 15 minutes
}

func objectIs(key, content string) func(*attacker, string) bool {
	return func(a *attacker, _ string) bool { return a.own.content(a.t, key) == content }
}

// hostilePresigns are named by the threat, with its number in the table of internal/server.
var hostilePresigns = []hostilePresign{
	{
		name:    "object deleted [E1]",
		message: map[string]any{"method": "DELETE", "key": "victim.txt"},
		would:   wouldSign{method: "DELETE", path: "OWN/victim.txt"},
		works:   func(a *attacker, _ string) bool { return !a.own.has(a.t, "victim.txt") },
	},
	{
		name:    "object read [E2]",
		message: map[string]any{"method": "GET", "key": "victim.txt"},
		would:   wouldSign{method: "GET", path: "OWN/victim.txt"},
		works:   func(_ *attacker, body string) bool { return body == "precious" },
	},
	{
		name:    "bucket listed [E3]",
		message: map[string]any{"method": "GET", "key": ""},
		would:   wouldSign{method: "GET", path: "OWN", query: url.Values{"list-type": {"2"}}},
		works:   func(_ *attacker, body string) bool { return strings.Contains(body, "victim.txt") },
	},
	{
		name:    "object in another bucket [E5]",
		message: map[string]any{"method": "PUT", "key": "evil.txt", "bucket": "OTHER"},
		would:   wouldSign{method: "PUT", path: "OTHER/evil.txt", body: "evil"},
		works:   func(a *attacker, _ string) bool { return a.other.has(a.t, "evil.txt") },
	},
	{
		name:    "object in another bucket by dots [E6]",
		notOn:   []string{"radosgw"}, // radosgw takes the dots as they are
		message: map[string]any{"method": "POST", "key": "../OTHER/secret.txt", "uploadId": "ID"},
		would:   wouldSign{method: "GET", path: "OTHER/secret.txt"},
		works:   func(_ *attacker, body string) bool { return body == "the other's secret" },
	},
	{
		name:    "object copied [E7]",
		message: map[string]any{"method": "PUT", "key": "copy.txt", "copySource": "/OTHER/secret.txt"},
		would: wouldSign{method: "PUT", path: "OWN/copy.txt",
			header: map[string]string{"X-Amz-Copy-Source": "/OTHER/secret.txt"}},
		works: objectIs("copy.txt", "the other's secret"),
	},
	{
		name: "part copied from another bucket [E7]",
		message: map[string]any{"method": "PUT", "key": "copy.txt", "uploadId": "ID", "partNumber": 1,
			"headers": map[string]any{"x-amz-copy-source": "/OTHER/secret.txt"}},
		would: wouldSign{method: "PUT", path: "OWN/copy.txt", query: url.Values{"partNumber": {"1"}, "uploadId": {"ID"}},
			header: map[string]string{"X-Amz-Copy-Source": "/OTHER/secret.txt"}},
		works: func(a *attacker, _ string) bool {
			return a.own.completeUpload(a.t, "copy.txt") && a.own.content(a.t, "copy.txt") == "the other's secret"
		},
	},
	{
		name:    "tags of an object [E8]",
		message: map[string]any{"method": "PUT", "key": "victim.txt", "query": "tagging"},
		would: wouldSign{method: "PUT", path: "OWN/victim.txt", query: url.Values{"tagging": {""}},
			body: "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"},
		works: func(a *attacker, _ string) bool { return a.own.tags(a.t, "victim.txt") == 1 },
	},
	{
		name:    "multipart upload with a public ACL [E12]",
		notOn:   []string{"versitygw"}, // versitygw gives objects no ACLs
		message: map[string]any{"method": "POST", "key": "public.txt", "acl": "public-read"},
		would: wouldSign{method: "POST", path: "OWN/public.txt", query: url.Values{"uploads": {""}},
			header: map[string]string{"X-Amz-Acl": "public-read"}},
		works: func(a *attacker, _ string) bool {
			return a.own.completeUpload(a.t, "public.txt") && a.isPublic("public.txt")
		},
	},
	{
		name:    "a part that can be sent for a week [E14]",
		message: map[string]any{"method": "PUT", "key": "copy.txt", "uploadId": "ID", "partNumber": 1, "expiresIn": 604800},
		would: wouldSign{method: "PUT", path: "OWN/copy.txt", query: url.Values{"partNumber": {"1"}, "uploadId": {"ID"}},
			body: "late", lifetime: week},
		works: func(a *attacker, _ string) bool {
			return a.own.completeUpload(a.t, "copy.txt") && a.own.content(a.t, "copy.txt") == "late"
		},
	},
	{
		name:    "every upload aborted by an upload ID with dots [E15]",
		notOn:   []string{"radosgw"}, // only versitygw keeps an upload in a directory named by its ID
		message: map[string]any{"method": "DELETE", "key": "evil.txt", "uploadId": ".."},
		would:   wouldSign{method: "DELETE", path: "OWN/evil.txt", query: url.Values{"uploadId": {".."}}},
		works:   func(a *attacker, _ string) bool { return !a.own.hasUnfinished(a.t, "copy.txt") },
	},
	{
		name:    "bucket's uploads listed [E17]",
		message: map[string]any{"method": "GET", "key": "copy.txt", "partNumber": 1},
		would:   wouldSign{method: "GET", path: "OWN", query: url.Values{"uploads": {""}}},
		works:   func(_ *attacker, body string) bool { return strings.Contains(body, "<Key>copy.txt</Key>") },
	},
}

// The requests of Uppy that the server rejects are dangerous in practice: presigned with the secret key, each has an
// effect on the store.
func TestStoreAcceptsHostilePresigns(t *testing.T) {
	t.Parallel()
	for _, s := range []*store{shared.radosgw, startVersitygw(t)} {
		a := newAttacker(t, s, 4)
		srv := startServer(t, newWorkDir(t), settingsFor(a.own, pathStyle.endpoint(a.own.port)))
		for _, c := range hostilePresigns {
			if !slices.Contains(c.notOn, s.name) {
				t.Run(s.name+"/"+c.name, func(t *testing.T) { a.attackPresign(t, srv, c) })
			}
		}
		t.Run(s.name+"/an unsigned header on a part", func(t *testing.T) { a.addCopySource(t, srv) })
	}
}

// attackPresign runs the case with the secret key and with the server.
func (a attacker) attackPresign(t *testing.T, srv *server, c hostilePresign) {
	a.t = t
	defer a.empty()
	id := a.prepare()
	if _, body := do(t, a.presign(c.would, id)); !c.works(&a, body) {
		t.Errorf("the store rejects the request although it is signed: the case proves nothing: %s", body)
	}
	a.empty()
	id = a.prepare()
	before := a.state()
	status, body := srv.presign(t, a.fill(asJSON(c.message), id))
	if r := parseResponse(t, status, body); !r.rejected() || strings.Contains(body, "X-Amz-Signature") {
		t.Errorf("the server did not reject %v: status %d, %s", c.message, status, body)
	}
	if after := a.state(); !reflect.DeepEqual(before, after) {
		t.Errorf("the store's content changed from %v to %v", before, after)
	}
}

// prepare stores a victim in each bucket, and begins an upload.
func (a *attacker) prepare() (id string) {
	a.own.put(a.t, "victim.txt", "precious")
	a.other.put(a.t, "secret.txt", "the other's secret")
	return a.own.initiateUpload(a.t, "copy.txt")
}

// fill replaces the placeholders of a case.
func (a *attacker) fill(text, id string) string {
	return strings.NewReplacer("OWN", a.own.name, "OTHER", a.other.name, `"ID"`, asJSON(id)).Replace(text)
}

// presign presigns a request with the secret key.
func (a *attacker) presign(w wouldSign, id string) *http.Request {
	query := maps.Clone(w.query)
	if query == nil {
		query = url.Values{}
	}
	if query.Get("uploadId") == "ID" {
		query.Set("uploadId", id)
	}
	lifetime := "900"
	if w.lifetime == week {
		lifetime = "604800"
	}
	query.Set("X-Amz-Expires", lifetime)
	r := newRequest(w.method, a.own.url("/"+a.fill(w.path, id), query.Encode()), w.body)
	unsigned := r.Clone(a.t.Context())
	unsigned.ContentLength = 0
	for name, value := range w.header {
		unsigned.Header.Set(name, a.fill(value, id))
	}
	keys := aws.Credentials{AccessKeyID: a.own.accessKey, SecretAccessKey: a.own.secretKey}
	signed, header, err := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }).PresignHTTP(
		a.t.Context(), keys, unsigned, "UNSIGNED-PAYLOAD", "s3", region, time.Now())
	if err != nil {
		a.t.Fatal(err)
	}
	r = newRequest(w.method, signed, w.body)
	header.Del("Host")
	maps.Copy(r.Header, header)
	return r
}

// addCopySource adds x-amz-copy-source to the presigned URL of a part. A store that obeys it needs
// P3S3F_SIGNATURE_VERSION=2, with which the server gives no such URL.
func (a attacker) addCopySource(t *testing.T, srv *server) {
	a.t = t
	defer a.empty()
	id := a.prepare()
	message := asJSON(map[string]any{"method": "PUT", "key": "copy.txt", "uploadId": id, "partNumber": 1})
	status, body := srv.presign(t, message)
	r := newRequest("PUT", presignedURLIn(t, status, body), "")
	r.Header.Set("x-amz-copy-source", "/"+a.other.name+"/secret.txt")
	status, body = do(t, r)
	isCopied := a.own.completeUpload(t, "copy.txt") && a.own.content(t, "copy.txt") == "the other's secret"
	if isCopied != a.own.obeysUnsigned {
		t.Errorf("copied: got %t, want %t: status %d, %s", isCopied, a.own.obeysUnsigned, status, body)
	}
	env := settingsFor(a.own, pathStyle.endpoint(a.own.port)).with(settings{"P3S3F_SIGNATURE_VERSION": "2"})
	status, body = startServer(t, newWorkDir(t), env).presign(t, message)
	if !parseResponse(t, status, body).rejected() {
		t.Errorf("with P3S3F_SIGNATURE_VERSION=2: status %d, %s", status, body)
	}
}
