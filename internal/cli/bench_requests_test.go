package cli

import (
	"fmt"
	"strings"
	"time"
)

// A kind is a request of Fine Uploader for the bucket in startProgram, with the numbers of connections to measure.
type kind struct {
	name, query string
	connections []int
	body        func(now time.Time) string
}

const (
	dateV2 = "Mon, 02 Jan 2006 15:04:05 GMT"
	dateV4 = "20060102T150405Z"
	digest = "41edece42d63e8d9bf515a9ba6932e1c20cbc9f5a5d134645adb5db1b9737ea3"
)

var kinds = []kind{
	{"part_V2", "", []int{1, 64, 256}, func(now time.Time) string {
		return fmt.Sprintf(`{"headers":"PUT\n\n\n\nx-amz-date:%s\n`+
			`/mybucket/0e4b5c5a-aa56-40e3-80a0-f315d8d6b43a.bam?partNumber=1&uploadId=UPID.abc-_123"}`, now.Format(dateV2))
	}},
	{"part_V4", "?v4=true", []int{1, 64, 256}, func(now time.Time) string {
		return fmt.Sprintf(`{"headers":"AWS4-HMAC-SHA256\n%s\n%s/us-east-1/s3/aws4_request\nPUT\n`+
			`/0e4b5c5a-aa56-40e3-80a0-f315d8d6b43a.bam\npartNumber=1&uploadId=UPID.abc-_123\n`+
			`host:127.0.0.1:9312\nx-amz-content-sha256:%s\nx-amz-date:%[1]s\n\n`+
			`host;x-amz-content-sha256;x-amz-date\n%[3]s"}`, now.Format(dateV4), now.Format("20060102"), digest)
	}},
	{"policy_V2", "", []int{64}, func(now time.Time) string { return policy(now, "") }},
	{"policy_V4", "?v4=true", []int{64}, func(now time.Time) string {
		return policy(now, fmt.Sprintf(`{"x-amz-algorithm":"AWS4-HMAC-SHA256"},`+
			`{"x-amz-credential":"AKIAIOSFODNN7EXAMPLE/%s/us-east-1/s3/aws4_request"},{"x-amz-date":"%s"},`,
			now.Format("20060102"), now.Format(dateV4)))
	}},
}

func policy(now time.Time, v4 string) string {
	return fmt.Sprintf(`{"expiration":"%s","conditions":[{"acl":"private"},{"bucket":"mybucket"},`+
		`{"Content-Type":"text/plain"},{"success_action_status":"200"},%s`+
		`{"key":"0e4b5c5a-aa56-40e3-80a0-f315d8d6b43a.txt"},{"x-amz-meta-qqfilename":"my%%20file%%20%%C3%%A9.txt"}]}`,
		now.Add(5*time.Minute).Format("2006-01-02T15:04:05.000Z"), v4)
}

// request is the request that Chromium sends.
func (k kind) request(now time.Time) []byte {
	body := k.body(now)
	return []byte(strings.Join([]string{
		"POST /s3/sign" + k.query + " HTTP/1.1",
		"Host: localhost:5000",
		"Connection: keep-alive",
		fmt.Sprintf("Content-Length: %d", len(body)),
		"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36",
		"Accept: application/json",
		"Content-Type: application/json; charset=UTF-8",
		"Origin: http://localhost:5000",
		"Sec-Fetch-Site: same-origin",
		"Sec-Fetch-Mode: cors",
		"Sec-Fetch-Dest: empty",
		"Referer: http://localhost:5000/",
		"Accept-Encoding: gzip, deflate, br, zstd",
		"Accept-Language: en-US,en;q=0.9", "", body,
	}, "\r\n"))
}
