//go:build e2e

package e2e

import (
	"cmp"
	_ "embed"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// An upload in parts outlives what can happen to it. In every row the file ends up whole in the store, no part
// that the page knew to be stored is sent again, the page says what is going on, and the user presses no button
// that the row does not name. docs/survival.md tells what happens in each.
//
// The rows run beside each other, the long ones first.
func TestSurvival(t *testing.T) {
	t.Parallel()
	stores := map[string]*store{"radosgw": shared.radosgw, "versitygw": startVersitygw(t)}
	rows := slices.Concat(networkBreaks, serverBreaks, userBreaks)
	slices.SortStableFunc(rows, func(a, b row) int { return cmp.Compare(b.seconds, a.seconds) })
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			v := prepare(t, row, stores[row.store])
			row.happens(v)
			v.arrive()
		})
	}
}

// A row is one way for an upload to be broken off, and what it costs.
type row struct {
	name, store string
	happens     func(v *voyage) // the upload's first half, the break and its end
	user        []string        // the buttons that the user may press
	says        []string        // what is to be read on the page at some time: regular expressions
	never       string          // what the page must not say: a regular expression; "": that the upload has failed
	startsOver  bool            // the store has lost the parts
	seconds     int             // that the row waits, where they are many
}

// A voyage is an upload on its way over a line that can be broken.
type voyage struct {
	*tab
	row    row
	bucket *bucket
	line   *line
	dir    string // the server's
	server *server
	files  []testFile
	before map[part]int // how often each part that the page knew to be stored had been sent by then
	said   []string     // on pages that are gone
}

// halfOfIt is how many bytes go up before the break: seven parts, of thirteen, and the beginning of the next.
const halfOfIt = 7*partSize + mib

//go:embed witness.js
var witness string

// prepare makes everything but the page, which a row opens by embark. Rows without a store bring their own.
func prepare(t *testing.T, row row, s *store) *voyage {
	t.Helper()
	v := &voyage{tab: &tab{t: t}, row: row, dir: newWorkDir(t), before: map[part]int{}}
	appendFile(t, filepath.Join(v.dir, "client_conf.js"), witness)
	if s != nil {
		v.reach(s)
	}
	return v
}

// reach leads the line to a new bucket in the store.
func (v *voyage) reach(s *store) {
	v.t.Helper()
	v.bucket = newBucket(v.t, s)
	v.line = startLine(v.t, s.port, halfOfIt)
}

// embark brings an upload half-way, where it stands still: what is stored is known to the page, and what is not
// stored waits on the line.
func (v *voyage) embark() {
	v.t.Helper()
	v.server = startServer(v.t, v.dir, v.settings())
	v.tab = openTab(v.t, v.server.url, expectedOfBreaks...)
	v.depart(surveyFile)
}

// expectedOfBreaks are the errors on the console that a break cannot but cause.
var expectedOfBreaks = []string{`net::ERR_`, `responded with a status of [45]`, `\[Fine Uploader 5\.16\.2\]`,
	`Blocked attempt to show a 'beforeunload' confirmation`} // nobody has touched the page yet

// settings are those of the shipped p3s3f.env, for a store at the end of the line.
func (v *voyage) settings() settings {
	return settingsFor(v.bucket, pathStyle.endpoint(v.line.port)).with(settings{"P3S3F_OWN_UPLOADS_ONLY": "1"})
}

// depart chooses files and waits until they are stuck half-way.
func (v *voyage) depart(files ...testFile) {
	v.t.Helper()
	v.files = files
	v.choose(files...)
	v.awaitStandstill()
}

// awaitStandstill waits until nothing moves and the page knows all that is stored, and takes down what that is.
func (v *voyage) awaitStandstill() {
	v.t.Helper()
	eventually(v.t, 3*time.Minute, "the upload stands still", func() bool {
		return v.line.stuck() && len(v.known()) == len(v.line.confirmed())
	})
	v.remember()
}

