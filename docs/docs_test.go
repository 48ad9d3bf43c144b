// Package docs tests the documents: links, commands, paths, settings, tests and lengths.
package docs

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"
)

// A tree is what documents may refer to.
type tree struct {
	files    []string          // paths in git
	targets  []string          // of the Makefile
	help     map[string]string // by command
	settings []string          // listed in README.md
	tests    string            // the text of all test files
	docs     map[string]string // documents by path
}

// generated are files that make writes, and copies that users make. They are not in git.
var generated = []string{
	"bin/s3-sign-srv", "bin/versitygw", "bin/my-sign-srv", "cmd/my-sign-srv",
	"static/client_conf.js", "static/s3.fine-uploader*.js",
	"static/*.umd.min.js", "static/page.min.js", "static/uppy/page.min.*", "static/fine-uploader-new.css", "static/*.gif",
}

var maxLines = map[string]int{"README.md": 180, "docs/performance.md": 80}

func TestDocuments(t *testing.T) {
	repository := readTree(t)
	for name := range repository.docs {
		for _, err := range repository.check(name) {
			t.Errorf("%s: %s", name, err)
		}
	}
}

// TestProblems checks that each kind of err is found.
func TestProblems(t *testing.T) {
	for _, test := range []struct{ document, want string }{
		{"[a](b.md) [b](b.md#one-two) [c](#known) `P3S3F_KNOWN`\n\n# Known", ""},
		{"`make run` `go test ./internal/sign` `s3-sign-srv -env FILE` `/static/x.js` `TestKnown` `static/a.gif`", ""},
		{"`P3S3F_KNOWN=1 bin/s3-sign-srv cors -dry-run | less -R` `internal/*/sign.go` P3S3F_EXAMPLE_*", ""},
		{"[a](missing.md)", "docs/missing.md does not exist"},
		{"![a](page.png)", "docs/page.png does not exist"},
		{"[a](b.md#three)", "docs/b.md has no heading three"},
		{"[a](#three)", "docs/performance.md has no heading three"},
		{"`make all`", "the Makefile has no target all"},
		{"```sh\nCGO_ENABLED=0 make CEPH=1 all   # build\n```", "the Makefile has no target all"},
		{"    cd x && make all", "the Makefile has no target all"},
		{"`internal/missing`", "internal/missing does not exist"},
		{"```go\n// see docs/missing.md\n```", "docs/missing.md does not exist"},
		{"`static/*.ts`", "static/*.ts does not exist"},
		{"`bin/s3-sign-srv -port 1`", "s3-sign-srv has no flag -port"},
		{"`doctor -dry-run`", "s3-sign-srv doctor has no flag -dry-run"},
		{"`bash -c 'source my.env && bin/s3-sign-srv check'`", "s3-sign-srv has no command check"},
		{"P3S3F_UNKNOWN", "P3S3F_UNKNOWN is not in the table of README.md"},
		{"`AWS_UNKNOWN=1`", "AWS_UNKNOWN is not in the table of README.md"},
		{"`go test -run TestMissing`", "TestMissing does not exist"},
		{strings.Repeat("x\n", 81), "longer than 80 lines"},
	} {
		fixture := tree{
			files:    []string{"docs/performance.md", "docs/b.md", "internal/sign/sign.go", "static/x.js"},
			targets:  []string{"run", "build"},
			help:     map[string]string{"": "-env FILE", "cors": "-env FILE\n -dry-run", "doctor": "-json"},
			settings: []string{"P3S3F_KNOWN"},
			tests:    "func TestKnown(",
			docs:     map[string]string{"docs/performance.md": test.document, "docs/b.md": "# One, *two*\n"},
		}
		errs := fixture.check("docs/performance.md")
		if test.want == "" && errs != nil || test.want != "" && !slices.Contains(errs, test.want) {
			t.Errorf("%s\nproblems %q, want %q", test.document, errs, test.want)
		}
	}
}

func readTree(t *testing.T) *tree {
	r := &tree{help: map[string]string{}, docs: map[string]string{}}
	r.files = strings.Fields(run(t, "git", "ls-files", "--cached", "--others", "--exclude-standard"))
	binary := path.Join(t.TempDir(), "s3-sign-srv")
	run(t, "go", "build", "-o", binary, "./cmd/s3-sign-srv")
	for _, command := range []string{"", "doctor", "cors", "expect", "events", "help", "version"} {
		r.help[command] = run(t, binary, strings.Fields("help "+command)...)
	}
	for _, file := range r.files {
		content, err := os.ReadFile("../" + file)
		switch {
		case err != nil:
			t.Fatal(err)
		case file == "Makefile":
			r.targets = submatches(`(?m)^([a-z][a-z0-9-]*):`, string(content))
		case strings.HasSuffix(file, "_test.go"):
			r.tests += string(content)
		case path.Ext(file) == ".md" && (path.Dir(file) == "." || path.Dir(file) == "docs"):
			r.docs[file] = string(content)
		}
	}
	r.settings = submatches("(?m)^\\| `([A-Z0-9_]+)` \\|", r.docs["README.md"])
	r.settings = append(r.settings, submatches("(?m)^\\|.* `([A-Z0-9_]+_FILE)`: ", r.docs["README.md"])...)
	return r
}

