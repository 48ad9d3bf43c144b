package s3admin

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// rules reads a document that is well formed.
func rules(t *testing.T, document string) CORS {
	t.Helper()
	c, err := ParseCORS([]byte("<CORSConfiguration>" + document + "</CORSConfiguration>"))
	if err != nil {
		t.Fatalf("%s: %v", document, err)
	}
	return c
}

// TestShippedCORS reads basic_cors.xml.
func TestShippedCORS(t *testing.T) {
	document, err := os.ReadFile("../../basic_cors.xml")
	if err != nil {
		t.Fatal(err)
	}
	c, err := ParseCORS(document)
	if err != nil || len(c) != 1 {
		t.Fatalf("%v %v", c, err)
	}
	r := c[0]
	if got := fmt.Sprint(r.AllowedOrigins, r.AllowedMethods, r.AllowedHeaders, r.ExposeHeaders,
		*r.MaxAgeSeconds); got != "[*] [POST PUT DELETE GET] [*] [ETag] 3000" {
		t.Error(got)
	}
}

// TestCORSDocument reads rules, writes them and narrows them.
func TestCORSDocument(t *testing.T) {
	const rest = "<AllowedMethod>PUT</AllowedMethod>"
	const wide = "<CORSRule><ID>x</ID><AllowedOrigin>*</AllowedOrigin>" + rest + "<AllowedHeader>*</AllowedHeader>" +
		"<ExposeHeader>ETag</ExposeHeader></CORSRule>"
	const narrow = "<CORSRule><ID>x</ID><AllowedOrigin>https://a.example.org</AllowedOrigin><AllowedOrigin>" +
		"https://b.example.org</AllowedOrigin>" + rest + "<AllowedHeader>x-amz-date</AllowedHeader><ExposeHeader>" +
		"ETag</ExposeHeader></CORSRule>"
	c := rules(t, wide)
	narrowed := c.Narrow([]string{"https://a.example.org", "https://b.example.org"}, []string{"x-amz-date"})
	for _, test := range []struct {
		got  CORS
		want string
	}{{c, wide}, {narrowed, narrow}} {
		var flat strings.Builder
		for line := range strings.Lines(string(test.got.Document())) {
			flat.WriteString(strings.TrimSpace(line))
		}
		if flat.String() != "<CORSConfiguration>"+test.want+"</CORSConfiguration>" {
			t.Errorf("\n got %s\nwant %s", &flat, test.want)
		}
	}
	if c[0].AllowedOrigins[0] != "*" {
		t.Error("Narrow has changed the wide rules")
	}
	if got := fmt.Sprint(append(c, narrowed...).Origins()); got != "[* https://a.example.org https://b.example.org]" {
		t.Error(got)
	}
}

// TestBadCORS refuses what no store would take.
func TestBadCORS(t *testing.T) {
	const origin, method = "<AllowedOrigin>*</AllowedOrigin>", "<AllowedMethod>PUT</AllowedMethod>"
	document := func(rules ...string) string {
		return "<CORSConfiguration><CORSRule>" + strings.Join(rules, "</CORSRule><CORSRule>") +
			"</CORSRule></CORSConfiguration>"
	}
	for text, want := range map[string]string{
		"":                     "EOF",
		"<html/>":              "CORSConfiguration",
		"<CORSConfiguration/>": "no CORSRule",
		"<CORSConfiguration>":  "syntax error",

		document(origin):                "CORSRule 1 has no AllowedOrigin or no AllowedMethod",
		document(origin+method, method): "CORSRule 2 has no AllowedOrigin or no AllowedMethod",
	} {
		if _, err := ParseCORS([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}
