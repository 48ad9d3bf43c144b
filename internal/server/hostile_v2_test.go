package server_test

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
)

// The honest strings from which attacks are made; the controls have them signed.
const (
	date2     = "x-amz-date:Mon, 23 Nov 2026 11:56:08 GMT\n"
	initiate2 = "POST\n\ntext/plain\n\nx-amz-acl:private\n" + date2 + "x-amz-meta-qqfilename:my%20file%20%C3%A9.txt\n/mybucket/uuid.txt?uploads"
	part2     = "PUT\n\n\n\n" + date2 + "/mybucket/uuid.txt?partNumber=1&uploadId=UPID.abc-_123"
	complete2 = "POST\n\napplication/xml; charset=UTF-8\n\n" + date2 + "/mybucket/uuid.txt?uploadId=UPID.abc-_123"
	abort2    = "DELETE\n\n\n\n" + date2 + "/mybucket/uuid.txt?uploadId=UPID.abc-_123"
)

// subresources are what S3 and Ceph let a query ask for beside the object itself.
var subresources = []string{
	"acl", "policy", "cors", "website", "lifecycle", "delete", "restore", "tagging", "torrent", "versioning",
	"logging", "notification", "location", "requestPayment", "accelerate", "encryption", "replication", "retention",
	"legal-hold", "object-lock", "publicAccessBlock", "ownershipControls", "append&position=0", "select&select-type=2", "versionId=null",
}

