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

// What can happen to the browser's network, and to the way to the store.
var networkBreaks = []row{
	{
		name: "1 network away 3 s", store: "radosgw",
		happens: func(v *voyage) { v.embark(); v.offline(3 * time.Second) },
		says:    []string{`Waiting for the network; will resume at \d+ %`, `Retrying in \d s \(\d of 20\)`},
	}, {
		name: "1 network away for more attempts than there are", store: "radosgw",
		happens: (*voyage).exhaust,
		says:    []string{`Waiting for the network; will resume at \d+ %`},
	}, {
		name: "2 network away 60 s", store: "versitygw", seconds: 60,
		happens: func(v *voyage) { v.embark(); v.offline(60 * time.Second) },
		says:    []string{`Waiting for the network; will resume at \d+ %`},
	}, {
		name: "3 every connection reset", store: "versitygw",
		happens: (*voyage).resetAll,
		says:    []string{`Retrying in \d s \(1 of 20\); will resume at \d+ %`, `The store at \S+ does not answer`},
	}, {
		name: "4 SlowDown for 10 s", store: "radosgw",
		happens: func(v *voyage) { v.slowDown(10 * time.Second) },
		says:    []string{`Retrying in \d s \(2 of 20\); will resume`, `The store says: Please reduce your request rate\. \(SlowDown\)`},
	}, {
		name: "5 store hangs 30 s", store: "versitygw", seconds: 30,
		happens: func(v *voyage) { v.hang(30 * time.Second) },
		says:    []string{`^\d+ % of 64 MB, waiting for the network$`},
	}, {
		name: "5 store hangs until somebody gives up", store: "versitygw", seconds: 65,
		happens: (*voyage).hangForEver,
		says:    []string{`^\d+ % of 64 MB, waiting for the network$`, `Retrying in \d s \(1 of 20\); will resume at \d+ %`},
	}, {
		name: "14 another network", store: "versitygw",
		happens: (*voyage).changeNetwork,
		says:    []string{`Waiting for the network; will resume at \d+ %`},
	},
}

// offline takes the network from the browser: the page is told so, and nothing passes.
func (v *voyage) offline(d time.Duration) {
	v.emulateNetwork(true)
	v.line.cut()
	v.line.open()
	time.Sleep(d)
	v.line.mend()
	v.emulateNetwork(false)
}

// exhaust tries again so soon that the attempts would be used up long before the network is back.
func (v *voyage) exhaust() {
	appendFile(v.t, filepath.Join(v.dir, "client_conf.js"), `
		fine_u_conf.retry.autoAttemptDelay = 0.3;
		fine_u_conf.retry.maxAutoAttempts = 4;`)
	v.embark()
	v.offline(8 * time.Second)
}

// emulateNetwork fails new requests and tells the page that there is no network; or ends that.
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

// resetAll resets every connection to the store. Chromium sends a part that met the reset on a connection it had used
// before once more by itself, and the page sees nothing; so the reset comes again when those parts are under way.
func (v *voyage) resetAll() {
	v.embark()
	sent := v.line.sent()
	v.line.reset()
	eventually(v.t, time.Minute, "the parts are under way again", func() bool { return v.line.sent() >= sent+3 && v.line.stuck() })
	v.line.reset()
	v.line.open()
}

// slowDown makes the store ask for patience, as S3 does under load.
func (v *voyage) slowDown(d time.Duration) {
	v.embark()
	const answer = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>`
	isNoPreflight := func(r *http.Request) bool { return r.Method != http.MethodOptions } // those are cached, as a rule
	v.line.answerTo(isNoPreflight, func(w http.ResponseWriter, r *http.Request) {
		answerAs(w, http.StatusServiceUnavailable, answer)
	})
	begin := time.Now()
	v.line.open()
	v.awaitWords(time.Minute, `\(2 of 20\)`)
	time.Sleep(time.Until(begin.Add(d)))
	v.line.mend()
}

// hang lets the store take everything and answer nothing, and then drops it.
func (v *voyage) hang(d time.Duration) {
	v.embark()
	v.line.hush()
	v.line.open()
	time.Sleep(d)
	v.line.reset()
	v.line.speak()
}

// hangForEver leaves connections that are dead without having been closed, as a computer has that was asleep.
func (v *voyage) hangForEver() {
	v.embark()
	v.line.hush()
	v.line.open()
	v.awaitWords(90*time.Second, `Retrying in`)
	v.line.speak()
}

// changeNetwork is what a computer meets that moves to another network: every connection is dead, and the same name
// has another address. localhost has two, and the store is behind one of them at a time. The server itself knows the
// second one only, so that it cannot list earlier uploads when the page is opened.
func (v *voyage) changeNetwork() {
	v.line.move(v.t, fmt.Sprintf("[::1]:%d", aFreePort(v.t)))
	v.server = startServer(v.t, v.dir, v.settings().with(settings{"AWS_ENDPOINT": fmt.Sprintf("http://localhost:%d", v.line.port)}))
	v.tab = openTab(v.t, v.server.url, expectedOfBreaks...)
	v.depart(surveyFile)

	v.emulateNetwork(true)
	v.line.move(v.t, loopback(v.line.port))
	v.line.reset()
	v.line.open()
	v.awaitWords(time.Minute, `Waiting for the network; will resume`)
	v.emulateNetwork(false)
}
