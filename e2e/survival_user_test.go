//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/chromedp/chromedp"
)

// stopped is what the page says of a file that an earlier visit has left.
const stopped = `^survey\.bam stopped at \d+ %\. Choose it again, and it goes on from there\.$`

// What can happen on the user's side, and behind everybody's back.
var userBreaks = []row{
	{
		name: "9 page reloaded", store: "radosgw",
		happens: (*voyage).reload,
		says:    []string{stopped, `^Resuming at \d+ %$`},
	}, {
		name: "10 browser killed", store: "versitygw", seconds: 10,
		happens: (*voyage).killBrowser,
		says:    []string{stopped, `^Resuming at \d+ %$`},
	}, {
		name: "11 paused for 20 minutes", store: "radosgw", seconds: 65,
		happens: (*voyage).pauseForLong,
		user:    []string{"pause", "continue"},
		says:    []string{`Paused; will resume at \d+ %`, `Resuming at \d+ %`},
	}, {
		name: "12 upload forgotten by radosgw", store: "radosgw",
		happens:    (*voyage).forget,
		says:       []string{`^The store has lost what was sent, so the file starts over \(NoSuchUpload\)\.$`, `Retrying in \d s \(\d of 20\)$`},
		startsOver: true,
	}, {
		name: "12 upload forgotten by versitygw", store: "versitygw",
		happens:    (*voyage).forget,
		says:       []string{`^The store has lost what was sent, so the file starts over \(NoSuchUpload\)\.$`, `Retrying in \d s \(\d of 20\)$`},
		startsOver: true,
	}, {
		name: "12 upload forgotten, and paused while a new one begins", store: "radosgw",
		happens:    (*voyage).forgetAndPause,
		user:       []string{"pause", "continue"},
		says:       []string{`Paused; will start over`},
		startsOver: true,
	}, {
		name: "15 three files, one cancelled, one paused", store: "radosgw", seconds: 20,
		happens: (*voyage).juggle,
		user:    []string{"pause", "cancel", "continue"},
		says:    []string{`Paused; will resume at \d+ %`, `Waiting for the network; will resume at \d+ %`},
	},
}

func (v *voyage) reload() {
	v.embark()
	v.leave()
	v.do(chromedp.Reload())
	v.line.reset()
	v.line.open()
	v.awaitWords(time.Minute, `survey\.bam stopped at`)
	v.choose(surveyFile)
}

// killBrowser ends the browser without a chance to write anything down, and starts it again with its profile.
// The user has been here before: Chromium takes half a minute to write a new cookie down.
func (v *voyage) killBrowser() {
	profile := filepath.Join(v.t.TempDir(), "profile")
	v.server = startServer(v.t, v.dir, v.settings())
	_, leave := v.openBrowser(profile)
	leave()

	browser, _ := v.openBrowser(profile)
	v.depart(surveyFile)
	v.leave()
	v.awaitRecord()
	process := chromedp.FromContext(browser).Browser.Process()
	process.Signal(syscall.SIGKILL)
	eventually(v.t, 30*time.Second, "the browser is dead", func() bool { return !alive(process.Pid) })
	v.line.reset()
	v.line.open()

	_, leave = v.openBrowser(profile)
	v.t.Cleanup(leave)
	v.awaitWords(time.Minute, `survey\.bam stopped at`)
	v.choose(surveyFile)
}

// awaitRecord waits until the page's record of the last part is written down, some milliseconds after the part is stored.
func (v *voyage) awaitRecord() {
	const etags = `new Promise((resolve, reject) => {
		const opening = indexedDB.open("s3-sign-srv");
		opening.onsuccess = () => {
			const reading = opening.result.transaction("records").objectStore("records").getAll();
			reading.onsuccess = () => resolve(reading.result.map((text) => JSON.parse(text).chunking.etags.length));
			reading.onerror = reject;
		};
		opening.onerror = reject;
	})`
	eventually(v.t, 30*time.Second, "the record is written down", func() bool {
		return slices.Equal(eval[[]int](v.tab, etags), []int{len(v.before)})
	})
}

// openBrowser opens the page in a browser of its own, which keeps cookies and storage in its profile. It is a whole
// Chromium, as a user has it.
func (v *voyage) openBrowser(profile string) (browser context.Context, leave func()) {
	v.t.Helper()
	browser, leave, err := startBrowser("chromium", profile)
	if err != nil {
		v.t.Fatal(err)
	}
	v.tab, _ = newTab(v.t, browser)
	v.do(chromedp.Navigate(v.server.url))
	return browser, leave
}