func run(t *testing.T, program string, args ...string) string {
	t.Helper()
	command := exec.Command(program, args...)
	command.Dir = ".."
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%s: %v", command, err)
	}
	return string(out)
}

func submatches(pattern, in string) (found []string) {
	for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(in, -1) {
		found = append(found, match[1])
	}
	return found
}

// check returns the errs of a document.
func (r *tree) check(name string) (errs []string) {
	source := r.docs[name]
	require := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Sprintf(format, args...))
		}
	}
	limit, limited := maxLines[name]
	require(!limited || strings.Count(source, "\n") <= limit, "longer than %d lines", limit)
	for _, setting := range submatches(`\b((?:P3S3F|AWS)_[A-Z0-9_]*[A-Z0-9])(?:[^A-Z0-9_]|$)`, source) {
		require(slices.Contains(r.settings, setting), "%s is not in the table of README.md", setting)
	}
	for _, test := range submatches(`\b((?:Test|Fuzz|Benchmark)[A-Z]\w+)`, source) {
		require(strings.Contains(r.tests, "func "+test+"("), "%s does not exist", test)
	}
	links, codes, _ := parse(source)
	for _, link := range links {
		target, anchor, _ := strings.Cut(link, "#")
		file := path.Join(path.Dir(name), cmp.Or(target, path.Base(name)))
		_, _, anchors := parse(r.docs[file])
		require(r.exists(file), "%s does not exist", file)
		require(anchor == "" || slices.Contains(anchors, anchor), "%s has no heading %s", file, anchor)
	}
	for _, code := range codes {
		for _, file := range submatches(repositoryPath, code) {
			require(r.exists(file), "%s does not exist", file)
		}
		for line := range strings.Lines(code) {
			line, _, _ = strings.Cut(line, " #")
			for _, command := range regexp.MustCompile(`&&|\|\||[;|()]`).Split(line, -1) {
				r.checkCommand(strings.Fields(strings.Trim(command, `'"`)), require)
			}
		}
	}
	return errs
}

// repositoryPath is a path into one of the repository's folders, but not a part of a URL or of another path.
const repositoryPath = `(?m)(?:^|[^\w/.-])(?:\./)?` +
	`((?:\.ci|bin|bundle|cmd|deploy|docs|e2e|examples|internal|static)/[\w.*/-]*[\w*])`

// exists reports whether name, which may be a pattern, is a file or a folder in git, or generated.
func (r *tree) exists(name string) bool {
	return slices.ContainsFunc(slices.Concat(r.files, generated), func(file string) bool {
		matches, _ := path.Match(name, file)
		isGenerated, _ := path.Match(file, name)
		return matches || isGenerated || strings.HasPrefix(file, name+"/")
	})
}

var notInAnchors = regexp.MustCompile(`[^\p{L}\p{N}_ -]`)

// parse returns the relative links and images of a document, its code blocks and spans, and the anchors that GitHub
// gives to its headings.
func parse(document string) (links, codes, anchors []string) {
	source := []byte(document)
	addLink := func(destination []byte) {
		if !strings.Contains(string(destination), ":") {
			links = append(links, string(destination))
		}
	}
	root := goldmark.New(goldmark.WithExtensions(extension.GFM)).Parser().Parse(text.NewReader(source))
	ast.Walk(root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Link:
			addLink(n.Destination)
		case *ast.Image:
			addLink(n.Destination)
		case *ast.CodeBlock, *ast.FencedCodeBlock:
			codes = append(codes, string(n.Lines().Value(source)))
		case *ast.CodeSpan:
			var code string
			for child := n.FirstChild(); child != nil; child = child.NextSibling() {
				code += string(child.(*ast.Text).Value(source))
			}
			codes = append(codes, code)
		case *ast.Heading:
			title := notInAnchors.ReplaceAllString(string(n.Lines().Value(source)), "")
			anchors = append(anchors, strings.ToLower(strings.ReplaceAll(title, " ", "-")))
		}
		return ast.WalkContinue, nil
	})
	return links, codes, anchors
}

var assignment = regexp.MustCompile(`^(\$|[A-Za-z_]\w*=.*)$`)

// checkCommand checks the arguments of a command if it is make or this program.
func (r *tree) checkCommand(args []string, require func(ok bool, format string, args ...any)) {
	args = slices.DeleteFunc(args, assignment.MatchString)
	switch {
	case len(args) == 0:
		return
	case args[0] == "make":
		for _, target := range args[1:] {
			require(slices.Contains(r.targets, target), "the Makefile has no target %s", target)
		}
		return
	case path.Base(args[0]) == "s3-sign-srv":
		args = args[1:]
	case args[0] != "doctor" && args[0] != "cors":
		return
	}
	program, command := "s3-sign-srv", ""
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		command = args[0]
		program += " " + command
	}
	help, known := r.help[command]
	require(known, "s3-sign-srv has no command %s", command)
	for _, arg := range args {
		flag, isFlag := strings.CutPrefix(arg, "-")
		isKnown := regexp.MustCompile(`(?m)^\s*-` + regexp.QuoteMeta(flag) + `\b`).MatchString(help)
		require(!known || !isFlag || isKnown, "%s has no flag -%s", program, flag)
	}
}
