package server_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// The honest requests of Uppy that attacks are derived from.
const (
	put5      = `{"method":"PUT","key":"uuid.txt","contentType":"text/plain",` + object5 + `}`
	create5   = `{"method":"POST","key":"uuid.txt","contentType":"text/plain",` + object5 + `}`
	part5     = `{"method":"PUT","key":"uuid.txt","uploadId":"UPID.abc-_123","partNumber":1}`
	complete5 = `{"method":"POST","key":"uuid.txt","uploadId":"UPID.abc-_123"}`
	abort5    = `{"method":"DELETE","key":"uuid.txt","uploadId":"UPID.abc-_123"}`
	list5     = `{"method":"GET","key":"uuid.txt","uploadId":"UPID.abc-_123"}`

	object5 = `"size":11,"acl":"private","metadata":{"qqfilename":"my file é.txt"}`
)

// every5 is one request for each operation.
var every5 = []string{put5, create5, part5, complete5, abort5, list5}

// later5 are the requests after the first one of an upload.
var later5 = []string{part5, complete5, abort5, list5}

// with5 adds a member in front of each request, for each of the members.
func with5(requests []string, members ...string) (bodies []string) {
	for _, request := range requests {
		for _, member := range members {
			bodies = append(bodies, "{"+member+","+request[1:])
		}
	}
	return bodies
}

// each5 replaces old by each of the new texts in every request that has it.
func each5(requests []string, old string, news ...string) (bodies []string) {
	for _, request := range requests {
		bodies = append(bodies, each(request, old, news...)...)
	}
	return bodies
}

func presigns(bodies ...string) []attack { return signRequests("/s3/presign", "", bodies...) }

// presignsIn sends them to a server with that setup.
func presignsIn(in setup, bodies ...string) []attack {
	return signRequests("/s3/presign", in, bodies...)
}

