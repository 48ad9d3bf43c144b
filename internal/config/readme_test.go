package config_test

import (
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"s3-sign-srv/internal/config"
)

// root is the repository's, seen from this package.
const root = "../../"

// TestReadmeTable holds README's table of settings against the code: each variable that is read stands
// in it and in p3s3f.env, and no other; and to set a variable to its default changes nothing.
func TestReadmeTable(t *testing.T) {
	needed := map[string]string{
		"AWS_CLIENT_ACCESS_KEY": "AKIAIOSFODNN7EXAMPLE", "AWS_CLIENT_SECRET_KEY": "s3cret/that/nobody/may/see",
		"AWS_DEST_BUCKET": "mybucket", "AWS_ENDPOINT": "https://s3.example.org",
	}
	table := readmeTable(t)
	asked := map[string]bool{}
	bare := read(t, func(name string) string { asked[name] = true; return needed[name] })
	spelt := read(t, func(name string) string {
		if value := table[name]; value != "required" && value != "none" {
			return value
		}
		return needed[name]
	})
	if !reflect.DeepEqual(bare, spelt) {
		t.Errorf("with the defaults of README the settings are\n%+v, without them\n%+v", spelt, bare)
	}
	if got, want := slices.Sorted(maps.Keys(table)), slices.Sorted(maps.Keys(asked)); !slices.Equal(got, want) {
		t.Errorf("README lists\n%s, the code reads\n%s", got, want)
	}
	for name, value := range table {
		if (value == "required") != (needed[name] != "") {
			t.Errorf("README says that %s is %s", name, value)
		}
	}
	env, err := os.ReadFile(root + "p3s3f.env")
	if err != nil {
		t.Fatal(err)
	}
	delete(asked, "AWS_SESSION_TOKEN") // is refused
	for name := range asked {
		if !regexp.MustCompile(`(?m)^#?export ` + name + `=`).Match(env) {
			t.Errorf("p3s3f.env does not have %s", name)
		}
	}
}

// read reads all settings, and the two that the shipped hooks have; hooks.go itself is the user's to edit.
func read(t *testing.T, getenv func(string) string) config.Config {
	t.Helper()
	s, err := config.Load(getenv)
	if err != nil {
		t.Fatal(err)
	}
	getenv("P3S3F_EXAMPLE_ALLOW_SMALL")
	getenv("P3S3F_EXAMPLE_ALLOW_LARGE")
	return s
}

// readmeTable returns the defaults of README's settings by name: a value, "required" or "none".
func readmeTable(t *testing.T) map[string]string {
	t.Helper()
	readme, err := os.ReadFile(root + "README.md")
	if err != nil {
		t.Fatal(err)
	}
	table := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([A-Z0-9_]+)` \\| (?:`([^`]+)`|(required|none)) \\|").FindAllStringSubmatch(string(readme), -1) {
		table[row[1]] = row[2] + row[3]
	}
	return table
}

// TestPlaceholders wants every placeholder of p3s3f.env and of the documents named as such.
func TestPlaceholders(t *testing.T) {
	lines := regexp.MustCompile(`(?m)^export (AWS_\w+)='?([^'\n]*)'?$`)
	for _, file := range []string{"p3s3f.env", "docs/stores.md"} {
		text, err := os.ReadFile(root + file)
		if err != nil {
			t.Fatal(err)
		}
		found := lines.FindAllStringSubmatch(string(text), -1)
		if len(found) < 4 {
			t.Fatalf("%s has no settings", file)
		}
		for _, line := range found {
			name, value := line[1], line[2]
			_, err := config.Load(func(asked string) string {
				if asked == name {
					return value
				}
				return ""
			})
			own := regexp.MustCompile(`^(us-|eu-|uploads$|http://127|https://s3\.)`).MatchString(value) // can be used as it is
			if strings.Contains(err.Error(), name+" still is the placeholder") == own {
				t.Errorf("%s: %s=%s: %v", file, name, value, err)
			}
		}
	}
}

// TestNamesInDocuments wants every test, setting and file that the documents name to exist.
func TestNamesInDocuments(t *testing.T) {
	tests, table := testNames(t), readmeTable(t)
	documents, err := filepath.Glob(root + "docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, document := range append(documents, root+"README.md", root+"CHANGES.md") {
		text, err := os.ReadFile(document)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range regexp.MustCompile(`\b(Test|Fuzz)[A-Z]\w+`).FindAllString(string(text), -1) {
			if !tests[name] {
				t.Errorf("%s names the test %s, which does not exist", document, name)
			}
		}
		for _, name := range regexp.MustCompile(`\b(P3S3F|AWS)_[A-Z0-9_]*[A-Z0-9]\b`).FindAllString(string(text), -1) {
			if _, known := table[name]; !known && name != "P3S3F_EXAMPLE_ALLOW" {
				t.Errorf("%s names the setting %s, which does not exist", document, name)
			}
		}
		for _, link := range regexp.MustCompile(`\]\(([\w./-]+)[#)]`).FindAllStringSubmatch(string(text), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(document), link[1])); err != nil {
				t.Errorf("%s has a link to %s: %v", document, link[1], err)
			}
		}
	}
}

// testNames returns the names of all tests.
func testNames(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	for _, pattern := range []string{"internal/*/*_test.go", "cmd/*/*_test.go", "e2e/*_test.go"} {
		files, err := filepath.Glob(root + pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`).FindAllSubmatch(text, -1) {
				names[string(m[1])] = true
			}
		}
	}
	return names
}
