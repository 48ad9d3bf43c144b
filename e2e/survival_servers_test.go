//go:build e2e

package e2e

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/chromedp/chromedp"
)

// What can happen to the store and to the signing server.
var serverBreaks = []row{
	{
		name:    "6 store killed and restarted",
		happens: (*voyage).killStore,
		says:    []string{`The store at \S+ does not answer`, `Retrying in \d s \(1 of 20\); will resume at \d+ %`},
	}, {
		name: "7 signing server killed, back after 5 s", store: "versitygw",
		happens: (*voyage).killServer,
		says:    []string{`The signing server does not answer\.`, `Retrying in \d s \(1 of 20\); will resume at \d+ %`},
	}, {
		name: "7 signing server hangs", store: "radosgw", seconds: 30,
		happens: (*voyage).hangServer,
		says:    []string{`\d+ %( of 64 MB)?, waiting for the signing server`, `The signing server does not answer\.`, `Retrying in \d+ s \(1 of 20\); will resume at \d+ %`},
	}, {
		name: "8 signing server restarted under load", store: "radosgw",
		happens: (*voyage).restartServer,
	}, {
		name: "13 store away when told of the success", store: "versitygw",
		happens: (*voyage).loseSuccess,
		says:    []string{`Retrying in \d s \(1 of 20\); all of it is sent`},
	}, {
		name: "17 last answer of radosgw lost", store: "radosgw",
		happens: (*voyage).loseLastAnswer,
	}, {
		name: "17 last answer of versitygw lost", store: "versitygw",
		happens: (*voyage).loseLastAnswer,
	}, {
		name: "18 store takes its time to put the parts together", store: "versitygw",
		happens: (*voyage).waitForTheEnd,
		says:    []string{"Finishing|Sent; waiting for the store to confirm"},
		never:   `Retrying|Failed`,
	}, {
		name: "16 one of two signing servers killed", store: "versitygw",
		happens: (*voyage).killReplica,
		never:   `Retrying|Failed`,
	},
}

// killStore ends the store in the middle of a part, and starts it again on what it had.
func (v *voyage) killStore() {
	gateway := newVersitygw(v.t)
	v.reach(gateway.store)
	v.embark()
	gateway.process.stop()
	v.line.open()
	v.awaitWords(time.Minute, `Retrying in`)
	gateway.start(v.t)
}

func (v *voyage) killServer() {
	v.embark()
	v.server.process.stop()
	v.line.open()
	v.awaitWords(time.Minute, `Retrying in`)
	time.Sleep(5 * time.Second)
	v.restart()
}

// shorten makes the page wait for answers a sixth of the time.
func (v *voyage) shorten() {
	appendFile(v.t, filepath.Join(v.dir, "client_conf.js"), `
		(({get, set}) => Object.defineProperty(XMLHttpRequest.prototype, "timeout", {
			get, set(ms) { set.call(this, ms / 6); }
		}))(Object.getOwnPropertyDescriptor(XMLHttpRequest.prototype, "timeout"));`)
}

// hangServer stops the server while one part after the other wants a signature, so that the second still waits for it
// when the first gives up, after ten seconds, and all are tried again.
func (v *voyage) hangServer() {
	v.shorten()
	v.embark()
	eventually(v.t, time.Minute, "three parts have their signatures", func() bool { return v.line.underWay() == 3 })
	v.server.signal(syscall.SIGSTOP)
	nextPart := func() {
		stored := len(v.line.confirmed())
		eventually(v.t, time.Minute, "the next part is stored", func() bool {
			v.line.allow(mib / 4)
			return len(v.line.confirmed()) > stored
		})
	}
	nextPart()
	time.Sleep(5 * time.Second)
	nextPart()
	v.awaitWords(60*time.Second, `Retrying in`)
	v.awaitWords(60*time.Second, `waiting for the signing server`)
	v.server.signal(syscall.SIGCONT)
	v.line.open()
}

// waitForTheEnd lets the store need longer for the last request than the page waits for any short one.
func (v *voyage) waitForTheEnd() {
	v.shorten()
	v.embark()
	v.line.answerTo(endsUpload, func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(13 * time.Second)
		v.line.forward(w, r)
	})
	v.line.open()
}

// restart starts the server again where it was.
func (v *voyage) restart() {
	v.t.Helper()
	v.server = startServer(v.t, v.dir, v.settings().with(settings{"P3S3F_HOST_PORT": v.server.port()}))
}

// restartServer restarts the server while the page and others ask for signatures.
func (v *voyage) restartServer() {
	v.embark()
	load := startLoad(v.server.url, signRequest(v.t, v.server.url, v.line.port), 32, 0)
	v.line.open()
	v.server.end(v.t, func() { v.server.signal(syscall.SIGTERM) })
	v.restart()
	load.stop()
	if broken := load.broken.Load(); broken > 0 {
		v.t.Errorf("%d of %d accepted requests failed", broken, load.whole.Load())
	}
}

// loseSuccess hides the store from the server: HEAD is the server's request alone.
func (v *voyage) loseSuccess() {
	v.embark()
	isHead := func(r *http.Request) bool { return r.Method == http.MethodHead }
	v.line.answerTo(isHead, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	v.line.open()
	v.awaitWords(60*time.Second, `Retrying in`)
	sent := v.line.sent()
	v.line.mend()
	v.await(60*time.Second, 1, done)
	if more := v.line.sent() - sent; more != 0 {
		v.t.Errorf("%d parts were sent again for the sake of the success", more)
	}
	if n := strings.Count(v.server.output.String(), "path=/s3/success"); n < 2 {
		v.t.Errorf("the server was told %d times, want 2 or more", n)
	}
}

// killReplica runs two servers behind nginx, as deploy/nginx.conf has it, and kills the one that was asked first.
func (v *voyage) killReplica() {
	s := v.settings()
	one, two := startServer(v.t, v.dir, s), startServer(v.t, v.dir, s)
	page := startNginx(v.t, one.port(), two.port())
	v.server = two
	v.tab = openTab(v.t, "about:blank", expectedOfBreaks...)
	v.do(trustAnyone, chromedp.Navigate(page))
	v.depart(surveyFile)
	for _, replica := range []*server{one, two} {
		if !strings.Contains(replica.output.String(), "path=/s3/sign") {
			v.t.Errorf("the replica at %s has signed nothing", replica.url)
		}
	}
	one.process.stop()
	v.line.open()
}

// loseLastAnswer lets the store put the parts together, and loses what it says of it.
func (v *voyage) loseLastAnswer() {
	v.embark()
	v.line.answerTo(endsUpload, func(w http.ResponseWriter, r *http.Request) {
		v.line.mend()
		v.line.forward(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	})
	v.line.open()
}
