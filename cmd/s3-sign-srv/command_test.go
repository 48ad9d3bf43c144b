package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"s3-sign-srv/internal/doctor"
)

// command runs a command line with this environment and returns what it printed.
func command(t *testing.T, env map[string]string, args ...string) (stdout string, err error) {
	t.Helper()
	var out, errOut bytes.Buffer
	lookup := func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	err = run(context.Background(), args, lookup, &out, &errOut)
	if errOut.Len() > 0 {
		t.Errorf("%q wrote to stderr: %s", args, &errOut)
	}
	return out.String(), err
}

// TestHelp asks for help in every way.
func TestHelp(t *testing.T) {
	for _, name := range append(commands(), "") {
		usage := strings.TrimSpace("s3-sign-srv " + name)
		for _, args := range [][]string{strings.Fields("help " + name), strings.Fields(name + " -help"), strings.Fields(name + " -h")} {
			out, err := command(t, nil, args...)
			if err != nil && !errors.Is(err, flag.ErrHelp) || !strings.HasPrefix(out, usage) {
				t.Errorf("%q: %v %.60q", args, err, out)
			}
		}
	}
}

// TestManual holds the command comment against the help text: the same commands and flags.
func TestManual(t *testing.T) {
	source, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	comment, _, _ := strings.Cut(string(source), "\npackage main")
	for line := range strings.Lines(helpServer) {
		if strings.HasPrefix(line, "  s3-sign-srv ") && !strings.Contains(comment, strings.TrimSpace(line)) {
			t.Errorf("the command comment lacks %s", line)
		}
	}
	for _, text := range []string{helpServer, helpDoctor, helpCORS} {
		for line := range strings.Lines(text) {
			if name, _, _ := strings.Cut(strings.TrimSpace(line), " "); strings.HasPrefix(name, "-") && !strings.Contains(comment, name+" ") {
				t.Errorf("the command comment lacks %s", name)
			}
		}
	}
}

// TestHints mistypes.
func TestHints(t *testing.T) {
	for line, want := range map[string]string{
		"docter":                             `unknown command "docter"; did you mean doctor?`,
		"doc":                                `unknown command "doc"; did you mean doctor?`,
		"-dmeo":                              "unknown flag -dmeo; did you mean -demo?",
		"--demon":                            "unknown flag -demon; did you mean -demo?",
		"-port 80":                           "unknown flag -port; see s3-sign-srv help",
		"serve":                              `unknown command "serve"; see s3-sign-srv help`,
		"-demo x":                            `unknown argument "x"; see s3-sign-srv help`,
		"-env":                               "flag needs an argument: -env; see s3-sign-srv help",
		"cors -dryrun":                       "unknown flag -dryrun; did you mean -dry-run?",
		"cors a.xml b.xml":                   `unknown argument "b.xml"`,
		"cors a.xml -dry-run":                "flags come before the file",
		"cors nowhere.xml":                   "cannot read the CORS rules",
		"cors main.go":                       "is not a CORSConfiguration",
		"cors testdata/no_method.xml":        "CORSRule 1 has no AllowedMethod; compare it with basic_cors.xml",
		"cors -origin https://example.org/":  "without a slash at the end",
		"doctor -origin example.org":         "such as https://uploads.example.org",
		"doctor -origin https://*.example.o": "such as https://uploads.example.org",
		"cors -origin https://example.o:443": "without the scheme's own port",
		"doctor now":                         "see s3-sign-srv help doctor",
		"doctor -env /nowhere.env":           "-env",
		"help dcotor":                        "did you mean doctor?",
		"version 1":                          "see s3-sign-srv help version",
	} {
		if _, err := command(t, nil, strings.Fields(line)...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", line, err, want)
		}
	}
}

func TestVersion(t *testing.T) {
	out, err := command(t, nil, "version")
	if err != nil || !strings.HasPrefix(out, "s3-sign-srv ") || !strings.Contains(out, "go1.") {
		t.Errorf("%v %q", err, out)
	}
}

// TestDoctorReports runs where nothing is set up, as text and as JSON.
func TestDoctorReports(t *testing.T) {
	t.Chdir(t.TempDir())
	out, err := command(t, nil, "doctor")
	if !errors.Is(err, errUnhealthy{}) || !strings.Contains(out, "✗ settings           AWS_ENDPOINT is not set\n") || !strings.Contains(out, "\n– endpoint ") || strings.Contains(out, "\x1b") {
		t.Errorf("%v\n%s", err, out)
	}
	out, err = command(t, nil, "doctor", "-json")
	var report struct {
		Healthy bool             `json:"healthy"`
		Seconds float64          `json:"seconds"`
		Checks  []doctor.Finding `json:"checks"`
	}
	if jsonErr := json.Unmarshal([]byte(out), &report, json.RejectUnknownMembers(true)); jsonErr != nil {
		t.Fatalf("%v\n%s", jsonErr, out)
	}
	if !errors.Is(err, errUnhealthy{}) || report.Healthy || len(report.Checks) < 20 || report.Checks[0].Status != doctor.Failed || report.Checks[0].Fix == "" {
		t.Errorf("%v %+v", err, report)
	}
}

// TestPaint colours a terminal alone, and not against the user's word.
func TestPaint(t *testing.T) {
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
	env := func(name, value string) func(string) (string, bool) {
		return func(asked string) (string, bool) { return value, asked == name }
	}
	for _, test := range []struct {
		name string
		got  paint
		want paint
	}{
		{"terminal", newPaint(terminal, env("", "")), true},
		{"NO_COLOR", newPaint(terminal, env("NO_COLOR", "1")), false},
		{"NO_COLOR empty", newPaint(terminal, env("NO_COLOR", "")), true},
		{"dumb", newPaint(terminal, env("TERM", "dumb")), false},
		{"file", newPaint(file, env("", "")), false},
		{"pipe", newPaint(&bytes.Buffer{}, env("", "")), false},
	} {
		if test.got != test.want {
			t.Errorf("%s: %v", test.name, test.got)
		}
	}
	var b bytes.Buffer
	paint(true).print(&b, doctor.Finding{Check: "keys", Result: doctor.Result{Status: doctor.Failed, Text: "wrong", Fix: "Mend it.", Document: "{\n}"}})
	if want := "\x1b[31m✗\x1b[0m keys               wrong\n                     \x1b[31mMend it.\x1b[0m\n                     {\n                     }\n"; b.String() != want {
		t.Errorf("%q", b.String())
	}
}
