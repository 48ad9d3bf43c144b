//go:build e2e

package e2e

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/security"
	"github.com/chromedp/chromedp"
)

// The page works over HTTPS, with HTTP/2.
func TestHTTPS(t *testing.T) {
	t.Parallel()
	b := newBucket(t, shared.radosgw)
	srv := startHTTPS(t, settingsFor(b, pathStyle.endpoint(b.port)))
	if !strings.HasPrefix(srv.url, "https://") {
		t.Fatalf("URL of the page: got %s, want https", srv.url)
	}

	page := openTab(t, "about:blank")
	page.do(ignoreCertificateErrors, chromedp.Navigate(srv.url))
	protocol := eval[string](page, `performance.getEntriesByType("navigation")[0].nextHopProtocol`)
	if protocol != "h2" {
		t.Errorf("protocol: got %q, want h2", protocol)
	}
	page.choose(smallFile, untypedLongFile)
	dataset := page.dataset()
	page.awaitStatus(30*time.Second, 2, done)
	for _, f := range []testFile{smallFile, untypedLongFile} {
		b.checkObject(t, page.uploadOf(f).Key, f, dataset)
	}
}

// Browsers send nothing from an HTTPS page to a store without HTTPS. Safari does not even to the same computer, for
// which this store stands.
func TestHTTPSPageWithHTTPStore(t *testing.T) {
	t.Parallel()
	b := newBucket(t, shared.radosgw)
	endpoint := strings.Replace(pathStyle.endpoint(b.port), "127.0.0.1", remoteHost, 1)
	srv := startHTTPS(t, settingsFor(b, endpoint))
	page := openTab(t, "about:blank", `Mixed Content`, `net::ERR_`, `Fine Uploader`)
	page.do(ignoreCertificateErrors, chromedp.Navigate(srv.url))
	page.choose(smallFile)
	page.awaitText(30*time.Second, "is down, or the browser blocks it: this page came over HTTPS, and from such pages "+
		"browsers send nothing to http:// addresses, Safari not even to this computer. Give the store HTTPS.")
}

// A cookie from before the name had a prefix, or from before the server had HTTPS, keeps its owner. From then on, a
// site of the same domain cannot replace the owner with such a cookie, not even with a valid one.
func TestHTTPSCookie(t *testing.T) {
	t.Parallel()
	b := newBucket(t, shared.radosgw)
	env := settingsFor(b, pathStyle.endpoint(b.port)).with(ownUploadsOnly)
	srv, withoutHTTPS := startHTTPS(t, env), startServer(t, newWorkDir(t), env)
	before, planted := withoutHTTPS.newCookie(t), withoutHTTPS.newCookie(t)

	page := openTab(t, "about:blank", `favicon`)
	page.do(ignoreCertificateErrors, chromedp.Navigate(srv.url+"/success.html"))
	set := func(c *http.Cookie) {
		page.exec(`document.cookie = %s`, c.Name+"="+c.Value+"; Path=/; SameSite=Strict")
	}
	set(before)
	page.do(chromedp.Navigate(srv.url))
	owner, _, _ := strings.Cut(before.Value, ".")
	if got := page.owner(); got != owner {
		t.Errorf("owner with the cookie of before: got %s, want %s", got, owner)
	}
	set(planted)
	page.do(chromedp.Reload())
	if got := page.owner(); got != owner {
		t.Errorf("owner with a planted cookie: got %s, want %s", got, owner)
	}
	page.choose(smallFile)
	page.awaitStatus(30*time.Second, 1, done)
	if got := ownerOf(page.uploadOf(smallFile)); got != owner {
		t.Errorf("owner of an upload: got %s, want %s", got, owner)
	}
}

// Over HTTP, another site of the domain can add a cookie with another owner. The page says so, and uploads nothing.
func TestTwoOwners(t *testing.T) {
	t.Parallel()
	b := newBucket(t, shared.radosgw)
	srv := startServer(t, newWorkDir(t), settingsFor(b, pathStyle.endpoint(b.port)).with(ownUploadsOnly))
	planted := srv.newCookie(t)
	page := openTab(t, srv.url, `status of 403`, `Refused to execute script`, `sessionRefresh has failed`)
	for _, path := range []string{"/s3", "/static"} { // the browser keeps it beside the cookie for "/"
		page.exec(`document.cookie = %s`, planted.Name+"="+planted.Value+"; Path="+path)
	}
	page.do(chromedp.Reload())
	page.awaitText(30*time.Second, "This browser sent the cookies of two owners")
	page.exec(`for (const path of ["/s3", "/static"]) document.cookie = %s + path`, planted.Name+"=; Max-Age=0; Path=")
	page.do(chromedp.Reload())
	page.choose(smallFile)
	page.awaitStatus(30*time.Second, 1, done)
}

// startHTTPS starts a server with a certificate that no browser trusts.
func startHTTPS(t *testing.T, env settings) *server {
	t.Helper()
	dir := newWorkDir(t)
	writeCertificate(t, dir)
	return startServer(t, dir, env.with(settings{
		"P3S3F_USE_HTTPS": "1",
		"P3S3F_SRV_CRT":   "server.crt",
		"P3S3F_SRV_KEY":   "server.key",
	}))
}

// ignoreCertificateErrors stands for a user who ignores the browser's warning.
var ignoreCertificateErrors = chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
	ignore := security.SetIgnoreCertificateErrorsParams{Ignore: true}
	_, err := cdp.Call(ctx, t, security.SetIgnoreCertificateErrors, ignore)
	return err
})

// writeCertificate writes a self-signed server.crt and its server.key.
func writeCertificate(t *testing.T, dir string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		DNSNames:     []string{"localhost"},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "server.crt"), pemText("CERTIFICATE", certificate))
	writeFile(t, filepath.Join(dir, "server.key"), pemText("PRIVATE KEY", private))
}

func pemText(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}
