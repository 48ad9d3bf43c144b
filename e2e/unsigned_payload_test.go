//go:build e2e

package e2e

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// With P3S3F_UNSIGNED_PAYLOAD, parts are sent to a store with https without being hashed. A resumed file is compared by
// MD5. Over http, the setting has no effect.
func TestUnsignedPayload(t *testing.T) {
	t.Parallel()
	versitygw := startVersitygw(t)
	for _, test := range []struct {
		store      *store
		tls        bool
		algorithms []string // of the digests that the page computes
	}{
		{shared.radosgw, true, []string{"md5"}},
		{versitygw, true, []string{"md5"}},
		{shared.radosgw, false, []string{"sha256"}},
	} {
		t.Run(fmt.Sprintf("%s/TLS=%t", test.store.name, test.tls), func(t *testing.T) {
			t.Parallel()
			b := newBucket(t, test.store)
			env := settings{"P3S3F_UNSIGNED_PAYLOAD": "1"}
			proxy, endpoint := startHTTPProxy(t, b.port, 2*partSize+mib), "http://127.0.0.1:%d"
			if test.tls {
				proxy, env["SSL_CERT_FILE"] = startTLSProxy(t, b.port, 2*partSize+mib)
				endpoint = "https://localhost:%d"
			}
			payloads := recordPayloads(proxy)
			srv := startServer(t, newWorkDir(t), settingsFor(b, fmt.Sprintf(endpoint, proxy.port)).with(env))

			page := openTab(t, "about:blank", `net::ERR_.*partNumber=`, `'beforeunload'`)
			page.do(ignoreCertificateErrors, chromedp.Navigate(srv.url))
			page.recordDigests()
			page.choose(longFile)
			eventually(t, 30*time.Second, "two parts are stored", func() bool { return len(proxy.storedParts()) == 2 })
			const hasRecord = `Object.values(localStorage).some((text) => text.match(/"etag":/g)?.length === 2)`
			eventually(t, 30*time.Second, "a resume record of both", func() bool { return eval[bool](page, hasRecord) })
			stored := proxy.storedParts()

			page.do(chromedp.Reload())
			page.awaitText(30*time.Second, longFile.name+" stopped at")
			page.recordDigests()
			proxy.reset()
			proxy.unblock()
			page.choose(longFile)
			dataset := page.dataset()
			b.checkObject(t, page.awaitStatus(60*time.Second, 1, done)[0].Key, longFile, dataset)
			for _, part := range stored {
				if n := proxy.sendCounts()[part]; n != 1 {
					t.Errorf("part %d was sent %d times, want 1", part.number, n)
				}
			}
			if got := eval[[]string](page, `[...algorithms].sort()`); !slices.Equal(got, test.algorithms) {
				t.Errorf("digests: got %q, want %q", got, test.algorithms)
			}
			payloads.check(t, test.tls)
		})
	}
}

// recordDigests makes the page collect the names of the hash functions that it uses, in a worker or CryptoJS.
func (p *tab) recordDigests() {
	p.t.Helper()
	p.awaitText(30*time.Second, "Drop files here")
	p.exec(`(() => {
		globalThis.algorithms = new Set();
		const { postMessage } = Worker.prototype;
		Worker.prototype.postMessage = function (message, ...rest) {
			algorithms.add(message.algorithm);
			return postMessage.call(this, message, ...rest);
		};
		const { create } = qq.CryptoJS.lib.WordArray;
		qq.CryptoJS.lib.WordArray.create = function (content, ...rest) {
			if (content?.byteLength >= 5 * 1024 * 1024) algorithms.add("sha256");
			return create.call(this, content, ...rest);
		};
	})()`)
}

// payloadRecord has every x-amz-content-sha256 that a store received.
type payloadRecord struct {
	mu           sync.Mutex
	parts, other []string
}

func recordPayloads(proxy *httpProxy) *payloadRecord {
	record := new(payloadRecord)
	proxy.respondTo(func(r *http.Request) bool {
		_, isPart := partFromRequest(r)
		record.add(r.Header.Get("X-Amz-Content-Sha256"), isPart)
		return false
	}, nil)
	return record
}

func (p *payloadRecord) add(payload string, isPart bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case payload == "": // a preflight
	case isPart:
		p.parts = append(p.parts, payload)
	default:
		p.other = append(p.other, payload)
	}
}

// check checks that all parts are unsigned, or none, and that nothing else is.
func (p *payloadRecord) check(t *testing.T, unsigned bool) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, payload := range p.parts {
		if (payload == "UNSIGNED-PAYLOAD") != unsigned {
			t.Errorf("x-amz-content-sha256 of a part: got %s; want UNSIGNED-PAYLOAD: %t", payload, unsigned)
		}
	}
	if int64(len(p.parts)) < longFile.parts() || len(p.other) < 2 || slices.Contains(p.other, "UNSIGNED-PAYLOAD") {
		t.Errorf("x-amz-content-sha256 of %d parts, and of other requests %q", len(p.parts), p.other)
	}
}

// startTLSProxy is startHTTPProxy with HTTPS for localhost. The certificate is in certFile.
func startTLSProxy(t *testing.T, target int, budget int64) (p *httpProxy, certFile string) {
	t.Helper()
	cert, key := certificate{}.issue(t)
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	certFile = filepath.Join(t.TempDir(), "cert.pem")
	writeFile(t, certFile, string(cert))
	return startProxy(t, target, budget, &tls.Config{Certificates: []tls.Certificate{pair}}), certFile
}

// TestDoctorUnsignedPayload sends parts without their SHA-256 to a store that accepts them, and to one that does not.
func TestDoctorUnsignedPayload(t *testing.T) {
	t.Parallel()
	versitygw := startVersitygw(t)
	var unsigned atomic.Int64
	isUnsigned := func(r *http.Request) bool { // and one of the page: the SDK sends it too
		return r.Header.Get("X-Amz-Content-Sha256") == "UNSIGNED-PAYLOAD" && r.Header.Get("Origin") != ""
	}
	for _, test := range []struct {
		name    string
		respond func(http.ResponseWriter, *http.Request) bool
		failed  int
		want    string // at multipart upload
	}{
		{"accepted", func(_ http.ResponseWriter, r *http.Request) bool {
			if isUnsigned(r) {
				unsigned.Add(1)
			}
			return false
		}, 0, "so only TLS protects them on the way"},
		{"rejected", func(w http.ResponseWriter, r *http.Request) bool {
			if !isUnsigned(r) {
				return false
			}
			respondAsStore(w, http.StatusBadRequest, "<Error><Code>InvalidRequest</Code></Error>")
			return true
		}, 1, "Set P3S3F_UNSIGNED_PAYLOAD=0."},
	} {
		t.Run(test.name, func(t *testing.T) {
			setup := newDoctorSetup(t, versitygw)
			setup.env["P3S3F_UNSIGNED_PAYLOAD"] = "1"
			withTLSInterceptor(certificate{}, true, test.respond)(t, setup)
			d := setup.runDoctor(t)
			if failed := d.with("failed"); len(failed) != test.failed {
				t.Errorf("failed checks: got %+v, want %d", failed, test.failed)
			}
			if f := d.of("multipart upload"); !strings.Contains(f.Text+" "+f.Fix, test.want) {
				t.Errorf("multipart upload: got %+v, want %q", f, test.want)
			}
		})
	}
	if n := unsigned.Load(); n != 2 {
		t.Errorf("parts with UNSIGNED-PAYLOAD: got %d, want 2", n)
	}
}