// known are the parts that the page knows to be stored.
func (v *voyage) known() (parts []part) {
	for _, f := range v.files {
		u := v.uploadOf(f)
		for _, number := range eval[[]int](v.tab, `witness.stored[%s] || []`, f.name) {
			parts = append(parts, part{"/" + v.bucket.name + "/" + u.Key, number})
		}
	}
	return parts
}

// remember takes down how often each part that the page knows to be stored was sent until now.
func (v *voyage) remember() {
	times := v.line.times()
	for _, p := range v.known() {
		v.before[p] = times[p]
	}
	v.t.Logf("%d parts stored before the break", len(v.before))
}

// press does what the user may do.
func (v *voyage) press(id int, button string) {
	v.t.Helper()
	if !slices.Contains(v.row.user, button) {
		v.t.Errorf("the user has to press %s", button)
	}
	v.pressMoving(id, button)
}

// arrive waits for the end of every upload that was not cancelled, and counts.
func (v *voyage) arrive() {
	v.t.Helper()
	var underWay []testFile
	for _, f := range v.files {
		if v.uploadOf(f).Status != canceled {
			underWay = append(underWay, f)
		}
	}
	uploads := v.await(2*time.Minute, len(underWay), done)
	for i, u := range uploads {
		v.bucket.holds(v.t, u.Key, underWay[i], eval[string](v.tab, `fine_u_conf.request.params.dataset`))
	}
	v.checkParts()
	v.checkWords()
	v.checkStore(len(uploads))
}

// checkParts counts what was sent since the break.
func (v *voyage) checkParts() {
	v.t.Helper()
	times := v.line.times()
	again := 0
	for p, n := range times {
		if before, stored := v.before[p]; stored && n > before {
			again++
		}
	}
	if again > 0 && !v.row.startsOver {
		v.t.Errorf("%d parts were sent again although the page knew that they were stored", again)
	}
	v.t.Logf("%d parts, sent %d times in all; %d of %d known ones sent again", len(times), v.line.sent(), again, len(v.before))
}

// checkStore looks for leftovers.
func (v *voyage) checkStore(objects int) {
	v.t.Helper()
	if keys, err := v.bucket.keys(v.t.Context()); err != nil || len(keys) != objects {
		v.t.Errorf("the bucket holds %q, %v; want %d objects", keys, err, objects)
	}
	if left, err := v.bucket.unfinished(v.t.Context()); err != nil || len(left) != 0 {
		v.t.Errorf("%d unfinished uploads stay in the store, %v", len(left), err)
	}
}

// checkWords wants everything that the row says to have been on the page.
func (v *voyage) checkWords() {
	v.t.Helper()
	said := slices.DeleteFunc(v.everSaid(), regexp.MustCompile(`^\d+ % of \d+ MB(, .* left)?$`).MatchString)
	v.t.Logf("the page said\n  %s", strings.Join(said, "\n  "))
	for _, pattern := range v.row.says {
		if !slices.ContainsFunc(said, regexp.MustCompile(pattern).MatchString) {
			v.t.Errorf("the page never said %q", pattern)
		}
	}
	never := regexp.MustCompile(cmp.Or(v.row.never, "^Failed"))
	if i := slices.IndexFunc(said, never.MatchString); i >= 0 {
		v.t.Errorf("the page said %q", said[i])
	}
}

func (v *voyage) everSaid() []string {
	said := v.said
	for _, text := range eval[[]string](v.tab, `witness.said`) {
		said = append(said, readable(text))
	}
	return said
}

// leave takes down what a page has said that is about to go.
func (v *voyage) leave() { v.said = v.everSaid() }

// awaitWords waits until the page says, at this moment, what the pattern describes.
func (v *voyage) awaitWords(within time.Duration, pattern string) {
	v.t.Helper()
	words := regexp.MustCompile(pattern)
	eventually(v.t, within, fmt.Sprintf("%q on the page", pattern), func() bool {
		return words.MatchString(readable(eval[string](v.tab, `document.body.innerText`)))
	})
}
