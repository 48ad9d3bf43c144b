package server_test

import (
	"encoding/base64"
	"slices"
	"strings"
)

// The honest strings that attacks are derived from.
const (
	emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	partHash  = "5e8dd316726b0335fd63b0d1c4aa87e0ab7ba0d8b8b4a2ecf0d4f6a0e8a3c1f2"

	head4  = "AWS4-HMAC-SHA256\n20261123T115608Z\n20261123/us-east-1/s3/aws4_request\n"
	host4  = "host:mybucket.localhost:9312\n"
	dated4 = "x-amz-date:20261123T115608Z\n"

	initiate4 = head4 + "POST\n/uuid.txt\nuploads=\n" + host4 +
		"x-amz-acl:private\n" +
		"x-amz-content-sha256:" + emptyHash + "\n" + dated4 + "x-amz-meta-qqfilename:my%20file%20%C3%A9.txt\n" +
		"\nhost;x-amz-acl;x-amz-content-sha256;x-amz-date;x-amz-meta-qqfilename\n" + emptyHash
	part4     = head4 + "PUT\n/uuid.txt\npartNumber=1&uploadId=UPID.abc-_123\n" + withPart4
	complete4 = head4 + "POST\n/uuid.txt\nuploadId=UPID.abc-_123\n" + withPart4
	abort4    = head4 + "DELETE\n/uuid.txt\nuploadId=UPID.abc-_123\n" +
		host4 + "x-amz-content-sha256:" + emptyHash + "\n" + dated4 + "\n" + signed4 + "\n" + emptyHash

	withPart4 = host4 + "x-amz-content-sha256:" + partHash + "\n" + dated4 + "\n" + signed4 + "\n" + partHash

	signed4 = "host;x-amz-content-sha256;x-amz-date"
)

// Parts without their digest, which P3S3F_UNSIGNED_PAYLOAD allows.
var (
	unsignedPart4      = unsigned(part4)
	typedUnsignedPart4 = unsigned(typedPart4)
)

// The same strings with the content type signed, as the page's patch does.
var (
	typedInitiate4 = typed(initiate4, "text/plain")
	typedPart4     = typed(part4, "")
	typedComplete4 = typed(complete4, "application/xml; charset=UTF-8")
)

