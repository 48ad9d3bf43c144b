package cli

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/mitchellh/go-wordwrap"

	"s3-sign-srv/internal/doctor"
)

// printer writes findings for people.
type printer struct {
	w        io.Writer
	terminal bool // lines are wrapped
	colours  bool

	blocked   map[string][]string // checks by the check that blocks them
	roots     []string            // of blocked, in the order in which they came
	documents map[string]string   // the check that a document was printed for
}

// lineWidth is the width of a line on a terminal, margin the width of what is in front of each text.
const lineWidth, margin = 100, 21

// newPrinter writes to w, which ends in out. Lines are wrapped and coloured on terminals only, without colours if
// NO_COLOR is set (no-color.org) or TERM is dumb.
func newPrinter(w, out io.Writer, env environ) *printer {
	p := &printer{w: w, blocked: map[string][]string{}, documents: map[string]string{}}
	if f, ok := out.(*os.File); ok {
		info, err := f.Stat()
		p.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	p.colours = p.terminal && env["NO_COLOR"] == "" && env["TERM"] != "dumb"
	return p
}

// print writes one finding: a line, and below it what to change. It keeps blocked checks for printBlocked.
func (p *printer) print(f doctor.Finding) {
	if f.BlockedBy != "" {
		if p.blocked[f.BlockedBy] == nil {
			p.roots = append(p.roots, f.BlockedBy)
		}
		p.blocked[f.BlockedBy] = append(p.blocked[f.BlockedBy], f.Check)
		return
	}
	colour := p.line(f.Status, f.Check, f.Text)
	if f.Fix != "" {
		fmt.Fprintf(p.w, "%*s%s\n", margin, "", p.paint(colour, p.wrap(f.Fix)))
	}
	if check := p.documents[f.Document]; check != "" {
		fmt.Fprintf(p.w, "%*s(as above, at %s)\n", margin, "", check)
		return
	}
	for line := range strings.Lines(f.Document) {
		fmt.Fprintf(p.w, "%*s%s\n", margin, "", strings.TrimRight(line, "\n"))
	}
	if f.Document != "" {
		p.documents[f.Document] = f.Check
	}
}

// printBlocked writes a line for each check that blocks others, with their names if they are few.
func (p *printer) printBlocked() {
	for _, root := range p.roots {
		names, text := p.blocked[root], "blocked by "+root
		if len(names) <= 6 {
			text += ": " + strings.Join(names, ", ")
		}
		count := fmt.Sprintf("%d checks", len(names))
		if len(names) == 1 {
			count = "1 check"
		}
		p.line(doctor.Skipped, count, text)
	}
}

// line writes the first line of a finding and returns its colour.
func (p *printer) line(status doctor.Status, check, text string) (colour int) {
	const green, red, yellow, grey = 32, 31, 33, 90
	looks := map[doctor.Status]struct {
		mark   string
		colour int
	}{doctor.OK: {"✓", green}, doctor.Failed: {"✗", red}, doctor.Warning: {"!", yellow}, doctor.Skipped: {"–", grey}}
	look := looks[status]
	fmt.Fprintf(p.w, "%s %-*s %s\n", p.paint(look.colour, look.mark), margin-3, check, p.wrap(text))
	return look.colour
}

// wrap wraps text for a terminal.
func (p *printer) wrap(text string) string {
	if !p.terminal {
		return text
	}
	return wrap(text, margin)
}

// wrap breaks text between words into lines of lineWidth, with an indent before all lines but the first.
func wrap(text string, indent int) string {
	lines := wordwrap.WrapString(text, uint(lineWidth-indent))
	return strings.ReplaceAll(lines, "\n", fmt.Sprintf("\n%*s", indent, ""))
}

func (p *printer) paint(colour int, text string) string {
	if !p.colours {
		return text
	}
	return fmt.Sprintf("\x1b[%dm%s\x1b[0m", colour, text)
}
