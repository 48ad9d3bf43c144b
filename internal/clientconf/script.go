package clientconf

import (
	"errors"
	"fmt"
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

// readScript returns the variables that a script sets. What it sets within a condition, a loop or a function
// is computed.
func readScript(text string) (Object, error) {
	ast, err := js.Parse(parse.NewInputString(text), js.Options{})
	if at := new(parse.Error); errors.As(err, &at) {
		return nil, fmt.Errorf("line %d, column %d: %s", at.Line, at.Column, at.Message)
	}
	if err != nil {
		return nil, err
	}
	globals := Object{}
	js.Walk(reader{globals, true}, ast)
	return globals, nil
}

// reader reads assignments. Unless its code always runs, the values that it assigns are computed.
type reader struct {
	globals Object
	always  bool
}

// Exit does nothing; js.IVisitor wants it.
func (reader) Exit(js.INode) {}

// Enter reads one statement or expression.
func (v reader) Enter(n js.INode) js.IVisitor {
	switch n := n.(type) {
	case *js.AST, *js.BlockStmt, *js.ExprStmt:
		return v
	case *js.VarDecl:
		for _, b := range n.List {
			if name, ok := b.Binding.(*js.Var); ok && b.Default != nil {
				v.set(name, literal(b.Default))
			}
		}
	case *js.BinaryExpr:
		if op := n.Op.String(); op == "=" {
			v.set(n.X, literal(n.Y))
		} else if strings.HasSuffix(op, "=") && !strings.Contains("=== !== <= >=", op) { // such as +=
			v.set(n.X, computed{})
		}
	case *js.CallExpr:
		if n.X.String() == "(Object.assign)" && len(n.Args.List) > 0 {
			for _, source := range n.Args.List[1:] {
				v.merge(n.Args.List[0].Value, literal(source.Value))
			}
		}
	}
	return reader{v.globals, false}
}

// set gives a value to what target names: a variable or a member, and further members of that.
func (v reader) set(target js.IExpr, value any, members ...string) {
	path, exact := memberPath(target)
	if !exact || !v.always {
		value = computed{}
	}
	if path = append(path, members...); len(path) == 0 {
		return
	}
	parent, last := v.globals, len(path)-1
	for _, name := range path[:last] {
		parent, _ = parent[name].(Object)
	}
	if parent != nil { // else it is computed, or an error when the script runs
		parent[path[last]] = value
	}
}

// merge sets the members of target to those of an object, as Object.assign does.
func (v reader) merge(target js.IExpr, source any) {
	members, known := source.(Object)
	if !known {
		v.set(target, computed{})
	}
	for name, value := range members {
		v.set(target, value, name)
	}
}

// memberPath returns the names in an expression such as a.b["c"], without window. Where exact is false, it may be any
// member of path.
func memberPath(e js.IExpr) (path []string, exact bool) {
	member, known := "", false
	switch e := e.(type) {
	case *js.Var:
		if string(e.Name()) != "window" {
			path = []string{string(e.Name())}
		}
		return path, true
	case *js.DotExpr:
		path, exact = memberPath(e.X)
		member, known = e.Y.String(), true
	case *js.IndexExpr:
		path, exact = memberPath(e.X)
		member, known = literal(e.Y).(string)
	}
	if exact && known {
		return append(path, member), true
	}
	return path, false
}

// literal returns the value of a literal, and computed for any other expression.
func literal(e js.IExpr) any {
	switch e := e.(type) {
	case *js.ObjectExpr:
		return members(e)
	case *js.TemplateExpr:
		if e.Tag == nil && e.List == nil {
			return unquote(string(e.Tail))
		}
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
var asGo = strings.NewReplacer(`\\`, `\\`, `\'`, `'`, `\"`, `\"`, "\\`", "`", `"`, `\"`, "\n", `\n`)

// unquote returns what is between the quotes, and computed if it has escapes that Go does not have.
func unquote(quoted string) any {
	if text, err := strconv.Unquote(`"` + asGo.Replace(quoted[1:len(quoted)-1]) + `"`); err == nil {
		return text
	}
	return computed{}
}
