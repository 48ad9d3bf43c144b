//go:build e2e

package e2e

import (
	"context"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/chromedp/chromedp"
)

// stoppedMessage matches the page's text about a file that an earlier visit has not completed, and lostMessage its text
// about an upload that the store has lost.
const (
	stoppedMessage = `^survey\.bam stopped at \d+ %\. Choose it again, and it goes on from there\.$`
	lostMessage    = `^The store has lost what was sent, so the file starts over \(NoSuchUpload\)\.$`
)

// userScenarios are what users do, and uploads that the store has lost.
var userScenarios = []scenario{
	{
		name: "9 page reloaded", store: "radosgw",
		disrupt:  (*uploadRun).reload,
		messages: []string{stoppedMessage, `^Resuming at \d+ %$`},
	}, {
		name: "10 browser killed", store: "versitygw", seconds: 10,
		disrupt:  (*uploadRun).killBrowser,
		messages: []string{stoppedMessage, `^Resuming at \d+ %$`},
	}, {
		name: "11 paused for 20 minutes", store: "radosgw", seconds: 65,
		disrupt:  (*uploadRun).pauseForLong,
		clicks:   []string{"pause", "continue"},
		messages: []string{`Paused; will resume at \d+ %`, `Resuming at \d+ %`},
	}, {
		name: "12 upload lost by radosgw", store: "radosgw",
		disrupt:  (*uploadRun).loseUpload,
		messages: []string{lostMessage, `Retrying in \d s \(\d of 20\)$`},
		restarts: true,
	}, {
		name: "12 upload lost by versitygw", store: "versitygw",
		disrupt:  (*uploadRun).loseUpload,
		messages: []string{lostMessage, `Retrying in \d s \(\d of 20\)$`},
		restarts: true,
	}, {
		name: "12 upload lost, and paused during the new initiate", store: "radosgw",
		disrupt:  (*uploadRun).loseUploadAndPause,
		clicks:   []string{"pause", "continue"},
		messages: []string{`Paused; will start over`},
		restarts: true,
	}, {
		name: "15 three files, one cancelled, one paused", store: "radosgw", seconds: 20,
		disrupt:  (*uploadRun).uploadThreeFiles,
		clicks:   []string{"pause", "cancel", "continue"},
		messages: []string{`Paused; will resume at \d+ %`, `Waiting for the network; will resume at \d+ %`},
	},
}

func (run *uploadRun) reload() {
	run.start()
	run.saveMessages()
	run.do(chromedp.Reload())
	run.proxy.reset()
	run.proxy.unblock()
	run.awaitMatch(time.Minute, `survey\.bam stopped at`)
	run.choose(surveyFile)
}

// killBrowser kills the browser, and starts it again with its profile. The browser has been at the page before, because
// Chromium takes half a minute to save a new cookie.
func (run *uploadRun) killBrowser() {
	profile := filepath.Join(run.t.TempDir(), "profile")
	run.server = startServer(run.t, run.dir, run.settings())
	_, closeBrowser := run.openBrowser(profile)
	closeBrowser()

	browser, _ := run.openBrowser(profile)
	run.uploadUntilBlocked(surveyFile)
	run.saveMessages()
	run.awaitResumeRecord()
	process := chromedp.FromContext(browser).Browser.Process()
	process.Signal(syscall.SIGKILL)
	eventually(run.t, 30*time.Second, "the browser exits", func() bool { return !alive(process.Pid) })
	run.proxy.reset()
	run.proxy.unblock()

	_, closeBrowser = run.openBrowser(profile)
	run.t.Cleanup(closeBrowser)
	run.awaitMatch(time.Minute, `survey\.bam stopped at`)
	run.choose(surveyFile)
}

// awaitResumeRecord waits until the page's record has the last stored part, which takes some milliseconds.
func (run *uploadRun) awaitResumeRecord() {
	const etags = `new Promise((resolve, reject) => {
		const opening = indexedDB.open("s3-sign-srv");
		opening.onsuccess = () => {
			const reading = opening.result.transaction("records").objectStore("records").getAll();
			reading.onsuccess = () => resolve(reading.result.map((text) => JSON.parse(text).chunking.etags.length));
			reading.onerror = reject;
		};
		opening.onerror = reject;
	})`
	eventually(run.t, 30*time.Second, "the record of the last part", func() bool {
		return slices.Equal(eval[[]int](run.tab, etags), []int{len(run.sentBefore)})
	})
}

// openBrowser opens the page in a separate Chromium, which keeps cookies and storage in its profile.
func (run *uploadRun) openBrowser(profile string) (browser context.Context, stop func()) {
	run.t.Helper()
	browser, stop, err := startBrowser("chromium", profile)
	if err != nil {
		run.t.Fatal(err)
	}
	run.tab, _ = newTab(run.t, browser)
	run.do(chromedp.Navigate(run.server.url))
	return browser, stop
}

