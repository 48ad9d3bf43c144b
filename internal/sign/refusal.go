package sign

import (
	"fmt"
	"strings"
	"time"
	"unicode"
)

// Kind says whose rule a refused request broke.
type Kind int

const (
	Malformed Kind = iota // not one of the requests of an upload: the grammar
	Forbidden             // well formed, but not ours to sign: bucket, host, region, time, ACL, size
)

// Refusal is why a request is not signed.
type Refusal struct {
	Kind Kind
	Text string // one sentence for the person at the browser, or for who set up the page

	// For the log; what a client wrote is cut short, may be hostile, and holds no secret.
	Request string // what is asked for: version, method, path, host, date; empty: it could not be read
	Got     string // what came
	Want    string // what was expected

	// Setup says that the page and the server are set up for different things, whatever the file:
	// bucket, endpoint, region, access key, signature version or time.
	Setup bool
}

// Error returns the sentence.
func (r *Refusal) Error() string { return r.Text }

func malformed(text string) *Refusal { return &Refusal{Kind: Malformed, Text: text} }

func forbidden(text, got, want string) *Refusal {
	return (&Refusal{Kind: Forbidden, Text: text}).saw(got, want)
}

// saw notes what came and what was expected, the beginning of each: a client must not decide how long a
// log line is.
func (r *Refusal) saw(got, want string) *Refusal {
	r.Got, r.Want = legible(got, 200), legible(want, 200)
	return r
}

// legible returns the beginning of s, with a mark in the place of what is no visible character.
func legible(s string, max int) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return unicode.ReplacementChar
		}
		return c
	}, fmt.Sprintf("%.*s", max, s))
}

// checkTime refuses a request date outside S3's window and says by how much it is off.
func checkTime(at, now time.Time) *Refusal {
	drift := at.Sub(now)
	if drift.Abs() <= TimeWindow {
		return nil
	}
	return misset(
		fmt.Sprintf("The clock of the uploading computer is %s this server's, and S3 allows 15 minutes; set that clock right, or request.clockDrift in client_conf.js.", spellDrift(drift)),
		at.Format(time.RFC3339), now.UTC().Format(time.RFC3339))
}

// spellDrift puts a difference of clocks into words: "1 day ahead of", "20 minutes behind".
func spellDrift(d time.Duration) string {
	side := "ahead of"
	if d < 0 {
		side = "behind"
	}
	d = d.Abs().Round(time.Minute)
	var words []string
	for _, unit := range []struct {
		name string
		size time.Duration
	}{{"day", 24 * time.Hour}, {"hour", time.Hour}, {"minute", time.Minute}} {
		n := d / unit.size
		d -= n * unit.size
		switch {
		case n == 1:
			words = append(words, "1 "+unit.name)
		case n > 1:
			words = append(words, fmt.Sprintf("%d %ss", n, unit.name))
		}
	}
	return strings.Join(words, " ") + " " + side
}

// about notes what the request asks for that r refuses.
func (r *Refusal) about(request string) *Refusal {
	r.Request = legible(request, 800)
	return r
}

// misset is forbidden for what only other settings mend.
func misset(text, got, want string) *Refusal {
	r := forbidden(text, got, want)
	r.Setup = true
	return r
}

// notCanonical refuses what differs from its rebuilt form, and shows both from where they part.
func notCanonical(got, want string) *Refusal {
	const context = 20 // bytes before the first difference
	i := 0
	for i < min(len(got), len(want)) && got[i] == want[i] {
		i++
	}
	i = max(0, i-context)
	return malformed("The string to sign is not in canonical form; use an unmodified Fine Uploader.").saw(got[i:], want[i:])
}

// wrongVersion refuses the form of the other version: a fault of grammar, which other settings mend.
func wrongVersion(text, got, want string) *Refusal {
	r := malformed(text).saw(got, want)
	r.Setup = true
	return r
}
