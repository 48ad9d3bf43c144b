//go:build e2e

package e2e

import (
	"net/http"
	"syscall"
	"testing"
	"time"
)

// The browser hides from scripts why a request to the store failed. The row of the file names the probable cause.
func TestFailedRequestsAreDiagnosed(t *testing.T) {
	t.Parallel()
	reject := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(status) } // without CORS headers
	}
	for _, test := range []struct {
		name, want string
		fail       func(p proxiedPage)
	}{
		{
			"store is down", "does not answer: it is down, it has another address, or the network is interrupted.",
			func(p proxiedPage) { p.proxy.disconnect() },
		},
		{
			"body limit of a proxy", "reject it: for its size (in nginx, client_max_body_size)",
			func(p proxiedPage) {
				p.proxy.respondTo(hasMethod(http.MethodPut), reject(http.StatusRequestEntityTooLarge))
				p.proxy.reset()
			},
		},
		{
			"error page of a proxy", "a proxy in front of the store may reject it",
			func(p proxiedPage) {
				p.proxy.respond(reject(http.StatusServiceUnavailable))
				p.proxy.reset()
			},
		},
		{
			"another access key", "The server uses another access key since this page was loaded. Reload the page",
			func(p proxiedPage) {
				p.server.shutdown(p.t, func() { p.server.signal(syscall.SIGTERM) })
				more := settings{"P3S3F_HOST_PORT": p.server.port(), "AWS_CLIENT_ACCESS_KEY": "E2EOTHERKEY000000000"}
				startServer(p.t, p.server.dir, p.settings.with(more))
				p.proxy.unblock()
				p.proxy.respondTo(hasMethod(http.MethodPut), reject(http.StatusForbidden))
				p.proxy.reset()
			},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := openProxiedPage(t, firstParts)
			p.choose(longFile)
			p.awaitBlocked()
			test.fail(p)
			p.awaitText(30*time.Second, test.want)
			if p.showsSetupError() {
				t.Error("the page shows a setup error after parts were stored")
			}
			p.screenshot("diagnose " + test.name)
		})
	}
}
