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

const exampleSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

// TestPublishedSignatures holds the two HMAC chains against the examples in AWS's documentation.
func TestPublishedSignatures(t *testing.T) {
	// "Signing and authenticating REST requests", example "Object GET".
	for text, want := range map[string]string{
		"GET\n\n\nTue, 27 Mar 2007 19:36:42 +0000\n/awsexamplebucket1/photos/puppy.jpg": "qgk2+6Sv9/oM7G3qLEjTH1a1l1g=",
		"GET\n\n\nTue, 27 Mar 2007 19:36:42 +0000\n/johnsmith/photos/puppy.jpg":         "bWq2s1WEIj+Ydj0vQ697zp+IXMU=",
	} {
		if got := signatureV2(exampleSecret, text); got != want {
			t.Errorf("V2 of %q: %s, want %s", text, got, want)
		}
	}
	// "Signature calculations for the Authorization header", example "GET Object".
	scope := "AWS4-HMAC-SHA256\n20130524T000000Z\n20130524/us-east-1/s3/aws4_request\n"
	canonical := "GET\n/test.txt\n\nhost:examplebucket.s3.amazonaws.com\nrange:bytes=0-9\n" +
		"x-amz-content-sha256:" + emptySHA256 +
		"\nx-amz-date:20130524T000000Z\n\nhost;range;x-amz-content-sha256;x-amz-date\n" + emptySHA256
	key := deriveKey(exampleSecret, "20130524", "us-east-1")
	got := signatureV4(key, hashCanonicalRequest(scope+canonical))
	if want := "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"; got != want {
		t.Errorf("V4: %s, want %s", got, want)
	}
}

// TestAgainstSDK lets the AWS SDK sign the request that the browser will send, and compares.
func TestAgainstSDK(t *testing.T) {
	now := time.Date(2026, 11, 23, 23, 59, 59, 0, time.UTC)
	tests := []struct{ endpoint, hostLine, url string }{ // AWS knows both styles, the others are path-style
		{"https://s3.amazonaws.com", "mybucket.s3.amazonaws.com", "https://mybucket.s3.amazonaws.com/"},
		{"https://s3.example.org", "s3.example.org", "https://s3.example.org/mybucket/"},
		{"http://127.0.0.1:9000", "127.0.0.1:9000/mybucket", "http://127.0.0.1:9000/mybucket/"},
	}
	for _, test := range tests {
		for _, key := range []string{"uuid.txt", "dir%20one/%D1%84%20%C3%A9%2B%281%29%2A%21%27~%26%3D%23%25.txt", "a//b"} {
			payload := strings.Repeat("0123abcd", 8)
			const signed = "host;x-amz-content-sha256;x-amz-date"
			s := New(exampleConfig(test.endpoint))
			r, err := s.ParseStringToSign(
				V4,
				fmt.Sprintf(
					"AWS4-HMAC-SHA256\n20261123T235959Z\n20261123/us-east-1/s3/aws4_request\nPUT\n/%s\npartNumber=7&"+
						"uploadId=2~a.b-c_d\nhost:%s\nx-amz-content-sha256:%s\nx-amz-date:20261123T235959Z\n\n%s\n%[3]s",
					key,
					test.hostLine,
					payload,
					signed,
				),
				now,
			)
			if err != nil {
				t.Errorf("%s %s: %v", test.url, key, err)
				continue
			}
			request, err := http.NewRequest("PUT", test.url+key+"?partNumber=7&uploadId=2~a.b-c_d", nil)
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("X-Amz-Content-Sha256", payload)
			err = v4.NewSigner().SignHTTP(
				context.Background(),
				aws.Credentials{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: exampleSecret},
				request,
				payload,
				"s3",
				"us-east-1",
				now,
				func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true },
			)
			if err != nil {
				t.Fatal(err)
			}
			want := "Signature=" + s.Sign(r).Signature
			if got := request.Header.Get("Authorization"); !strings.HasSuffix(got, "SignedHeaders="+signed+", "+want) {
				t.Errorf("%s%s:\n SDK %s\nours %s", test.url, key, got, want)
			}
		}
	}
}

// TestSecretIsNotPrinted tries the ways in which a configuration gets printed.
func TestSecretIsNotPrinted(t *testing.T) {
	cfg := exampleConfig("https://s3.amazonaws.com")
	signer := New(cfg)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		if out := fmt.Sprintf(verb+verb+verb, cfg, cfg.SecretKey, signer); strings.Contains(out, exampleSecret) ||
			strings.Contains(out, fmt.Sprintf("%x", exampleSecret)) {
			t.Errorf("%s prints the secret: %s", verb, out)
		}
	}
}
