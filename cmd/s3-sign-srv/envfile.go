package main

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/joho/godotenv"
)

// An env file is a bash script that the original's users source. godotenv reads some of bash differently: it knows no
// variable from outside the file, exports what was not exported, and takes the wrong "#" for a comment. So each line
// must have a form that means the same to both, and the variables that it refers to are defined in front.
var (
	assignment = regexp.MustCompile(`^[ \t]*(export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)=` +
		`('[^']*'|"[^"\\` + "`" + `]*"|[A-Za-z0-9_./:@%+,=^${}-]*)(?:[ \t]+#.*)?[ \t]*$`)
	beginning = regexp.MustCompile(`^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)$`)
	blank     = regexp.MustCompile(`^[ \t]*(#.*)?$`)
	reference = regexp.MustCompile(`\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)\})`)
	upperName = regexp.MustCompile(`^[A-Z_][A-Z0-9_]*$`) // what godotenv expands
)

// byteOrderMark is what some editors on Windows begin a file with.
const byteOrderMark = "\ufeff"

// readEnvFile returns what sourcing the file at path in bash would export, given the environment
// outer, or an error that lists every line whose meaning would differ.
func readEnvFile(path string, outer environ) (map[string]string, error) {
	script, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the file given with -env: %w; name one that exists", err)
	}
	if err := checkText(path, string(script)); err != nil {
		return nil, err
	}
	p := envParser{path: path, outer: outer, assigned: map[string]bool{}, outside: map[string]string{}}
	for i, line := range strings.Split(strings.TrimPrefix(string(script), byteOrderMark), "\n") {
		p.line(i+1, line)
	}
	if strings.HasPrefix(string(script), byteOrderMark) {
		p.fail(1, "begins with a byte order mark, which bash would take for a part of the line; "+
			"save the file as UTF-8 without one")
	}
	if p.errs != nil {
		return nil, errors.Join(p.errs...)
	}
	all, err := godotenv.Unmarshal(p.text())
	if err != nil {
		return nil, fmt.Errorf("%s is not a file of export NAME=value lines", path)
	}
	exported := make(map[string]string, len(p.assigned))
	for name := range p.assigned {
		exported[name] = all[name]
	}
	return exported, nil
}

// checkText rejects a file with the encoding or the line ends of another system.
func checkText(path, script string) error {
	if strings.Contains(script, "\x00") {
		return fmt.Errorf("%s is UTF-16, or no text; save it as UTF-8 without a byte order mark", path)
	}
	if before, _, found := strings.Cut(script, "\r"); found {
		const text = "%s line %d: ends as on Windows, which bash would take for a part of the value; " +
			"save the file with Unix line ends"
		return fmt.Errorf(text, path, 1+strings.Count(before, "\n"))
	}
	return nil
}

// envParser goes through a file line by line.
type envParser struct {
	path     string
	outer    environ
	assigned map[string]bool
	outside  map[string]string // variables of the environment that the file refers to
	clean    []string          // lines without comments
	errs     []error
}

func (p *envParser) fail(line int, format string, args ...any) {
	p.errs = append(p.errs, fmt.Errorf("%s line %d: %s", p.path, line, fmt.Sprintf(format, args...)))
}

// line checks one line. No message shows the value, which may be a secret.
func (p *envParser) line(n int, line string) {
	if blank.MatchString(line) {
		return
	}
	m := assignment.FindStringSubmatch(line)
	switch {
	case m == nil:
		p.fail(n, "%s", explainLine(line))
	case m[1] == "":
		p.fail(n, "lacks the word export in front of %s, without which programs do not see it", m[2])
		p.assigned[m[2]] = true
	default:
		p.references(n, m[2], m[3])
		p.assigned[m[2]] = true
		p.clean = append(p.clean, m[2]+"="+m[3])
	}
}

// explainLine says what to do about a line of no known form.
func explainLine(line string) string {
	m := beginning.FindStringSubmatch(line)
	if m == nil {
		return "is not of the form export NAME=value; only such lines and comments can be read here"
	}
	switch name, value := m[1], m[2]; {
	case strings.HasPrefix(value, "~"):
		return "sets " + name + " to a path that begins with ~; write $HOME instead"
	case strings.Contains(value, "$(") || strings.Contains(value, "`"):
		return "sets " + name + " to the output of a command; write the value itself"
	default:
		return "sets " + name + " to a value that bash and this program could read differently; " +
			"put it into single quotes, without a quote or a second part in it"
	}
}

// references checks the variables in the value of the variable set; within single quotes there are none.
func (p *envParser) references(n int, set, value string) {
	if strings.HasPrefix(value, "'") {
		return
	}
	for _, m := range reference.FindAllStringSubmatch(value, -1) {
		name := m[1] + m[2]
		outside, known := p.outer[name]
		switch {
		case !upperName.MatchString(name):
			p.fail(n, "lets %s refer to %s; only names in capitals can be referred to, "+
				"with braces where a letter follows: ${NAME}", set, m[0])
		case p.assigned[name]:
		case !known:
			p.fail(n, "lets %s refer to $%s, which is not set; set it, or write the value itself", set, name)
		case strings.ContainsAny(outside, "'\n\r"):
			p.fail(n, "lets %s refer to $%s, whose value has a quote or a line end in it; write the value itself", set, name)
		default:
			p.outside[name] = outside
		}
	}
	if strings.ContainsAny(reference.ReplaceAllString(value, ""), "${}") { // godotenv takes the brace of "$NAME}" too
		p.fail(n, "%s", explainDollar(set, value))
	}
}

// explainDollar is about a $ or a brace that is not part of a variable's name.
func explainDollar(name, value string) string {
	if strings.Contains(value, "${") {
		return "sets " + name + " to a value with a ${…} that is more than a variable's name; write the value itself"
	}
	return "sets " + name + " to a value with a $ or a brace that is not part of a variable's name; " +
		"put it into single quotes"
}

// text is the script for godotenv.
func (p *envParser) text() string {
	var b strings.Builder
	for name, value := range p.outside {
		fmt.Fprintf(&b, "%s='%s'\n", name, value)
	}
	b.WriteString(strings.Join(p.clean, "\n"))
	return b.String()
}
