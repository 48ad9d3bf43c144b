package cli

import (
	"cmp"
	"embed"
	"fmt"
	"io"
	"slices"
	"strings"

	"s3-sign-srv/internal/config"
	"s3-sign-srv/internal/doctor"
)

//go:embed help
var helpTexts embed.FS

// commands are the words that can follow the program's name.
func commands() []string { return []string{"doctor", "cors", "expect", "events", "help", "version"} }

func unknownCommand(name string) error {
	const text = "unknown command %q; the commands are %s; see s3-sign-srv help"
	return fmt.Errorf(text, name, strings.Join(commands(), ", "))
}

func runHelp(args []string, stdout io.Writer) error {
	o, err := parseFlags("help", args, 1, stdout)
	if err != nil {
		return err
	}
	if !slices.Contains(append(commands(), "", "settings"), o.argument) {
		return unknownCommand(o.argument)
	}
	_, err = io.WriteString(stdout, helpOf(o.argument))
	return err
}

// helpOf returns the help on a command, on the server, which has no name, or on the settings.
func helpOf(topic string) string {
	if topic == "settings" {
		return settingsHelp()
	}
	text, err := helpTexts.ReadFile("help/" + cmp.Or(topic, "server") + ".txt")
	if err != nil {
		panic(err) // a command without a help text, which TestHelp finds
	}
	if topic != "doctor" {
		return string(text)
	}
	return string(text) + checksHelp()
}

// checksHelp lists what doctor checks.
func checksHelp() string {
	var b strings.Builder
	b.WriteString("\nChecks, in their order:\n\n")
	for _, c := range doctor.Checks() {
		fmt.Fprintf(&b, "  %-18s %s\n", c.Name, c.Question)
	}
	return b.String()
}

// settingsHelp lists the settings.
func settingsHelp() string {
	var b strings.Builder
	b.WriteString("Settings, as environment variables or as lines of export NAME=value in the file given with -env:\n")
	for _, s := range config.Settings() {
		note := ""
		if s.Default != "" {
			note = " (" + s.Default + ")"
		} else if s.Required {
			note = " (required)"
		}
		meaning := wrap(strings.ReplaceAll(s.Meaning, "`", ""), 6)
		fmt.Fprintf(&b, "\n  %s%s\n%*s%s\n", s.Name, note, 6, "", meaning)
	}
	return b.String()
}