// pauseForLong lets the browser's clock be 14 minutes slow, and jump 20 minutes ahead during a pause. What was signed
// before is of no use any more one minute later, and the store says so.
func (v *voyage) pauseForLong() {
	appendFile(v.t, filepath.Join(v.dir, "client_conf.js"), `
		var clock = {ahead: -14 * 60e3};
		Date = class extends Date {
			constructor(...from) { from.length > 0 ? super(...from) : super(Date.now()); }
			static now() { return super.now() + clock.ahead; }
		};`)
	v.embark()
	v.press(0, "pause")
	v.await(30*time.Second, 1, paused)
	v.line.reset()
	v.line.open()
	old := v.line.lastPart()
	time.Sleep(time.Until(v.signedAt(old).Add(15*time.Minute + 5*time.Second)))
	if answer := v.replay(old); !strings.Contains(answer, "RequestTimeTooSkewed") {
		v.t.Errorf("what was signed before the pause is still good for something: %s", answer)
	}
	v.command(`clock.ahead += 20 * 60e3`)
	sent, signed := v.line.sent(), v.signatures()
	v.press(0, "continue")
	v.await(2*time.Minute, 1, done)
	if parts, asked := v.line.sent()-sent, v.signatures()-signed; asked != parts+1 { // one for the end of the upload
		v.t.Errorf("%d parts were sent after the pause with %d new signatures, want %d", parts, asked, parts+1)
	}
}

func (v *voyage) signedAt(r *http.Request) time.Time {
	v.t.Helper()
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil {
		v.t.Fatal(err)
	}
	return at
}

// signatures is how many the server has given.
func (v *voyage) signatures() int { return strings.Count(v.server.output.String(), "path=/s3/sign") }

// replay sends a part again as it was signed, straight to the store, and returns the answer.
func (v *voyage) replay(old *http.Request) string {
	v.t.Helper()
	p, _ := partOf(old)
	content := surveyFile.content()[(p.number-1)*partSize : p.number*partSize]
	r, err := http.NewRequestWithContext(v.t.Context(), old.Method, "http://"+loopback(v.bucket.port)+old.URL.RequestURI(), bytes.NewReader(content))
	if err != nil {
		v.t.Fatal(err)
	}
	r.Host, r.Header = old.Host, old.Header
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		v.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return string(text)
}

// forget lets the store lose the upload, and wants the file to be sent once more, once.
func (v *voyage) forget() {
	v.embark()
	first := v.abort()
	v.line.open()
	v.line.mend()
	v.await(90*time.Second, 1, done)
	second := v.line.lastPart().URL.Query().Get("uploadId")
	if parts := int64(v.line.sentFor(second)); second == first || parts != surveyFile.parts() {
		v.t.Errorf("%d parts were sent for the second upload, want %d", parts, surveyFile.parts())
	}
}

// forgetAndPause pauses while the store is asked for a new upload: nothing may be sent before Continue.
func (v *voyage) forgetAndPause() {
	v.embark()
	v.abort()
	v.line.answerTo(beginsUpload, func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(4 * time.Second)
		v.line.forward(w, r)
	})
	v.line.open()
	v.awaitWords(60*time.Second, `starts over`)
	v.awaitWords(30*time.Second, `Starting|Resuming`)
	eventually(v.t, 30*time.Second, "a Pause button", func() bool {
		return eval[bool](v.tab, `document.querySelector(".qq-upload-pause-selector").checkVisibility()`)
	})
	v.press(0, "pause")
	sent := v.line.sent()
	v.awaitWords(30*time.Second, `Paused`)
	time.Sleep(6 * time.Second)
	if more := v.line.sent() - sent; more != 0 {
		v.t.Errorf("%d parts were sent during the pause", more)
	}
	v.line.mend()
	v.press(0, "continue")
}

// abort aborts the upload behind the browser's back, as a bucket's lifecycle rule does, and returns its id. The line is
// cut until it is mended.
func (v *voyage) abort() (uploadID string) {
	v.t.Helper()
	uploads, err := v.bucket.unfinished(v.t.Context())
	if err != nil || len(uploads) != 1 {
		v.t.Fatalf("the store has %d unfinished uploads, %v; want 1", len(uploads), err)
	}
	v.line.cut() // on versitygw, a part that arrives during the abort brings the upload back to life
	abort := s3.AbortMultipartUploadInput{Bucket: &v.bucket.name, Key: uploads[0].Key, UploadId: uploads[0].UploadId}
	if _, err := v.bucket.client.AbortMultipartUpload(v.t.Context(), &abort); err != nil {
		v.t.Fatal(err)
	}
	return *uploads[0].UploadId
}

// juggle does everything at once. Fine Uploader sends one file after the other, over three connections.
func (v *voyage) juggle() {
	v.server = startServer(v.t, v.dir, v.settings())
	v.tab = openTab(v.t, v.server.url, expectedOfBreaks...)
	v.depart(surveyFile, secondSurveyFile, thirdSurveyFile)
	v.nextFile(0, "pause", secondSurveyFile)
	v.nextFile(1, "cancel", thirdSurveyFile)
	v.offline(5 * time.Second)
	v.press(0, "continue")
	v.await(2*time.Minute, 2, done)
}

// nextFile stops a file, and lets the next one come half-way. What was on its way when the user pressed the button is
// lost; what the page sends because of it, the abort of an upload, is not.
func (v *voyage) nextFile(id int, button string, next testFile) {
	v.t.Helper()
	underWay := v.line.connections()
	v.press(id, button)
	v.line.drop(underWay)
	v.line.allow(halfOfIt)
	eventually(v.t, 2*time.Minute, "the next file is under way", func() bool {
		return eval[int](v.tab, `(witness.stored[%s] || []).length`, next.name) > 3
	})
	v.awaitStandstill()
}
