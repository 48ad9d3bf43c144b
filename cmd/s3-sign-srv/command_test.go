package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
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
	err = run(context.Background(), args, env, &out, &errOut)
	if errOut.Len() > 0 {
		t.Errorf("%q wrote to stderr: %s", args, &errOut)
	}
	return out.String(), err
}

// TestHelp asks for help in every way.
func TestHelp(t *testing.T) {
	for _, name := range append(commands(), "") {
		usage := "s3-sign-srv signs"
		if name != "" {
			usage = "  s3-sign-srv " + name
		}
		for _, args := range [][]string{strings.Fields("help " + name), strings.Fields(name + " -help"), strings.Fields(name + " -h")} {
			out, err := command(t, nil, args...)
			if err != nil && !errors.Is(err, flag.ErrHelp) || !strings.HasPrefix(out, usage) {
				t.Errorf("%q: %v %.60q", args, err, out)
			}
		}
	}
}

// TestManual wants every command to have a section with what a manual page has, every flag in it, and lines
// that fit.
func TestManual(t *testing.T) {
	flags := map[string]*flag.FlagSet{"": new(serverOptions).flags(), "doctor": new(doctorOptions).flags(), "cors": new(corsOptions).flags()}
	for _, command := range append(commands(), "") {
		text := helpOf(command)
		parts := []string{"Exit status: "}
		if flags[command] != nil {
			parts = append(parts, "Options:\n", "Environment: ", "Examples:\n")
			flags[command].VisitAll(func(f *flag.Flag) { parts = append(parts, "\n  -"+f.Name+" ") })
		}
		for _, part := range parts {
			if !strings.Contains(text, part) {
				t.Errorf("the help on %q lacks %q", command, part)
			}
		}
		for line := range strings.Lines(text) {
			if len([]rune(line)) > lineWidth+1 || strings.Contains(line, "//") && !strings.Contains(line, "https://") {
				t.Errorf("the help on %q has the line %q", command, line)
			}
		}
	}
	for _, c := range doctor.Checks() {
		if !strings.Contains(helpOf("doctor"), c.Name+" ") || !strings.Contains(helpOf("doctor"), c.Question) {
			t.Errorf("help doctor lacks the check %s", c.Name)
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
		"-demo x":                            `unknown argument "x"; flags come before other words, see s3-sign-srv help`,
		"-env":                               "flag needs an argument: -env; see s3-sign-srv help",
		"cors -dryrun":                       "unknown flag -dryrun; did you mean -dry-run?",
		"cors a.xml b.xml":                   `unknown argument "b.xml"`,
		"cors a.xml -dry-run":                "flags come before other words, see s3-sign-srv help cors",
		"cors nowhere.xml":                   "cannot read the CORS rules",
		"cors main.go":                       "is not a CORSConfiguration",
		"cors testdata/no_method.xml":        "CORSRule 1 has no AllowedMethod; compare it with basic_cors.xml",
		"cors -origin https://example.org/":  "without a slash at the end",
		"doctor -origin example.org":         "such as https://uploads.example.org",
		"doctor -origin https://*.example.o": "such as https://uploads.example.org",
		"cors -origin https://example.o:443": "without the scheme's own port",
		"doctor now":                         "see s3-sign-srv help doctor",
		"cors -env /nowhere.env":             "-env",
		"help dcotor":                        "did you mean doctor?",
		"help doctor cors":                   `unknown argument "cors"`,
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
	if !errors.Is(err, errUnhealthy{}) || !strings.Contains(out, "✗ settings           AWS_ENDPOINT is not set\n") || strings.Contains(out, "\x1b") {
		t.Errorf("%v\n%s", err, out)
	}
	if !strings.Contains(out, "– 25 checks wait     for settings\n") || strings.Count(out, "\n") > 15 {
		t.Errorf("what waits for the settings is not in one line:\n%s", out)
	}
	for name, args := range map[string][]string{"nothing": {"doctor", "-json"}, "no file": {"doctor", "-json", "-env", "nowhere.env"}, "a file from Windows": {"doctor", "-json", "-env", writeFile(t, "#\r\n")}} {
		out, err = command(t, nil, args...)
		var report struct {
			Healthy bool             `json:"healthy"`
			Seconds float64          `json:"seconds"`
			Checks  []doctor.Finding `json:"checks"`
		}
		if jsonErr := json.Unmarshal([]byte(out), &report, json.RejectUnknownMembers(true)); jsonErr != nil {
			t.Fatalf("%s: %v\n%s", name, jsonErr, out)
		}
		if !errors.Is(err, errUnhealthy{}) || report.Healthy || len(report.Checks) < 20 || report.Checks[0].Status != doctor.Failed || report.Checks[0].Fix == "" {
			t.Errorf("%s: %v %+v", name, err, report)
		}
	}
}

// TestCORSReadsBack has a store that does not keep what it takes.
func TestCORSReadsBack(t *testing.T) {
	kept := ""
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPut:
			kept = "<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>PUT</AllowedMethod></CORSRule></CORSConfiguration>"
		case kept == "":
			w.WriteHeader(http.StatusNotFound)
			io.WriteString(w, "<Error><Code>NoSuchCORSConfiguration</Code></Error>")
		default:
			io.WriteString(w, kept)
		}
	}))
	defer store.Close()
	out, err := command(t, map[string]string{
		"AWS_CLIENT_ACCESS_KEY": "AKIAIOSFODNN7EXAMPLE", "AWS_CLIENT_SECRET_KEY": "s3cret/that/nobody/may/see", "AWS_DEST_BUCKET": "mybucket", "AWS_ENDPOINT": store.URL,
	}, "cors", "../../basic_cors.xml")
	if err == nil || !strings.Contains(err.Error(), "has not kept the rules") || !strings.Contains(out, "They are now:") || strings.Contains(out, "POST") {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestCORSCommand can be copied into a shell.
func TestCORSCommand(t *testing.T) {
	for envFile, want := range map[string]string{
		"": "bin/s3-sign-srv cors", "my_p3s3f.env": "bin/s3-sign-srv cors -env my_p3s3f.env",
		"it's mine.env": `bin/s3-sign-srv cors -env 'it'\''s mine.env'`,
	} {
		if got := corsCommand("bin/s3-sign-srv", envFile); got != want {
			t.Errorf("%s: %s", envFile, got)
		}
	}
}

// TestPrinter colours and wraps for a terminal alone, and colours not against the user's word.
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
		env              variables
		colours, wrapped bool
	}{
		{"terminal", terminal, nil, true, true},
		{"NO_COLOR", terminal, variables{"NO_COLOR": "1"}, false, true},
		{"NO_COLOR empty", terminal, variables{"NO_COLOR": ""}, true, true},
		{"dumb", terminal, variables{"TERM": "dumb"}, false, true},
		{"file", file, nil, false, false},
		{"pipe", &bytes.Buffer{}, nil, false, false},
	} {
		if p := newPrinter(test.out, test.out, test.env); p.colours != test.colours || p.terminal != test.wrapped {
			t.Errorf("%s: %+v", test.name, p)
		}
	}
}

