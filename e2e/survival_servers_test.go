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

// serverScenarios are failures of the store and of the signing server.
var serverScenarios = []scenario{
	{
		name:     "6 store killed and restarted",
		disrupt:  (*uploadRun).killStore,
		messages: []string{`The store at \S+ does not answer`, `Retrying in \d s \(1 of 20\); will resume at \d+ %`},
	}, {
		name: "7 signing server killed, back after 5 s", store: "versitygw",
		disrupt: (*uploadRun).killServer, sentOnce: true,
		messages: []string{
			`The signing server does not answer\.`,
			`\d+ % of 64 MB, waiting for the signing server; retrying in \d s \(1 of 20\)`,
		},
		forbidden: `Retrying|Failed`,
	}, {
		name: "7 signing server hangs", store: "radosgw", seconds: 30,
		disrupt: (*uploadRun).suspendServer, sentOnce: true,
		messages: []string{
			`The signing server does not answer\.`,
			`\d+ % of 64 MB, waiting for the signing server; retrying in \d s \(1 of 20\)`,
			`\d+ % of 64 MB, waiting for the signing server; retrying now \(1 of 20\)`,
		},
		forbidden: `Retrying|Failed`,
	}, {
		name: "8 signing server restarted under load", store: "radosgw",
		disrupt: (*uploadRun).restartUnderLoad, sentOnce: true,
		forbidden: `Retrying|Failed`,
	}, {
		name: "13 store unreachable for the success report", store: "versitygw",
		disrupt:  (*uploadRun).failSuccessReport,
		messages: []string{`Retrying in \d s \(1 of 20\); all of it is sent`},
	}, {
		name: "17 last response of radosgw lost", store: "radosgw",
		disrupt: (*uploadRun).loseCompleteResponse,
	}, {
		name: "17 last response of versitygw lost", store: "versitygw",
		disrupt: (*uploadRun).loseCompleteResponse,
	}, {
		name: "18 store needs long to complete the upload", store: "versitygw",
		disrupt:   (*uploadRun).slowComplete,
		messages:  []string{"Finishing|Sent; waiting for the store to confirm"},
		forbidden: `Retrying|Failed`,
	}, {
		name: "16 one of two signing servers killed", store: "versitygw",
		disrupt: (*uploadRun).killReplica, sentOnce: true,
		forbidden: `Retrying|Failed`,
	},
}

// killStore kills the store in the middle of a part, and restarts it with its data.
func (run *uploadRun) killStore() {
	gateway := newVersitygw(run.t)
	run.useStore(gateway.store)
	run.start()
	gateway.process.stop()
	run.proxy.unblock()
	run.awaitMatch(time.Minute, `Retrying in`)
	gateway.start(run.t)
}

func (run *uploadRun) killServer() {
	run.start()
	run.server.process.stop()
	run.proxy.unblock()
	run.awaitMatch(time.Minute, `; retrying in`)
	outage(5 * time.Second)
	run.restart()
}

// shortenTimeouts divides the timeouts of the page's requests by six.
func (run *uploadRun) shortenTimeouts() {
	appendFile(run.t, filepath.Join(run.dir, "client_conf.js"), `
		(({get, set}) => Object.defineProperty(XMLHttpRequest.prototype, "timeout", {
			get, set(ms) { set.call(this, ms / 6); }
		}))(Object.getOwnPropertyDescriptor(XMLHttpRequest.prototype, "timeout"));`)
}

// suspendServer suspends the server while one part after the other needs a signature. The second part still waits for
// it when the first one times out, after ten seconds. Then the third one is on its way.
func (run *uploadRun) suspendServer() {
	run.shortenTimeouts()
	run.start()
	threeParts := func() bool { return run.proxy.partsInFlight() == 3 }
	eventually(run.t, time.Minute, "three parts on their way", threeParts)
	run.server.signal(syscall.SIGSTOP)
	nextPart := func() {
		stored := len(run.proxy.storedParts())
		eventually(run.t, time.Minute, "the next part is stored", func() bool {
			run.proxy.allow(mib / 4)
			return len(run.proxy.storedParts()) > stored
		})
	}
	nextPart()
	outage(5 * time.Second)
	nextPart()
	run.awaitMatch(60*time.Second, `; retrying in`)
	run.awaitMatch(60*time.Second, `; retrying now`)
	run.server.signal(syscall.SIGCONT)
	run.proxy.unblock()
}

// slowComplete makes the complete take longer than the timeout of other requests.
func (run *uploadRun) slowComplete() {
	run.shortenTimeouts()
	run.start()
	run.proxy.respondTo(isComplete, func(w http.ResponseWriter, r *http.Request) {
		outage(13 * time.Second)
		run.proxy.forward(w, r)
	})
	run.proxy.unblock()
}

// restart starts the server again at the same address.
func (run *uploadRun) restart() {
	run.t.Helper()
	run.server = startServer(run.t, run.dir, run.settings().with(settings{"P3S3F_HOST_PORT": run.server.port()}))
}

// restartUnderLoad restarts the server while the page and other clients request signatures.
func (run *uploadRun) restartUnderLoad() {
	run.start()
	load := startLoad(run.server, run.server.partSignRequest(run.t, run.proxy.port), 32, 0)
	run.proxy.unblock()
	run.server.shutdown(run.t, func() { run.server.signal(syscall.SIGTERM) })
	run.restart()
	load.stop()
	if failed := load.failed.Load(); failed > 0 {
		run.t.Errorf("%d of %d accepted requests failed", failed, load.completed.Load())
	}
}

// failSuccessReport makes the store unreachable for the server, which alone sends HEAD.
func (run *uploadRun) failSuccessReport() {
	run.start()
	run.proxy.respondTo(hasMethod(http.MethodHead), func(http.ResponseWriter, *http.Request) {
		panic(http.ErrAbortHandler)
	})
	run.proxy.unblock()
	run.awaitMatch(60*time.Second, `Retrying in`)
	sent := run.proxy.partsSent()
	run.proxy.restore()
	run.awaitStatus(60*time.Second, 1, done)
	if more := run.proxy.partsSent() - sent; more != 0 {
		run.t.Errorf("%d parts were sent again when the success report was retried", more)
	}
	if n := strings.Count(run.server.output.String(), "path=/s3/success"); n < 2 {
		run.t.Errorf("success reports: got %d, want at least 2", n)
	}
}

// killReplica runs two servers behind nginx with deploy/nginx.conf, and kills the first one.
func (run *uploadRun) killReplica() {
	s := run.settings()
	one, two := startServer(run.t, run.dir, s), startServer(run.t, run.dir, s)
	page := startNginx(run.t, one.port(), two.port())
	run.server = two
	run.tab = openTab(run.t, "about:blank", networkErrors...)
	run.do(ignoreCertificateErrors, chromedp.Navigate(page))
	run.uploadUntilBlocked(surveyFile)
	for _, replica := range []*server{one, two} {
		if !strings.Contains(replica.output.String(), "path=/s3/sign") {
			run.t.Errorf("the server at %s has signed nothing", replica.url)
		}
	}
	one.process.stop()
	run.proxy.unblock()
}

// loseCompleteResponse lets the store complete the upload, and loses its response.
func (run *uploadRun) loseCompleteResponse() {
	run.start()
	run.proxy.respondTo(isComplete, func(w http.ResponseWriter, r *http.Request) {
		run.proxy.restore()
		run.proxy.forward(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	})
	run.proxy.unblock()
}
