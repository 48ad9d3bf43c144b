package sign

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// The benchmarks parse, check, rebuild and sign one captured request each; BenchmarkSDK signs the V4
// part's request with the AWS SDK for comparison.

var benchTime = time.Date(2026, 11, 23, 11, 56, 8, 0, time.UTC)

func benchString(b *testing.B, v Version, text string) {
	b.Helper()
	cfg := exampleConfig("http://localhost:9312")
	cfg.VirtualHosted = true
	s := New(cfg)
	b.ReportAllocs()
	for b.Loop() {
		r, err := s.ParseStringToSign(v, text, benchTime)
		if err != nil {
			b.Fatal(err)
		}
		s.Sign(r)
	}
}

func benchPolicy(b *testing.B, v Version, document string) {
	b.Helper()
	s := New(exampleConfig("http://localhost:9312"))
	b.ReportAllocs()
	for b.Loop() {
		r, err := s.ParsePolicy(v, []byte(document), benchTime)
		if err != nil {
			b.Fatal(err)
		}
		s.Sign(r)
	}
}

const benchPayload = "41edece42d63e8d9bf515a9ba6932e1c20cbc9f5a5d134645adb5db1b9737ea3"

const partV2 = "PUT\n\n\n\nx-amz-date:Mon, 23 Nov 2026 11:56:08 GMT\n/mybucket/uuid.txt?partNumber=1&" +
	"uploadId=UPID.abc-_123"

func BenchmarkPartV2(b *testing.B) { benchString(b, V2, partV2) }

func BenchmarkPartV4(b *testing.B) {
	benchString(
		b,
		V4,
		"AWS4-HMAC-SHA256\n20261123T115608Z\n20261123/us-east-1/s3/aws4_request\nPUT\n/uuid.txt\npartNumber=1&"+
			"uploadId=UPID.abc-_123\nhost:mybucket.localhost:9312\n"+
			"x-amz-content-sha256:"+benchPayload+"\nx-amz-date:20261123T115608Z\n\nhost;x-amz-content-sha256;"+
			"x-amz-date\n"+benchPayload,
	)
}

// BenchmarkTypedPartV4 has the content type signed, as the page sends it.
func BenchmarkTypedPartV4(b *testing.B) {
	benchString(
		b,
		V4,
		"AWS4-HMAC-SHA256\n20261123T115608Z\n20261123/us-east-1/s3/aws4_request\nPUT\n/uuid.txt\npartNumber=1&"+
			"uploadId=UPID.abc-_123\ncontent-type:\nhost:mybucket.localhost:9312\n"+
			"x-amz-content-sha256:"+benchPayload+"\nx-amz-date:20261123T115608Z\n\ncontent-type;host;x-amz-content-sha256;"+
			"x-amz-date\n"+benchPayload,
	)
}

func BenchmarkInitiateV2(b *testing.B) {
	benchString(
		b,
		V2,
		"POST\n\ntext/plain\n\nx-amz-acl:private\nx-amz-date:Mon, 23 Nov 2026 11:56:08 GMT\n"+
			"x-amz-meta-qqfilename:my%20file%20%C3%A9.txt\n/mybucket/uuid.txt?uploads",
	)
}

func BenchmarkPolicyV2(b *testing.B) {
	benchPolicy(
		b,
		V2,
		`{"expiration":"2026-11-23T12:01:07.688Z","conditions":[{"acl":"private"},{"bucket":"mybucket"},`+
			`{"Content-Type":"text/plain"},{"success_action_status":"200"},{"key":"uuid.txt"},`+
			`{"x-amz-meta-qqfilename":"my%20file%20%C3%A9.txt"}]}`,
	)
}

func BenchmarkPolicyV4(b *testing.B) {
	benchPolicy(
		b,
		V4,
		`{"expiration":"2026-11-23T12:01:07.688Z","conditions":[{"acl":"private"},{"bucket":"mybucket"},`+
			`{"Content-Type":"text/plain"},{"success_action_status":"200"},{"x-amz-algorithm":"AWS4-HMAC-SHA256"},`+
			`{"key":"uuid.txt"},{"x-amz-credential":"AKIAIOSFODNN7EXAMPLE/20261123/us-east-1/s3/aws4_request"},`+
			`{"x-amz-date":"20261123T115608Z"},{"x-amz-meta-qqfilename":"my%20file%20%C3%A9.txt"}]}`,
	)
}

func BenchmarkSDK(b *testing.B) {
	signer := v4.NewSigner()
	credentials := aws.Credentials{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: exampleSecret}
	request, err := http.NewRequest(
		"PUT",
		"http://mybucket.localhost:9312/uuid.txt?partNumber=1&uploadId=UPID.abc-_123",
		nil,
	)
	if err != nil {
		b.Fatal(err)
	}
	request.Header.Set("X-Amz-Content-Sha256", benchPayload)
	b.ReportAllocs()
	for b.Loop() {
		request.Header.Del("Authorization")
		if err := signer.SignHTTP(context.Background(), credentials, request, benchPayload, "s3", "us-east-1",
			benchTime); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkGrowth shows what a longer file and more metadata, up to S3's 2 KB, cost.
func BenchmarkGrowth(b *testing.B) {
	for _, number := range []string{"1", "100", "10000"} {
		b.Run("part="+number, func(b *testing.B) { benchString(b, V2, strings.Replace(partV2, "=1&", "="+number+"&", 1)) })
	}
	for _, bytes := range []int{0, 500, 1000, 2000} {
		note := strings.Repeat("n", max(0, bytes-len("note")))
		b.Run(fmt.Sprintf("metadata=%d/initiate", bytes), func(b *testing.B) {
			meta := map[bool]string{true: "x-amz-meta-note:" + note + "\n"}[bytes > 0]
			benchString(
				b,
				V2,
				"POST\n\n\n\nx-amz-acl:private\nx-amz-date:Mon, 23 Nov 2026 11:56:08 GMT\n"+meta+"/mybucket/uuid.txt?uploads",
			)
		})
		b.Run(fmt.Sprintf("metadata=%d/policy", bytes), func(b *testing.B) {
			meta := map[bool]string{true: `,{"x-amz-meta-note":"` + note + `"}`}[bytes > 0]
			benchPolicy(
				b,
				V2,
				`{"expiration":"2026-11-23T12:01:07.688Z","conditions":[{"acl":"private"},{"bucket":"mybucket"},`+
					`{"success_action_status":"200"},{"key":"uuid.txt"}`+meta+`]}`,
			)
		})
	}
}

// BenchmarkHMAC is the least that any signer must do: the digest of a V2 part's string.
func BenchmarkHMAC(b *testing.B) {
	text := strings.Repeat("x", 110)
	b.ReportAllocs()
	for b.Loop() {
		signatureV2(exampleSecret, text)
	}
}
