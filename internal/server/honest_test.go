package server_test

import (
	"net/url"
	"path"
	"slices"
	"strings"
	"testing"
)

// expectSigned sends an honest request, and checks the calls, the hook's key and the signature that its row expects.
func (s *testServer) expectSigned(t *testing.T, r row, a attack) {
	t.Helper()
	defer s.clock.Store(s.clock.Load())
	defer s.store.etag.Store(s.store.etag.Load())
	if !a.at.IsZero() {
		s.clock.Store(&a.at)
	}
	if a.etag != "" {
		s.store.etag.Store(&a.etag)
	}
	s.store.drain()
	s.recorder.drain()
	members := s.expectOK(t, a)
	if calls := s.store.drain(); len(calls) != r.calls {
		t.Errorf("S3 was called: %q", calls)
	}
	if received := s.recorder.keys(); len(received) != 1 || a.key != "" && received[0] != a.key {
		t.Errorf("the hook received %q, want %q", received, a.key)
	}
	signature, isSigned := members["signature"]
	_, isPresigned := members["url"]
	if (isSigned || isPresigned) == (r.calls > 0) || a.signature != "" && signature != a.signature {
		t.Errorf("signature %v, want %s", signature, a.signature)
	}
}

// honestRows has every honest request.
func honestRows(t *testing.T) []row {
	t.Helper()
	return slices.Concat(rowsHonest, rowsHonestPresign, capturedRows(t), namedRows())
}

// rowsHonest has every request that attacks are derived from. An attack differs from one of them only as its row shows.
var rowsHonest = []row{
	{what: "version 2", attacks: stringV2(initiate2, part2, complete2, abort2)},
	{
		what:    "version 2, content types",
		in:      limitedTypes,
		attacks: stringV2(initiate2, swap(initiate2, "text/plain", "image/png")),
	},
	{
		what: "an audio recording",
		in:   limitedTypes,
		attacks: slices.Concat(stringV2(swap(initiate2, "text/plain", "image/webm;codecs=vp8,opus")),
			typesV4(swap(typedInitiate4, "text/plain", "image/webm;codecs=vp8,opus")),
			bodyV2(swap(policy2, "text/plain", "image/webm;codecs=vp8,opus"))),
	},
	{
		what:    "version 2, dots in the upload ID",
		attacks: stringV2(swap(part2, "UPID.abc-_123", "..."), swap(abort2, "UPID.abc-_123", ".U")),
	},
	{what: "version 2, no type", attacks: stringV2(swap(initiate2, "text/plain", ""))},
	{what: "version 2, size limit", in: limitedSize, attacks: stringV2(swap(part2, "partNumber=1&", "partNumber=3&"))},
	{
		what:    "version 2, ACL",
		in:      withACL,
		attacks: stringV2(swap(initiate2, "x-amz-acl:private", "x-amz-acl:public-read")),
	},
	{
		what:    "version 2, date at the limits of the window",
		attacks: stringV2(swap(part2, "11:56:08", "11:41:08"), swap(part2, "11:56:08", "12:11:08")),
	},
	{what: "version 2, digest", attacks: stringV2(swap(initiate2, "POST\n\n", "POST\nXrY7u+Ae7tCTyyK7j1rNww==\n"))},
	{
		what:    "version 2, long key",
		attacks: stringV2(swap(initiate2, "/mybucket/uuid.txt", "/mybucket/"+strings.Repeat("k", 1024))),
	},
	{what: "version 4", attacks: stringV4(initiate4, part4, complete4, abort4)},
	{what: "version 4, content type signed", attacks: stringV4(typedInitiate4, typedPart4, typedComplete4)},
	{
		what: "version 4, content types",
		in:   limitedTypes,
		attacks: typesV4(typedInitiate4, swap(typedInitiate4, "text/plain", "image/png"), typedPart4, typedComplete4,
			part4, complete4, abort4),
	},
	{
		what:    "version 4, path-style by name",
		attacks: inPathByName(each(swap(initiate4, host4, "host:localhost:9312\n"), "uuid.txt", "uuid.txt.doc", "x")...),
	},
	{
		what: "version 4, AWS",
		attacks: atAWS(
			each(initiate4, host4, "host:mybucket.s3.amazonaws.com\n",
				"host:mybucket.s3.us-east-1.amazonaws.com\n", "host:mybucket.s3-us-east-1.amazonaws.com\n",
				"host:mybucket.s3.dualstack.us-east-1.amazonaws.com\n", "host:s3.amazonaws.com\n")...),
	},
	{
		what: "version 4, unsigned payload",
		attacks: unsignedV4(unsignedPayload, unsignedPart4, typedUnsignedPart4, initiate4, part4, typedPart4, complete4,
			abort4),
	},
	{
		what:    "only version 2",
		in:      onlyV2,
		attacks: slices.Concat(stringV2(initiate2, part2, complete2, abort2), bodyV2(policy2)),
	},
	{what: "policies", attacks: slices.Concat(bodyV2(policy2, sized2), bodyV4(policy4))},
	{what: "policies, escaped", attacks: bodyV2(swap(policy2, `"uuid.txt"`, `"\"\\ud83d\\.txt"`))},
	{what: "policies, size limit", in: limitedSize, attacks: bodyV2(sized2)},
	{what: "policies, content types", in: limitedTypes, attacks: bodyV2(policy2)},
	{
		what:    "success",
		calls:   1,
		attacks: slices.Concat(forms("POST", "/s3/success", success), forms("PUT", "/s3/success?st=1", success)),
	},
	{what: "delete", calls: 1, attacks: slices.Concat(deletes(deletePath), forms("POST", "/s3/delete", deleteForm))},
}

