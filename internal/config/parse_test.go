package config

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestParseOrigin shows how browsers write a site.
func TestParseOrigin(t *testing.T) {
	for value, want := range map[string]string{
		"https://app.example.org":       "https://app.example.org",
		"https://App.Example.org/":      "https://app.example.org",
		"HTTPS://app.example.org:443":   "https://app.example.org",
		"http://app.example.org:80":     "http://app.example.org",
		"https://app.example.org:80":    "https://app.example.org:80",
		"http://app.example.org:0443":   "http://app.example.org:443",
		"http://localhost:5000":         "http://localhost:5000",
		"http://[::1]:5000":             "http://[::1]:5000",
		"http://[0:0::1]:80":            "http://[::1]",
		"https://größe.example":         "https://xn--gre-6ka8i.example",
		"https://例え。テスト":                "https://xn--r8jz45g.xn--zckzah",
		"https://faß.example":           "https://xn--fa-hia.example",
		"https://app.example.org.":      "https://app.example.org",
		"http://my_app:3000":            "http://my_app:3000",
		"capacitor://localhost":         "capacitor://localhost",
		"ionic://localhost":             "ionic://localhost",
		"tauri://localhost":             "tauri://localhost",
		"chrome-extension://abcdefghij": "chrome-extension://abcdefghij",
		"moz-extension://0e4b5c5a-aa56": "moz-extension://0e4b5c5a-aa56",
		"safari-web-extension://0E4B5C": "safari-web-extension://0E4B5C",
		"https://app.example.org:":      "", "https://u@app.example.org": "", "https://*.example.org": "",
		"https://app.example.org/x": "", "https://app.example.org?x": "",
		"https://app.example.org?": "", "https://app.example.org#x": "",
		"http://127.1": "", "http://0x7f.0.0.1": "", "http://0x7f000001": "", "http://[fe80::1%25eth0]": "",
		"http://[::ffff:127.0.0.1]": "", "http://a..b": "", "http://a b": "", "http://xn--0": "",
		"app.example.org": "", "ftp://app.example.org": "", "htps://app.example.org": "", "tauri://*": "", "tauri:": "",
		"chrome-extension://": "", "chrome-extension://a/b": "", "file:///": "", "null": "", "*": "", "": "",
	} {
		got, err := ParseOrigin(value)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q %v, want %q", value, got, err, want)
		}
		if again, err := ParseOrigin(want); want != "" && (again != want || err != nil) {
			t.Errorf("%q: %q %v", want, again, err)
		}
	}
}

// TestCookieSecrets reads the secrets in their order, and shows none.
func TestCookieSecrets(t *testing.T) {
	first, second := strings.Repeat("1", 32), strings.Repeat("2", 32)
	c, err := Load(complete("P3S3F_COOKIE_SECRET=" + first + ", " + second + "\n"))
	if err != nil || len(c.CookieSecrets) != 2 || c.CookieSecrets[0].Reveal() != first ||
		c.CookieSecrets[1].Reveal() != second || strings.Contains(fmt.Sprintf("%+v", c), "1111") {
		t.Errorf("%v %d secrets", err, len(c.CookieSecrets))
	}
}

// TestQuotes loads values with the quotes of an env file, as Docker passes them on. Every setting is named.
func TestQuotes(t *testing.T) {
	for _, quote := range []string{`'`, `"`} {
		_, err := Load(withoutFiles(quote + "s3cret" + quote))
		for _, s := range Settings() {
			want := s.Name + " has quotes around its value, which bash would remove and Docker's env files keep; remove them"
			if !slices.Contains(strings.Split(err.Error(), "\n"), want) {
				t.Errorf("%s: want %q in\n%v", s.Name, want, err)
			}
		}
		if strings.Contains(err.Error(), "s3cret") {
			t.Error(err)
		}
	}
}

// TestNoValue loads values that have only separators. A list of allowed types without one would allow all types.
func TestNoValue(t *testing.T) {
	for _, value := range []string{",", " ", ", ,", "\t", "\n", "\u00a0"} {
		_, err := Load(withoutFiles(value))
		for _, s := range Settings() {
			want := s.Name + " has only commas or white space; give it a value, or leave it empty"
			if err == nil || !slices.Contains(strings.Split(err.Error(), "\n"), want) {
				t.Errorf("%s=%q: want %q in\n%v", s.Name, value, want, err)
			}
		}
	}
}

// withoutFiles gives every setting the same value, and no file.
func withoutFiles(value string) func(string) string {
	return func(name string) string {
		if strings.HasSuffix(name, "_FILE") {
			return ""
		}
		return value
	}
}
