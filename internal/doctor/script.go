package doctor

import (
	"cmp"
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

// scriptReader goes through the tokens of a script and gathers the options that it gives to a variable.
type scriptReader struct {
	tokens []token
	found  options

	assigned bool   // the variable gets a value
	read     bool   // that is an object literal
	fault    string // why no browser can read the script, empty if that was not seen
}

// readScript reads the object that a script assigns to the variable called name, and later assignments
// to its members, as client_conf.js does. It is a reader of literals, not of JavaScript: what is not a
// literal is skipped up to the comma after it.
func readScript(script, name string) *scriptReader {
	r := &scriptReader{tokens: tokenize(script), found: options{}}
	broken := unreadable(r.tokens)
	for r.next() != "" {
		if r.take() == name {
			r.read = r.assignment() || r.read
		}
	}
	r.fault = cmp.Or(r.fault, broken)
	return r
}

// token is a word of a script.
type token struct {
	text string
	line int
}

// tokenPattern matches white space, comments, strings, numbers, names, and any other one character.
var tokenPattern = regexp.MustCompile(`(?s)^(?:\s+|//[^\n]*|/\*.*?\*/|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|` + "`(?:[^`\\\\]|\\\\.)*`" + `|[0-9][0-9A-Za-z_.]*|[\p{L}_$][\p{L}\p{N}_$]*|.)`)

// expressionPattern matches a regular expression, where one may stand.
var expressionPattern = regexp.MustCompile(`^/(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/\w*`)

// tokenize splits a script, without white space and comments.
func tokenize(script string) (tokens []token) {
	for line := 1; script != ""; {
		text := tokenPattern.FindString(script)
		if text == "/" && beginsExpression(tokens) {
			text = cmp.Or(expressionPattern.FindString(script), text)
		}
		comment := strings.HasPrefix(text, "//") || strings.HasPrefix(text, "/*")
		if strings.TrimSpace(text) != "" && !comment {
			tokens = append(tokens, token{text, line})
		}
		line += strings.Count(text, "\n")
		script = script[len(text):]
	}
	return tokens
}

// beginsExpression reports whether after these tokens a slash begins a regular expression and divides nothing.
func beginsExpression(tokens []token) bool {
	if len(tokens) == 0 {
		return true
	}
	before := tokens[len(tokens)-1].text
	return before == "return" || strings.Contains("(,=:[!&|?{};+-*%~^<>", before)
}

// unreadable says what no browser reads on from: a quote or a bracket without its other half, or a quote
// that a word processor has put in its place. It is empty where there is nothing of it.
func unreadable(tokens []token) string {
	var open []token
	for _, t := range tokens {
		switch {
		case t.text == `"`, t.text == "'", t.text == "`":
			return fmt.Sprintf("the quote in line %d is not closed", t.line)
		case strings.Contains("“”„‘’", t.text):
			return fmt.Sprintf("line %d has the quote %s, which is none to a browser", t.line, t.text)
		case t.text[0] == '`' && strings.Count(t.text, "${") > strings.Count(t.text, "}"):
			return "" // a template within a template is beyond this reader
		case strings.Contains("([{", t.text):
			open = append(open, t)
		case strings.Contains(")]}", t.text):
			if len(open) == 0 {
				return fmt.Sprintf("the %s in line %d closes nothing", t.text, t.line)
			}
			last := open[len(open)-1]
			if map[string]string{"(": ")", "[": "]", "{": "}"}[last.text] != t.text {
				return fmt.Sprintf("the %s in line %d is not closed before the %s in line %d", last.text, last.line, t.text, t.line)
			}
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		return fmt.Sprintf("the %s in line %d is not closed", open[len(open)-1].text, open[len(open)-1].line)
	}
	return ""
}

// next is the token to come, empty at the end.
func (r *scriptReader) next() string { return r.peek(0) }

// peek is the token i further on, empty beyond the end.
func (r *scriptReader) peek(i int) string {
	if i >= len(r.tokens) {
		return ""
	}
	return r.tokens[i].text
}

// take goes one token on.
func (r *scriptReader) take() string {
	text := r.next()
	if text != "" {
		r.tokens = r.tokens[1:]
	}
	return text
}

// assignment reads "[.member…] = value" after the variable's name. It reports whether that was one to
// the variable itself, of an object.
func (r *scriptReader) assignment() bool {
	var path []string
	for r.next() == "." {
		r.take()
		path = append(path, r.take())
	}
	if r.next() != "=" || r.peek(1) == "=" {
		return false
	}
	r.take()
	r.assigned = r.assigned || path == nil
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
	// "name:" is not how an expression goes on.
	name := literal(r.peek(1)) != nil || identifier.MatchString(r.peek(1))
	if literal(r.next()) != nil && name && r.peek(2) == ":" && r.fault == "" {
		r.fault = fmt.Sprintf("line %d has no comma, or no bracket, after %s", r.tokens[0].line, r.next())
	}
	r.value(path)
}

var identifier = regexp.MustCompile(`^[\p{L}_$]`)

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
