package cli

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/joho/godotenv"
)

// An env file is a bash script that the original's users source. godotenv reads some of bash differently, so each line
// must have a form that both read in the same way.
var (
	assignment = regexp.MustCompile(`^[ \t]*(export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)=` +
		`('[^']*'|"[^"\\` + "`" + `]*"|[A-Za-z0-9_./:@%+,=^${}-]*)(?:[ \t]+#.*)?[ \t]*$`)
	anyAssignment = regexp.MustCompile(`^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)$`)
	blank         = regexp.MustCompile(`^[ \t]*(#.*)?$`)
	reference     = regexp.MustCompile(`\$(?:[A-Za-z_][A-Za-z0-9_]*|\{[A-Za-z_][A-Za-z0-9_]*\})`)
	upperName     = regexp.MustCompile(`^[A-Z_][A-Z0-9_]*$`) // what godotenv expands
)

// readEnvFile returns what sourcing the file at path in bash would export, given the environment inherited, or an
// error that lists every line whose meaning could differ.
func readEnvFile(path string, inherited environ) (environ, error) {
	script, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the file given with -env: %w; name one that exists", err)
	}
	if err := checkText(path, string(script)); err != nil {
		return nil, err
	}
	var errs []error
	exported := environ{}
	for i, line := range strings.Split(string(script), "\n") {
		if err := exported.readLine(line, inherited); err != nil {
			errs = append(errs, fmt.Errorf("%s line %d: %w", path, i+1, err))
		}
	}
	return exported, errors.Join(errs...)
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

// readLine adds the variable that a line exports. No error shows the value, which may be a secret.
func (e environ) readLine(line string, inherited environ) error {
	switch {
	case strings.HasPrefix(line, "\ufeff"): // some editors on Windows write it
		return errors.New("begins with a byte order mark, which bash would take for a part of the line; " +
			"save the file as UTF-8 without one")
	case blank.MatchString(line):
		return nil
	}
	m := anyAssignment.FindStringSubmatch(line)
	if m == nil {
		return errors.New("is not of the form export NAME=value; only such lines and comments can be read here")
	}
	value, err := e.readValue(line, m[1], m[2], inherited)
	e[m[1]] = value // also after an error, so that references to it are not reported too
	return err
}

func (e environ) readValue(line, name, value string, inherited environ) (string, error) {
	m := assignment.FindStringSubmatch(line)
	switch {
	case m == nil:
		return "", explainValue(name, value)
	case m[1] == "":
		return "", fmt.Errorf("lacks the word export in front of %s, without which programs do not see it", name)
	}
	return e.expand(name, m[3], inherited)
}

// expand returns the value of a variable as godotenv reads it, with the variables that it refers to defined in front.
// Within single quotes there are none.
func (e environ) expand(name, value string, inherited environ) (string, error) {
	if strings.HasPrefix(value, "'") {
		return parseValue(name, value, "")
	}
	if strings.ContainsAny(reference.ReplaceAllString(value, ""), "${}") {
		return "", explainValue(name, value)
	}
	var definitions strings.Builder
	for _, text := range reference.FindAllString(value, -1) {
		other := strings.Trim(text, "${}")
		referred, known := e[other]
		if !known {
			referred, known = inherited[other]
		}
		switch {
		case !upperName.MatchString(other):
			return "", fmt.Errorf("lets %s refer to %s; only names in capitals can be referred to, "+
				"with braces where a letter follows: ${NAME}", name, text)
		case !known:
			return "", fmt.Errorf("lets %s refer to $%s, which is not set; set it, or write the value itself", name, other)
		case strings.ContainsAny(referred, "'\n\r"):
			return "", fmt.Errorf("lets %s refer to $%s, whose value has a quote or a line end in it; "+
				"write the value itself", name, other)
		}
		fmt.Fprintf(&definitions, "%s='%s'\n", other, referred)
	}
	return parseValue(name, value, definitions.String())
}

func parseValue(name, value, definitions string) (string, error) {
	all, err := godotenv.Unmarshal(definitions + name + "=" + value)
	if err != nil {
		return "", explainValue(name, value)
	}
	return all[name], nil
}

// explainValue says what to do about a value of no known form.
func explainValue(name, value string) error {
	text := "a value that bash and this program could read differently; " +
		"put it into single quotes, without a quote or a second part in it"
	switch {
	case strings.HasPrefix(value, "~"):
		text = "a path that begins with ~; write $HOME instead"
	case strings.Contains(value, "$(") || strings.Contains(value, "`"):
		text = "the output of a command; write the value itself, or let bash source the file instead of -env"
	case strings.Contains(reference.ReplaceAllString(value, ""), "${"):
		text = "a value with a ${…} that is more than a variable's name; write the value itself"
	case strings.ContainsAny(reference.ReplaceAllString(value, ""), "${}"):
		text = "a value with a $ or a brace that is not part of a variable's name; put it into single quotes"
	}
	return fmt.Errorf("sets %s to %s", name, text)
}
