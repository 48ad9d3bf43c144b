package server_test

import (
	"net/http"
	"slices"
	"strings"
)

// The honest calls that attacks are derived from.
const (
	success = "key=uuid.txt&uuid=0e4b5c5a-aa56-40e3-80a0-f315d8d6b43a&name=my+file+%C3%A9.txt&bucket=mybucket&" +
		"etag=%22simple-etag%22"
	deleteForm = "key=uuid.txt&bucket=mybucket&qquuid=56906c85-2715-4835-a3c5-4ef5b5c7cf1d&_method=DELETE"
	deletePath = "/s3/delete/51768878-9869-4aa9-9bde-6bf4bf6beedd?key=uuid.txt&bucket=mybucket"
)

// badKeys are URL-encoded keys for which the server must not call the store.
var badKeys = []string{
	"key=", "key=..%2Fother%2Fx", "key=%2Fx", "key=a%2F..%2Fb", "key=.", "key=..", "key=a%2F.", "key=.%2Fa", "key=%00",
	"key=a%0Ab", "key=a%0D%0Ab", "key=%1B%5B2J", "key=%7F", "key=%C2%85", "key=%FF", "key=%C3", "key=%ED%A0%80",
	"key=%C0%AF",
	"key=" + strings.Repeat(
		"k",
		1025,
	), "key=" + strings.Repeat("%C3%A9", 513), "Key=uuid.txt", "key%00=uuid.txt", "key[]=uuid.txt", "x=y",
}

