//go:build e2e

package e2e

import (
	"cmp"
	"slices"
	"testing"
	"time"
)

// A multipart upload survives failures. In every scenario the complete file is in the store in the end, no part that
// the page knew to be stored is sent again, the page says what is happening, and the user clicks no button that the
// scenario does not name. docs/survival.md describes each scenario.
//
// Scenarios run in parallel, the long ones first.
func TestSurvival(t *testing.T) {
	t.Parallel()
	stores := map[string]*store{"radosgw": shared.radosgw, "versitygw": startVersitygw(t)}
	scenarios := slices.Concat(networkScenarios, serverScenarios, userScenarios)
	slices.SortStableFunc(scenarios, func(a, b scenario) int { return cmp.Compare(b.seconds, a.seconds) })
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			run := newUploadRun(t, s, stores[s.store])
			s.disrupt(run)
			run.finish()
		})
	}
}

// A scenario is a way to disrupt an upload, and its consequences.
type scenario struct {
	name, store  string
	disrupt      func(run *uploadRun) // the first half of the upload, and the failure from its start to its end
	clicks       []string             // buttons that the user has to click
	messages     []string             // regular expressions; each must match a text on the page at some time
	forbidden    string               // regular expression; must match no text on the page; "": "^Failed"
	growingParts bool                 // part sizes and connections are those of the shipped client_conf.js
	restarts     bool                 // the store has lost the parts
	sentOnce     bool                 // no part is sent twice, not even one that was on its way at the failure
	seconds      int                  // how long the scenario waits, if that is long
}

// outage waits for the length of a failure. The length is what the scenario tests; it does not stand for a condition.
func outage(d time.Duration) { time.Sleep(d) }
