//go:build e2e

package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// Uploads work with every kind of host in AWS_ENDPOINT: the page and its security policy have it as browsers write it.
func TestEndpointHosts(t *testing.T) {
	t.Parallel()
	store := startVersitygw(t)
	for _, test := range []struct{ name, host, listen string }{
		{"IPv6 address", "[::1]", "[::1]:0"},
		{"underscore and capitals", "My_Store.Localhost", loopback(0)},
		{"letters other than ASCII", "größe.localhost", loopback(0)},
		{"dot at the end", "store.localhost.", loopback(0)},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := newBucket(t, store)
			proxy := startTCPProxyAt(t, test.listen, b.port, 0)
			endpoint := fmt.Sprintf("http://%s:%d", test.host, proxy.port)
			srv := startServer(t, newWorkDir(t), settingsFor(b, endpoint).with(ownUploadsOnly))
			page := openTab(t, srv.url)
			page.choose(smallFile, untypedLongFile)
			dataset := page.dataset()
			page.awaitStatus(30*time.Second, 2, done)
			for _, f := range []testFile{smallFile, untypedLongFile} {
				b.checkObject(t, page.uploadOf(f).Key, f, dataset)
			}
			page.do(chromedp.Reload())
			page.awaitStatus(30*time.Second, 2, done)
			page.delete(page.uploadOf(smallFile).ID)
		})
	}
}
