package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestHooksGuide checks that examples/expected has each block of Go and SQL in hooks.md, byte by byte.
func TestHooksGuide(t *testing.T) {
	guide, err := os.ReadFile("hooks.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("../examples/expected/*")
	if err != nil {
		t.Fatal(err)
	}
	code := ""
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		code += "\n" + string(text)
	}
	blocks := regexp.MustCompile("(?s)```(?:go|sql)\n(.*?)```").FindAllStringSubmatch(string(guide), -1)
	if len(blocks) < 8 {
		t.Errorf("hooks.md has %d blocks of code", len(blocks))
	}
	for _, block := range blocks {
		if !strings.Contains(code, "\n"+block[1]) {
			t.Errorf("hooks.md has a block that is not in examples/expected:\n%s", block[1])
		}
	}
}
