package main

import (
	_ "embed"
	"fmt"
	"io"
	"slices"
	"strings"

	"s3-sign-srv/internal/config"
	"s3-sign-srv/internal/doctor"
)

// manual is the package comment, of which help prints a section.
//
//go:embed doc.go
var manual string

// commands are the words that can follow the program's name.
func commands() []string { return []string{"doctor", "cors", "help", "version"} }

// topics are the words that can follow help.
func topics() []string { return append(commands(), "settings") }

func runHelp(args []string, stdout io.Writer) error {
	flags := newFlags("help")
	if err := parseFlags(flags, args, 1, stdout); err != nil {
		return err
	}
	topic := flags.Arg(0)
	if topic != "" && !slices.Contains(topics(), topic) {
		return unknownCommand(topic, topics())
	}
	_, err := io.WriteString(stdout, helpOf(topic))
	return err
}

// helpOf returns the manual's section on a topic, or the one on the server, which has no name.
func helpOf(topic string) string {
	switch text := section(topic); topic {
	case "settings":
		return settingsHelp()
	case "doctor":
		return text + checksHelp()
	default:
		return text
	}
}

func section(topic string) string {
	text := manual
	if topic != "" {
		_, text, _ = strings.Cut(manual, "\n// # "+topic+"\n")
	}
	text, _, _ = strings.Cut(text, "\n// # ")
	text, _, _ = strings.Cut(text, "\npackage ")
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(strings.Replace(strings.TrimPrefix(strings.TrimPrefix(line, "//"), " "), "\t", "  ", 1))
	}
	return strings.TrimPrefix(strings.Trim(b.String(), "\n")+"\n", "Command ")
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