var rowsCalls = []row{
	{
		id:     "D1",
		what:   "forms of other sites, which a browser sends without a preflight",
		status: http.StatusUnsupportedMediaType,
		attacks: slices.Concat(
			typedAs(
				policy2,
				"text/plain",
				"application/x-www-form-urlencoded",
				"multipart/form-data; boundary=x",
				"",
				"text/json",
				"application/jsonp",
				"application/json/x",
				"json",
				"application/json, text/plain",
				"text/plain; application/json",
				"application/json;charset=utf-8;charset=utf-16",
				"*/*",
				"application/*",
				"text/x+json",
				"application/json\x20x",
			),
			typedAs(
				`{"headers":`+quoteJSON(part2)+`}`,
				"text/plain",
				"text/plain;charset=UTF-8",
				"application/x-www-form-urlencoded",
				"application/octet-stream",
			),
			typedAs("headers="+strings.ReplaceAll(part2, "\n", "%0A"), "application/x-www-form-urlencoded"),
		),
	},
	{id: "D1", what: "pages of other sites", status: http.StatusForbidden, attacks: slices.Concat(
		fromOtherSites(
			"POST",
			"/s3/sign",
			"application/json",
			`{"headers":`+quoteJSON(part2)+`}`,
		),
		fromOtherSites("POST", "/s3/success", "application/x-www-form-urlencoded", success),
		fromOtherSites(
			"POST",
			"/s3/delete",
			"application/x-www-form-urlencoded",
			deleteForm,
		),
		fromOtherSites("DELETE", deletePath, "", ""),
	)},
	{
		id:   "D4",
		what: "a success report for an invalid key",
		attacks: slices.Concat(
			forms("POST", "/s3/success", each(success, "key=uuid.txt", badKeys...)...),
			forms("PUT", "/s3/success", each(success, "key=uuid.txt", badKeys[:4]...)...),
			forms("POST", "/s3/success", "", "bucket=mybucket", "key=uuid.txt"),
		),
	},
	{id: "D7", what: "another bucket", attacks: slices.Concat(
		forms(
			"POST",
			"/s3/success",
			each(
				success,
				"bucket=mybucket",
				"bucket=other",
				"bucket=",
				"bucket=mybucketX",
				"bucket=MYBUCKET",
				"bucket=mybucket%2F",
				"bucket=mybucket%00",
				"bucket=..",
				"Bucket=mybucket",
				"bucket=mybucket%20",
				"bucket=tenant%3Amybucket",
			)...),
		forms(
			"POST",
			"/s3/delete",
			each(
				deleteForm,
				"bucket=mybucket",
				"bucket=other",
				"bucket=",
				"x=y",
				"bucket=MYBUCKET",
				"bucket=mybucket%2F..%2Fother",
			)...),
		deletes(
			each(
				deletePath,
				"bucket=mybucket",
				"bucket=other",
				"bucket=",
				"x=y",
				"bucket=MYBUCKET",
				"bucket=mybucket%2F..%2Fother",
			)...),
	)},
	{id: "D8", what: "names twice", attacks: slices.Concat(
		forms(
			"POST",
			"/s3/success",
			each(
				success,
				"key=uuid.txt",
				"key=a&key=b",
				"key=uuid.txt&key=uuid.txt",
				"key=uuid.txt&%6Bey=b",
				"key=uuid.txt&bucket=other",
			)...),
		forms("POST", "/s3/success", success+"&name=x", success+"&etag=x"),
		forms(
			"POST",
			"/s3/success?key=b",
			success,
		),
		forms("POST", "/s3/success?bucket=mybucket", success),
		forms("POST", "/s3/success?name=b", success),
		forms("POST", "/s3/success?%6Bey=b", success),
		forms("POST", "/s3/success?key=uuid.txt&bucket=mybucket", "uuid=x"),
		forms(
			"POST",
			"/s3/delete",
			deleteForm+"&key=b",
			deleteForm+"&bucket=other",
			deleteForm+"&qquuid=x",
		),
		forms("POST", "/s3/delete?key=b", deleteForm),
		forms("POST", "/s3/delete?_method=DELETE", deleteForm),
		deletes(deletePath+"&key=b", deletePath+"&bucket=other", deletePath+"&%6Bey=b"),
	)},
	{id: "D8", what: "forms that parsers read differently", attacks: slices.Concat(
		forms(
			"POST",
			"/s3/success",
			each(
				success,
				"key=uuid.txt",
				"key=a;bucket=other&key=uuid.txt",
				"key=uuid.txt;x=y",
				"key=%",
				"key=%zz",
				"key=uuid.txt&%zz=1",
				"key=uuid.txt&x=%ff",
				"key=uuid.txt&%ff=x",
			)...),
		forms(
			"POST",
			"/s3/delete",
			each(deleteForm, "key=uuid.txt", "key=uuid.txt;bucket=other", "key=%zz")...),
		deletes(each(deletePath, "key=uuid.txt", "key=uuid.txt;bucket=other", "key=%zz", "key=uuid.txt&x=%ff")...),
		forms("POST", "/s3/success?x=%zz", success),
		forms("POST", "/s3/success?a;b", success),
		[]attack{
			{
				method: "POST",
				target: "/s3/success",
				header: http.Header{"Content-Type": {"multipart/form-data; boundary=b"}},
				body:   "--b\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nuuid.txt\r\n--b--\r\n",
			},
			{
				method: "POST",
				target: "/s3/success",
				header: asJSON,
				body:   `{"key":"uuid.txt","bucket":"mybucket"}`,
			},
			{method: "POST", target: "/s3/success", body: success},
			{method: "POST", target: "/s3/delete", header: asJSON, body: `{"_method":"DELETE"}`},
			{method: "POST", target: "/s3/delete", header: http.Header{"Content-Type": {"text/plain"}}, body: deleteForm},
		},
	)},
	{id: "D11", what: "other methods than those of a report", status: http.StatusMethodNotAllowed, attacks: slices.Concat(
		plain(
			"DELETE",
			"/s3/success?key=uuid.txt&bucket=mybucket",
		),
		forms("PATCH", "/s3/success", success),
		forms("QUERY", "/s3/success", success),
		plain("TRACE", "/s3/success"),
		plain("GET", "/s3/sign"),
		forms("PUT", "/s3/sign", ""),
		plain("DELETE", "/s3/sign"),
		plain("FOO", "/s3/sign"),
		plain("post", "/s3/sign"),
	)},
	{id: "D12", what: "a form of another site that deletes", attacks: slices.Concat(
		forms(
			"POST",
			"/s3/delete/x?bucket=mybucket&key=uuid.txt",
			"",
			"_method=DELETE",
		),
		forms("POST", "/s3/delete?bucket=mybucket&key=uuid.txt&qquuid=x", "_method=DELETE"),
		forms("POST", "/s3/delete?_method=DELETE&bucket=mybucket&key=uuid.txt&qquuid=x", ""),
		forms("PUT", "/s3/delete/x?bucket=mybucket&key=uuid.txt", ""),
		forms("PUT", "/s3/delete", deleteForm),
	)},
	{
		id:     "D13",
		what:   "a link that deletes",
		status: http.StatusMethodNotAllowed,
		attacks: plainAll(
			"GET",
			"/s3/delete?_method=DELETE&bucket=mybucket&key=uuid.txt&qquuid=x",
			"/s3/delete/x?_method=DELETE&bucket=mybucket&key=uuid.txt",
			"/s3/delete/x?bucket=mybucket&key=uuid.txt",
		),
	},
	{id: "D15", what: "a delete without a key, which at S3 would delete the bucket", attacks: slices.Concat(
		deletes(
			"/s3/delete/x",
			"/s3/delete/x?bucket=mybucket",
			"/s3/delete/x?bucket=mybucket&key=",
			"/s3/delete/x?bucket=mybucket&key",
			"/s3/delete/x?key=uuid.txt",
		),
		forms("POST", "/s3/delete", each(deleteForm, "key=uuid.txt&", "key=&", "key&", "")...),
	)},
	{id: "D16", what: "a delete of a key that leaves the bucket or is invalid", attacks: slices.Concat(
		deletes(
			each(deletePath, "key=uuid.txt", badKeys...)...),
		forms("POST", "/s3/delete", each(deleteForm, "key=uuid.txt", badKeys...)...),
	)},
	{id: "D16", what: "a delete with an invalid uuid", attacks: slices.Concat(
		deletes(
			each(
				deletePath,
				"51768878-9869-4aa9-9bde-6bf4bf6beedd",
				"a%2Fb",
				"a%00",
				"a%0A",
				"a%20b",
				"%3Cscript%3E",
				"%C3%A9",
				strings.Repeat("u", 129),
				"a+b",
				"a%252Fb",
				"...",
				".x",
			)...),
		forms(
			"POST",
			"/s3/delete",
			each(
				deleteForm,
				"qquuid=56906c85-2715-4835-a3c5-4ef5b5c7cf1d",
				"qquuid=",
				"x=y",
				"qquuid=a%0Ab",
				"qquuid=a%2Fb",
				"qquuid=..",
				"qquuid="+strings.Repeat("u", 129),
			)...),
	)},
	{id: "D16", what: "a success report with an invalid uuid", attacks: forms("POST", "/s3/success",
		each(success, "uuid=0e4b5c5a-aa56-40e3-80a0-f315d8d6b43a", "uuid=..%2F..%2Fetc%2Fpasswd%00%0A", "uuid=..", "uuid=.x",
			"uuid=a%2Fb", "uuid=a%5Cb", "uuid=a%00", "uuid=a%0Ab", "uuid=a+b", "uuid=%3Cscript%3E", "uuid=%C3%A9",
			"uuid="+strings.Repeat("u", 129))...)},
	{id: "D16", what: "paths similar to the routes", attacks: slices.Concat(
		deletes(
			each(
				deletePath,
				"/51768878-9869-4aa9-9bde-6bf4bf6beedd",
				"",
				"/",
				"/a/b",
				"//a",
				"/../sign",
				"/a/..",
				"/.%2e/x/y",
			)...),
		plainAll(
			"POST",
			"//s3/sign",
			"/s3//sign",
			"/s3/sign/",
			"/S3/sign",
			"/s3/sign%00",
			"/s3/sign%2f",
			"/./s3/sign",
			"/x/../s3/sign",
			"/s3/sign;x",
			"/s3/%73ign/x",
		),
	)},
	{id: "D17", what: "another method than DELETE in the form", attacks: forms("POST", "/s3/delete", slices.Concat(
		each(
			deleteForm,
			"_method=DELETE",
			"_method=PUT",
			"_method=delete",
			"_method=",
			"_method=DELETE&_method=DELETE",
			"_method=GET&_method=DELETE",
			"_method=DELETE%20",
			"_method=%20DELETE",
			"_Method=DELETE",
			"x=y",
			"_method[]=DELETE",
		),
	)...)},
	{
		id:     "D18",
		what:   "a delete when it is disabled",
		in:     deleteDisabled,
		status: http.StatusNotFound,
		attacks: slices.Concat(
			deletes(deletePath),
			forms("POST", "/s3/delete", deleteForm),
			plainAll("GET", "/s3/delete", "/s3/delete/x"),
		),
	},
	{id: "D19", what: "an address as the bucket", attacks: slices.Concat(
		forms(
			"POST",
			"/s3/success",
			each(
				success,
				"bucket=mybucket",
				"bucket=169.254.169.254",
				"bucket=http%3A%2F%2F169.254.169.254%2F",
				"bucket=mybucket%40169.254.169.254",
				"bucket=localhost%3A6379",
				"bucket=mybucket%23",
				"bucket=mybucket%3F",
			)...),
		deletes(
			each(deletePath, "bucket=mybucket", "bucket=169.254.169.254", "bucket=localhost%3A6379")...),
		stringV2(each(part2, "/mybucket/", "/169.254.169.254/")...),
		bodyV2(each(policy2, `"mybucket"`, `"169.254.169.254"`)...),
	)},
	{id: "D20", what: "line breaks and escapes that would forge log lines", attacks: slices.Concat(
		bodyV2(
			each(policy2, `"bucket":"mybucket"`, `"bucket":"a\"}\n{\"level\":\"ERROR\""`, `"bucket":"\u001b[2J"`)...),
		bodyV2(each(policy2, `"key":"uuid.txt"`, `"key":"x\"}\n{\"level\":\"ERROR\""`)...),
		bodyV2(each(policy2, `x-amz-meta-qqfilename`, `x\n{\"level\":\"ERROR\"}`, `x-amz-meta-\u001b[2J`, `\u2028`)...),
		bodyV2(each(policy2, `"acl":"private"`, `"acl":"\u2028\u0085"`, `"acl":"x\" level=ERROR"`)...),
		stringV2(
			each(initiate2, "x-amz-acl:private", "x-amz-acl:x\" level=ERROR msg=\"", "x-amz-acl:\x1b[2J")...),
		stringV2(each(initiate2, "/mybucket/uuid", "/my\x1b[2J/uuid", "/my\r/uuid", "/my%0Abucket/uuid")...),
		plainAll(
			"GET",
			"/%0Alevel=ERROR",
			"/%1B%5B2J",
			"/static/%0A%7B%22level%22:%22ERROR%22%7D",
			"/x%22%20level=ERROR",
			"/%E2%80%A8",
			"/%ff",
		),
		deletes(
			"/s3/delete/a%0Ab?key=uuid.txt&bucket=mybucket",
			"/s3/delete/x?key=uuid.txt&bucket=a%0A%7B%22level%22%3A%22ERROR%22%7D",
		),
	)},
	{
		id:   "D20",
		what: "DEL, C1 controls and bidirectional marks, which JSON does not escape",
		attacks: slices.Concat(
			plainAll(
				"GET",
				"/%7F",
				"/%C2%9B2J",
				"/%C2%85level=ERROR",
				"/%E2%80%AEtxt",
				"/%E2%81%A6x",
				"/%EF%BB%BF",
				"/static/%7F%E2%80%AE",
				"/%F3%A0%80%81",
			),
			plainAll("POST", "/s3/%E2%80%AEsign", "/s3/sign%C2%9B"),
			deletes(
				"/s3/delete/a%7Fb?key=uuid.txt&bucket=mybucket",
				"/s3/delete/a%E2%80%AEb?key=uuid.txt&bucket=mybucket",
			),
			deletes(each(deletePath, "bucket=mybucket", "bucket=%7F", "bucket=%C2%9B2J", "bucket=%E2%80%AEtekcubym")...),
			deletes(each(deletePath, "key=uuid.txt", "key=%C2%9B2J", "key=a%7F")...),
			forms(
				"POST",
				"/s3/success",
				each(success, "bucket=mybucket", "bucket=%7F", "bucket=%C2%9B2J", "bucket=%E2%80%AEtekcubym")...),
			forms("POST", "/s3/success", each(success, "key=uuid.txt", "key=%7F", "key=a%C2%9Bb", "%E2%80%AE=uuid.txt")...),
			bodyV2(
				each(
					policy2,
					"x-amz-meta-qqfilename",
					"x-amz-meta-\x7f",
					"x-amz-meta-\u009b2J",
					"x-amz-meta-\u202e",
					"\u202eemanelif",
				)...),
			bodyV2(each(policy2, `"acl":"private"`, `"acl":"\u007f"`, `"acl":"\u009b2J"`, `"acl":"\u202eetavirp"`)...),
			bodyV2(each(policy2, `"bucket":"mybucket"`, `"bucket":"\u202etekcubym"`)...),
			stringV2(
				each(initiate2, "qqfilename:my", "qqfilename:\x7f", "qqfilename:\u009b2J", "qqfilename:\u202e")...),
			stringV2(each(initiate2, "/mybucket/uuid", "/\u202etekcubym/uuid", "/my\x7f/uuid")...),
			stringV4(each(initiate4, "x-amz-acl:private", "x-amz-acl:\u202eetavirp")...),
		),
	},
	{id: "D21", what: "files that are not the page's", status: http.StatusNotFound, attacks: plainAll(
		"GET",
		"/static/../p3s3f.env",
		"/static/..%2fp3s3f.env",
		"/static/..%2f..%2fserver.key",
		"/static/%2e%2e/p3s3f.env",
		"/static/%2e%2e%2fp3s3f.env",
		"/static/%2e%2e/",
		"/static/..",
		"/static/.",
		"/static//p3s3f.env",
		"/static/./index.html",
		"/static/sub/../../p3s3f.env",
		"/static/sub/%2e%2e/%2e%2e/p3s3f.env",
		"/static/..%5cp3s3f.env",
		`/static/..\p3s3f.env`,
		"/static/..%252fp3s3f.env",
		"/static/..;/p3s3f.env",
		"/static/.env",
		"/static/%2eenv",
		"/static/.git/config",
		"/static/sub/.hidden",
		"/static/out.env",
		"/static/sub/out.env",
		"/static/up/p3s3f.env",
		"/static/up",
		"/static/away/page.js",
		"/static",
		"/static/",
		"/static/sub",
		"/static/sub/",
		"/static/index.html/",
		"/static/index.html%00",
		"/static/%00",
		"/static/"+strings.Repeat("a", 5000),
		"/static//etc/passwd",
		"/static/%2fetc%2fpasswd",
		"/p3s3f.env",
		"/server.key",
		"/client_conf.js",
		"/.env",
		"/.git/config",
		"/go.mod",
		"//p3s3f.env",
		"/../p3s3f.env",
		"/%2e%2e/p3s3f.env",
		"/static-not/page.js",
		"/STATIC/index.html",
		"/index.html",
		"/debug/pprof/",
		"/metrics",
		"/s3",
		"/s3/",
		"/s3/session",
	)},
	{id: "D28", what: "another method in a header", attacks: slices.Concat(
		withMethodOverride(
			"GET",
			"/s3/delete/x?bucket=mybucket&key=uuid.txt",
		),
		withMethodOverride("POST", "/s3/delete/x?bucket=mybucket&key=uuid.txt"),
		withMethodOverride("PATCH", "/s3/success"),
		withMethodOverride("GET", "/s3/sign"),
	)},
	{id: "D29", what: "HTML in what the response repeats", attacks: slices.Concat(
		bodyV2(
			each(policy2, `"acl":"private"`, `"acl":"<script>alert(1)</script>"`)...),
		bodyV2(each(policy2, `x-amz-meta-qqfilename`, `<img src=x onerror=alert(1)>`)...),
		bodyV2(each(policy2, `"Content-Type":"text/plain"`, `"Content-Type":"<svg onload=alert(1)>"`)...),
		plainAll("GET", "/<script>", "/%3Cscript%3Ealert(1)%3C/script%3E"),
	)},
	{id: "D29", what: "long texts that the response and the log would repeat", attacks: slices.Concat(
		bodyV2(
			each(
				policy2,
				`x-amz-meta-qqfilename`,
				strings.Repeat("x", 50000),
				strings.Repeat(`\u0001`, 9000),
				strings.Repeat("\U000e0001", 15000),
			)...),
		bodyV2(
			each(
				policy2,
				`"acl":"private"`,
				`"acl":"`+strings.Repeat("p", 50000)+`"`,
				`"acl":"`+strings.Repeat("\U000e0001", 12000)+`"`,
			)...),
		bodyV2(each(policy2, `"bucket":"mybucket"`, `"bucket":"`+strings.Repeat("b", 50000)+`"`)...),
		bodyV2(
			each(
				policy2,
				`{"bucket":"mybucket"}`,
				`{"`+strings.Repeat("x-amz-meta-", 2000)+`a":"1"},{"`+strings.Repeat("x-amz-meta-", 2000)+`a":"1"}`,
			)...),
		bodyV2(each(policy2, `"text/plain"`, `"text/`+strings.Repeat("p", 50000)+` "`)...),
		stringV2(each(initiate2, "x-amz-acl:private", "x-amz-acl:"+strings.Repeat("p", 15000))...),
		stringV2(
			each(initiate2, "POST", strings.Repeat("P", 15000))...),
		stringV2(each(part2, "uuid.txt", strings.Repeat("%F0%9F%99%82", 1200))...),
		stringV4(each(part4, "PUT", strings.Repeat("P", 15000))...),
		stringV4(each(part4, "\n/uuid.txt\n", "\n/"+strings.Repeat("k", 15000)+"\n")...),
		plainAll(strings.Repeat("M", 20000), "/s3/sign"),
		stringV2(
			each(initiate2, "/mybucket/", "/"+strings.Repeat("b", 15000)+"/")...),
		bodyV4(each(policy4, `"AKIAIOSFODNN7EXAMPLE/`, `"`+strings.Repeat("A", 50000)+`/`)...),
		forms("POST", "/s3/success", each(success, "bucket=mybucket", "bucket="+strings.Repeat("b", 50000))...),
		plainAll("GET", "/"+strings.Repeat("x", 20000)),
	)},
	{id: "D30", what: "secrets that the log must not repeat", attacks: slices.Concat(
		stringV2(
			each(
				initiate2,
				"/mybucket/uuid",
				"x-amz-security-token:"+sessionToken+"\n/mybucket/uuid",
				"x-amz-server-side-encryption-customer-key:"+sseKey+"\n/mybucket/uuid",
				"x-amz-server-side-encryption-customer-key:"+sseKey+"\nnot a header\n/mybucket/uuid",
			)...),
		withSecrets(
			"POST",
			"/s3/sign",
			asJSON,
			policy4,
		),
		withSecrets("GET", "/nowhere?token="+sessionToken, nil, ""),
		withSecrets("POST", "/s3/success?x-amz-security-token="+sessionToken, asForm, "key="),
	)},
}

