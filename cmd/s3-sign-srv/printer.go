package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"s3-sign-srv/internal/doctor"
)

// printer writes findings for people.
type printer struct {
	w        io.Writer
	terminal bool // lines are wrapped
	colours  bool

	waiting map[string][]string // checks by the one that they wait for
	roots   []string            // of waiting, in the order in which they came
	shown   map[string]string   // the check that a document was printed for
}

// The widths of a line on a terminal and of what stands in front of each text.
const lineWidth, margin = 100, 21

// newPrinter writes to w; out is what w is in the end: colours and wrapped lines are for terminals, colours
// unless NO_COLOR is set (no-color.org) or TERM is dumb.
func newPrinter(w, out io.Writer, vars variables) *printer {
	p := &printer{w: w, waiting: map[string][]string{}, shown: map[string]string{}}
	if f, ok := out.(*os.File); ok {
		info, err := f.Stat()
		p.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	p.colours = p.terminal && vars["NO_COLOR"] == "" && vars["TERM"] != "dumb"
	return p
}

// print writes one finding: a line, and below it what to change. Those that wait for another are kept for
// printWaiting.
func (p *printer) print(f doctor.Finding) {
	if f.BlockedBy != "" {
		if p.waiting[f.BlockedBy] == nil {
			p.roots = append(p.roots, f.BlockedBy)
		}
		p.waiting[f.BlockedBy] = append(p.waiting[f.BlockedBy], f.Check)
		return
	}
	colour := p.line(f.Status, f.Check, f.Text)
	if f.Fix != "" {
		fmt.Fprintf(p.w, "%*s%s\n", margin, "", p.paint(colour, p.wrap(f.Fix)))
	}
	if before := p.shown[f.Document]; before != "" {
		fmt.Fprintf(p.w, "%*s(as above, at %s)\n", margin, "", before)
		return
	}
	for line := range strings.Lines(f.Document) {
		fmt.Fprintf(p.w, "%*s%s\n", margin, "", strings.TrimRight(line, "\n"))
	}
	if f.Document != "" {
		p.shown[f.Document] = f.Check
	}
}

// printWaiting writes a line for each check that others have waited for, with their names if they are few.
func (p *printer) printWaiting() {
	for _, root := range p.roots {
		names, text := p.waiting[root], "for "+root
		if len(names) <= 6 {
			text += ": " + strings.Join(names, ", ")
		}
		verb := "checks wait"
		if len(names) == 1 {
			verb = "check waits"
		}
		p.line(doctor.Skipped, fmt.Sprintf("%d %s", len(names), verb), text)
	}
}

// line writes the first line of a finding and returns its colour.
func (p *printer) line(status doctor.Status, check, text string) (colour int) {
	const green, red, yellow, grey = 32, 31, 33, 90
	mark, colour := "✓", green
	switch status {
	case doctor.Failed:
		mark, colour = "✗", red
	case doctor.Warning:
		mark, colour = "!", yellow
	case doctor.Skipped:
		mark, colour = "–", grey
	}
	fmt.Fprintf(p.w, "%s %-*s %s\n", p.paint(colour, mark), margin-3, check, p.wrap(text))
	return colour
}

// wrap breaks text between words, for a terminal.
func (p *printer) wrap(text string) string {
	if !p.terminal {
		return text
	}
	var b strings.Builder
	column := margin
	for i, word := range strings.Fields(text) {
		length := len([]rune(word))
		switch {
		case i > 0 && column+1+length > lineWidth:
			fmt.Fprintf(&b, "\n%*s", margin, "")
			column = margin
		case i > 0:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += length
	}
	return b.String()
}

func (p *printer) paint(colour int, text string) string {
	if !p.colours {
		return text
	}
	return fmt.Sprintf("\x1b[%dm%s\x1b[0m", colour, text)
}
