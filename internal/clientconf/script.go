package clientconf

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tdewolff/parse/v2"
	"github.com/tdewolff/parse/v2/js"
)

// Object is an object literal of a script: its members are strings, float64s, bools, objects, or computed.
type Object map[string]any

// computed stands for a value that only a JavaScript engine could tell.
type computed struct{}

// at returns the value at a path such as "request.endpoint", nil if it is not set.
func (o Object) at(path string) any {
	var value any = o
	for name := range strings.SplitSeq(path, ".") {
		parent, ok := value.(Object)
		switch {
		case ok:
			value = parent[name]
		case value != nil:
			return computed{}
		}
	}
	return value
}

// Text returns the string at path. known is false where the script computes it.
func (o Object) Text(path, byDefault string) (value string, known bool) {
	return typed(o.at(path), byDefault)
}

// Number returns the number at path.
func (o Object) Number(path string, byDefault float64) (value float64, known bool) {
	return typed(o.at(path), byDefault)
}

func typed[T any](v any, byDefault T) (value T, known bool) {
	if value, known = v.(T); known {
		return value, true
	}
	return byDefault, v == nil
}

// On reports whether the option at path is true; one that is computed counts as false.
func (o Object) On(path string) bool { return o.at(path) == true }

// Under returns the members of the object at path, as text; whole is false where the script computes some of them.
func (o Object) Under(path string) (values map[string]string, whole bool) {
	members, isObject := o.at(path).(Object)
	values, whole = map[string]string{}, isObject || o.at(path) == nil
	for name, value := range members {
		switch value.(type) {
		case computed, Object:
			value, whole = "", false
		}
		values[name] = fmt.Sprint(value)
	}
	return values, whole
}

// variable holds the options.
const variable = "fine_u_conf"

// readScript returns the value that a script gives to the variable; it is nil if the script gives none. It reads an
// object literal and assignments to its members. Any other statement with the variable makes the value computed.
func readScript(text string) (conf any, err error) {
	ast, err := js.Parse(parse.NewInputString(text), js.Options{})
	if at := new(parse.Error); errors.As(err, &at) {
		return nil, fmt.Errorf("line %d, column %d: %s", at.Line, at.Column, at.Message)
	}
	if err != nil {
		return nil, err
	}
	for _, statement := range ast.List {
		path, value := assignment(statement)
		object, _ := conf.(Object)
		switch {
		case len(path) == 1 && path[0] == variable:
			conf = value
		case len(path) > 1 && path[0] == variable:
			object.set(path[1:], value)
		case strings.Contains(statement.String(), variable):
			conf = computed{}
		}
	}
	return conf, nil
}

// assignment returns the names in the target of an assignment such as a.b = c, without window, and its value. For other
// statements, path is nil.
func assignment(statement js.IStmt) (path []string, value any) {
	switch s := statement.(type) {
	case *js.VarDecl:
		if name, ok := s.List[0].Binding.(*js.Var); ok && len(s.List) == 1 && s.List[0].Default != nil {
			return memberPath(name), literal(s.List[0].Default)
		}
	case *js.ExprStmt:
		if e, ok := s.Value.(*js.BinaryExpr); ok && e.Op == js.EqToken {
			return memberPath(e.X), literal(e.Y)
		}
	}
	return nil, nil
}

// memberPath returns the names in an expression such as a.b, without window; it is nil for other expressions.
func memberPath(e js.IExpr) []string {
	switch e := e.(type) {
	case *js.Var:
		return []string{string(e.Name())}
	case *js.DotExpr:
		parent := memberPath(e.X)
		if parent == nil {
			return nil
		}
		if slices.Equal(parent, []string{"window"}) {
			parent = nil
		}
		return append(parent, e.Y.String())
	}
	return nil
}

// set sets the member at path. Without a parent, it does nothing.
func (o Object) set(path []string, value any) {
	for _, name := range path[:len(path)-1] {
		o, _ = o[name].(Object)
	}
	if o != nil {
		o[path[len(path)-1]] = value
	}
}

// literal returns the value of a literal, and computed for any other expression.
func literal(e js.IExpr) any {
	switch e := e.(type) {
	case *js.ObjectExpr:
		return members(e)
	case *js.LiteralExpr:
		switch e.TokenType {
		case js.StringToken:
			return unquote(string(e.Data))
		case js.TrueToken, js.FalseToken:
			return e.TokenType == js.TrueToken
		}
		if n, err := strconv.ParseFloat(string(e.Data), 64); err == nil {
			return n
		}
	}
	return computed{}
}

// members returns an object, and computed if it has a spread or a computed name.
func members(e *js.ObjectExpr) any {
	o := Object{}
	for _, p := range e.List {
		if method, ok := p.Value.(*js.MethodDecl); ok && p.Name == nil {
			p.Name = &method.Name.PropertyName
		}
		if p.Name == nil || p.Name.IsComputed() {
			return computed{}
		}
		name, ok := literal(&p.Name.Literal).(string)
		if !ok {
			name = string(p.Name.Literal.Data)
		}
		o[name] = literal(p.Value)
	}
	return o
}

// asGo makes Go's escapes in double quotes of JavaScript's.
var asGo = strings.NewReplacer(`\\`, `\\`, `\'`, `'`, `\"`, `\"`, `"`, `\"`)

// unquote returns what is between the quotes, and computed if it has escapes that Go does not have.
func unquote(quoted string) any {
	if text, err := strconv.Unquote(`"` + asGo.Replace(quoted[1:len(quoted)-1]) + `"`); err == nil {
		return text
	}
	return computed{}
}
