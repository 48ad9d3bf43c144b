package docs

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// TestOwnPageFiles checks that integration.md tells the reader to copy every module that signContentType needs, because
// without the shipped page the server serves none of them.
func TestOwnPageFiles(t *testing.T) {
	modules := []string{"fine-uploader-patches.js"}
	for i := 0; i < len(modules); i++ {
		source, err := os.ReadFile("../static/" + modules[i])
		if err != nil {
			t.Fatal(err)
		}
		for _, module := range submatches(`(?m)from "\./([^"]+)";$`, string(source)) {
			if !slices.Contains(modules, module) {
				modules = append(modules, module)
			}
		}
	}
	guide, err := os.ReadFile("integration.md")
	if err != nil {
		t.Fatal(err)
	}
	if want := "cp static/" + strings.Join(modules, " static/") + " YOUR-FOLDER/"; !strings.Contains(string(guide), want) {
		t.Errorf("integration.md lacks %q", want)
	}
}
