package config_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"s3-sign-srv/internal/config"
)

var update = flag.Bool("update", false, "write the settings into README.md and p3s3f.env")

// root is the repository's, seen from this package.
const root = "../../"

// TestDocuments compares README's table of settings and p3s3f.env with config.Settings.
func TestDocuments(t *testing.T) {
	const begin, end = "<!-- settings: begin -->\n", "<!-- settings: end -->"
	readme := read(t, "README.md")
	before, rest, found := strings.Cut(readme, begin)
	_, after, foundEnd := strings.Cut(rest, end)
	if !found || !foundEnd {
		t.Fatalf("README.md has no lines %q and %q", begin, end)
	}
	for _, document := range []struct{ file, actual, want string }{
		{"README.md", readme, before + begin + table() + end + after},
		{"p3s3f.env", read(t, "p3s3f.env"), envFile()},
	} {
		if document.actual == document.want {
			continue
		}
		if !*update {
			t.Errorf("%s differs from config.Settings; run go test ./internal/config -update", document.file)
		} else if err := os.WriteFile(root+document.file, []byte(document.want), 0o644); err != nil {
			t.Error(err)
		}
	}
}

// table returns the settings as README has them.
func table() string {
	var b strings.Builder
	b.WriteString("| variable | default | meaning |\n| --- | --- | --- |\n")
	for _, s := range config.Settings() {
		value := "none"
		if s.Default != "" {
			value = "`" + s.Default + "`"
		} else if s.Required {
			value = "required"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", s.Name, value, s.Meaning)
	}
	return b.String()
}

const envHeader = `# Settings of s3-sign-srv. Copy this file first: cp p3s3f.env my_p3s3f.env && chmod 600 my_p3s3f.env
# Start the server with bin/s3-sign-srv -env my_p3s3f.env, or bash -c 'source my_p3s3f.env && bin/s3-sign-srv'.
# A line is export NAME=value. Put single quotes around a value with other characters than letters, digits and
# ./:@%+,=^_-
`

// envFile returns p3s3f.env.
func envFile() string {
	var b strings.Builder
	b.WriteString(envHeader)
	for _, s := range config.Settings() {
		if s.Name == "AWS_SESSION_TOKEN" { // must not be set
			continue
		}
		value, comment := s.Example, "#"
		if value == "" {
			value = s.Default
		}
		if s.Shipped {
			comment = ""
		}
		fmt.Fprintf(&b, "\n# %s\n%sexport %s=%s\n", strings.ReplaceAll(s.Meaning, "`", ""), comment, s.Name, value)
	}
	return b.String()
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(root + file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestDefaults shows that setting a variable to its default changes nothing.
func TestDefaults(t *testing.T) {
	defaults := map[string]string{}
	required := map[string]string{
		"AWS_CLIENT_ACCESS_KEY": "AKIAIOSFODNN7EXAMPLE", "AWS_CLIENT_SECRET_KEY": "s3cret/that/nobody/may/see",
		"AWS_DEST_BUCKET": "mybucket", "AWS_ENDPOINT": "https://s3.example.org",
	}
	for _, s := range config.Settings() {
		defaults[s.Name] = s.Default
		if s.Required != (required[s.Name] != "") {
			t.Errorf("%s: required is %v", s.Name, s.Required)
		}
		if s.Required {
			defaults[s.Name] = required[s.Name]
		}
	}
	without, err := config.Load(func(name string) string { return required[name] })
	if err != nil {
		t.Fatal(err)
	}
	with, err := config.Load(func(name string) string { return defaults[name] })
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(with, without) {
		t.Errorf("with the defaults the settings are\n%+v, without them\n%+v", with, without)
	}
}

// TestPlaceholders wants every placeholder of p3s3f.env and of the documents rejected as one.
func TestPlaceholders(t *testing.T) {
	documents, err := filepath.Glob(root + "docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	usable := regexp.MustCompile(`^(us-|eu-|uploads$|http://127|https://s3\.)`)
	for _, file := range append(documents, root+"p3s3f.env") {
		text := read(t, strings.TrimPrefix(file, root))
		found := regexp.MustCompile(`(?m)^export (AWS_\w+)='?([^'\n]*)'?$`).FindAllStringSubmatch(text, -1)
		if len(found) < 4 && strings.HasSuffix(file, ".env") {
			t.Fatalf("%s has no settings", file)
		}
		for _, line := range found {
			name, value := line[1], line[2]
			_, err := config.Load(func(requested string) string {
				if requested == name {
					return value
				}
				return ""
			})
			if strings.Contains(err.Error(), name+" still is the placeholder") == usable.MatchString(value) {
				t.Errorf("%s: %s=%s: %v", file, name, value, err)
			}
		}
	}
}
