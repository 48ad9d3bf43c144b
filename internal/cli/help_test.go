package cli

import (
	"flag"
	"strings"
	"testing"

	"s3-sign-srv/internal/config"
	"s3-sign-srv/internal/doctor"
)

// TestHelp wants a section for every command, with every flag, and lines that fit a terminal.
func TestHelp(t *testing.T) {
	for _, command := range append(commands(), "") {
		text := helpOf(command)
		parts := []string{"Exit status: "}
		if flags := new(options).flags(command); flags.Lookup("env") != nil {
			parts = append(parts, "Options:\n", "Environment: ", "Examples:\n")
			flags.VisitAll(func(f *flag.Flag) { parts = append(parts, "\n  -"+f.Name+" ") })
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
	for _, name := range config.Names() {
		if !strings.Contains(helpOf("settings"), " "+name) {
			t.Errorf("help settings lacks %s", name)
		}
	}
}