// forms sends each body as a form.
func forms(method, target string, bodies ...string) []attack {
	var attacks []attack
	for _, body := range bodies {
		attacks = append(attacks, attack{method: method, target: target, header: asForm, body: body})
	}
	return attacks
}

func deletes(targets ...string) []attack { return plainAll("DELETE", targets...) }

func plain(method, target string) []attack { return plainAll(method, target) }

// plainAll sends requests without a body.
func plainAll(method string, targets ...string) []attack {
	var attacks []attack
	for _, target := range targets {
		attacks = append(attacks, attack{method: method, target: target})
	}
	return attacks
}

// typedAs sends a sign request as each type.
func typedAs(body string, types ...string) []attack {
	var attacks []attack
	for _, kind := range types {
		header := http.Header{}
		if kind != "" {
			header.Set("Content-Type", kind)
		}
		attacks = append(attacks, attack{method: "POST", target: "/s3/sign", header: header, body: body})
	}
	return attacks
}

// fromOtherSites sends an otherwise honest request as a browser does for pages of other sites.
func fromOtherSites(method, target, kind, body string) []attack {
	var attacks []attack
	for _, from := range []http.Header{
		{"Origin": {"https://evil.example"}, "Sec-Fetch-Site": {"cross-site"}},
		{"Origin": {"https://evil.example"}},
		{"Origin": {"null"}, "Sec-Fetch-Site": {"cross-site"}},
		{"Origin": {"null"}},
		{"Sec-Fetch-Site": {"cross-site"}},
		{"Sec-Fetch-Site": {"same-site"}},
		{"Origin": {"http://127.0.0.1.evil.example"}},
		{"Origin": {"http://127.0.0.1:1"}, "Sec-Fetch-Site": {"same-site"}},
	} {
		if kind != "" {
			from.Set("Content-Type", kind)
		}
		attacks = append(attacks, attack{method: method, target: target, header: from, body: body})
	}
	return attacks
}

// withMethodOverride sends headers with which a client can choose another method in some frameworks.
func withMethodOverride(method, target string) []attack {
	var attacks []attack
	for _, name := range []string{"X-Http-Method-Override", "X-Http-Method", "X-Method-Override"} {
		for _, other := range []string{"DELETE", "POST"} {
			attacks = append(attacks, attack{method: method, target: target, header: http.Header{name: {other}}})
		}
	}
	return attacks
}

// withSecrets adds headers with secrets.
func withSecrets(method, target string, header http.Header, body string) []attack {
	header = header.Clone()
	if header == nil {
		header = http.Header{}
	}
	header.Set("Authorization", "AWS "+accessKey+":"+sessionToken)
	header.Set("Cookie", "session="+sessionToken)
	header.Set("X-Amz-Security-Token", sessionToken)
	header.Set("X-Amz-Server-Side-Encryption-Customer-Key", sseKey)
	return []attack{{method: method, target: target, header: header, body: body}}
}