// rowsPresign has ids that begin with E.
var rowsPresign = []row{
	{
		id: "E1", what: "an object is deleted", message: "/s3/delete", status: 403,
		attacks: presigns(`{"method":"DELETE","key":"victim.txt"}`,
			`{"method":"DELETE","key":"victim.txt","partNumber":1}`,
			`{"method":"DELETE","key":"victim.txt","expiresIn":60}`, `{"method":"DELETE","key":"../victim.txt"}`,
			`{"method":"DELETE","key":""}`, `{"method":"DELETE"}`,
			`{"method":"DELETE","key":"victim.txt","uploadId":null}`),
	},
	{
		id: "E2", what: "an object is read", message: "presigns only", status: 400,
		attacks: presigns(`{"method":"GET","key":"secret.txt"}`, `{"method":"HEAD","key":"secret.txt"}`,
			`{"method":"GET","key":"secret.txt","expiresIn":604800}`, `{"method":"GET","key":"secret.txt","partNumber":1}`,
			`{"method":"HEAD","key":"secret.txt","uploadId":"U"}`,
			`{"method":"GET","key":"secret.txt","uploadId":"U","partNumber":1}`,
			`{"method":"GET","key":"secret.txt","uploadId":null}`),
	},
	{
		id: "E3", what: "the bucket is listed, deleted or configured",
		attacks: presigns(`{"method":"GET"}`, `{"method":"GET","key":""}`, `{"method":"GET","key":"","uploadId":"U"}`,
			`{"method":"PUT","key":""}`, `{"method":"POST","key":""}`, `{"method":"DELETE","key":"","uploadId":"U"}`,
			`{"method":"PUT"}`, `{"method":"POST","key":"","uploadId":"U"}`, `{"method":"GET","key":"/","uploadId":"U"}`,
			`{"method":"GET","key":"uuid.txt","prefix":""}`, `{"method":"POST","key":"uuid.txt","delete":""}`),
	},
	{
		id: "E4", what: "other methods", message: "presigns only", status: 400,
		attacks: presigns(slices.Concat(
			each5([]string{put5, part5}, `"PUT"`, `"put"`, `"PATCH"`, `"OPTIONS"`, `"PUT "`, `" PUT"`, `"PUT\n"`, `""`,
				`"CONNECT"`, `"PUT /other HTTP/1.1\r\nX: "`, `"COPY"`, "null", `"\u0000PUT"`),
			each5([]string{create5, complete5}, `"POST"`, `"post"`, `"POST\u0000"`, `"HEAD"`),
			each5([]string{abort5}, `"DELETE"`, `"delete"`, `"PATCH"`),
			each5([]string{list5}, `"GET"`, `"get"`, `"HEAD"`, `"GET\r"`, `"TRACE"`))...),
	},
	{
		id: "E5", what: "another bucket, host or region", message: "member that no request",
		attacks: presigns(with5(every5, `"bucket":"other"`, `"Bucket":"mybucket"`, `"host":"evil.example"`,
			`"endpoint":"https://evil.example"`, `"region":"eu-west-1"`, `"url":"https://evil.example/"`, `"service":"iam"`)...),
	},
	{
		id: "E6", what: "keys that a browser or a store resolves",
		attacks: presigns(each5(every5, `"uuid.txt"`, `"../other/x"`, `".."`, `"."`, `"a/../b"`, `"a/./b"`, `"a/.."`,
			`"./uuid.txt"`, `"/uuid.txt"`, `"//other/x"`, `""`)...),
	},
	{
		id: "E6", what: "keys that no store can keep",
		attacks: presigns(each5(every5, `"uuid.txt"`, `"a\u0000b"`, `"a\nb"`, `"a\r\nHost: evil"`, `"\u007f"`, `"a\u0085"`,
			`"\ufffe"`, `"a\uffff"`, `"`+strings.Repeat("k", 1025)+`"`, `"`+strings.Repeat("é", 513)+`"`)...),
	},
	{id: "E6", what: "keys that are no text", status: 400, attacks: presigns(each5(every5, `"uuid.txt"`, `1`, `true`,
		`["uuid.txt"]`, `{}`, `"\ud800"`, `"\udc00\ud800"`, "\"\xff\"", "\"a\xc0\xafb\"")...)},
	{id: "E6", what: "a key that S3 replaces", message: "${", attacks: presigns(each5([]string{put5}, `"uuid.txt"`,
		`"${filename}"`, `"uploads/${filename}"`, `"a${"`, `"\u0024{filename}"`)...)},
	{
		id: "E7", what: "an object is copied", message: "member that no request", status: 400,
		attacks: presigns(with5([]string{put5, create5, part5}, `"copySource":"/other/secret"`,
			`"x-amz-copy-source":"/other/secret"`, `"CopySource":"/mybucket/secret"`, `"copySourceRange":"bytes=0-9"`,
			`"headers":{"x-amz-copy-source":"/other/secret"}`)...),
	},
	{
		id: "E8", what: "headers beyond the grammar", message: "member that no request", status: 400,
		attacks: presigns(with5(every5, `"headers":{}`, `"tagging":"a=b"`, `"storageClass":"DEEP_ARCHIVE"`,
			`"websiteRedirectLocation":"https://evil.example"`, `"grantFullControl":"id=1"`,
			`"serverSideEncryption":"aws:kms"`, `"objectLockMode":"COMPLIANCE"`, `"cacheControl":"x"`,
			`"token":"`+sessionToken+`"`, `"sseCustomerKey":"`+sseKey+`"`)...),
	},
	{
		id: "E8", what: "queries beyond the grammar", message: "member that no request", status: 400,
		attacks: presigns(with5(every5, `"query":"acl"`, `"versionId":"null"`, `"subresource":"policy"`, `"acl ":"private"`,
			`"responseContentType":"text/html"`, `"X-Amz-Expires":"604800"`, `"fields":{}`, `"conditions":[]`,
			`"policy":""`)...),
	},
	{
		id: "E9", what: "metadata that makes another header", status: 400,
		attacks: presigns(each5([]string{put5, create5}, `"qqfilename"`, `"x\r\nx-amz-acl"`, `"a:b"`, `"a b"`, `" a"`, `""`,
			`"é"`, `"A"`, `"qqFileName"`, `"a\u0000"`, `"a/b"`, `"a;b"`, `"a="`)...),
	},
	{
		id: "E10", what: "metadata that is no text", status: 400,
		attacks: presigns(slices.Concat(
			each5([]string{put5, create5}, `"my file é.txt"`, `1`, `true`, `["a"]`, `{"a":"b"}`, `"\ud800"`, "\"\xff\""),
			each5([]string{put5, create5}, `{"qqfilename":"my file é.txt"}`, `[]`, `"a"`, `1`, `[{"a":"b"}]`))...),
	},
	{
		id: "E11", what: "too much metadata", status: 400,
		attacks: presigns(each5([]string{put5, create5}, `"my file é.txt"`, `"`+strings.Repeat("a", 2048)+`"`,
			`"`+strings.Repeat("é", 400)+`"`, `"a"`+manyMetadata())...),
	},
	{
		id: "E12", what: "an ACL that is not allowed", message: "ACL", status: 403,
		attacks: presigns(each5([]string{put5, create5}, `"acl":"private"`, `"acl":"public-read"`,
			`"acl":"public-read-write"`, `"acl":"Private"`, `"acl":"private,public-read"`, `"acl":"private "`,
			`"acl":"authenticated-read"`, `"acl":"log-delivery-write"`)...),
	},
	{
		id: "E12", what: "an ACL beside the allowed one", in: withACL,
		attacks: presigns(each5([]string{put5, create5}, `"acl":"private"`, `"acl":"public-read-write"`,
			`"acl":"public-read\r\nx-amz-acl:private"`, `"acl":["public-read"]`, `"acl":"PUBLIC-READ"`)...),
	},
	{
		id: "E13", what: "a type that is not allowed", in: limitedTypes, status: 403,
		attacks: presigns(slices.Concat(each5([]string{put5, create5}, `"text/plain"`, `"text/html"`, `"application/json"`,
			`"imagex/png"`, `""`), each5([]string{put5, create5}, `"contentType":"text/plain",`, ``))...),
	},
	{
		id: "E13", what: "a type that browsers read otherwise", status: 400,
		attacks: presigns(each5([]string{put5, create5}, `"text/plain"`, `"text/plain;,text/html"`, `"text/plain,text/html"`,
			`"text/plain\r\nx-amz-acl: public-read"`, `"text"`, `"text/"`, `"/plain"`, `"text/plain "`, `" text/plain"`,
			`"text/pläin"`, `"text /plain"`, `"text/plain\u0000"`)...),
	},
	{
		id: "E14", what: "a URL that is valid for long", message: "900", status: 403,
		attacks: presigns(with5(every5, `"expiresIn":901`, `"expiresIn":3600`, `"expiresIn":604800`, `"expiresIn":0`,
			`"expiresIn":-1`, `"expiresIn":9223372036854775807`, `"expiresIn":-9223372036854775808`,
			`"expiresIn":18446744074`)...),
	},
	{id: "E14", what: "an expiry that is no number", status: 400, attacks: presigns(with5(every5, `"expiresIn":"900"`,
		`"expiresIn":1.5`, `"expiresIn":1e3`, `"expiresIn":[60]`, `"expiresIn":9223372036854775808`, `"expiresIn":true`,
		`"expiresIn":"x\nX-Amz-Date:"`, `"expires":60`)...)},
	{
		id: "E15", what: "upload IDs that reach further", message: "upload ID",
		attacks: presigns(each5(later5, `"UPID.abc-_123"`, `""`, `"."`, `".."`, `"U&acl"`, `"U&partNumber=2"`, `"U=x"`,
			`"../x"`, `"a/b"`, `"a%2Fb"`, `"U#x"`, `"U?x"`, `"U\n"`, `"U "`, `"é"`, `"U+1"`,
			`"`+strings.Repeat("u", 1025)+`"`)...),
	},
	{id: "E15", what: "upload IDs that are no text", status: 400, attacks: presigns(each5(later5, `"UPID.abc-_123"`, `1`,
		`["U"]`, `{}`, `true`, `"\ud800"`)...)},
	{id: "E16", what: "part numbers outside the limits", message: "part number", attacks: presigns(each5([]string{part5},
		`"partNumber":1`, `"partNumber":0`, `"partNumber":-1`, `"partNumber":10001`,
		`"partNumber":9223372036854775807`)...)},
	{id: "E16", what: "part numbers that are no number", status: 400, attacks: presigns(each5([]string{part5},
		`"partNumber":1`, `"partNumber":"1"`, `"partNumber":1.5`, `"partNumber":1e0`, `"partNumber":[1]`,
		`"partNumber":"1&acl"`, `"partNumber":01`, `"partNumber":0x1`, `"partNumber":99999999999999999999`)...)},
	{
		id: "E17", what: "members that no operation has together", message: "presigns only", status: 400,
		attacks: presigns(slices.Concat(with5([]string{put5, create5, complete5, abort5, list5}, `"partNumber":1`),
			with5([]string{put5}, `"uploadId":"U"`), each5([]string{part5}, `"uploadId":"UPID.abc-_123",`, ``),
			each5([]string{part5}, `"PUT"`, `"POST"`, `"DELETE"`, `"GET"`),
			each5([]string{part5}, `,"partNumber":1`, ``))...),
	},
	{
		id: "E18", what: "a part, a complete, an abort or a list that describes the object", message: "first request",
		attacks: presigns(with5(later5, `"contentType":"text/html"`, `"size":1`, `"size":0`, `"acl":"private"`,
			`"metadata":{}`, `"metadata":{"qqfilename":"a"}`)...),
	},
	{
		id: "E19", what: "a file above the limit", in: limitedSize, message: "15000000", status: 403,
		attacks: presigns(slices.Concat(each5([]string{put5, create5}, `"size":11`, `"size":15000001`,
			`"size":9223372036854775807`), each5([]string{part5}, `"partNumber":1`, `"partNumber":4`, `"partNumber":10000`))...),
	},
	{id: "E19", what: "sizes that are none", status: 400, attacks: presigns(each5([]string{put5, create5}, `"size":11`,
		`"size":-1`, `"size":1.5`, `"size":"11"`, `"size":1e1`, `"size":[0,11]`, `"size":9223372036854775808`,
		`"size":true`)...)},
	{
		id: "E19", what: "a PUT of unknown size", message: "does not give the size",
		attacks: presignsIn(limitedPut, each5([]string{put5}, `"size":11,`, ``, `"size":null,`)...),
	},
	{
		id: "E19", what: "digests that are none, or of other requests", status: 400,
		attacks: presigns(slices.Concat(with5([]string{part5}, `"contentMD5":""`, `"contentMD5":"x"`, `"contentMD5":1`,
			`"contentMD5":"1B2M2Y8AsgTpgAmY7PhCfg"`, `"contentMD5":"1B2M2Y8AsgTpgAmY7PhCfh=="`,
			`"contentMD5":"1B2M2Y8AsgTpgAmY7PhCfg==\r\nx-amz-copy-source: /other/secret"`,
			`"contentMD5":"d41d8cd98f00b204e9800998ecf8427e"`),
			with5([]string{put5, create5, complete5, abort5, list5}, `"contentMD5":"1B2M2Y8AsgTpgAmY7PhCfg=="`))...),
	},
	{
		id: "E20", what: "members twice", status: 400,
		attacks: presigns(slices.Concat(with5(every5, `"key":"other.txt"`, `"method":"GET"`, `"key":"uuid.txt"`,
			`"\u006bey":"other.txt"`), with5(later5, `"uploadId":"U"`), with5([]string{put5}, `"acl":"public-read"`),
			each5([]string{put5, create5}, `{"qqfilename"`, `{"qqfilename":"b","qqfilename"`))...),
	},
	{
		id: "E21", what: "members in another case", status: 400,
		attacks: presigns(slices.Concat(with5(every5, `"Key":"other.txt"`, `"KEY":"other.txt"`, `"Method":"GET"`,
			`"\u212Aey":"other.txt"`, `"uploadID":"U"`, `"UploadId":"U"`, `"expiresin":60`, `"ACL":"private"`, `"ſize":1`),
			each5(every5, `"key"`, `"Key"`, `"kEy"`, `"\u212aey"`, `"key "`))...),
	},
	{
		id: "E22", what: "bodies that are no request", status: 400,
		attacks: presigns("", " ", "null", "[]", `""`, "0", "true", "{}", "["+put5+"]", put5+put5, put5+" x", put5+"}",
			put5[:40], "\ufeff"+put5, strings.ReplaceAll(put5, `"`, `'`), `{"request":`+put5+`}`, "\x00"+put5, "{"+put5+"}",
			"p\x00u\x00t\x00", strings.Repeat("[", 10001), strings.Repeat(`{"metadata":`, 4000)),
	},
	{
		id: "E22", what: "bodies that are too large", status: 413,
		attacks: []attack{
			{method: "POST", target: "/s3/presign", header: asJSON, stream: 100 << 20},
			{method: "POST", target: "/s3/presign", header: asJSON, body: put5 + strings.Repeat(" ", 64<<10)},
		},
	},
	{
		id: "E23", what: "a server that signs version 2 only", in: onlyV2, message: "version 2 only", status: 403,
		attacks: presigns(every5[1:]...),
	},
	{id: "E24", what: "requests of the other client", attacks: slices.Concat(
		presigns(headersBodies([]string{initiate2, part2, initiate4, part4})...), presigns(policy2, policy4, sized2),
		bodyV2(every5...), bodyV4(every5...))},
	{
		id: "E25", what: "types that a page of another site can send", status: 415,
		attacks: presignTypes("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b", "",
			"text/json", "application/jsonp", "text/plain; application/json", "application/json, text/plain"),
	},
	{
		id: "E25", what: "pages of other sites", status: 403,
		attacks: []attack{
			{method: "POST", target: "/s3/presign", body: put5, header: http.Header{"Content-Type": {"application/json"},
				"Origin": {"https://evil.example"}}},
			{method: "POST", target: "/s3/presign", body: put5, header: http.Header{"Content-Type": {"application/json"},
				"Origin": {"null"}}},
			{method: "POST", target: "/s3/presign", body: part5, header: http.Header{"Content-Type": {"application/json"},
				"Sec-Fetch-Site": {"cross-site"}}},
		},
	},
	{
		id: "E26", what: "other ways to the route",
		attacks: slices.Concat(plain("GET", "/s3/presign"), plain("GET", "/s3/presign?method=PUT&key=uuid.txt"),
			plain("HEAD", "/s3/presign"), plain("DELETE", "/s3/presign"), signRequests("/s3/presign/", "", put5),
			signRequests("//s3/presign", "", put5), signRequests("/s3/Presign", "", put5),
			signRequests("/s3/presign/uuid.txt", "", put5)),
	},
}

