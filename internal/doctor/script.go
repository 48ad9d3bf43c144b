package doctor

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// options are the values that a client_conf.js gives to Fine Uploader's options, by path, such as
// "request.endpoint": strings, float64s and bools. What the script computes is computed, whatever it is.
type options map[string]any

// computed stands for a value that only a JavaScript engine could tell.
type computed struct{}

// text returns the string at path. known is false where the script computes it.
func (o options) text(path, byDefault string) (value string, known bool) {
	switch v := o[path].(type) {
	case nil:
		return byDefault, true
	case string:
		return v, true
	}
	return byDefault, false
}

// number returns the number at path.
func (o options) number(path string, byDefault float64) (value float64, known bool) {
	switch v := o[path].(type) {
	case nil:
		return byDefault, true
	case float64:
		return v, true
	}
	return byDefault, false
}

// on reports whether the option at path is true; one that is computed counts as false.
func (o options) on(path string) bool { return o[path] == true }

// under returns the values below path, as text, by their last name, such as those of request.params; whole
// is false where the script computes some of them.
func (o options) under(path string) (values map[string]string, whole bool) {
	values, whole = map[string]string{}, o[path] == nil
	for name, value := range o {
		if rest, ok := strings.CutPrefix(name, path+"."); ok {
			if value == (computed{}) {
				value, whole = "", false
			}
			values[rest] = fmt.Sprint(value)
		}
	}
	return values, whole
}

// readOptions reads the object that a script assigns to the variable called name, and later assignments
// to its members, as client_conf.js does. It is a reader of literals, not of JavaScript: what is not a
// literal is skipped up to the comma after it. ok is false where there is no such object; gap is the
// value that a comma is missing after, which no browser would read on from.
func readOptions(script, name string) (o options, gap string, ok bool) {
	r := &scriptReader{tokens: tokenize(script), found: options{}}
	for r.next() != "" {
		if r.take() == name {
			ok = r.assignment() || ok
		}
	}
	return r.found, r.gap, ok
}

// tokenPattern matches white space, comments, strings, numbers, names, and any other one character.
// A regular expression falls to pieces, which the skipping of computed values puts up with.
var tokenPattern = regexp.MustCompile(`(?s)\s+|//[^\n]*|/\*.*?\*/|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|` + "`(?:[^`\\\\]|\\\\.)*`" + `|[0-9][0-9A-Za-z_.]*|[\p{L}_$][\p{L}\p{N}_$]*|.`)

// tokenize splits a script, without white space and comments.
func tokenize(script string) (tokens []string) {
	for _, token := range tokenPattern.FindAllString(script, -1) {
		if strings.TrimSpace(token) != "" && !strings.HasPrefix(token, "//") && !strings.HasPrefix(token, "/*") {
			tokens = append(tokens, token)
		}
	}
	return tokens
}

// scriptReader goes through tokens and gathers options.
type scriptReader struct {
	tokens []string
	found  options
	gap    string // the first value that another follows without a comma
}

// next is the token to come, empty at the end.
func (r *scriptReader) next() string {
	if len(r.tokens) == 0 {
		return ""
	}
	return r.tokens[0]
}

// take goes one token on.
func (r *scriptReader) take() string {
	token := r.next()
	if token != "" {
		r.tokens = r.tokens[1:]
	}
	return token
}

// assignment reads "[.member…] = value" after the variable's name. It reports whether that was one to
// the variable itself, of an object.
func (r *scriptReader) assignment() bool {
	var path []string
	for r.next() == "." {
		r.take()
		path = append(path, r.take())
	}
	if r.next() != "=" || len(r.tokens) > 1 && r.tokens[1] == "=" {
		return false
	}
	r.take()
	object := r.next() == "{"
	r.value(strings.Join(path, "."))
	return object && path == nil
}

// value reads the value of the option at path.
func (r *scriptReader) value(path string) {
	if r.next() == "{" {
		r.object(path)
		if !ends(r.next()) { // {…}.member and the like
			r.skip()
		}
		return
	}
	value := literal(r.next())
	if value != nil {
		r.take()
	}
	if value == nil || !ends(r.next()) {
		r.skip()
		value = computed{}
	}
	r.found[path] = value
}

// object reads "{name: value, …}".
func (r *scriptReader) object(path string) {
	r.take()
	for r.next() != "}" && r.next() != "" {
		name := memberPath(path, r.take())
		switch r.next() {
		case ":":
			r.take()
			r.member(name)
		default: // a method, a spread, a shorthand or a computed name
			r.skip()
			r.found[name] = computed{}
		}
		if r.next() == "," {
			r.take()
		}
	}
	r.take()
}

// member reads the value of an option and looks for the comma after a literal.
func (r *scriptReader) member(path string) {
	if value := r.next(); literal(value) != nil && len(r.tokens) > 1 && beginsMember(r.tokens[1:]) && r.gap == "" {
		r.gap = value
	}
	r.value(path)
}

// beginsMember reports whether tokens begin with "name:", which is not how an expression goes on.
func beginsMember(tokens []string) bool {
	return len(tokens) > 1 && tokens[1] == ":" && (literal(tokens[0]) != nil || regexp.MustCompile(`^[\p{L}_$]`).MatchString(tokens[0]))
}

func memberPath(path, name string) string {
	if s, ok := literal(name).(string); ok {
		name = s
	}
	if path == "" {
		return name
	}
	return path + "." + name
}

// skip goes to the end of an expression, over brackets of any kind.
func (r *scriptReader) skip() {
	for depth := 0; r.next() != ""; r.take() {
		switch token := r.next(); {
		case depth == 0 && ends(token):
			return
		case strings.Contains("([{", token):
			depth++
		case strings.Contains(")]}", token):
			depth--
		}
	}
}

// ends reports whether token can only come after an expression.
func ends(token string) bool { return token == "" || strings.Contains(",;})]", token) }

// literal returns the value of a string, a number or a truth value, nil for any other token.
func literal(token string) any {
	switch {
	case token == "true", token == "false":
		return token == "true"
	case token == "":
		return nil
	case strings.ContainsAny(token[:1], `"'`) && len(token) > 1:
		return unquote(token[1 : len(token)-1])
	case token[0] == '`' && len(token) > 1 && !strings.Contains(token, "${"):
		return unquote(token[1 : len(token)-1])
	}
	if n, err := strconv.ParseFloat(token, 64); err == nil && token[0] <= '9' {
		return n
	}
	return nil
}

// unquote resolves the escapes that a setting may have; others stay without their backslash.
func unquote(s string) string {
	return regexp.MustCompile(`(?s)\\(u[0-9a-fA-F]{4}|.)`).ReplaceAllStringFunc(s, func(escape string) string {
		switch {
		case escape == `\n`:
			return "\n"
		case escape == `\t`:
			return "\t"
		case len(escape) == 6:
			code, _ := strconv.ParseUint(escape[2:], 16, 32)
			return string(rune(code))
		}
		return escape[1:]
	})
}
