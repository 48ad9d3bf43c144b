package cli

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"

	"s3-sign-srv/internal/doctor"
)

// TestPrinter wraps and colours on terminals only, and colours only if the user wants it.
func TestPrinter(t *testing.T) {
	terminal, err := os.OpenFile("/dev/null", os.O_WRONLY, 0) // a character device, as a terminal is
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	file, err := os.Create(t.TempDir() + "/out")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, test := range []struct {
		name             string
		out              io.Writer
		env              environ
		colours, wrapped bool
	}{
		{"terminal", terminal, nil, true, true},
		{"NO_COLOR", terminal, environ{"NO_COLOR": "1"}, false, true},
		{"NO_COLOR empty", terminal, environ{"NO_COLOR": ""}, true, true},
		{"dumb", terminal, environ{"TERM": "dumb"}, false, true},
		{"file", file, nil, false, false},
		{"pipe", &bytes.Buffer{}, nil, false, false},
	} {
		if p := newPrinter(test.out, test.out, test.env); p.colours != test.colours || p.terminal != test.wrapped {
			t.Errorf("%s: %+v", test.name, p)
		}
	}
}

// TestPrintedFindings shows findings as people see them.
func TestPrintedFindings(t *testing.T) {
	long := strings.Repeat("word ", 20) + "end"
	findings := []doctor.Finding{
		{Check: "keys", Result: doctor.Result{Status: doctor.Failed, Text: "wrong", Fix: "Correct it.", Document: "{\n}"}},
		{Check: "bucket", Result: doctor.Result{Status: doctor.Skipped, Text: "blocked by: keys", BlockedBy: "keys"}},
		{Check: "clock", Result: doctor.Result{Status: doctor.OK, Text: long}},
		{Check: "delete", Result: doctor.Result{Status: doctor.Skipped, Text: "blocked by: keys", BlockedBy: "keys"}},
		{Check: "permissions", Result: doctor.Result{
			Status: doctor.Warning, Text: "more", Fix: "Use less.", Document: "{\n}",
		}},
	}
	const margin = "                     "
	plain := []string{
		"✗ keys               wrong", margin + "Correct it.", margin + "{", margin + "}",
		"✓ clock              " + long,
		"! permissions        more", margin + "Use less.", margin + "(as above, at keys)",
		"– 2 checks           blocked by keys: bucket, delete", "",
	}
	terminal := []string{
		"\x1b[31m✗\x1b[0m keys               wrong", margin + "\x1b[31mCorrect it.\x1b[0m", margin + "{", margin + "}",
		"\x1b[32m✓\x1b[0m clock              " + strings.Repeat("word ", 15) + "word",
		margin + strings.Repeat("word ", 4) + "end",
		"\x1b[33m!\x1b[0m permissions        more", margin + "\x1b[33mUse less.\x1b[0m", margin + "(as above, at keys)",
		"\x1b[90m–\x1b[0m 2 checks           blocked by keys: bucket, delete", "",
	}
	for _, test := range []struct {
		p    printer
		want []string
	}{
		{printer{}, plain},
		{printer{terminal: true, colours: true}, terminal},
	} {
		var b bytes.Buffer
		p := test.p
		p.w, p.blocked, p.documents = &b, map[string][]string{}, map[string]string{}
		for _, f := range findings {
			p.print(f)
		}
		p.printBlocked()
		if want := strings.Join(test.want, "\n"); b.String() != want {
			t.Errorf("\n got %q\nwant %q", b.String(), want)
		}
	}
}