// manyMetadata is more metadata than fits, in short values.
func manyMetadata() string {
	var b strings.Builder
	for i := range 300 {
		fmt.Fprintf(&b, `,"name-%d":"v"`, i)
	}
	return b.String()
}

// presignTypes sends a request with each type of body.
func presignTypes(types ...string) (attacks []attack) {
	for _, kind := range types {
		attacks = append(attacks, attack{
			method: "POST", target: "/s3/presign", header: http.Header{"Content-Type": {kind}}, body: put5,
		})
	}
	return attacks
}

// rowsHonestPresign has every request of Uppy that attacks are derived from, and Uppy's own, without the plugin.
var rowsHonestPresign = []row{
	{what: "Uppy", attacks: presigns(every5...)},
	{what: "Uppy, virtual-hosted", in: virtualHosted, attacks: presigns(every5...)},
	{what: "Uppy, AWS", in: aws, attacks: presigns(every5...)},
	{what: "Uppy, digest of a part", attacks: presigns(with5([]string{part5},
		`"contentMD5":"1B2M2Y8AsgTpgAmY7PhCfg=="`)...)},
	{what: "Uppy, no forms", in: noForms, attacks: presigns(every5...)},
	{what: "Uppy, no forms and a limit", in: limitedPut, attacks: presigns(put5, swap(put5, `"size":11`, `"size":0`))},
	{what: "Uppy, only version 2", in: onlyV2, attacks: presigns(put5)},
	{what: "Uppy without the plugin", attacks: presigns(`{"method":"PUT","key":"uuid.txt","contentType":"text/plain"}`,
		`{"method":"POST","key":"uuid.txt"}`, `{"method":"PUT","key":"uuid.txt"}`)},
	{what: "Uppy, expiry", attacks: presigns(with5(every5, `"expiresIn":900`, `"expiresIn":1`)...)},
	{what: "Uppy, size limit", in: limitedSize, attacks: presigns(put5, create5,
		swap(put5, `"size":11,`, ""), swap(create5, `"size":11,`, ""), swap(put5, `"size":11`, `"size":0`),
		swap(put5, `"size":11`, `"size":15000000`), swap(part5, `"partNumber":1`, `"partNumber":3`))},
	{what: "Uppy, content types", in: limitedTypes, attacks: presigns(slices.Concat(every5,
		each5([]string{put5, create5}, "text/plain", "image/png", "image/webm;codecs=vp8,opus"))...)},
	{what: "Uppy, ACL", in: withACL, attacks: presigns(each5([]string{put5, create5}, `"private"`, `"public-read"`)...)},
	{what: "Uppy, metadata with every character", attacks: presigns(each5([]string{put5, create5}, `"my file é.txt"`,
		`"a\u0000\r\nb"`, `" %2F/+&=;é🙂"`, `""`)...)},
	{what: "Uppy, dots in the upload ID", attacks: presigns(each5(later5, "UPID.abc-_123", "...", "2~.U")...)},
}