// honestNames are file names with difficult characters, among them those of the browser tests.
var honestNames = []string{
	"one byte.txt", "kibibyte.csv", "12 MB.png", "11 MB without extension", "reads.bam",
	"spaces  and (brackets), more.txt", "Füße größer als Äpfel.txt",
	"a+b & c=d #1 100%.txt", "a+b & c=d #1 100% in parts.txt", "日本語.tar.gz", "日本語 in parts.tar.gz",
	"hello.txt", "long.bam", "untyped", "untyped and long",
	"survey.bam", "second survey.bam", "third survey.bam", "200 MB.bam",
	"it's ~50% \"done\"!*.txt", "..twodots", "trailing dot.", "a..b", "$1 \\1 $& ${HOME.txt", "🙂.txt", "e\u0301.txt",
}

// keySchemes are the values of objectProperties.key in the browser tests, and the keys that they give. If callers have
// owners, the owner comes before each.
var keySchemes = []struct{ script, key string }{
	{`"uuid"`, "UUID.EXTENSION"},
	{`"filename"`, "NAME"},
	{`function (id) { return "a folder/of number " + id + "/" + this.getName(id); }`, "a folder/of number 3/NAME"},
	{`function (id) { return "a folder/" + this.getName(id); }`, "a folder/NAME"},
	{`function (id) { return Promise.resolve("later/" + this.getName(id)); }`, "later/NAME"},
	{`function (id) {
  var name = this.getUuid(id) + "." + qq.getExtension(this.getName(id));
  return owner.then(function (id) { return id + "/" + name; });
}`, "UUID.EXTENSION"},
}

// keysOf returns the distinct keys that a file of that name can get.
func keysOf(name string) (keys []string) {
	const uuid = "0e4b5c5a-aa56-40e3-80a0-f315d8d6b43a"
	extension := path.Ext(name)
	if extension == name || extension == "." {
		extension = "" // Fine Uploader finds none in ".name" and "name."
	}
	for _, scheme := range keySchemes {
		key := strings.NewReplacer("UUID.EXTENSION", uuid+extension, "NAME", name).Replace(scheme.key)
		for _, key := range []string{key, "L53KYQWHDE7D6KZNFKVN75STFR/" + key} {
			if !slices.Contains(keys, key) {
				keys = append(keys, key)
			}
		}
	}
	return keys
}

// namedRows has every operation for every name, in each scheme of keys.
func namedRows() (rows []row) {
	for _, name := range honestNames {
		signed := row{what: "operations on " + name}
		received := row{what: "reports of " + name, calls: 1}
		for _, key := range keysOf(name) {
			escaped := "/" + strings.ReplaceAll(escape(key), "%2F", "/")
			on := func(base string) string {
				return strings.Replace(strings.Replace(base, "/uuid.txt", escaped, 1),
					"qqfilename:my%20file%20%C3%A9.txt", "qqfilename:"+escape(name), 1)
			}
			attacks := slices.Concat(stringV2(on(initiate2), on(part2), on(complete2), on(abort2)),
				stringV4(on(initiate4), on(part4), on(complete4), on(abort4)))
			if !strings.Contains(key, "${") { // which only a policy's key must not have
				attacks = slices.Concat(attacks, bodyV2(swapKey(policy2, key, name)), bodyV4(swapKey(policy4, key, name)),
					presigns(swapNames(put5, key, name)))
			}
			for _, request := range every5[1:] {
				attacks = append(attacks, presigns(swapNames(request, key, name))...)
			}
			encoded := "key=" + url.QueryEscape(key)
			reports := slices.Concat(forms("POST", "/s3/success", swap(success, "key=uuid.txt", encoded)),
				deletes(swap(deletePath, "key=uuid.txt", encoded)),
				forms("POST", "/s3/delete", swap(deleteForm, "key=uuid.txt", encoded)))
			for _, list := range [][]attack{attacks, reports} {
				for i := range list {
					list[i].key = key
				}
			}
			signed.attacks, received.attacks = append(signed.attacks, attacks...), append(received.attacks, reports...)
		}
		rows = append(rows, signed, received)
	}
	return rows
}

// escape is encodeURIComponent that also escapes !'()*, as S3 requires.
func escape(text string) string {
	return strings.ReplaceAll(url.QueryEscape(text), "+", "%20")
}

func swapKey(policy, key, name string) string {
	return swapTo(swapTo(policy, `"uuid.txt"`, quoteJSON(key)), `"my%20file%20%C3%A9.txt"`, quoteJSON(escape(name)))
}

// swapNames replaces the key and the file name of a request of Uppy.
func swapNames(request, key, name string) string {
	return swapTo(swapTo(request, `"uuid.txt"`, quoteJSON(key)), `"my file é.txt"`, quoteJSON(name))
}

// swapTo is swap where old and new may be the same.
func swapTo(base, old, new string) string { return strings.Replace(base, old, new, 1) }
