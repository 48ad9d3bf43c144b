//go:build e2e

package e2e

import (
	"strings"
	"time"
)

// A hostileCase is something that no upload needs.
type hostileCase struct {
	name string
	// run sends the requests of the attack, and reports whether it had an effect.
	run func(a *attacker) bool
	// rewritten: under version 4 the server reads /other/key as the key "other/key" in its own bucket, and signs that.
	rewritten bool
	notOn     []string // set-ups where the attack is impossible; the variables below say why
}

var (
	noACLs     = []string{"versitygw/V4"}               // versitygw gives objects no ACLs
	checkedIDs = []string{"radosgw/V2", "radosgw/V4"}   // only versitygw keeps an upload in a directory named by its ID
	onlyV2     = []string{"radosgw/V4", "versitygw/V4"} // what version 4 signs always has its own first line
)

var anyKey = []any{[]string{"starts-with", "$key", ""}}

// hostileCases are named by the threat, with its number in the list of attacks.
var hostileCases = []hostileCase{
	{name: "multipart upload to another bucket [A13]", rewritten: true, run: func(a *attacker) bool {
		a.send(a.other, headerSigned{method: "POST", key: "evil.bam", query: "uploads"})
		return a.other.hasUnfinished(a.t, "evil.bam")
	}},
	{name: "form upload to another bucket [C3]", run: func(a *attacker) bool {
		a.send(a.other, postForm{key: "evil.txt", conditions: exactMatch("key", "evil.txt")})
		return a.other.has(a.t, "evil.txt")
	}},
	{name: "form upload with any key [C7]", run: func(a *attacker) bool {
		a.own.put(a.t, "victim.txt", "precious")
		a.send(a.own, postForm{key: "victim.txt", conditions: anyKey, body: "replaced"})
		return a.own.content(a.t, "victim.txt") == "replaced"
	}},
	{name: "policy that is valid for a year [C1]", run: func(a *attacker) bool {
		const year = 365 * 24 * time.Hour
		a.send(a.own, postForm{key: "late.txt", conditions: exactMatch("key", "late.txt"), lifetime: year})
		return a.own.has(a.t, "late.txt")
	}},
	{name: "form upload with a public ACL [C13]", notOn: noACLs, run: func(a *attacker) bool {
		a.send(a.own, postForm{
			key: "public.html", fields: map[string]string{"acl": "public-read"},
			conditions: append(exactMatch("key", "public.html"), exactMatch("acl", "public-read")...),
		})
		return a.isPublic("public.html")
	}},
	{name: "policy signed as a string to sign [A1]", notOn: onlyV2, run: func(a *attacker) bool {
		r := postForm{key: "evil.txt", conditions: anyKey}.unsigned(a.other, 2)
		r.toSign, r.policy = []string{encodePolicy(r.toSign[0])}, false
		a.sendRequest(r)
		return a.other.has(a.t, "evil.txt")
	}},
	{name: "object replaced [B13]", run: func(a *attacker) bool {
		a.own.put(a.t, "victim.txt", "precious")
		a.send(a.own, headerSigned{method: "PUT", key: "victim.txt", body: "replaced"})
		return a.own.content(a.t, "victim.txt") == "replaced"
	}},
	{name: "object deleted [A2, B13]", run: func(a *attacker) bool {
		a.own.put(a.t, "victim.txt", "precious")
		a.send(a.own, headerSigned{method: "DELETE", key: "victim.txt"})
		return !a.own.has(a.t, "victim.txt")
	}},
	{name: "public ACL on an object [A7]", notOn: noACLs, run: func(a *attacker) bool {
		a.own.put(a.t, "victim.txt", "precious")
		publicRead := map[string]string{"x-amz-acl": "public-read"}
		a.send(a.own, headerSigned{method: "PUT", key: "victim.txt", query: "acl", header: publicRead})
		return a.isPublic("victim.txt")
	}},
	{name: "multipart upload with a public ACL [A10]", notOn: noACLs, run: func(a *attacker) bool {
		publicRead := map[string]string{"x-amz-acl": "public-read"}
		a.send(a.own, headerSigned{method: "POST", key: "public.bam", query: "uploads", header: publicRead})
		return a.own.completeUpload(a.t, "public.bam") && a.isPublic("public.bam")
	}},
	{name: "every upload aborted by an upload ID with dots [A22]", notOn: checkedIDs, run: func(a *attacker) bool {
		a.own.initiateUpload(a.t, "victim.bam")
		a.send(a.own, headerSigned{method: "DELETE", key: "evil.bam", query: "uploadId=.."})
		return !a.own.hasUnfinished(a.t, "victim.bam")
	}},
	{name: "bucket listed [A4, B12]", run: func(a *attacker) bool {
		a.own.put(a.t, "victim.txt", "precious")
		return strings.Contains(a.send(a.own, headerSigned{method: "GET"}), "victim.txt")
	}},
	{name: "part copied from another bucket [A9, B14]", run: func(a *attacker) bool {
		a.other.put(a.t, "secret.txt", "the other's secret")
		a.send(a.own, headerSigned{
			method: "PUT", key: "copy.txt", query: "partNumber=1&uploadId=" + a.own.initiateUpload(a.t, "copy.txt"),
			header: map[string]string{"x-amz-copy-source": "/" + a.other.name + "/secret.txt"},
		})
		return a.own.completeUpload(a.t, "copy.txt") && a.own.content(a.t, "copy.txt") == "the other's secret"
	}},
	{name: "presigned URL that reads an object [A5, B7]", run: func(a *attacker) bool {
		a.own.put(a.t, "victim.txt", "precious")
		return a.send(a.own, presignedURL{method: "GET", key: "victim.txt"}) == "precious"
	}},
	{name: "presigned URL that writes an object [A6, B7]", run: func(a *attacker) bool {
		a.send(a.own, presignedURL{method: "PUT", key: "linked.txt", body: "anything"})
		return a.own.has(a.t, "linked.txt")
	}},
}

// exactMatch is a condition as Fine Uploader writes it.
func exactMatch(name, value string) []any { return []any{map[string]string{name: value}} }
