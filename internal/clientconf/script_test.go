package clientconf

import (
	"strings"
	"testing"
)

// TestReadScript reads a.b of the variable, which is called conf here for short.
func TestReadScript(t *testing.T) {
	for _, test := range []struct {
		name, script string
		want         any
	}{
		{"var", `var conf = {a: {b: "c"}};`, "c"},
		{"const, names in quotes", `const conf={'a':{"b":'c'}}`, "c"},
		{"member of window", `window.conf = {a: {b: 5}}`, 5.0},
		{"number with an exponent", `conf = {a: {b: 5e3}}`, 5000.0},
		{"boolean, commas at the end", `conf = {a: {b: true,},}`, true},
		{"escapes", `conf = {a: {b: "it\'s \"\u00e9\""}}`, `it's "é"`},
		{"escaped backslash", `conf = {a: {b: 'c\\'}}`, `c\`},
		{"comments", `conf = {/* a: {b: "no"} */ a: { // b: "no"` + "\n" + `b: "c"}}`, "c"},
		{"byte order mark", "\ufeffvar conf = {a: {b: 1}}", 1.0},
		{"function before it", `conf = {x: function () { if (a) { return {b: "}"}; } }, a: {b: "c"}}`, "c"},
		{"method and getter before it", `conf = {x() { return [1, "]", {}]; }, get y() { return 1; }, a: {b: "c"}}`, "c"},
		{"arrow function before it", `conf = {x: (id) => ({b: id}), a: {b: "c"}}`, "c"},
		{"array before it", `conf = {x: [{b: 1}, {b: 2}], a: {b: "c"}}`, "c"},
		{"condition before it", `conf = {x: y ? "1" : "2", a: {b: "c"}}`, "c"},
		{"quote in a regular expression", `conf = {a: {b: "c"}}; if (x) /"/.test(y);`, "c"},
		{"not set", `conf = {a: {c: 1}}`, nil},
		{"sum", `conf = {a: {b: "c" + d}}`, computed{}},
		{"variable", `conf = {a: {b: d}}`, computed{}},
		{"negative number", `conf = {a: {b: -1}}`, computed{}},
		{"spread beside it", `conf = {a: {b: "c", ...shared}}`, computed{}},
		{"computed name", `conf = {a: {b: "c", [d]: "e"}}`, computed{}},
		{"object of a function", `conf = {a: f()}`, computed{}},
		{"later assignment", `conf = {a: {b: "c"}}; conf.a.b = "d";`, "d"},
		{"later assignment of the object", `conf = {a: {b: "c"}}; conf.a = {c: "d"};`, nil},
		{"later assignment of a call", `conf = {a: {b: "c"}}; conf.a.b = f({b: 1});`, computed{}},
	} {
		value, err := readScript(strings.ReplaceAll(test.script, "conf", variable))
		conf, _ := value.(Object)
		if err != nil || conf == nil || conf.at("a.b") != test.want {
			t.Errorf("%s: %#v, %v, want %#v", test.name, value, err, test.want)
		}
	}
}

// TestUnreadable has scripts that do not set the variable, or not to a value that is known without running them.
func TestUnreadable(t *testing.T) {
	const object = `conf = {a: {b: "c"}}; `
	for script, want := range map[string]any{
		"":                               nil,
		"conf.a = {}":                    nil,
		"other = {}":                     nil,
		"conf":                           computed{},
		"conf = f()":                     computed{},
		"conf = {...shared}":             computed{},
		"var a, conf = {}":               computed{},
		object + `conf["a"].b = "d"`:     computed{},
		object + `conf.a.b += "d"`:       computed{},
		object + `if (x) conf.a.b = "d"`: computed{},
		object + `function f() { window.conf.a = {} }`: computed{},
		object + `Object.assign(conf.a, {b: "d"})`:     computed{},
	} {
		if value, err := readScript(strings.ReplaceAll(script, "conf", variable)); err != nil || value != want {
			t.Errorf("%q: %#v, %v, want %#v", script, value, err, want)
		}
	}
}

// TestSyntaxErrors finds what browsers do not parse, and nothing else.
func TestSyntaxErrors(t *testing.T) {
	for script, want := range map[string]string{
		`conf = {a: 1 b: 2}`:                              "line 1, column 14: unexpected b in object literal",
		"conf = {a: {b: \"x\" // why\n \"c\": 2}}":        `line 2, column 2: unexpected "c" in object literal`,
		"conf = {a: {\n b: true\n c: {}\n}}":              "line 3, column 2: unexpected c in object literal",
		"conf = {\n a: {b: f(1)}":                         "line 2, column 14: unexpected EOF in object literal",
		"conf = {\n a: f(1}\n}":                           "line 2, column 8: expected , or ) instead of } in arguments",
		"conf = {\n}};":                                   "line 2, column 2: unexpected } in expression",
		"conf = {\n a: \"b\n}":                            "line 2, column 5: unterminated string literal in expression",
		"conf = {a: “b”}":                                 "line 1, column 12: unexpected “ in expression",
		`conf = {a: 1, b: 2,}`:                            "",
		`conf = {a: 1 in b, c: x ? "y" : "z"}`:            "",
		`conf = {a: "b" + c ? "d" : "e"}`:                 "",
		`conf = {a: function () { l: for (;;) { } }}`:     "",
		"conf.a = 1\nlabel: f()":                          "",
		"conf = {a: /[{(\"]\\/“/g, b: c / d, e: (f) / g}": "",
		"conf = {a: `x${{b: `}`}}`} // “ ( it's":          "",
		"conf = {a: 'it’s “so”', b: `(`} /* { */":         "",
	} {
		actual := ""
		if _, err := readScript(script); err != nil {
			actual = err.Error()
		}
		if actual != want {
			t.Errorf("%s: %q, want %q", script, actual, want)
		}
	}
}

// FuzzReadScript parses any script to an end.
func FuzzReadScript(f *testing.F) {
	f.Add(`{request: {endpoint: "http://s3.example.org/b", params: {dataset: "x"}}, chunking: {enabled: true}}`)
	f.Add("{a: [}, b(: {,}")
	f.Add(`{}; fine_u_conf["a"].b[c] += 1; fine_u_conf.a.b = {b: "\u{1f600}"}`)
	f.Fuzz(func(t *testing.T, text string) {
		value, err := readScript(variable + " = " + text)
		if conf, ok := value.(Object); ok && err == nil {
			conf.Under("a")
		}
	})
}