var rowsV2 = []row{
	{id: "A1", what: "a policy's base64 as a string to sign: one HMAC would serve for both", attacks: stringV2(
		base64.StdEncoding.EncodeToString([]byte(`{"expiration":"2099-01-01T00:00:00.000Z","conditions":[["starts-with","$key",""],{"bucket":"other"}]}`)),
		base64.StdEncoding.EncodeToString([]byte(policy2)),
		base64.StdEncoding.EncodeToString([]byte(policy2))+"\n",
		"eyJleHBpcmF0aW9uIjoi\n\n\n\n/mybucket/uuid.txt?uploads",
		"", "x", "\n", "\n\n\n\n", "/mybucket/uuid.txt?uploads", "POST\n\n\n\n", "POST\n\n\n\n/",
	)},
	{id: "A2", what: "delete an object", attacks: stringV2(each(abort2, "?uploadId=UPID.abc-_123",
		"", "?", "?uploads", "?versionId=1", "?uploadId", "?versionId=1&uploadId=U", "?uploadId=U&versionId=1", "?partNumber=1&uploadId=U", "?UploadId=U", "#?uploadId=U")...)},
	{id: "A3", what: "delete the bucket, or act on it", attacks: stringV2(slices.Concat(
		each(abort2, "/mybucket/uuid.txt?uploadId=UPID.abc-_123", "/mybucket/", "/mybucket", "/", "//", "/mybucket?uploadId=U", "/mybucket/?uploadId=U", "/?uploadId=U"),
		each(initiate2, "/mybucket/uuid.txt", "/mybucket/", "/mybucket", "/", ""),
		each(part2, "/mybucket/uuid.txt", "/mybucket/", "/mybucket", "/"))...)},
	{id: "A4", what: "read or list", attacks: stringV2(slices.Concat(
		each("GET\n\n\n\n"+date2+"/mybucket/uuid.txt?uploadId=U", "uuid.txt?uploadId=U",
			"", "?uploads", "?acl", "?policy", "?versions", "?list-type=2", "uuid.txt", "uuid.txt?uploads", "uuid.txt?acl", "uuid.txt?uploadId=UPID"),
		each(part2, "PUT", "GET", "HEAD", "OPTIONS", "PATCH", "COPY", "TRACE", "CONNECT", ""),
		each(initiate2, "POST", "GET", "HEAD", "PUT", "DELETE"))...)},
	{id: "A5", what: "a presigned link to read", attacks: stringV2(
		"GET\n\n\n1999999999\n/mybucket/secret",
		"HEAD\n\n\n1999999999\n/mybucket/secret",
		"GET\n\n\n1999999999\nx-amz-date:Mon, 23 Nov 2026 11:56:08 GMT\n/mybucket/secret",
	)},
	{id: "A6", what: "a presigned link to write", attacks: stringV2(slices.Concat(
		[]string{"PUT\n\n\n1999999999\n/mybucket/any", "DELETE\n\n\n1999999999\n/mybucket/any"},
		each(part2, "PUT\n\n\n\n", "PUT\n\n\n1999999999\n", "PUT\n\n\n \n", "PUT\n\n\nMon, 23 Nov 2026 11:56:08 GMT\n", "PUT\n\n\n0\n"),
		each(initiate2, "text/plain\n\n", "text/plain\n1999999999\n"),
		each(abort2, "DELETE\n\n\n\n", "DELETE\n\n\n1999999999\n"),
		each(complete2, "UTF-8\n\n", "UTF-8\n1999999999\n"))...)},
	{id: "A7", what: "change an ACL", attacks: stringV2(
		"PUT\n\n\n\nx-amz-acl:public-read-write\n"+date2+"/mybucket/k?acl",
		"PUT\n\n\n\nx-amz-acl:private\n"+date2+"/mybucket/k?acl",
		"PUT\n\n\n\n"+date2+"/mybucket/?acl",
		"POST\n\n\n\nx-amz-acl:public-read-write\n"+date2+"/mybucket/k?acl",
	)},
	{id: "A8", what: "other sub-resources", attacks: stringV2(slices.Concat(
		each(part2, "partNumber=1&uploadId=UPID.abc-_123", subresources...),
		each(initiate2, "uploads", subresources...))...)},
	{id: "A9", what: "a part that copies another object", attacks: stringV2(slices.Concat(
		each(part2, date2, "x-amz-copy-source:/other/secret\n"+date2, "x-amz-copy-source:/other/secret\nx-amz-copy-source-range:bytes=0-9\n"+date2,
			"x-amz-acl:private\n"+date2, date2+"x-amz-meta-a:1\n", "x-amz-content-sha256:UNSIGNED-PAYLOAD\n"+date2),
		each(complete2, date2, "x-amz-copy-source:/other/secret\n"+date2, date2+"x-amz-meta-a:1\n", "x-amz-acl:private\n"+date2),
		each(abort2, date2, "x-amz-bypass-governance-retention:true\n"+date2, "x-amz-copy-source:/other/secret\n"+date2),
		each(initiate2, date2, "x-amz-copy-source:/other/secret\n"+date2))...)},
	{id: "A10", what: "an ACL that is not allowed", says: "P3S3F_ALLOWED_ACLS", attacks: stringV2(each(initiate2, "x-amz-acl:private",
		"x-amz-acl:public-read-write", "x-amz-acl:public-read", "x-amz-acl:authenticated-read", "x-amz-acl:bucket-owner-full-control",
		"x-amz-acl:", "x-amz-acl:Private", "x-amz-acl:private,public-read", "x-amz-acl:private, public-read")...)},
	{id: "A11", what: "headers that do more than upload", attacks: stringV2(slices.Concat(
		each(initiate2, date2,
			date2+"x-amz-grant-full-control:id=evil\n", date2+"x-amz-grant-read:uri=http://acs.amazonaws.com/groups/global/AllUsers\n"),
		each(initiate2, "?uploads", "?uploads&x-amz-acl=public-read", "?uploads&acl"),
		each(initiate2, "/mybucket/uuid",
			"x-amz-website-redirect-location:https://evil.example/\n/mybucket/uuid",
			"x-amz-object-lock-mode:COMPLIANCE\n/mybucket/uuid",
			"x-amz-object-lock-retain-until-date:2099-01-01T00:00:00Z\n/mybucket/uuid",
			"x-amz-tagging:\n/mybucket/uuid", "x-amz-tagging:role=admin\n/mybucket/uuid",
			"x-amz-storage-class:DEEP_ARCHIVE\n/mybucket/uuid", "x-amz-storage-class:reduced_redundancy\n/mybucket/uuid",
			"x-amz-server-side-encryption:aws:kms\n/mybucket/uuid",
			"x-amz-request-payer:requester\n/mybucket/uuid", "x-amz-security-token:"+sessionToken+"\n/mybucket/uuid",
			"x-amz-mfa:20899301 301749\n/mybucket/uuid", "x-emc-namespace:other\n/mybucket/uuid", "x-rgw-anything:1\n/mybucket/uuid"))...)},
	{id: "A12", what: "words of another operation in the metadata, and another bucket", attacks: stringV2(each(initiate2, "x-amz-meta-qqfilename:my%20file%20%C3%A9.txt\n/mybucket/uuid.txt",
		"x-amz-meta-x:uploadId\n/other/evil.txt", "x-amz-meta-x:partNumber\n/other/evil.txt", "x-amz-meta-x:/mybucket/\n/other/evil.txt")...)},
	{id: "A13", what: "another bucket, ours later in the path", attacks: stringV2(slices.Concat(
		each(initiate2, "/mybucket/", "/other/mybucket/", "/other/", "/o/mybucket/", "/%6Dybucket/", "/mybucket.other/"),
		each(part2, "/mybucket/", "/other/mybucket/", "/other/"), each(complete2, "/mybucket/", "/other/mybucket/", "/other/"), each(abort2, "/mybucket/", "/other/mybucket/", "/other/"))...)},
	{id: "A14", what: "almost our bucket", attacks: stringV2(slices.Concat(
		each(initiate2, "/mybucket/uuid.txt", "/mybucketX/x", "/MYBUCKET/x", "/Mybucket/x", "/mybucket%2Fx", "/mybucket%2F..%2Fother/x", "/mybucke/x", "/mybucket./x", "/ mybucket/x", "/mybucket /x",
			"/mybucket:/x", "/tenant:mybucket/x", "/mybucket\x00/x", "/mybucket;x", "/mybucket?/x"),
		each(part2, "/mybucket/", "/mybucketX/", "/MYBUCKET/"))...)},
	{id: "A15", what: "a path that browsers and stores resolve", attacks: stringV2(slices.Concat(
		each(initiate2, "/mybucket/uuid.txt", "/mybucket/../other/x", "/mybucket/%2e%2e/other/x", "/mybucket/%2E%2E/other/x", "/mybucket/./x", "/mybucket/a/../x", "/mybucket/a/..",
			"/mybucket/..", "/mybucket/.", "/mybucket/.%2E/x", "/mybucket/..%2Fother/x", "/mybucket/a/./b", "/mybucket/%2E", "/../mybucket/x", "/./mybucket/x"),
		each(abort2, "/mybucket/uuid.txt", "/mybucket/../other/x", "/mybucket/%2E%2E/other/x"))...)},
	{id: "A15", what: "a key that begins with a slash", says: "remove the trailing slash from request.endpoint", attacks: stringV2(slices.Concat(
		each(initiate2, "/mybucket/", "/mybucket//", "/mybucket///"), each(part2, "/mybucket/", "/mybucket//"))...)},
	{id: "A16", what: "two resources", attacks: stringV2(each(initiate2, "/mybucket/uuid.txt?uploads",
		"/mybucket/a\n/mybucket/b?uploads", "x-amz-meta-r:1\n/other/k\n/mybucket/uuid.txt?uploads", "/other/k\n/mybucket/uuid.txt?uploads",
		"/mybucket/uuid.txt?uploads\n/mybucket/uuid.txt?uploads", "/mybucket/uuid.txt?uploads\n", "no-header-here\n/mybucket/uuid.txt?uploads", "\n/mybucket/uuid.txt?uploads")...)},
	{id: "A17", what: "control characters", attacks: stringV2(slices.Concat(
		each(initiate2, "qqfilename:my", "qqfilename:1\r\nx-amz-acl:public-read\nx-amz-meta-s:", "qqfilename:\rmy", "qqfilename:\x00my", "qqfilename:\u0085my", "qqfilename:\u2028my",
			"qqfilename:\tmy", "qqfilename:m\ty", "qqfilename:m\x7fy", "qqfilename:m\x1b[2Jy", "qqfilename:\u00a0my", "qqfilename:é"),
		each(initiate2, "/mybucket/uuid", "/mybucket/\r", "/mybucket/%0D", "/mybucket/%0A", "/mybucket/%00", "/mybucket/%7F", "/mybucket/%C2%85", "/mybucket/%1B%5B2J", "/mybucket/\u2028", "/mybucket/\t"))...)},
	{id: "A17", what: "bytes that JSON mends", attacks: bodyV2(slices.Concat(
		each(`{"headers":`+quoteJSON(initiate2)+`}`, "/mybucket/uuid", "/mybucket/\xff", `/mybucket/\ud800`, `/mybucket/\udc00\ud800`, "/mybucket/\xc0\xaf", "/mybucket/\xed\xa0\x80", "/mybucket/\u0000"))...)},
	{id: "A18", what: "a folded header", attacks: stringV2(each(initiate2, "qqfilename:my%20file%20%C3%A9.txt",
		"qqfilename:1\n x-amz-acl:public-read", "qqfilename:1\n\tx-amz-acl:public-read", "qqfilename:1\n ", "qqfilename:1 \n x", "qqfilename: 1", "qqfilename:1 ")...)},
	{id: "A19", what: "headers twice, unsorted, misspelt", attacks: stringV2(slices.Concat(
		each(initiate2, "x-amz-acl:private\n", "x-amz-acl:private\nx-amz-acl:public-read\n", "x-amz-acl:public-read\nx-amz-acl:private\n", "x-amz-acl:private\nx-amz-acl:private\n",
			"X-Amz-Acl:private\n", "x-amz-acl :private\n", " x-amz-acl:private\n", "x-amz-acl: private\n", "x-amz-acl\n", ":private\n", "x-amz-acl=private\n", "x_amz_acl:private\n"),
		[]string{swap(swap(initiate2, "x-amz-acl:private\n", ""), "/mybucket", "x-amz-acl:private\n/mybucket")},
		each(initiate2, "x-amz-meta-qqfilename", "x-amz-meta-", "x-amz-meta-QQ", "x-amz-meta-q q", "x-amz-meta-q/q", "x-amz-meta-é", "content-type", "authorization", "expect"))...)},
	{id: "A20", what: "no date, or none of the right form", attacks: stringV2(slices.Concat(
		each(part2, date2, "", date2+date2, "x-amz-date:\n", "x-amz-date:now\n", "x-amz-date:1795435200\n", "x-amz-date:20261123T115608Z\n", "x-amz-date:2026-11-23T11:56:08Z\n",
			"x-amz-date:Tue, 23 Nov 2026 11:56:08 GMT\n", "x-amz-date:mon, 23 nov 2026 11:56:08 GMT\n", "x-amz-date:Mon, 23 Nov 2026 11:56:08 gmt\n", "x-amz-date:Mon, 23 Nov 2026 11:56:08 +0000\n",
			"x-amz-date:Mon, 23 Nov 2026 11:56:08.5 GMT\n", "x-amz-date:Mon, 23 Nov 2026 11:56:08 UTC\n", "x-amz-date:Monday, 23-Nov-26 11:56:08 GMT\n", "x-amz-date:Mon Nov 23 11:56:08 2026\n",
			"x-amz-date:Mon, 23 Nov 2026 11:56:60 GMT\n", "x-amz-date: Mon, 23 Nov 2026 11:56:08 GMT\n", "Date:Mon, 23 Nov 2026 11:56:08 GMT\n", "date:Mon, 23 Nov 2026 11:56:08 GMT\n",
			"date:Mon, 23 Nov 2026 11:56:08 GMT\n"+date2),
		each(initiate2, date2, ""))...)},
	{id: "A20", what: "20 minutes behind", says: "20 minutes behind", attacks: stringV2(each(part2, "11:56:08", "11:36:08")...)},
	{id: "A20", what: "20 minutes ahead", says: "20 minutes ahead of", attacks: stringV2(each(part2, "11:56:08", "12:16:08")...)},
	{id: "A20", what: "just outside the window", says: "15 minutes", attacks: stringV2(each(part2, "11:56:08", "11:41:07", "12:11:09")...)},
	{id: "A20", what: "far away", says: "clock", attacks: stringV2(each(part2, "Mon, 23 Nov 2026", "Wed, 23 Nov 2033", "Mon, 23 Nov 2099", "Thu, 01 Jan 1970", "Sat, 01 Jan 0001", "Fri, 31 Dec 9999")...)},
	{id: "A21", what: "queries that are almost right", attacks: stringV2(slices.Concat(
		each(initiate2, "?uploads", "?uploads&uploadId=U", "?uploads=", "?uploads=1", "?Uploads", "?uploads&", "?&uploads", "?uploads&uploads", "??uploads", "?uploads?", "?uploads#", "", "?", "%3Fuploads", "?%75ploads", "?uploads&prefix=x"),
		each(part2, "partNumber=1&uploadId=UPID.abc-_123", "uploadId=U&partNumber=1", "partNumber=1", "uploadId=U", "partNumber=1&uploadId=U&response-content-type=text/html", "uploadId=", "partNumber=1&uploadId=",
			"partNumber=1&uploadId", "partNumber=1&partNumber=2&uploadId=U", "partNumber=1&uploadId=U&uploadId=V", "partNumber=1;uploadId=U", "partNumber=1&&uploadId=U", "partnumber=1&uploadId=U", "partNumber=1&uploadId=U?", "partNumber=1&uploadId=U&acl", "acl&partNumber=1&uploadId=U"),
		each(part2, "partNumber=1", "partNumber=0", "partNumber=-1", "partNumber=10001", "partNumber=1e3", "partNumber=01", "partNumber=１", "partNumber=+1", "partNumber=", "partNumber=1.0", "partNumber=0x1",
			"partNumber=%31", "partNumber= 1", "partNumber=99999999999999999999", "partNumber=1_0"),
		each(abort2, "?uploadId=UPID.abc-_123", "?uploadId=", "?uploadId=&", "?uploadId=&uploadId=U", "?uploadId=U&acl", "?uploads&uploadId=U", "?UploadID=U"),
		each(complete2, "?uploadId=UPID.abc-_123", "?uploadId=", "?uploadId", "?uploadId=&", "?uploadId=U&partNumber=1", "?partNumber=1&uploadId=U"))...)},
	{id: "A22", what: "upload IDs that break out of the query", attacks: stringV2(slices.Concat(
		each(part2, "UPID.abc-_123", "U&acl", "U%26acl", "U#x", "U\nx", "U/x", "U+x", "U x", "U=", "é", "U\x00", ".", "..", "U?x", "U;x", `U"x`, strings.Repeat("U", 1025), strings.Repeat("U", 5000)),
		each(abort2, "UPID.abc-_123", "U&versionId=1", "U%26", ".", "..", strings.Repeat("U", 5000)),
		each(complete2, "UPID.abc-_123", ".", ".."))...)},
	{id: "A25", what: "a content type that is none", attacks: stringV2(each(initiate2, "text/plain",
		"text", "text/", "/plain", "text/plain\nx", "text/pl ain", " text/plain", "text/plain ", "text/plain\r", "text/pläin", "text/plain;\x00", "text/plain, text/html", "multipart\n\n")...)},
	{id: "A25", what: "a content type that Chromium reads as text/html", in: typed, attacks: stringV2(each(initiate2, "text/plain",
		"text/plain;,text/html", "text/plain; x=y,text/html", "image/png;,text/html", "text/plain;charset=x;,text/html;y")...)},
	{id: "A25", what: "a content type that is not configured", in: typed, attacks: stringV2(each(initiate2, "text/plain",
		"text/html", "TEXT/HTML", "text/html; charset=utf-8", "text/plainx", "text/plain+xml", "imagex/png", "application/javascript", "text/xml; image/png")...)},
	{id: "A25", what: "a content type or digest where the operation has none", attacks: stringV2(slices.Concat(
		each(part2, "PUT\n\n\n\n", "PUT\n\ntext/html\n\n", "PUT\nXrY7u+Ae7tCTyyK7j1rNww==\n\n\n"),
		each(complete2, "application/xml; charset=UTF-8", "", "text/html", "application/xml", "application/xml; charset=utf-8"),
		each(abort2, "DELETE\n\n\n\n", "DELETE\n\ntext/plain\n\n"))...)},
	{id: "A25", what: "a digest that is none", attacks: stringV2(each(initiate2, "POST\n\n",
		"POST\nx\n", "POST\nXrY7u+Ae7tCTyyK7j1rNww=\n", "POST\nXrY7u+Ae7tCTyyK7j1rNww\n", "POST\nXrY7u-Ae7tCTyyK7j1rNww==\n", "POST\nXrY7u+Ae7tCTyyK7j1rNwx==\n", "POST\n5eb63bbbe01eeed093cb22bb8f5acdc3\n", "POST\nXrY7u+Ae7tCTyyK7\r1rNww==\n", "POST\n \n")...)},
	{id: "A26", what: "almost the method", attacks: stringV2(slices.Concat(
		each(initiate2, "POST", "post", "Post", " POST", "POST ", "\ufeffPOST", "POST\r", "\nPOST", "PO ST", "ＰＯＳＴ", "POST\x00"),
		[]string{initiate2 + "\n", initiate2 + " ", initiate2 + "\r", initiate2 + "\x00", part2 + "\n", abort2 + " ", strings.ReplaceAll(initiate2, "\n", "\r\n"), strings.ReplaceAll(initiate2, "\n", "\\n")})...)},
	{id: "A27", what: "a key too long or not in canonical form", attacks: stringV2(each(initiate2, "/mybucket/uuid.txt",
		"/mybucket/"+strings.Repeat("k", 1025), "/mybucket/"+strings.Repeat("%C3%A9", 513), "/mybucket/"+strings.Repeat("a/", 513), "/mybucket/%FF", "/mybucket/%C3", "/mybucket/%ED%A0%80", "/mybucket/%C0%AF", "/mybucket/%c3%a9", "/mybucket/%61", "/mybucket/%2D",
		"/mybucket/%", "/mybucket/%4", "/mybucket/%GG", "/mybucket/a+b", "/mybucket/a b", "/mybucket/a(b)", "/mybucket/é", "/mybucket/a%2Fb", "/mybucket/a&b", "/mybucket/a:b", "/mybucket/a'b", "/mybucket/%7Ea", "/mybucket/%2525%")...)},
	{id: "A28", what: "more metadata or headers than S3 takes", attacks: stringV2(slices.Concat(
		each(initiate2, "my%20file%20%C3%A9.txt", strings.Repeat("m", 2100), strings.Repeat("%20", 700), strings.Repeat("m", 60000)),
		each(initiate2, "x-amz-meta-qqfilename:my%20file%20%C3%A9.txt\n", manyHeaders(65), manyHeaders(1000), manyHeaders(10000)[:60000]+":1\n"))...)},
	{id: "A28", what: "metadata that is not encoded", attacks: stringV2(each(initiate2, "my%20file%20%C3%A9.txt",
		"a b", "a\"b", "a=b", "a,b", "%", "%4", "%zz", "%c3%a9", "%FF", "%ED%A0%80", "a/b", "a&b", "=?utf-8?B?ZXZpbA==?=")...)},
}

// manyHeaders is n metadata lines in order.
func manyHeaders(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "x-amz-meta-%05d:1\n", i)
	}
	return b.String()
}
