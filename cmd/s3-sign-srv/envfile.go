package main

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/joho/godotenv"
)

// An env file is a bash script that the original's users source. godotenv reads it here, and reads some
// of bash otherwise: it knows no variable from outside the file, passes on what was not exported, and
// takes the wrong "#" for a comment. So each line must have one of the forms that mean the same to
// both, and the variables it refers to are defined for godotenv in front.
var (
	assignment = regexp.MustCompile(`^[ \t]*(export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)=('[^']*'|"[^"\\` + "`" + `]*"|[A-Za-z0-9_./:@%+,=^${}-]*)(?:[ \t]+#.*)?[ \t]*$`)
	beginning  = regexp.MustCompile(`^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)$`)
	blank      = regexp.MustCompile(`^[ \t]*(#.*)?$`)
	reference  = regexp.MustCompile(`\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)\})`)
	upperName  = regexp.MustCompile(`^[A-Z_][A-Z0-9_]*$`) // what godotenv expands
)

// byteOrderMark is what some editors of Windows put in front.
const byteOrderMark = "\ufeff"

// readEnvFile returns what sourcing the file at path in bash would export, given the environment
// outer, or an error that lists every line whose meaning would differ.
func readEnvFile(path string, outer variables) (map[string]string, error) {
	script, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the file given with -env: %w; name one that is there", err)
	}
	if err := checkText(path, string(script)); err != nil {
		return nil, err
	}
	p := envParser{path: path, outer: outer, assigned: map[string]bool{}, outside: map[string]string{}}
	for i, line := range strings.Split(strings.TrimPrefix(string(script), byteOrderMark), "\n") {
		p.line(i+1, line)
	}
	if strings.HasPrefix(string(script), byteOrderMark) {
		p.fault(1, "begins with a byte order mark, which bash would take for a part of the line; save the file as UTF-8 without one")
	}
	if p.faults != nil {
		return nil, errors.Join(p.faults...)
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

// checkText refuses, once for the file, what an editor of another system has made of its lines.
func checkText(path, script string) error {
	if strings.Contains(script, "\x00") {
		return fmt.Errorf("%s is UTF-16, or no text; save it as UTF-8 without a byte order mark", path)
	}
	if before, _, found := strings.Cut(script, "\r"); found {
		return fmt.Errorf("%s line %d: ends as on Windows, which bash would take for a part of the value; save the file with Unix line ends", path, 1+strings.Count(before, "\n"))
	}
	return nil
}

// envParser goes through a file line by line.
type envParser struct {
	path     string
	outer    variables
	assigned map[string]bool
	outside  map[string]string // variables of the environment that the file refers to
	clean    []string          // lines without comments
	faults   []error
}

func (p *envParser) fault(line int, format string, args ...any) {
	p.faults = append(p.faults, fmt.Errorf("%s line %d: %s", p.path, line, fmt.Sprintf(format, args...)))
}

// line checks one line; its value is never part of a message, since it may be a secret.
func (p *envParser) line(n int, line string) {
	if blank.MatchString(line) {
		return
	}
	m := assignment.FindStringSubmatch(line)
	switch {
	case m == nil:
		p.fault(n, "%s", explainLine(line))
	case m[1] == "":
		p.fault(n, "lacks the word export in front of %s, without which bash keeps the value to itself", m[2])
		p.assigned[m[2]] = true
	default:
		p.references(n, m[2], m[3])
		p.assigned[m[2]] = true
		p.clean = append(p.clean, m[2]+"="+m[3])
	}
}

// explainLine says what to do about a line of no known form, as far as its beginning tells.
func explainLine(line string) string {
	m := beginning.FindStringSubmatch(line)
	if m == nil {
		return "is not of the form export NAME=value; only such lines and comments can be read here"
	}
	switch name, value := m[1], m[2]; {
	case strings.HasPrefix(value, "~"):
		return "sets " + name + " to a path that begins with ~; write $HOME instead"
	case strings.Contains(value, "$(") || strings.Contains(value, "`"):
		return "sets " + name + " to what a command says; write the value out"
	default:
		return "sets " + name + " to a value that bash and this program could read differently; put it into single quotes, without a quote or a second part in it"
	}
}

// references checks the variables that the value of set refers to; within single quotes there are none.
func (p *envParser) references(n int, set, value string) {
	if strings.HasPrefix(value, "'") {
		return
	}
	for _, m := range reference.FindAllStringSubmatch(value, -1) {
		name := m[1] + m[2]
		outside, known := p.outer[name]
		switch {
		case !upperName.MatchString(name):
			p.fault(n, "lets %s refer to %s; only names in capitals can be referred to, with braces where a letter follows: ${NAME}", set, m[0])
		case p.assigned[name]:
		case !known:
			p.fault(n, "lets %s refer to $%s, which is not set; set it, or write the value out", set, name)
		case strings.ContainsAny(outside, "'\n\r"):
			p.fault(n, "lets %s refer to $%s, whose value has a quote or a line end in it; write the value out", set, name)
		default:
			p.outside[name] = outside
		}
	}
	if strings.ContainsAny(reference.ReplaceAllString(value, ""), "${}") { // godotenv takes the brace of "$NAME}" too
		p.fault(n, "%s", explainDollar(set, value))
	}
}

// explainDollar is about a $ or a brace that is not part of a variable's name.
func explainDollar(name, value string) string {
	if strings.Contains(value, "${") {
		return "sets " + name + " to a value with a ${…} that is more than a variable's name; write the value out"
	}
	return "sets " + name + " to a value with a $ or a brace that is not part of a variable's name; put it into single quotes"
}

// text is what godotenv gets to read.
func (p *envParser) text() string {
	var b strings.Builder
	for name, value := range p.outside {
		fmt.Fprintf(&b, "%s='%s'\n", name, value)
	}
	b.WriteString(strings.Join(p.clean, "\n"))
	return b.String()
}
