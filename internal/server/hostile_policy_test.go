package server_test

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"unicode/utf16"
)

// The honest policies that attacks are derived from.
const (
	policy2 = `{"expiration":"2026-11-23T12:01:07.688Z","conditions":[{"acl":"private"},{"bucket":"mybucket"},` +
		`{"Content-Type":"text/plain"},{"success_action_status":"200"},` +
		`{"key":"uuid.txt"},{"x-amz-meta-qqfilename":"my%20file%20%C3%A9.txt"}]}`
	policy4 = `{"expiration":"2026-11-23T12:01:07.688Z","conditions":[{"acl":"private"},{"bucket":"mybucket"},` +
		`{"Content-Type":"text/plain"},{"success_action_status":"200"},` +
		`{"x-amz-algorithm":"AWS4-HMAC-SHA256"},{"key":"uuid.txt"},` +
		`{"x-amz-credential":"AKIAIOSFODNN7EXAMPLE/20261123/us-east-1/s3/aws4_request"},{"x-amz-date":"20261123T115608Z"},` +
		`{"x-amz-meta-qqfilename":"my%20file%20%C3%A9.txt"}]}`
	sized2 = `{"expiration":"2026-11-23T12:01:07.688Z","conditions":[{"acl":"private"},{"bucket":"mybucket"},` +
		`{"key":"uuid.txt"},["content-length-range","1","15000000"]]}`
)

