package server_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestBrowserNames holds the controls against the browser tests: each file and each way to name objects in e2e
// is one of honestNames and keySchemes, and none of keySchemes is there no more.
func TestBrowserNames(t *testing.T) {
	used := browserLiterals(t)
	if len(used.files) < 17 {
		t.Errorf("e2e has %d files, want at least 17: %q", len(used.files), used.files)
	}
	for _, name := range used.files {
		if !slices.Contains(honestNames, name) {
			t.Errorf("e2e uploads %q, which is not in honestNames", name)
		}
	}
	var known []string
	for _, scheme := range keySchemes {
		known = append(known, scheme.script)
		if !slices.ContainsFunc(used.texts, func(text string) bool { return strings.Contains(text, scheme.script) }) {
			t.Errorf("no test in e2e has the key %s", scheme.script)
		}
	}
	for _, text := range used.texts {
		if strings.Contains(text, "function (id)") && !slices.ContainsFunc(known, func(script string) bool { return strings.Contains(text, script) }) {
			t.Errorf("e2e names objects by %s, which is not in keySchemes", text)
		}
	}
}

// literals are what the source of the browser tests holds.
type literals struct {
	files []string // names of testFile
	texts []string // every string
}

// browserLiterals reads e2e as the compiler does, whatever the build tags.
func browserLiterals(t *testing.T) (found literals) {
	t.Helper()
	sources, err := filepath.Glob("../../e2e/*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, source := range sources {
		file, err := parser.ParseFile(token.NewFileSet(), source, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CompositeLit:
				for _, fields := range testFileLiterals(n) {
					if len(fields) == 0 {
						continue
					}
					name, isLiteral := fields[0].(*ast.BasicLit)
					if !isLiteral {
						t.Fatalf("%s has a testFile whose name is not written out", source)
					}
					found.files = append(found.files, unquote(t, name))
				}
			case *ast.BasicLit:
				if n.Kind == token.STRING {
					found.texts = append(found.texts, unquote(t, n))
				}
			}
			return true
		})
	}
	return found
}

// testFileLiterals returns the fields of testFile{…}, or of each {…} in []testFile{…}.
func testFileLiterals(n *ast.CompositeLit) (literals [][]ast.Expr) {
	isTestFile := func(e ast.Expr) bool {
		name, isName := e.(*ast.Ident)
		return isName && name.Name == "testFile"
	}
	if isTestFile(n.Type) {
		return [][]ast.Expr{n.Elts}
	}
	if list, isList := n.Type.(*ast.ArrayType); isList && isTestFile(list.Elt) {
		for _, e := range n.Elts {
			if element, isLiteral := e.(*ast.CompositeLit); isLiteral && element.Type == nil {
				literals = append(literals, element.Elts)
			}
		}
	}
	return literals
}

func unquote(t *testing.T, literal *ast.BasicLit) string {
	t.Helper()
	text, err := strconv.Unquote(literal.Value)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
