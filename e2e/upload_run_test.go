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

// An uploadRun is the upload of a scenario. Its requests to the store go through a proxy.
type uploadRun struct {
	*tab
	scenario        scenario
	bucket          *bucket
	proxy           *httpProxy
	dir             string // the server's working directory
	server          *server
	files           []testFile
	sentBefore      map[part]int // how often each part that the page knew to be stored was sent before the failure
	earlierMessages []string     // from pages that were left
}

// firstHalf is how many bytes are uploaded before the failure: seven parts of thirteen, and the beginning of the next.
const firstHalf = 7*partSize + mib

//go:embed recorder.js
var recorderScript string

// newUploadRun prepares an upload. The scenario calls start, and before that useStore if s is nil.
func newUploadRun(t *testing.T, scenario scenario, s *store) *uploadRun {
	t.Helper()
	run := &uploadRun{tab: &tab{t: t}, scenario: scenario, dir: newWorkDir(t), sentBefore: map[part]int{}}
	appendFile(t, filepath.Join(run.dir, "client_conf.js"), recorderScript)
	if !scenario.growingParts {
		appendFile(t, filepath.Join(run.dir, "client_conf.js"), threeEqualParts)
	}
	if s != nil {
		run.useStore(s)
	}
	return run
}

// useStore creates a bucket in the store, and a proxy for it.
func (run *uploadRun) useStore(s *store) {
	run.t.Helper()
	run.bucket = newBucket(run.t, s)
	run.proxy = startHTTPProxy(run.t, s.port, firstHalf)
}

// start uploads the first half of a file. The page knows which parts are stored, and the others wait in the proxy.
func (run *uploadRun) start() {
	run.t.Helper()
	run.server = startServer(run.t, run.dir, run.settings())
	run.tab = openTab(run.t, run.server.url, networkErrors...)
	run.uploadUntilBlocked(surveyFile)
}

// networkErrors match the console errors that network failures cause. Without user input, Chromium blocks the
// beforeunload dialog.
var networkErrors = []string{
	`net::ERR_`, `responded with a status of [45]`, `CORS policy`, `\[Fine Uploader 5\.16\.2\]`,
	`Blocked attempt to show a 'beforeunload' confirmation`,
}

// settings are those of the shipped p3s3f.env, for a store behind the proxy.
func (run *uploadRun) settings() settings {
	return settingsFor(run.bucket, pathStyle.endpoint(run.proxy.port)).with(ownUploadsOnly)
}

// uploadUntilBlocked chooses files and waits until the proxy blocks.
func (run *uploadRun) uploadUntilBlocked(files ...testFile) {
	run.t.Helper()
	run.files = files
	run.choose(files...)
	run.awaitBlocked()
}

// awaitBlocked waits until the proxy blocks and the page knows all stored parts, and records these.
func (run *uploadRun) awaitBlocked() {
	run.t.Helper()
	eventually(run.t, 3*time.Minute, "the upload is blocked", func() bool {
		return run.proxy.isBlocked() && len(run.knownParts()) == len(run.proxy.storedParts())
	})
	counts := run.proxy.sendCounts()
	for _, p := range run.knownParts() {
		run.sentBefore[p] = counts[p]
	}
	run.t.Logf("%d parts stored before the failure", len(run.sentBefore))
}

// knownParts are the parts that the page knows to be stored.
func (run *uploadRun) knownParts() (parts []part) {
	for _, f := range run.files {
		u := run.uploadOf(f)
		for _, number := range eval[[]int](run.tab, `recorder.stored[%s] || []`, f.name) {
			parts = append(parts, part{"/" + run.bucket.name + "/" + u.Key, number})
		}
	}
	return parts
}

// click clicks a button, which the scenario must name.
func (run *uploadRun) click(id int, button string) {
	run.t.Helper()
	if !slices.Contains(run.scenario.clicks, button) {
		run.t.Errorf("the user has to click %s", button)
	}
	run.clickByScript(id, button)
}

// finish waits until every upload that was not cancelled is done, and checks the result.
func (run *uploadRun) finish() {
	run.t.Helper()
	var files []testFile
	for _, f := range run.files {
		if run.uploadOf(f).Status != canceled {
			files = append(files, f)
		}
	}
	uploads := run.awaitStatus(2*time.Minute, len(files), done)
	for i, u := range uploads {
		run.bucket.checkObject(run.t, u.Key, files[i], run.dataset())
	}
	run.checkParts()
	run.checkMessages()
	run.checkStore(len(uploads))
}

// checkParts checks that no part was sent again that the page knew to be stored.
func (run *uploadRun) checkParts() {
	run.t.Helper()
	counts := run.proxy.sendCounts()
	again := 0
	for p, n := range counts {
		if n > 1 && run.scenario.sentOnce {
			run.t.Errorf("part %d was sent %d times", p.number, n)
		}
		if before, stored := run.sentBefore[p]; stored && n > before {
			again++
		}
	}
	if again > 0 && !run.scenario.restarts {
		run.t.Errorf("%d parts were sent again although the page knew that they were stored", again)
	}
	run.t.Logf("%d parts, sent %d times in all; %d of %d known ones sent again",
		len(counts), run.proxy.partsSent(), again, len(run.sentBefore))
}

// checkStore checks that there are only the objects of the uploads.
func (run *uploadRun) checkStore(objects int) {
	run.t.Helper()
	run.bucket.checkObjectCount(run.t, objects)
	if left := run.bucket.listUnfinished(run.t); len(left) != 0 {
		run.t.Errorf("unfinished uploads in the store: got %d, want none", len(left))
	}
}

// checkMessages compares all texts that were on the page with the scenario.
func (run *uploadRun) checkMessages() {
	run.t.Helper()
	isProgress := regexp.MustCompile(`^\d+ % of \d+ MB(, .* left)?$`).MatchString
	messages := slices.DeleteFunc(run.allMessages(), isProgress)
	run.t.Logf("messages on the page:\n  %s", strings.Join(messages, "\n  "))
	for _, pattern := range run.scenario.messages {
		if !slices.ContainsFunc(messages, regexp.MustCompile(pattern).MatchString) {
			run.t.Errorf("no message on the page matched %q", pattern)
		}
	}
	forbidden := regexp.MustCompile(cmp.Or(run.scenario.forbidden, "^Failed"))
	if i := slices.IndexFunc(messages, forbidden.MatchString); i >= 0 {
		run.t.Errorf("forbidden message on the page: %q", messages[i])
	}
}

func (run *uploadRun) allMessages() []string {
	messages := run.earlierMessages
	for _, text := range eval[[]string](run.tab, `recorder.messages`) {
		messages = append(messages, stripIsolates(text))
	}
	return messages
}

// saveMessages records the messages of a page that is about to be left.
func (run *uploadRun) saveMessages() { run.earlierMessages = run.allMessages() }

// awaitMatch waits until a text that is on the page matches the pattern.
func (run *uploadRun) awaitMatch(within time.Duration, pattern string) {
	run.t.Helper()
	text := regexp.MustCompile(pattern)
	eventually(run.t, within, fmt.Sprintf("%q on the page", pattern), func() bool {
		return text.MatchString(stripIsolates(eval[string](run.tab, `document.body.innerText`)))
	})
}