var rowsPolicy = []row{
	{id: "C1", what: "a policy that is valid for too long", message: "15 minutes", attacks: slices.Concat(
		bodyV2(
			each(
				policy2,
				"2026-11-23T12:01:07.688Z",
				"2099-01-01T00:00:00.000Z",
				"9999-12-31T23:59:59.999Z",
				"2026-11-24T11:56:08.000Z",
				"2026-11-23T12:11:08.001Z",
				"2027-11-23T12:01:07.688Z",
			)...),
		bodyV4(each(policy4, "2026-11-23T12:01:07.688Z", "2099-01-01T00:00:00.000Z", "2026-11-23T12:11:08.001Z")...),
	)},
	{id: "C2", what: "an expired policy", message: "behind", attacks: bodyV2(each(
		policy2,
		"2026-11-23T12:01:07.688Z",
		"2026-11-23T11:56:07.999Z",
		"2020-01-01T00:00:00.000Z",
		"1970-01-01T00:00:00.000Z",
		"0001-01-01T00:00:00.000Z",
		"0000-01-01T00:00:00.000Z",
	)...)},
	{id: "C2", what: "an expiration that is not a date, or is missing", attacks: slices.Concat(
		bodyV2(
			each(
				policy2,
				`"2026-11-23T12:01:07.688Z"`,
				`""`,
				`"2026-11-23"`,
				`1795435267`,
				`null`,
				`true`,
				`["2026-11-23T12:01:07.688Z"]`,
				`{}`,
				`"2026-11-23T12:01:07Z"`,
				`"2026-11-23T12:01:07.688+00:00"`,
				`"2026-11-23T12:01:07.688z"`,
				`"2026-11-23 12:01:07.688Z"`,
				`"2026-11-23T12:01:07.6880Z"`,
				`"2026-11-23T12:01:07,688Z"`,
				`" 2026-11-23T12:01:07.688Z"`,
				`"2026-11-23T12:01:60.000Z"`,
				`"2026-11-23T24:01:07.688Z"`,
				`"20261123T120107Z"`,
				`"never"`,
				`"2026-11-23T12:01:07.688Z\u0000"`,
			)...),
		bodyV2(swap(policy2, `"expiration":"2026-11-23T12:01:07.688Z",`, ``)),
	)},
	{id: "C3", what: "another bucket", message: "mybucket", attacks: slices.Concat(
		bodyV2(
			each(
				policy2,
				`"bucket":"mybucket"`,
				`"bucket":"other"`,
				`"bucket":""`,
				`"bucket":"mybucketX"`,
				`"bucket":"MYBUCKET"`,
				`"bucket":" mybucket"`,
				`"bucket":"mybucket/"`,
				`"bucket":"tenant:mybucket"`,
				`"bucket":"*"`,
				`"bucket":"mybucket,other"`,
			)...),
		bodyV4(each(policy4, `"bucket":"mybucket"`, `"bucket":"other"`)...),
	)},
	{
		id:      "C3",
		what:    "no bucket",
		message: "bucket",
		attacks: slices.Concat(
			bodyV2(swap(policy2, `{"bucket":"mybucket"},`, ``)),
			bodyV4(swap(policy4, `{"bucket":"mybucket"},`, ``)),
		),
	},
	{
		id:   "C4",
		what: "two buckets",
		attacks: slices.Concat(
			bodyV2(
				each(
					policy2,
					`{"bucket":"mybucket"}`,
					`{"bucket":"mybucket"},{"bucket":"other"}`,
					`{"bucket":"other"},{"bucket":"mybucket"}`,
					`{"bucket":"mybucket"},{"bucket":"mybucket"}`,
					`{"bucket":"mybucket"},["eq","$bucket","other"]`,
					`["eq","$bucket","mybucket"],["eq","$bucket","other"]`,
				)...),
			bodyV4(
				each(
					policy4,
					`{"bucket":"mybucket"}`,
					`{"bucket":"mybucket"},{"bucket":"other"}`,
					`{"bucket":"other"},{"bucket":"mybucket"}`,
				)...),
		),
	},
	{id: "C5", what: "names in other cases", attacks: bodyV2(slices.Concat(
		each(
			policy2,
			`{"bucket":"mybucket"}`,
			`{"bucket":"mybucket"},{"bUcKeT":"other"}`,
			`{"BUCKET":"other"},{"bucket":"mybucket"}`,
			`{"bucket":"mybucket"},["EQ","$Bucket","other"]`,
			`{"bucket":"mybucket"},["eq","$BUCKET","other"]`,
			`{"Bucket":"mybucket"}`,
			`["EQ","$bucket","mybucket"]`,
			`["Eq","$bucket","mybucket"]`,
			`{"buc\u212Aet":"other"},{"bucket":"mybucket"}`,
		),
		each(
			policy2,
			`{"key":"uuid.txt"}`,
			`{"key":"uuid.txt"},{"Key":"other"}`,
			`{"KEY":"uuid.txt"}`,
			`{"key":"uuid.txt"},["StArTs-WiTh","$KeY",""]`,
			`{"\u212Aey":"uuid.txt"}`,
		),
		each(
			policy2,
			`{"Content-Type":"text/plain"}`,
			`{"content-type":"text/plain"}`,
			`{"Content-Type":"text/plain"},{"content-type":"text/html"}`,
		),
		each(policy2, `{"acl":"private"}`, `{"ACL":"private"}`, `{"acl":"private"},{"Acl":"public-read"}`),
		each(policy2, `x-amz-meta-qqfilename`, `X-Amz-Meta-qqfilename`, `x-amz-meta-QQfilename`),
	)...)},
	{id: "C6", what: "array forms on the bucket", attacks: bodyV2(each(
		policy2,
		`{"bucket":"mybucket"}`,
		`["eq","$bucket","other"]`,
		`["starts-with","$bucket","my"]`,
		`["starts-with","$bucket","mybucket"]`,
		`["starts-with","$bucket",""]`,
		`["eq","bucket","mybucket"]`,
		`["eq","$$bucket","mybucket"]`,
		`["eq","$ bucket","mybucket"]`,
		`["ne","$bucket","other"]`,
		`["in","$bucket","mybucket"]`,
		`["","$bucket","mybucket"]`,
	)...)},
	{id: "C7", what: "a key that may be any", attacks: slices.Concat(
		bodyV2(
			each(
				policy2,
				`{"key":"uuid.txt"}`,
				`["starts-with","$key",""]`,
				`["starts-with","$key","u"]`,
				`["starts-with","$key","uuid.txt"]`,
				`["Starts-With","$key",""]`,
				`["starts-with","$KeY",""]`,
				`{"key":"uuid.txt"},["starts-with","$key",""]`,
				`["ends-with","$key",""]`,
				`["contains","$key",""]`,
				`["eq","$key",""]`,
				`{"$key":"uuid.txt"}`,
			)...),
		bodyV4(
			each(
				policy4,
				`{"key":"uuid.txt"}`,
				`["starts-with","$key",""]`,
				`["starts-with","$key","u"]`,
				`["eq","$key",""]`,
			)...),
	)},
	{id: "C9", what: "a key that the store expands", message: "${", attacks: slices.Concat(
		bodyV2(
			each(policy2, `"uuid.txt"`, `"uploads/${filename}"`, `"${filename}"`, `"a${"`)...),
		bodyV2(swap(policy2, `{"key":"uuid.txt"}`, `["eq","$key","${filename}"]`)),
		bodyV4(each(policy4, `"uuid.txt"`, `"uploads/${filename}"`)...),
	)},
	{
		id:      "C10",
		what:    "no key",
		message: "key",
		attacks: slices.Concat(
			bodyV2(each(policy2, `{"key":"uuid.txt"},`, ``, `{"key":""},`)...),
			bodyV4(each(policy4, `{"key":"uuid.txt"},`, ``, `{"key":""},`)...),
		),
	},
	{
		id:      "C11",
		what:    "no size limit, or one above the server's",
		in:      limitedSize,
		message: "15000000 bytes",
		attacks: slices.Concat(
			bodyV2(
				each(
					sized2,
					`,["content-length-range","1","15000000"]`,
					``,
					`,["content-length-range",0,9007199254740992]`,
					`,["content-length-range","0","15000001"]`,
					`,["content-length-range",0,9223372036854775807]`,
				)...),
			bodyV4(policy4),
		),
	},
	{
		id:   "C11",
		what: "an invalid size limit",
		in:   limitedSize,
		attacks: bodyV2(each(
			sized2,
			`["content-length-range","1","15000000"]`,
			`["content-length-range",5,4]`,
			`["content-length-range",-1,15000000]`,
			`["content-length-range","-1","5"]`,
			`["content-length-range",1,"1e3"]`,
			`["content-length-range",1,1e3]`,
			`["content-length-range",1,1.5]`,
			`["content-length-range",1,5.0]`,
			`["content-length-range",0,0]`,
			`["content-length-range","0","0"]`,
			`["content-length-range","0","5",7]`,
			`["content-length-range",1]`,
			`["content-length-range"]`,
			`["content-length-range",[1],[5]]`,
			`["content-length-range",null,5]`,
			`["content-length-range",1,true]`,
			`["content-length-range","",""]`,
			`["content-length-range","01","5"]`,
			`["content-length-range"," 1","5"]`,
			`["content-length-range","+1","5"]`,
			`["content-length-range",-0,5]`,
			`["content-length-range",0,9223372036854775808]`,
			`["content-length-range",0,18446744073709551616]`,
			`["content-length-range","1","15000000"],["content-length-range","1","99000000"]`,
			`["content-length-range","1","99000000"],["content-length-range","1","15000000"]`,
			`["content-length-range","1","15000000"],["content-length-range","1","15000000"]`,
			`["Content-Length-Range","1","15000000"]`,
			`["content-length-range","1","15000000"],["CONTENT-LENGTH-RANGE","1","99000000"]`,
		)...),
	},
	{
		id:      "C11",
		what:    "a part that only a larger file can have",
		in:      limitedSize,
		message: "15000000 bytes",
		attacks: stringV2(each(part2, "partNumber=1&", "partNumber=4&", "partNumber=10000&")...),
	},
	{
		id:   "C12",
		what: "a size limit that no store enforces",
		attacks: bodyV2(slices.Concat(each(
			sized2,
			`["content-length-range","1","15000000"]`,
			`{"content-length-range":"0,5"}`,
			`{"content-length-range":["1","5"]}`,
			`["eq","$content-length-range","5"]`,
			`["eq","$Content-Length-Range","5"]`,
			`["eq","content-length-range","5"]`,
			`{"Content-Length":"5"}`,
			`["starts-with","$content-length","1"]`,
		))...),
	},
	{id: "C13", what: "an ACL that is not allowed", attacks: slices.Concat(
		bodyV2(
			each(
				policy2,
				`{"acl":"private"}`,
				`{"acl":"public-read"}`,
				`{"acl":"public-read-write"}`,
				`{"acl":"authenticated-read"}`,
				`{"acl":""}`,
				`{"acl":"Private"}`,
				`{"x-amz-acl":"public-read"}`,
				`{"x-amz-acl":"private"}`,
				`{"acl":"private"},{"x-amz-acl":"public-read"}`,
				`{"acl":"private"},{"acl":"public-read"}`,
				`["eq","$acl","public-read"]`,
				`["starts-with","$acl",""]`,
				`["starts-with","$acl","p"]`,
				`{"acl":"private"},["eq","$x-amz-acl","public-read"]`,
				`{"acl":"private"},{"x-amz-grant-read":"id=evil"}`,
			)...),
		bodyV4(
			each(policy4, `{"acl":"private"}`, `{"acl":"public-read"}`, `{"acl":"private"},{"x-amz-acl":"public-read"}`)...),
	)},
	{
		id:   "C14",
		what: "a content type that may be any, or is not configured, or none",
		in:   limitedTypes,
		attacks: bodyV2(each(
			policy2,
			`{"Content-Type":"text/plain"}`,
			`["starts-with","$Content-Type",""]`,
			`{"Content-Type":""}`,
			`{"x-amz-meta-content-type":"text%2Fplain"}`,
			`["starts-with","$Content-Type","image/"]`,
			`{"Content-Type":"text/html"}`,
			`{"Content-Type":"image/"}`,
			`{"Content-Type":"image"}`,
			`{"Content-Type":"IMAGE"}`,
			`{"Content-Type":"text/plainx"}`,
			`{"Content-Type":"application/octet-stream"}`,
			`["eq","$Content-Type","text/html"]`,
			`{"Content-Type":"text/plain"},{"Content-Type":"text/html"}`,
			`{"Content-Type":"text/plain;,text/html"}`,
			`{"Content-Type":"image/png;a=b,text/html"}`,
			`{"Content-Type":"text/plain, text/html"}`,
			`{"Content-Type":"text/html;image/png"}`,
			`{"Content-Type":"text/plain\n"}`,
		)...),
	},
	{id: "C15", what: "redirects", attacks: bodyV2(each(
		policy2,
		`{"success_action_status":"200"}`,
		`["starts-with","$success_action_redirect","http"]`,
		`{"success_action_redirect":"https://evil.example/"}`,
		`{"redirect":"https://evil.example/"}`,
		`["eq","$success_action_redirect","https://evil.example/"]`,
		`{"success_action_status":"201"}`,
		`{"success_action_status":"204"}`,
		`{"success_action_status":"302"}`,
		`{"success_action_status":""}`,
		`["starts-with","$success_action_status",""]`,
		`{"success_action_status":"200"},{"success_action_redirect":"https://evil.example/"}`,
	)...)},
	{id: "C16", what: "fields that do more than upload", attacks: bodyV2(each(
		policy2,
		`{"success_action_status":"200"}`,
		`{"x-amz-website-redirect-location":"https://evil.example/"}`,
		`{"tagging":"<Tagging/>"}`,
		`{"x-amz-tagging":"role=admin"}`,
		`{"x-amz-storage-class":"DEEP_ARCHIVE"}`,
		`{"x-amz-object-lock-mode":"COMPLIANCE"}`,
		`{"x-amz-copy-source":"/other/secret"}`,
		`{"x-amz-server-side-encryption":"aws:kms"}`,
		`{"x-amz-checksum-sha256":"x"}`,
		`{"Expires":"0"}`,
		`{"Content-Language":"de"}`,
		`{"submit":"Upload"}`,
		`{"file":"x"}`,
		`{"policy":"x"}`,
		`{"signature":"x"}`,
		`{"AWSAccessKeyId":"x"}`,
		`{"":"x"}`,
		`["eq","$","x"]`,
		`{"x-amz-meta-":"x"}`,
		`{"x-amz-meta-a b":"x"}`,
		`{"x-amz-meta-a\u0000":"x"}`,
		`{"x-ignore-anything":"x"}`,
		`["starts-with","$x-amz-meta-",""]`,
		`{"cache-control":"no-cache"}`,
		`{"Cache-Control":"no-cache\r\nX: y"}`,
		`{"Content-Disposition":"inline\u0000"}`,
		`{"Content-MD5":"x"}`,
		`{"x-amz-meta-a":"a b"}`,
		`{"x-amz-meta-a":"%zz"}`,
		`{"x-amz-meta-a":"`+strings.Repeat("a", 2100)+`"}`,
	)...)},
	{id: "C17", what: "members twice", attacks: slices.Concat(
		bodyV2(
			`{"conditions":[{"bucket":"mybucket"}],`+policy2[1:],
			swap(policy2, `"conditions":`, `"conditions":[{"bucket":"other"}],"conditions":`),
			strings.TrimSuffix(policy2, "}")+`,"conditions":[{"bucket":"other"},{"key":"k"}]}`,
			strings.TrimSuffix(
				policy2,
				"}",
			)+`,"expiration":"2099-01-01T00:00:00.000Z"}`,
			strings.TrimSuffix(policy2, "}")+`,"\u0065xpiration":"2099-01-01T00:00:00.000Z"}`,
			strings.TrimSuffix(policy2, "}")+`,"condition\u0073":[]}`,
		),
		bodyV2(
			each(
				policy2,
				`{"bucket":"mybucket"}`,
				`{"bucket":"mybucket","bucket":"other"}`,
				`{"bucket":"other","bucket":"mybucket"}`,
				`{"bucket":"mybucket","\u0062ucket":"other"}`,
			)...),
		bodyV2(
			`{"headers":`+quoteJSON(part2)+`,"headers":`+quoteJSON(abort2)+`}`,
			`{"headers":`+quoteJSON(part2)+`,"\u0068eaders":`+quoteJSON(abort2)+`}`,
			`{"headers":`+quoteJSON(part2)+`,"headers":`+quoteJSON(part2)+`}`,
		),
	)},
	{id: "C18", what: "members in other cases or unknown", attacks: slices.Concat(
		bodyV2(
			each(
				policy2,
				`"conditions":`,
				`"Conditions":`,
				`"CONDITIONS":`,
				`"conditionſ":`,
				`"Conditions":[{"bucket":"other"}],"conditions":`,
				`"conditions":[],"Conditions":`,
				`"conditionſ":[],"conditions":`,
				`"version":1,"conditions":`,
				`"":1,"conditions":`,
				`"conditions ":`,
				`"conditions\u0000":`,
			)...),
		bodyV2(
			each(
				policy2,
				`"expiration":`,
				`"Expiration":`,
				`"expiration":"2026-11-23T12:01:07.688Z","Expiration":`,
				`"expires":`,
			)...),
		bodyV2(
			each(
				`{"headers":`+quoteJSON(part2)+`}`,
				`"headers"`,
				`"Headers"`,
				`"HEADERS"`,
				`"headerſ"`,
				`"header"`,
				`" headers"`,
				`"headers "`,
				`"\u0068eaders"`,
				`"headers":"","Headers"`,
				`"x":1,"headers"`,
				`"kind":"x","headers"`,
			)...),
		bodyV2(
			strings.TrimSuffix(`{"headers":`+quoteJSON(part2)+`}`, "}")+`,"v4":true}`,
			strings.TrimSuffix(`{"headers":`+quoteJSON(part2)+`}`, "}")+`,"policy":"x"}`,
		),
	)},
	{id: "C19", what: "a policy and a string in one", attacks: bodyV2(
		`{"headers":"",`+policy2[1:],
		`{"headers":`+quoteJSON(part2)+`,`+policy2[1:],
		strings.TrimSuffix(policy2, "}")+`,"headers":""}`,
		strings.TrimSuffix(policy2, "}")+`,"headers":`+quoteJSON(part2)+`}`,
		`{"headers":null,`+policy2[1:],
		`{"headers":`+quoteJSON(part2)+`,"conditions":[]}`,
	)},
	{
		id:     "C20",
		what:   "headers that are not a string, bodies that are not a request",
		status: http.StatusBadRequest,
		attacks: slices.Concat(
			bodyV2(
				`{"headers":["POST"]}`,
				`{"headers":[`+quoteJSON(part2)+`]}`,
				`{"headers":0}`,
				`{"headers":true}`,
				`{"headers":{}}`,
				`{"headers":null}`,
				`{"headers":""}`,
				`{"headers":}`,
				`{"headers"}`,
				`{}`,
				`[]`,
				`null`,
				`true`,
				`0`,
				`""`,
				``,
				` `,
				quoteJSON(part2),
				`[`+policy2+`]`,
				`{"policy":`+policy2+`}`,
				`{"headers":{"headers":`+quoteJSON(part2)+`}}`,
			),
			bodyV4(`{"headers":["AWS4-HMAC-SHA256"]}`, `{"headers":null}`, `{}`, `[]`, `null`, ``),
		),
	},
	{id: "C21", what: "invalid conditions", attacks: slices.Concat(
		bodyV2(
			each(
				policy2,
				`{"bucket":"mybucket"}`,
				`"bucket"`,
				`1`,
				`null`,
				`true`,
				`{}`,
				`[]`,
				`{"bucket":"mybucket","x":"y"}`,
				`{"bucket":1}`,
				`{"bucket":null}`,
				`{"bucket":true}`,
				`{"bucket":["mybucket"]}`,
				`{"bucket":{"$ne":1}}`,
				`["eq","$bucket"]`,
				`["eq","$bucket","mybucket","x"]`,
				`["eq","$bucket",["mybucket"]]`,
				`["eq","$bucket",1]`,
				`["eq",1,"mybucket"]`,
				`[["eq","$bucket","mybucket"]]`,
				`["eq"]`,
				`[1,2,3]`,
				`[null,null,null]`,
				`[{"bucket":"mybucket"}]`,
				`["eq",{"bucket":"mybucket"},"x"]`,
				`{"bucket":"mybucket"},`,
				`{"bucket":"mybucket"} {"x":"y"}`,
			)...),
		bodyV2(each(policy2, `{"key":"uuid.txt"}`, `{"key":{"$ne":1}}`, `{"key":["a"]}`, `{"key":null}`, `{"key":1}`)...),
		bodyV2(
			`{"expiration":"2026-11-23T12:01:07.688Z"}`,
			`{"conditions":[{"bucket":"mybucket"},{"key":"k"}]}`,
			`{"expiration":"2026-11-23T12:01:07.688Z","conditions":{}}`,
			`{"expiration":"2026-11-23T12:01:07.688Z","conditions":{"bucket":"mybucket","key":"k"}}`,
			`{"expiration":"2026-11-23T12:01:07.688Z","conditions":"x"}`,
			`{"expiration":"2026-11-23T12:01:07.688Z","conditions":null}`,
			`{"expiration":"2026-11-23T12:01:07.688Z","conditions":[]}`,
		),
	)},
	{id: "C22", what: "keys that cannot be stored, or are hidden", attacks: slices.Concat(
		bodyV2(
			each(
				policy2,
				`"uuid.txt"`,
				`"a\u0000"`,
				`"a\nb"`,
				`"a\rb"`,
				`"a\tb"`,
				`"\u001b[2J"`,
				`"\u007f"`,
				`"\u0085"`,
				`"\ud800"`,
				`"\udc00\ud800"`,
				`"a\ud800b"`,
				"\"a\xff\"",
				"\"\xc3\"",
				"\"\xed\xa0\x80\"",
				"\"\xc0\xaf\"",
				"\"a\nb\"",
				`"\x"`,
				`"/uuid.txt"`,
				`"//"`,
				`"."`,
				`".."`,
				`"../other/x"`,
				`"a/../b"`,
				`"a/./b"`,
				`"a/.."`,
				`"`+strings.Repeat("k", 1025)+`"`,
				`"`+strings.Repeat("é", 513)+`"`,
			)...),
		bodyV4(each(policy4, `"uuid.txt"`, `"a\u0000"`, `"\ud800"`, "\"a\xff\"", `"../other/x"`, `"/k"`)...),
	)},
	{id: "C22", what: "keys that a store could not list", message: "control character", attacks: slices.Concat(
		bodyV2(
			each(policy2, `"uuid.txt"`, "\"\ufffe.txt\"", "\"a/\uffff\"")...),
		stringV2(each(part2, "uuid.txt", "%EF%BF%BE.txt", "a/%EF%BF%BF")...),
	)},
	{id: "C22", what: "characters that a store may read as others", message: "JSON.stringify", attacks: slices.Concat(
		bodyV2(
			each(
				policy2,
				`"uuid.txt"`,
				`"\u0024{filename}"`,
				`"$\u007bfilename}"`,
				`"\ud83d\ude00"`,
				`"\uD83D\uDE00.txt"`,
				`"uuid\u002etxt"`,
				`"a\/b"`,
				`"\u00e9"`,
				`"\u001B"`,
				`"\u0080"`,
				`"\\\u0041"`,
				`"\x41"`,
				`"\'"`,
				`"\u001`,
			)...),
		bodyV2(
			each(policy2, `"key"`, `"\u006bey"`, `"k\u0065y"`)...),
		bodyV4(each(policy4, `"uuid.txt"`, `"\ud83d\ude00"`, `"uuid\u002etxt"`)...),
		bodyV2(policy2+`\`),
	)},
	{id: "C23", what: "more than one JSON text, or another encoding", attacks: slices.Concat(
		bodyV2(
			policy2+" x",
			policy2+policy2,
			policy2+"\x00",
			policy2+`{"headers":"x"}`,
			"\ufeff"+policy2,
			utf16Bytes(policy2),
			"\xff\xfe"+utf16Bytes(policy2),
			policy2[:len(policy2)-1],
			"//x\n"+policy2,
			swap(policy2, `"conditions":[`, `"conditions":[,`),
			strings.ReplaceAll(policy2, `"`, `'`),
			swap(policy2, `{"key":"uuid.txt"}`, `{key:"uuid.txt"}`),
			")]}'\n"+policy2,
			base64.StdEncoding.EncodeToString([]byte(policy2)),
			"\x1f\x8b\x08\x00\x00\x00\x00\x00",
			"\x00"+policy2,
			"\v"+policy2,
			"\u00a0"+policy2,
			`{"headers":`+quoteJSON(part2)+`} trailing`,
			`{"headers":`+quoteJSON(part2)+`}`+policy2,
			"\ufeff"+`{"headers":`+quoteJSON(part2)+`}`,
		),
	)},
	{id: "C23", what: "deep or many", attacks: bodyV2(
		strings.Repeat(
			"[",
			10001,
		),
		strings.Repeat(`{"a":`, 10001),
		`{"conditions":`+strings.Repeat("[", 20000)+strings.Repeat("]", 20000)+`}`,
		`{"headers":`+strings.Repeat("[", 20000)+`}`,
		swap(
			policy2,
			`{"key":"uuid.txt"}`,
			`{"key":"uuid.txt"}`+strings.Repeat(`,{"a":"b"}`, 6000),
		),
		swap(policy2, `{"key":"uuid.txt"}`, `{"key":"uuid.txt"}`+manyConditions(101)),
		swap(policy2, `{"key":"uuid.txt"}`, strings.Repeat("[", 9000)+strings.Repeat("]", 9000)),
	)},
	{id: "C23", what: "too large", status: http.StatusRequestEntityTooLarge, message: "64 KiB", attacks: slices.Concat(
		bodyV2(
			strings.Repeat(" ", 64<<10)+policy2,
			policy2+strings.Repeat(" ", 1<<20),
			`{"headers":"`+strings.Repeat("x", 64<<10)+`"}`,
		),
		[]attack{
			{method: "POST", target: "/s3/sign", header: asJSON, stream: 100 << 20},
			{method: "POST", target: "/s3/success", header: asForm, stream: 100 << 20},
			{method: "POST", target: "/s3/delete", header: asForm, body: "key=" + strings.Repeat("k", 64<<10)},
		},
	)},
	{id: "C23", what: "compressed", status: http.StatusUnsupportedMediaType, attacks: []attack{
		{
			method: "POST",
			target: "/s3/sign",
			header: http.Header{"Content-Type": {"application/json"}, "Content-Encoding": {"gzip"}},
			body:   "\x1f\x8b\x08\x00\x00\x00\x00\x00",
		},
		{
			method: "POST",
			target: "/s3/sign",
			header: http.Header{"Content-Type": {"application/json"}, "Content-Encoding": {"identity"}},
			body:   policy2,
		}}},
	{id: "C24", what: "another credential", attacks: slices.Concat(
		bodyV4(each(
			policy4,
			`AKIAIOSFODNN7EXAMPLE/20261123/us-east-1/s3/aws4_request`,
			`AKIAOTHER/20261123/us-east-1/s3/aws4_request`,
			`/20261123/us-east-1/s3/aws4_request`,
			`AKIAIOSFODNN7EXAMPLE/20261123/us-east-1/s3`,
			`AKIAIOSFODNN7EXAMPLE/20261123/us-east-1/s3/aws4_request/x`,
			`AKIAIOSFODNN7EXAMPLE/x/20261123/us-east-1/s3/aws4_request`,
			`AKIAIOSFODNN7EXAMPLE/20261123/us-east-1/iam/aws4_request`,
			`AKIAIOSFODNN7EXAMPLE/20261123/eu-west-1/s3/aws4_request`,
			`AKIAIOSFODNN7EXAMPLE/20261124/us-east-1/s3/aws4_request`,
			`AKIAIOSFODNN7EXAMPLE/2026-11-23/us-east-1/s3/aws4_request`,
			`AKIAIOSFODNN7EXAMPLE`,
			`akiaiosfodnn7example/20261123/us-east-1/s3/aws4_request`,
			` AKIAIOSFODNN7EXAMPLE/20261123/us-east-1/s3/aws4_request`,
			``,
		)...),
		bodyV4(
			each(
				policy4,
				`{"x-amz-credential":"AKIAIOSFODNN7EXAMPLE/20261123/us-east-1/s3/aws4_request"},`,
				``,
				`["starts-with","$x-amz-credential",""],`,
				`["starts-with","$x-amz-credential","AKIAIOSFODNN7EXAMPLE/"],`,
				`{"x-amz-credential":["AKIAIOSFODNN7EXAMPLE/20261123/us-east-1/s3/aws4_request"]},`,
				`{"x-amz-credential":"AKIAIOSFODNN7EXAMPLE/20261123/us-east-1/s3/aws4_request"},`+
					`{"x-amz-credential":"AKIAIOSFODNN7EXAMPLE/20261123/us-east-1/s3/aws4_request"},`,
				`{"X-Amz-Credential":"AKIAIOSFODNN7EXAMPLE/20261123/us-east-1/s3/aws4_request"},`,
			)...),
	)},
	{id: "C25", what: "another algorithm or date", attacks: slices.Concat(
		bodyV4(
			each(
				policy4,
				`{"x-amz-algorithm":"AWS4-HMAC-SHA256"},`,
				``,
				`{"x-amz-algorithm":"AWS4-HMAC-SHA1"},`,
				`{"x-amz-algorithm":"aws4-hmac-sha256"},`,
				`{"x-amz-algorithm":""},`,
				`["starts-with","$x-amz-algorithm",""],`,
			)...),
		bodyV4(
			each(
				policy4,
				`{"x-amz-date":"20261123T115608Z"},`,
				``,
				`{"x-amz-date":"20261123T113607Z"},`,
				`{"x-amz-date":"20261123T121609Z"},`,
				`{"x-amz-date":"20991123T115608Z"},`,
				`{"x-amz-date":"2026-11-23T11:56:08Z"},`,
				`{"x-amz-date":""},`,
				`["starts-with","$x-amz-date",""],`,
				`{"x-amz-date":"20261123T115608Z"},{"x-amz-date":"20261123T115609Z"},`,
			)...),
	)},
	{
		id:   "C26",
		what: "a policy of the other version",
		attacks: slices.Concat(
			bodyV2(
				policy4,
				swap(policy2, `{"key":"uuid.txt"}`, `{"key":"uuid.txt"},{"x-amz-algorithm":"AWS4-HMAC-SHA256"}`),
				swap(policy2, `{"key":"uuid.txt"}`, `{"key":"uuid.txt"},{"x-amz-date":"20261123T115608Z"}`),
			),
			bodyV4(policy2, sized2),
		),
	},
	{id: "C27", what: "a security token", message: "sessionToken", attacks: slices.Concat(
		bodyV2(
			swap(policy2, `{"success_action_status":"200"}`, `{"x-amz-security-token":"`+sessionToken+`"}`),
		),
		bodyV4(swap(policy4, `{"success_action_status":"200"}`, `{"x-amz-security-token":"`+sessionToken+`"}`)),
	)},
	{id: "C28", what: "a customer's encryption key", attacks: slices.Concat(
		bodyV2(
			each(
				policy2,
				`{"success_action_status":"200"}`,
				`{"x-amz-server-side-encryption-customer-key":"`+sseKey+`"}`,
				`{"x-amz-server-side-encryption-customer-algorithm":"AES256"}`,
				`{"x-amz-server-side-encryption-customer-key-MD5":"`+sseKey+`"}`,
				`{"x-amz-server-side-encryption-aws-kms-key-id":"`+sseKey+`"}`,
				`["starts-with","$x-amz-server-side-encryption-customer-key","`+sseKey+`"]`,
				`["eq","$x-amz-server-side-encryption-customer-key","`+sseKey+`"]`,
				`{"X-Amz-Server-Side-Encryption-Customer-Key":"`+sseKey+`"}`,
				`{"x-amz-server-side-encryption":"`+sseKey+`"}`,
			)...),
		stringV2(
			each(
				initiate2,
				"/mybucket/uuid",
				"x-amz-server-side-encryption-customer-algorithm:AES256\n"+
					"x-amz-server-side-encryption-customer-key:"+sseKey+"\n/mybucket/uuid",
				"x-amz-server-side-encryption-customer-key:"+sseKey+"\n/mybucket/uuid",
				"x-amz-server-side-encryption-customer-key:"+sseKey+"\nx-amz-acl:private\n/mybucket/uuid",
			)...),
	)},
}

// manyConditions returns n conditions on different names.
func manyConditions(n int) string {
	var b strings.Builder
	for _, line := range strings.Split(strings.TrimSuffix(manyHeaders(n), "\n"), "\n") {
		name, value, _ := strings.Cut(line, ":")
		b.WriteString(`,{"` + name + `":"` + value + `"}`)
	}
	return b.String()
}

// utf16Bytes returns text in UTF-16, little-endian.
func utf16Bytes(text string) string {
	var b []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		b = append(b, byte(unit), byte(unit>>8))
	}
	return string(b)
}