var rowsV4 = []row{
	{id: "B1", what: "the scope of another service", attacks: stringV4(slices.Concat(
		each(
			initiate4,
			"/s3/aws4_request",
			"/iam/aws4_request",
			"/sts/aws4_request",
			"/ec2/aws4_request",
			"/S3/aws4_request",
			"/s3-object-lambda/aws4_request",
			"/s3express/aws4_request",
			"//aws4_request",
		),
		each(part4, "/s3/aws4_request", "/iam/aws4_request"),
	)...)},
	{
		id:   "B2",
		what: "a scope with more or fewer parts",
		attacks: stringV4(each(
			initiate4,
			"20261123/us-east-1/s3/aws4_request",
			"20261123/us-east-1/x/s3/aws4_request",
			"20261123/us-east-1/s3/aws4_request/s3/aws4_request",
			"20261123/us-east-1/s3/aws4_request/",
			"/20261123/us-east-1/s3/aws4_request",
			"20261123/us-east-1/s3",
			"20261123/s3/aws4_request",
			"us-east-1/s3/aws4_request",
			"20261123//s3/aws4_request",
			"20261123/us-east-1/s3/aws4_request ",
			"20261123/us-east-1/s3/AWS4_request",
			"",
			"20261123us-east-1/s3/aws4_request",
			"20261123/us-east-1/iam/aws4_request\n20261123/us-east-1/s3/aws4_request",
		)...),
	},
	{
		id:      "B3",
		what:    "another region",
		message: "region",
		attacks: stringV4(each(initiate4, "/us-east-1/", "/eu-west-1/", "/US-EAST-1/", "/us-east-11/", "/us-east-1 /")...),
	},
	{
		id:      "B3",
		what:    "another day",
		message: "clockDrift",
		attacks: stringV4(each(initiate4, "\n20261123/", "\n20261124/", "\n20261122/", "\n20991123/")...),
	},
	{
		id:      "B3",
		what:    "no day",
		attacks: stringV4(each(initiate4, "\n20261123/", "\n2026/", "\n2026-11-23/", "\n/", "\n+0261123/")...),
	},
	{id: "B4", what: "a digest in the place of the canonical request", attacks: stringV4(
		head4+emptyHash,
		head4+emptyHash+"\n",
		head4+partHash,
		head4+strings.ToUpper(emptyHash),
		head4,
		head4+"\n\n\n\n\n",
		strings.TrimSuffix(head4, "\n"),
	)},
	{id: "B5", what: "another host", attacks: stringV4(slices.Concat(
		each(
			initiate4,
			host4,
			"host:evil.example\n",
			"host:evil.example:9312\n",
			"",
			"host:\n",
			"host:evil.example\nhost:mybucket.localhost:9312\n",
			"host:mybucket.localhost:9312\nhost:evil.example\n",
			"Host:mybucket.localhost:9312\n",
			"host:mybucket.localhost:9312,evil.example\n",
			"host:169.254.169.254\n",
			"host:127.0.0.1:6379\n",
			"host:other.localhost:9312\n",
			"host:localhost:9312/other\n",
			"host:127.0.0.1:9312/other\n",
			"host: mybucket.localhost:9312\n",
			"host:MYBUCKET.localhost:9312\n",
			"host:mybucket.localhost\n",
			"host:mybucket.localhost:93120\n",
			"host:mybucket.localhost:9312@evil.example\n",
			"host:evil.example/mybucket.localhost:9312\n",
		),
		each(
			swap(initiate4, "qqfilename:my%20file%20%C3%A9.txt", "qqfilename:host:mybucket.localhost:9312"),
			"\n"+host4,
			"\nhost:evil.example\n",
		),
		each(
			part4,
			host4,
			"host:evil.example\n",
			"host:other.localhost:9312\n",
		),
		each(abort4, host4, "host:other.localhost:9312\n"),
	)...)},
	{id: "B6", what: "almost our host", attacks: stringV4(each(
		initiate4,
		host4,
		"host:mybucketXlocalhost:9312\n",
		"host:mybucket.localhost.evil.com:9312\n",
		"host:mybucket.localhost:9312.evil.com\n",
		"host:mybucket-localhost:9312\n",
		"host:xmybucket.localhost:9312\n",
		"host:x.mybucket.localhost:9312\n",
		"host:mybucket.s3.amazonaws.com\n",
		"host:mybucket.localhost.:9312\n",
		"host:mybucket.localhost:09312\n",
		"host:mybucket.localhost:9312?\n",
		"host:mybucket.localhost:9312#\n",
		"host:127.1:9312\n",
		"host:2130706433:9312\n",
		"host:[::1]:9312\n",
		"host:mybucket.127.0.0.1:9312\n",
	)...)},
	{
		id:      "B6",
		what:    "almost our host at AWS, with other characters instead of dots",
		message: "AWS_ENDPOINT",
		attacks: atAWS(each(
			initiate4,
			host4,
			"host:mybucketXs3Yamazonaws.com\n",
			"host:mybucket.s3.amazonaws.com.evil.com\n",
			"host:mybucket.s3Xamazonaws.com\n",
			"host:mybucket.s3.amazonawsXcom\n",
			"host:mybucketXs3.amazonaws.com\n",
			"host:mybucket.s3.us-east-1Xamazonaws.com\n",
			"host:mybucket.s3XdualstackXus-east-1.amazonaws.com\n",
			"host:evil.example/mybucket.s3.amazonaws.com\n",
			"host:mybucket.s3.amazonaws.com@evil.example\n",
			"host:xmybucket.s3.amazonaws.com\n",
			"host:other.s3.amazonaws.com\n",
			"host:s3.amazonaws.com/other\n",
			"host:mybucket.s3.amazonaws.com:9312\n",
			"host:mybucket.s3.eu-west-1.amazonaws.com\n",
			"host:mybucket.s3-accelerate.amazonaws.com\n",
			"host:mybucket.s3-website-us-east-1.amazonaws.com\n",
			"host:mybucket.s3.us-east-1.amazonaws.com.cn\n",
			"host:localhost:9312\n",
		)...),
	},
	{
		id:      "B6",
		what:    "a virtual host at a path-style store, which would read the bucket from the path",
		in:      pathByName,
		message: "P3S3F_ADDRESSING",
		attacks: inPathByName(slices.Concat(
			[]string{initiate4, part4, complete4, abort4},
			each(initiate4, "\n/uuid.txt\n", "\n/otherbucket/evil.txt\n"),
			each(
				part4,
				"\n/uuid.txt\n",
				"\n/otherbucket/evil.txt\n",
			),
			each(complete4, "\n/uuid.txt\n", "\n/otherbucket/evil.txt\n"),
			each(abort4, "\n/uuid.txt\n", "\n/otherbucket/evil.txt\n"),
		)...),
	},
	{id: "B6", what: "a virtual host under an IP address", attacks: slices.Concat(
		signRequests(
			"/s3/sign?v4=true",
			pathStyle,
			headersBodies(underAddress)...),
		signRequests("/s3/sign?v4=true", virtualByAddress, headersBodies(underAddress)...),
	)},
	{id: "B7", what: "a presigned link", attacks: stringV4(slices.Concat(
		each(
			part4,
			"PUT\n/uuid.txt\npartNumber=1&uploadId=UPID.abc-_123",
			presigned("GET", "/secret"),
			presigned("PUT", "/any"),
			presigned("DELETE", "/any"),
		),
		[]string{head4 + presigned("GET", "/secret") + "\n" + host4 + "\nhost\nUNSIGNED-PAYLOAD"},
		each(part4, "UPID.abc-_123", "U&X-Amz-Expires=604800", "U&x-id=UploadPart"),
		each(
			initiate4,
			"uploads=",
			"X-Amz-Expires=604800&uploads=",
			"uploads=&x-amz-acl=public-read",
			"prefix=&uploads=",
		),
	)...)},
	{id: "B8", what: "a payload that is not a digest, or two different ones", attacks: stringV4(slices.Concat(
		payloads(
			part4,
			partHash,
			"UNSIGNED-PAYLOAD",
			"STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
			"STREAMING-UNSIGNED-PAYLOAD-TRAILER",
			strings.ToUpper(partHash),
			partHash[1:],
			partHash+"0",
			"",
			strings.Repeat("g", 64),
			" "+partHash[1:],
		),
		payloads(complete4, partHash, "UNSIGNED-PAYLOAD", ""),
		each(
			part4,
			"x-amz-content-sha256:"+partHash,
			"x-amz-content-sha256:"+emptyHash,
			"x-amz-content-sha256:UNSIGNED-PAYLOAD",
			"x-amz-content-sha256:",
		),
		each(part4, signed4+"\n"+partHash, signed4+"\n"+emptyHash, signed4+"\nUNSIGNED-PAYLOAD", signed4+"\n"),
	)...)},
	{id: "B9", what: "a body in a request without one", attacks: stringV4(slices.Concat(
		[]string{strings.ReplaceAll(initiate4, emptyHash, partHash), strings.ReplaceAll(abort4, emptyHash, partHash)},
		payloads(initiate4, emptyHash, "UNSIGNED-PAYLOAD"), payloads(abort4, emptyHash, "UNSIGNED-PAYLOAD"))...)},
	{id: "B21", what: "no digest of a part without the setting or HTTPS", attacks: slices.Concat(
		unsignedV4("", unsignedPart4, typedUnsignedPart4),
		unsignedV4(unsignedNoTLS, unsignedPart4, typedUnsignedPart4, swap(unsignedPart4, "\nhost:", "\nhost:https://")),
		unsignedV4(onlyV2, unsignedPart4),
	)},
	{id: "B21", what: "no digest of anything else than a part", attacks: slices.Concat(
		eachUnsigned(initiate4, typedInitiate4, complete4, typedComplete4, abort4),
		eachUnsigned(each(part4, "PUT\n/uuid.txt\npartNumber=1&uploadId=UPID.abc-_123", // other requests
			"PUT\n/uuid.txt\n", "PUT\n/uuid.txt\npartNumber=1", "PUT\n/uuid.txt\nuploadId=UPID.abc-_123",
			"PUT\n/uuid.txt\nacl=", "PUT\n/uuid.txt\nretention=", "PUT\n/\npolicy=", "DELETE\n/uuid.txt\n",
			"GET\n/uuid.txt\n", "HEAD\n/uuid.txt\n", "POST\n/\ndelete=", presigned("PUT", "/uuid.txt"))...),
		eachUnsigned(withHeader(part4, "x-amz-copy-source:/other/secret")...),
		eachUnsigned(withHeader(part4, "x-amz-acl:public-read")...),
	)},
	{id: "B21", what: "no digest of a part in one place, or another form of it", attacks: unsignedV4(unsignedPayload,
		slices.Concat(
			each(part4, signed4+"\n"+partHash, signed4+"\nUNSIGNED-PAYLOAD"),
			each(part4, "x-amz-content-sha256:"+partHash, "x-amz-content-sha256:UNSIGNED-PAYLOAD"),
			payloads(part4, partHash, "unsigned-payload", "UNSIGNED-PAYLOAD ", "UNSIGNED-PAYLOAD\n", "UNSIGNED",
				"STREAMING-UNSIGNED-PAYLOAD-TRAILER", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", ""),
		)...)},
	{id: "B10", what: "SignedHeaders that are not the headers", attacks: stringV4(slices.Concat(
		each(
			initiate4,
			"host;x-amz-acl;x-amz-content-sha256;x-amz-date;x-amz-meta-qqfilename",
			"host;x-amz-date",
			"host;x-amz-content-sha256;x-amz-date;x-amz-meta-qqfilename",
			"x-amz-acl;host;x-amz-content-sha256;x-amz-date;x-amz-meta-qqfilename",
			"host;x-amz-acl;x-amz-content-sha256;x-amz-date;x-amz-meta-qqfilename;",
			";host;x-amz-acl;x-amz-content-sha256;x-amz-date;x-amz-meta-qqfilename",
			"host;x-amz-acl;x-amz-content-sha256;x-amz-date;x-amz-meta-qqfilename;x-amz-tagging",
			"Host;x-amz-acl;x-amz-content-sha256;x-amz-date;x-amz-meta-qqfilename",
			"host,x-amz-acl,x-amz-content-sha256,x-amz-date,x-amz-meta-qqfilename",
			"host;host;x-amz-acl;x-amz-content-sha256;x-amz-date;x-amz-meta-qqfilename",
			"",
		),
		each(part4, signed4, "host;x-amz-content-sha256;x-amz-copy-source;x-amz-date", "content-type;"+signed4))...)},
	{
		id:      "B10",
		what:    "Fine Uploader's own Content-MD5, listed without its line",
		message: "remove Content-MD5 from request.params",
		attacks: stringV4(
			swap(initiate4, "\nhost;", "\ncontent-md5;host;")),
	},
	{id: "B11", what: "no host or no date signed", attacks: stringV4(slices.Concat(
		each(part4, signed4, "x-amz-content-sha256;x-amz-date", "host;x-amz-content-sha256", "host", "x-amz-date"),
		[]string{
			swap(swap(part4, host4, ""), signed4, "x-amz-content-sha256;x-amz-date"),
			swap(swap(part4, dated4, ""), signed4, "host;x-amz-content-sha256"),
			swap(swap(part4, "x-amz-content-sha256:"+partHash+"\n", ""), signed4, "host;x-amz-date"),
			swap(swap(part4, dated4, "date:Mon, 23 Nov 2026 11:56:08 GMT\n"), signed4, "host;x-amz-content-sha256;date"),
		})...)},
	{id: "B12", what: "read or list", attacks: stringV4(slices.Concat(
		each(
			abort4,
			"DELETE\n/uuid.txt\nuploadId=UPID.abc-_123",
			"GET\n/\nlist-type=2",
			"GET\n/\n",
			"GET\n/uuid.txt\n",
			"HEAD\n/uuid.txt\n",
			"GET\n/\nuploads=",
			"GET\n/uuid.txt\nuploadId=U",
			"GET\n/uuid.txt\nacl=",
			"GET\n/\nversions=",
		),
	)...)},
	{id: "B13", what: "whole objects, buckets and sub-resources", attacks: stringV4(slices.Concat(
		each(
			part4,
			"PUT\n/uuid.txt\npartNumber=1&uploadId=UPID.abc-_123",
			"PUT\n/k\n",
			"PUT\n/\n",
			"PUT\n/k\nacl=",
			"PUT\n/\npolicy=",
			"PUT\n/\ncors=",
			"POST\n/\ndelete=",
			"POST\n/k\nrestore=",
			"POST\n/k\nselect=&select-type=2",
			"PUT\n/k\ntagging=",
			"PATCH\n/k\npartNumber=1&uploadId=U",
		),
		each(
			abort4,
			"DELETE\n/uuid.txt\nuploadId=UPID.abc-_123",
			"DELETE\n/k\n",
			"DELETE\n/\n",
			"DELETE\n/k\nversionId=1",
			"DELETE\n/\nuploadId=U",
			"DELETE\n/k\ntagging=",
		),
		each(
			abort4,
			"uploadId=UPID.abc-_123",
			"uploadId=.",
			"uploadId=..",
			"uploadId=",
			"uploadId",
			"uploadId=&uploadId=U",
		),
		each(complete4, "uploadId=UPID.abc-_123", "uploadId=..", "uploadId=", "uploadId", "uploadId=&uploadId=U"),
		each(initiate4, "uploads=", "uploads", "uploads=1", "uploads=&uploadId=U", "Uploads=", "uploads=&", ""),
		each(initiate4, "/uuid.txt", "/", "", "uuid.txt", "*"),
		each(
			part4,
			"partNumber=1&uploadId=UPID.abc-_123",
			"uploadId=U&partNumber=1",
			"partNumber=0&uploadId=U",
			"partNumber=10001&uploadId=U",
			"partNumber=01&uploadId=U",
			"partNumber=1&uploadId=",
			"partNumber=1&uploadId=..",
			"partNumber=1&uploadId=U%26",
			"partNumber=1&uploadId=U=",
			"partNumber=1&uploadId="+strings.Repeat("U", 5000),
		),
	)...)},
	{id: "B14", what: "a part that copies another object, and other headers", attacks: stringV4(slices.Concat(
		withHeader(
			part4,
			"x-amz-copy-source:/other/secret",
		),
		withHeader(complete4, "x-amz-copy-source:/other/secret"),
		withHeader(abort4, "x-amz-bypass-governance-retention:true"),
		withHeader(part4, "x-amz-acl:private"),
		withHeader(
			part4,
			"range:bytes=0-1",
		),
		withHeader(part4, "x-amz-security-token:"+sessionToken),
		withHeader(complete4, "x-amz-meta-a:1"),
	)...)},
	{
		id:      "B21",
		what:    "a content type that is not signed",
		in:      limitedTypes,
		message: "if the file has one, the page must sign it",
		attacks: typesV4(initiate4),
	},
	{
		id:      "B21",
		what:    "a content type that is not configured",
		in:      limitedTypes,
		message: "not accepted here",
		attacks: typesV4(each(
			typedInitiate4,
			"text/plain",
			"text/html",
			"TEXT/HTML",
			"text/html; charset=utf-8",
			"text/plainx",
			"text/plain+xml",
			"imagex/png",
			"application/octet-stream",
			"text/xml; image/png",
		)...),
	},
	{
		id:   "B21",
		what: "a content type that Chromium reads as text/html",
		in:   limitedTypes,
		attacks: typesV4(each(
			typedInitiate4,
			"text/plain",
			"text/plain;,text/html",
			"text/plain; x=y,text/html",
			"image/png;,text/html",
			"text/plain, text/html",
		)...),
	},
	{id: "B21", what: "an invalid content type", attacks: stringV4(each(
		typedInitiate4,
		"content-type:text/plain\n",
		"content-type:\n",
		"content-type: \n",
		"content-type:text\n",
		"content-type:text/\n",
		"content-type:/plain\n",
		"content-type: text/plain\n",
		"content-type:text/plain \n",
		"content-type:text/pl ain\n",
		"content-type:text/plain\r\n",
		"content-type:text/plain;\x00\n",
		"content-type:text/plain;\tx=y\n",
		"content-type:text/pläin\n",
		"content-type:text/plain;\n x=y\n",
		"content-type:text/plain,\n\ttext/html\n",
		"content-type:"+strings.Repeat("a", 20<<10)+"/plain\n",
	)...)},
	{id: "B21", what: "a content type twice, in another place or in upper case", attacks: stringV4(slices.Concat(
		each(
			typedInitiate4,
			"content-type:text/plain\n",
			"content-type:text/plain\ncontent-type:text/plain\n",
			"content-type:text/plain\ncontent-type:text/html\n",
			"Content-Type:text/plain\n",
			"CONTENT-TYPE:text/plain\n",
			"content_type:text/plain\n",
			"content-type :text/plain\n",
			"content-typ:text/plain\n",
			"",
		),
		each(
			typedInitiate4,
			"content-type;",
			"",
			"content-type;content-type;",
			"Content-Type;",
			"content-md5;content-type;",
			"content-length;content-type;",
		),
		each(
			swap(typedInitiate4, "content-type:text/plain\n", ""),
			host4,
			host4+"content-type:text/plain\n",
		),
		each(
			swap(typedInitiate4, "content-type:text/plain\n", ""),
			dated4,
			dated4+"content-type:text/plain\n",
		),
		each(
			swap(typedInitiate4, "content-type:text/plain\n"+host4, host4+"content-type:text/plain\n"),
			"content-type;host;",
			"host;content-type;",
		),
		each(
			typedPart4,
			"content-type:\n",
			"content-type:\ncontent-type:\n",
			"Content-Type:\n",
			"",
		),
		each(typedPart4, "content-type;", "", "content-type;content-type;"),
		each(typedComplete4, "content-type;", ""),
	)...)},
	{id: "B21", what: "the content type of another operation", attacks: stringV4(slices.Concat(
		each(
			typedPart4,
			"content-type:\n",
			"content-type:text/plain\n",
			"content-type:text/html\n",
			"content-type:application/xml; charset=UTF-8\n",
			"content-type: \n",
		),
		each(
			typedComplete4,
			"application/xml; charset=UTF-8",
			"",
			"text/plain",
			"text/html",
			"application/xml",
			"application/xml; charset=utf-8",
			"application/xml;charset=UTF-8",
			"application/xml; charset=UTF-8;",
		),
		[]string{
			typed(abort4, ""), typed(abort4, "text/plain"), typed(abort4, "application/xml; charset=UTF-8"),
		},
	)...)},
	{id: "B21", what: "other headers of an entity", attacks: stringV4(slices.Concat(
		withHeader(typedInitiate4, "content-encoding:gzip"),
		withHeader(typedInitiate4, "content-disposition:inline"),
		withHeader(typedInitiate4, "cache-control:no-cache"),
		withHeader(typedPart4, "content-length:1"),
		withHeader(typedPart4, "content-md5:XrY7u+Ae7tCTyyK7j1rNww=="),
	)...)},
	{id: "B15", what: "another algorithm", attacks: stringV4(each(
		initiate4,
		"AWS4-HMAC-SHA256\n",
		"AWS4-HMAC-SHA1\n",
		"AWS4-ECDSA-P256-SHA256\n",
		"AWS4-HMAC-SHA256-PAYLOAD\n",
		"AWS4-HMAC-SHA256-TRAILER\n",
		"aws4-hmac-sha256\n",
		"AWS4-HMAC-SHA256 \n",
		" AWS4-HMAC-SHA256\n",
		"AWS4-HMAC-SHA256\r\n",
		"\nAWS4-HMAC-SHA256\n",
		"",
	)...)},
	{id: "B16", what: "two dates", attacks: stringV4(slices.Concat(
		each(
			part4,
			dated4,
			"x-amz-date:20261123T115609Z\n",
			"x-amz-date:\n",
			"x-amz-date:20261123T115608Z \n",
			"x-amz-date:Mon, 23 Nov 2026 11:56:08 GMT\n",
			dated4+dated4,
		),
		each(
			part4,
			"SHA256\n20261123T115608Z",
			"SHA256\n20261123T115609Z",
			"SHA256\n",
			"SHA256\n20261123T115608",
			"SHA256\n2026-11-23T11:56:08Z",
			"SHA256\n20261123T115608z",
			"SHA256\n20261123T115608+0000",
			"SHA256\n20261123T115608.5Z",
			"SHA256\n20261123T115660Z",
		),
	)...)},
	{id: "B16", what: "a date outside the window", message: "clock", attacks: stringV4(
		strings.ReplaceAll(part4, "T115608Z", "T114107Z"),
		strings.ReplaceAll(part4, "T115608Z", "T121109Z"),
		strings.ReplaceAll(
			part4,
			"20261123",
			"20261130",
		),
		strings.ReplaceAll(part4, "20261123", "20271123"),
		strings.ReplaceAll(part4, "20261123", "20991123"),
		strings.ReplaceAll(part4, "20261123", "00010101"),
	)},
	{
		id:      "B17",
		what:    "a version 4 string without v4=true",
		message: "version 4",
		attacks: stringV2(initiate4, part4, complete4, abort4),
	},
	{
		id:      "B17",
		what:    "a version 2 string with v4=true",
		message: "version 2",
		attacks: signRequests("/s3/sign?v4=true", "", headersBodies([]string{initiate2, part2, complete2, abort2})...),
	},
	{
		id:      "B17",
		what:    "version 4 where a store that obeys unsigned headers makes version 2 the only safe one",
		in:      onlyV2,
		message: "version 2",
		attacks: slices.Concat(
			signRequests(
				"/s3/sign?v4=true",
				onlyV2,
				headersBodies([]string{pathOf(initiate4), pathOf(part4), pathOf(complete4), pathOf(abort4)})...),
			bodyV4(policy4),
		),
	},
	{id: "B17", what: "v4 that is not true", attacks: slices.Concat(
		signRequests(
			"/s3/sign?v4=false",
			"",
			headersBodies([]string{initiate2})...),
		signRequests("/s3/sign?v4=0", virtualHosted, headersBodies([]string{initiate4})...),
		signRequests(
			"/s3/sign?v4=true&v4=true",
			virtualHosted,
			headersBodies([]string{initiate4})...),
		signRequests("/s3/sign?v4=false&v4=true", virtualHosted, headersBodies([]string{initiate4})...),
		signRequests(
			"/s3/sign?v4",
			virtualHosted,
			headersBodies([]string{initiate4})...),
		signRequests("/s3/sign?v4=", virtualHosted, headersBodies([]string{initiate4})...),
		signRequests("/s3/sign?v4=TRUE", virtualHosted, headersBodies([]string{initiate4})...),
		signRequests(
			"/s3/sign?V4=true",
			virtualHosted,
			headersBodies([]string{initiate4})...),
		signRequests("/s3/sign?v4=true;x=1", virtualHosted, headersBodies([]string{initiate4})...),
		signRequests("/s3/sign?v4=true&x=%zz", virtualHosted, headersBodies([]string{initiate4})...),
		signRequests(
			"/s3/sign?v4=true%00",
			virtualHosted,
			headersBodies([]string{initiate4})...),
		signRequests("/s3/sign?v4=true&x=%ff", virtualHosted, headersBodies([]string{initiate4})...),
	)},
	{id: "B18", what: "a path that browsers and stores resolve, or not in canonical form", attacks: stringV4(slices.Concat(
		each(
			initiate4,
			"\n/uuid.txt\n",
			"\n//other/k\n",
			"\n//uuid.txt\n",
			"\n/%2e%2e/k\n",
			"\n/%2E%2E/k\n",
			"\n/../other/k\n",
			"\n/./k\n",
			"\n/a/../k\n",
			"\n/a/..\n",
			"\n/.%2E/k\n",
			"\n/..%2Fk\n",
			"\n/a%2Fb\n",
			"\n/%61\n",
			"\n/%c3%a9\n",
			"\n/%FF\n",
			"\n/%00\n",
			"\n/%0A\n",
			"\n/%\n",
			"\n/a+b\n",
			"\n/a b\n",
			"\n/é\n",
			"\n/a?b\n",
			"\n/a\tb\n",
			"\n/a\rb\n",
			"\n/"+strings.Repeat("k", 1025)+"\n",
		),
		each(
			part4,
			"\n/uuid.txt\n",
			"\n//uuid.txt\n",
			"\n/../other/k\n",
		),
		each(abort4, "\n/uuid.txt\n", "\n/../other/k\n"),
	)...)},
	{
		id:      "B18",
		what:    "the trailing slash of an endpoint",
		message: "remove the trailing slash from request.endpoint",
		attacks: stringV4(slices.Concat(
			each(initiate4, "\n/uuid.txt\n", "\n//uuid.txt\n"), each(initiate4, host4, "host:mybucket.localhost:9312/\n"))...),
	},
	{id: "B20", what: "more lines, or fewer", attacks: stringV4(slices.Concat(
		[]string{
			part4 + "\n",
			part4 + "\n" + partHash,
			part4 + " ",
			part4 + "\nx-amz-acl:public-read",
			strings.TrimSuffix(part4, "\n"+partHash),
			strings.ReplaceAll(part4, "\n", "\r\n"),
			"\n" + part4,
			"\ufeff" + part4,
		},
		each(part4, "\n\nhost;", "\nhost;", "\n\n\nhost;", "\n \nhost;"),
		each(part4, host4, "\n"+host4, host4+"\n", "x\n"+host4, host4+" folded:1\n"),
		each(
			initiate4,
			"x-amz-acl:private\n",
			"x-amz-acl:private\nx-amz-acl:public-read\n",
			"X-Amz-Acl:private\n",
			"x-amz-acl:private\r\n",
			"x-amz-acl:private \n",
			"x-amz-acl:pri\x00vate\n",
			"x-amz-acl:pri\u2028vate\n",
		),
	)...)},
	{id: "B20", what: "parts of other operations in an initiate request", attacks: stringV4(slices.Concat(
		each(initiate4, "x-amz-acl:private", "x-amz-acl:public-read", "x-amz-acl:"),
		withHeader(
			initiate4,
			"x-amz-website-redirect-location:https://evil.example/",
		),
		withHeader(initiate4, "x-amz-tagging:role=admin"),
		withHeader(initiate4, "x-amz-storage-class:GLACIER"),
		withHeader(initiate4, "x-amz-object-lock-mode:COMPLIANCE"),
		withHeader(
			initiate4,
			"x-amz-server-side-encryption:aws:kms",
		),
		withHeader(initiate4, "x-amz-security-token:"+sessionToken),
		withHeader(initiate4, "x-amz-server-side-encryption-customer-key:"+sseKey),
	)...)},
	{
		id:   "B20",
		what: "a digest or a policy as the string",
		attacks: signRequests("/s3/sign?v4=true", "", headersBodies([]string{
			base64.StdEncoding.EncodeToString(
				[]byte(policy4),
			), "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256\n", "AWS4-HMAC-SHA256-PAYLOAD\n20261123T115608Z\n" +
				"20261123/us-east-1/s3/aws4_request\n" + partHash + "\n" + emptyHash + "\n" + partHash, ""})...),
	},
}

// underAddress has a key of ours, and one that a path-style store reads as another bucket's.
var underAddress = each(
	swap(initiate4, host4, "host:mybucket.127.0.0.1:9312\n"),
	"\n/uuid.txt\n",
	"\n/uuid.doc\n",
	"\n/otherbucket/evil.txt\n",
)

// typed adds a content-type header to a version 4 string, first in the canonical headers and in SignedHeaders.
func typed(base, contentType string) string {
	return swap(swap(base, "\n"+host4, "\ncontent-type:"+contentType+"\n"+host4), "\nhost;", "\ncontent-type;host;")
}

// unsigned has UNSIGNED-PAYLOAD in place of each digest.
func unsigned(base string) string {
	return strings.NewReplacer(partHash, "UNSIGNED-PAYLOAD", emptyHash, "UNSIGNED-PAYLOAD").Replace(base)
}

// unsignedV4 sends strings to a server with a path-style endpoint.
func unsignedV4(in setup, texts ...string) []attack {
	for i, text := range texts {
		texts[i] = pathOf(text)
	}
	return signRequests("/s3/sign?v4=true", in, headersBodies(texts)...)
}

// eachUnsigned sends strings with UNSIGNED-PAYLOAD in place of each digest, with and without the setting.
func eachUnsigned(texts ...string) []attack {
	for i, text := range texts {
		texts[i] = unsigned(text)
	}
	return slices.Concat(unsignedV4(unsignedPayload, texts...), unsignedV4("", texts...))
}

// typesV4 sends strings to the server that limits types.
func typesV4(texts ...string) []attack {
	for i, text := range texts {
		texts[i] = pathOf(text)
	}
	return signRequests("/s3/sign?v4=true", limitedTypes, headersBodies(texts)...)
}

// pathOf returns text for the path-style endpoint.
func pathOf(text string) string {
	return strings.ReplaceAll(text, "mybucket.localhost:9312", "127.0.0.1:9312")
}

// atAWS sends strings to the server with AWS as its store.
func atAWS(texts ...string) []attack {
	return signRequests("/s3/sign?v4=true", aws, headersBodies(texts)...)
}

// inPathByName sends strings to the server with a path-style endpoint that has a host name.
func inPathByName(texts ...string) []attack {
	return signRequests("/s3/sign?v4=true", pathByName, headersBodies(texts)...)
}

// presigned returns the canonical request of a presigned link, up to its query.
func presigned(method, path string) string {
	return method + "\n" + path + "\nX-Amz-Algorithm=AWS4-HMAC-SHA256&" +
		"X-Amz-Credential=" + accessKey + "%2F20261123%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20261123T115608Z&" +
		"X-Amz-Expires=604800&X-Amz-SignedHeaders=host"
}

// payloads replaces the digest in both places.
func payloads(base, old string, news ...string) []string {
	var variants []string
	for _, text := range news {
		variants = append(variants, strings.ReplaceAll(base, old, text))
	}
	return variants
}

// withHeader adds a header to the canonical headers and to SignedHeaders.
func withHeader(base, line string) []string {
	name, _, _ := strings.Cut(line, ":")
	first := map[bool]string{true: "content-type:", false: "host:"}[strings.Contains(base, "\ncontent-type:")]
	head, rest, _ := strings.Cut(base, "\n"+first)
	headers, rest, _ := strings.Cut(first+rest, "\n\n")
	signed, payload, _ := strings.Cut(rest, "\n")
	lines := append(strings.Split(headers, "\n"), line)
	slices.Sort(lines)
	names := append(strings.Split(signed, ";"), name)
	slices.Sort(names)
	return []string{head + "\n" + strings.Join(lines, "\n") + "\n\n" + strings.Join(names, ";") + "\n" + payload}
}
