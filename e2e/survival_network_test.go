//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// networkScenarios are failures of the browser's network, and between browser and store.
var networkScenarios = []scenario{
	{
		name: "1 network down for 3 s", store: "radosgw",
		disrupt:  func(run *uploadRun) { run.start(); run.offline(3 * time.Second) },
		messages: []string{`Waiting for the network; will resume at \d+ %`, `Retrying in \d s \(\d of 20\)`},
	}, {
		name: "1 network down for longer than all retries", store: "radosgw",
		disrupt:  (*uploadRun).exhaustRetries,
		messages: []string{`Waiting for the network; will resume at \d+ %`},
	}, {
		name: "2 network down for 60 s", store: "versitygw", seconds: 60,
		disrupt:  func(run *uploadRun) { run.start(); run.offline(60 * time.Second) },
		messages: []string{`Waiting for the network; will resume at \d+ %`},
	}, {
		name: "3 every connection reset", store: "versitygw",
		disrupt:  (*uploadRun).resetConnections,
		messages: []string{`Retrying in \d s \(1 of 20\); will resume at \d+ %`, `The store at \S+ does not answer`},
	}, {
		name: "4 SlowDown for 10 s", store: "radosgw",
		disrupt: func(run *uploadRun) { run.slowDown(10 * time.Second) },
		messages: []string{
			`Retrying in \d s \(2 of 20\); will resume`,
			`The store says: Please reduce your request rate\. \(SlowDown\)`,
		},
	}, {
		name: "5 store hangs 30 s", store: "versitygw", seconds: 30,
		disrupt:  func(run *uploadRun) { run.stallStore(30 * time.Second) },
		messages: []string{`^\d+ % of 64 MB, waiting for the network$`},
	}, {
		name: "5 store hangs until the page gives up", store: "versitygw", seconds: 65,
		disrupt: (*uploadRun).stallStoreForever,
		messages: []string{
			`^\d+ % of 64 MB, waiting for the network$`,
			`Retrying in \d s \(1 of 20\); will resume at \d+ %`,
		},
	}, {
		name: "14 another network", store: "versitygw",
		disrupt:  (*uploadRun).changeNetwork,
		messages: []string{`Waiting for the network; will resume at \d+ %`},
	},
}

// offline disconnects the browser from the network, which the page is told.
func (run *uploadRun) offline(d time.Duration) {
	run.emulateNetwork(true)
	run.proxy.disconnect()
	run.proxy.unblock()
	outage(d)
	run.proxy.restore()
	run.emulateNetwork(false)
}

// exhaustRetries retries so soon that all retries would be used up long before the network is back.
func (run *uploadRun) exhaustRetries() {
	appendFile(run.t, filepath.Join(run.dir, "client_conf.js"), `
		fine_u_conf.retry.autoAttemptDelay = 0.3;
		fine_u_conf.retry.maxAutoAttempts = 4;`)
	run.start()
	run.offline(8 * time.Second)
}

// emulateNetwork makes new requests fail and tells the page that there is no network, or ends that.
func (p *tab) emulateNetwork(offline bool) {
	rules := network.EmulateNetworkConditionsByRuleParams{MatchedNetworkConditions: []*network.Conditions{}}
	if offline {
		rules.MatchedNetworkConditions = append(rules.MatchedNetworkConditions, &network.Conditions{Offline: true})
	}
	state := network.OverrideNetworkStateParams{Offline: offline, DownloadThroughput: -1, UploadThroughput: -1}
	p.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, rulesErr := cdp.Call(ctx, t, network.EmulateNetworkConditionsByRule, rules)
		_, stateErr := cdp.Call(ctx, t, network.OverrideNetworkState, state)
		return errors.Join(rulesErr, stateErr)
	}))
}

// resetConnections resets every connection to the store twice. If a connection was used before, Chromium repeats its
// part by itself after the first reset, and the page does not notice.
func (run *uploadRun) resetConnections() {
	run.start()
	sent := run.proxy.partsSent()
	run.proxy.reset()
	eventually(run.t, time.Minute, "the parts are on their way again", func() bool {
		return run.proxy.partsSent() >= sent+3 && run.proxy.isBlocked()
	})
	run.proxy.reset()
	run.proxy.unblock()
}

// slowDown makes the store answer with SlowDown, as S3 does under load.
func (run *uploadRun) slowDown(d time.Duration) {
	run.start()
	const slowDown = `<?xml version="1.0" encoding="UTF-8"?>` +
		`<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>`
	isNoPreflight := func(r *http.Request) bool { return r.Method != http.MethodOptions } // these are usually cached
	run.proxy.respondTo(isNoPreflight, func(w http.ResponseWriter, r *http.Request) {
		respondAsStore(w, http.StatusServiceUnavailable, slowDown)
	})
	begin := time.Now()
	run.proxy.unblock()
	run.awaitMatch(time.Minute, `\(2 of 20\)`)
	outage(time.Until(begin.Add(d)))
	run.proxy.restore()
}

// stallStore makes the store accept requests and answer none, and then resets the connections.
func (run *uploadRun) stallStore(d time.Duration) {
	run.start()
	run.proxy.stall()
	run.proxy.unblock()
	outage(d)
	run.proxy.reset()
	run.proxy.unstall()
}

// stallStoreForever leaves connections dead without closing them, as on a computer that was asleep.
func (run *uploadRun) stallStoreForever() {
	run.start()
	run.proxy.stall()
	run.proxy.unblock()
	run.awaitMatch(90*time.Second, `Retrying in`)
	run.proxy.unstall()
}

// changeNetwork stands for a computer that moves to another network: every connection is dead, and the store's host
// name has another address. Here it is localhost with its two addresses. The server reaches only the second one, so it
// cannot list earlier uploads when the page is opened.
func (run *uploadRun) changeNetwork() {
	run.proxy.moveTo(run.t, fmt.Sprintf("[::1]:%d", mustFreePort(run.t)))
	endpoint := settings{"AWS_ENDPOINT": fmt.Sprintf("http://localhost:%d", run.proxy.port)}
	run.server = startServer(run.t, run.dir, run.settings().with(endpoint))
	run.tab = openTab(run.t, run.server.url, networkErrors...)
	run.uploadUntilBlocked(surveyFile)

	run.emulateNetwork(true)
	run.proxy.moveTo(run.t, loopback(run.proxy.port))
	run.proxy.reset()
	run.proxy.unblock()
	run.awaitMatch(time.Minute, `Waiting for the network; will resume`)
	run.emulateNetwork(false)
}