// pauseForLong sets the browser's clock back by 14 minutes, and ahead by 20 minutes during a pause. A minute after the
// pause begins, the store rejects what was signed before.
func (run *uploadRun) pauseForLong() {
	appendFile(run.t, filepath.Join(run.dir, "client_conf.js"), `
		var clock = {ahead: -14 * 60e3};
		Date = class extends Date {
			constructor(...from) { from.length > 0 ? super(...from) : super(Date.now()); }
			static now() { return super.now() + clock.ahead; }
		};`)
	run.start()
	run.click(0, "pause")
	run.awaitStatus(30*time.Second, 1, paused)
	run.proxy.reset()
	run.proxy.unblock()
	old := run.proxy.lastPart()
	outage(time.Until(run.signedAt(old).Add(15*time.Minute + 5*time.Second)))
	if body := run.replay(old); !strings.Contains(body, "RequestTimeTooSkewed") {
		run.t.Errorf("part that was signed before the pause: got %s, want RequestTimeTooSkewed", body)
	}
	run.exec(`clock.ahead += 20 * 60e3`)
	sent, signed := run.proxy.partsSent(), run.signatureCount()
	run.click(0, "continue")
	run.awaitStatus(2*time.Minute, 1, done)
	parts, signatures := run.proxy.partsSent()-sent, run.signatureCount()-signed
	if want := parts + 1; signatures != want { // one for the complete
		run.t.Errorf("new signatures for %d parts after the pause: got %d, want %d", parts, signatures, want)
	}
}

func (run *uploadRun) signedAt(r *http.Request) time.Time {
	run.t.Helper()
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil {
		run.t.Fatal(err)
	}
	return at
}

// signatureCount is how many signatures the server has given.
func (run *uploadRun) signatureCount() int {
	return strings.Count(run.server.output.String(), "path=/s3/sign")
}

// replay sends a part again with its old signature, directly to the store, and returns the response's body.
func (run *uploadRun) replay(old *http.Request) string {
	run.t.Helper()
	p, _ := partFromRequest(old)
	content := surveyFile.content()[(p.number-1)*partSize : p.number*partSize]
	r := newRequest(old.Method, "http://"+loopback(run.bucket.port)+old.URL.RequestURI(), string(content))
	r.Host, r.Header = old.Host, old.Header
	_, body := do(run.t, r)
	return body
}

// loseUpload makes the store lose the upload, and checks that the file is then sent once.
func (run *uploadRun) loseUpload() {
	run.start()
	first := run.abort()
	run.proxy.unblock()
	run.proxy.restore()
	run.awaitStatus(90*time.Second, 1, done)
	second := run.proxy.lastPart().URL.Query().Get("uploadId")
	if parts := int64(run.proxy.partsSentFor(second)); second == first || parts != surveyFile.parts() {
		run.t.Errorf("parts sent for the second upload: got %d, want %d", parts, surveyFile.parts())
	}
}

// loseUploadAndPause pauses while a new upload is initiated: no part may be sent before the user continues.
func (run *uploadRun) loseUploadAndPause() {
	run.start()
	run.abort()
	pausedNow := make(chan struct{})
	var initiated atomic.Bool
	run.proxy.respondTo(isInitiate, func(w http.ResponseWriter, r *http.Request) {
		<-pausedNow
		defer initiated.Store(true)
		run.proxy.forward(w, r)
	})
	run.proxy.unblock()
	run.awaitMatch(60*time.Second, `starts over`)
	run.awaitMatch(30*time.Second, `Starting|Resuming`)
	eventually(run.t, 30*time.Second, "the page offers Pause", func() bool {
		return eval[bool](run.tab, `document.querySelector(".qq-upload-pause-selector").checkVisibility()`)
	})
	run.click(0, "pause")
	sent := run.proxy.partsSent()
	run.awaitMatch(30*time.Second, `Paused`)
	close(pausedNow)
	eventually(run.t, 30*time.Second, "the new upload is initiated", initiated.Load)
	time.Sleep(time.Second)
	if more := run.proxy.partsSent() - sent; more != 0 {
		run.t.Errorf("parts sent during the pause: got %d, want none", more)
	}
	run.proxy.restore()
	run.click(0, "continue")
}

// abort aborts the upload without the page, as a bucket's lifecycle rule does, and returns its ID. The proxy stays
// disconnected until restore is called.
func (run *uploadRun) abort() (uploadID string) {
	run.t.Helper()
	uploads := run.bucket.listUnfinished(run.t)
	if len(uploads) != 1 {
		run.t.Fatalf("unfinished uploads in the store: got %d, want 1", len(uploads))
	}
	run.proxy.disconnect() // versitygw keeps an upload if a part arrives during its abort
	abort := s3.AbortMultipartUploadInput{Bucket: &run.bucket.name, Key: uploads[0].Key, UploadId: uploads[0].UploadId}
	if _, err := run.bucket.client.AbortMultipartUpload(run.t.Context(), &abort); err != nil {
		run.t.Fatal(err)
	}
	return *uploads[0].UploadId
}

// uploadThreeFiles pauses a file, cancels the next one, and disconnects the network during the third.
func (run *uploadRun) uploadThreeFiles() {
	run.server = startServer(run.t, run.dir, run.settings())
	run.tab = openTab(run.t, run.server.url, networkErrors...)
	run.uploadUntilBlocked(surveyFile, secondSurveyFile, thirdSurveyFile)
	run.nextFile(0, "pause", secondSurveyFile)
	run.nextFile(1, "cancel", thirdSurveyFile)
	run.offline(5 * time.Second)
	run.click(0, "continue")
	run.awaitStatus(2*time.Minute, 2, done)
}

// nextFile clicks a button of a file and uploads half of the next one, if it was not uploaded beside the others. What
// was on its way before the click is lost; the abort that the page sends after it is not.
func (run *uploadRun) nextFile(id int, button string, next testFile) {
	run.t.Helper()
	before := run.proxy.connections()
	run.click(id, button)
	run.proxy.drop(before)
	hasParts := func() bool { return eval[int](run.tab, `(recorder.stored[%s] || []).length`, next.name) > 3 }
	if !hasParts() {
		run.proxy.allow(firstHalf)
	}
	eventually(run.t, 2*time.Minute, "parts of the next file are stored", hasParts)
	run.awaitBlocked()
}