// TestPrinted shows findings as people see them.
func TestPrinted(t *testing.T) {
	long := strings.Repeat("word ", 20) + "end"
	findings := []doctor.Finding{
		{Check: "keys", Result: doctor.Result{Status: doctor.Failed, Text: "wrong", Fix: "Mend it.", Document: "{\n}"}},
		{Check: "bucket", Result: doctor.Result{Status: doctor.Skipped, Text: "waits for: keys", BlockedBy: "keys"}},
		{Check: "clock", Result: doctor.Result{Status: doctor.OK, Text: long}},
		{Check: "delete", Result: doctor.Result{Status: doctor.Skipped, Text: "waits for: keys", BlockedBy: "keys"}},
		{Check: "permissions", Result: doctor.Result{Status: doctor.Warning, Text: "more", Fix: "Use less.", Document: "{\n}"}},
	}
	const margin = "                     "
	for _, test := range []struct {
		p    printer
		want string
	}{
		{printer{}, "✗ keys               wrong\n" + margin + "Mend it.\n" + margin + "{\n" + margin + "}\n" +
			"✓ clock              " + long + "\n" +
			"! permissions        more\n" + margin + "Use less.\n" + margin + "(as above, at keys)\n" +
			"– 2 checks wait      for keys: bucket, delete\n"},
		{printer{terminal: true, colours: true}, "\x1b[31m✗\x1b[0m keys               wrong\n" + margin + "\x1b[31mMend it.\x1b[0m\n" + margin + "{\n" + margin + "}\n" +
			"\x1b[32m✓\x1b[0m clock              " + strings.Repeat("word ", 15) + "word\n" + margin + strings.Repeat("word ", 4) + "end\n" +
			"\x1b[33m!\x1b[0m permissions        more\n" + margin + "\x1b[33mUse less.\x1b[0m\n" + margin + "(as above, at keys)\n" +
			"\x1b[90m–\x1b[0m 2 checks wait      for keys: bucket, delete\n"},
	} {
		var b bytes.Buffer
		p := test.p
		p.w, p.waiting, p.shown = &b, map[string][]string{}, map[string]string{}
		for _, f := range findings {
			p.print(f)
		}
		p.printWaiting()
		if b.String() != test.want {
			t.Errorf("\n got %q\nwant %q", b.String(), test.want)
		}
	}
}
