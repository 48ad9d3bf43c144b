//go:build e2e

package e2e

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A certificate is what may be wrong with one.
type certificate struct {
	host            string // default localhost
	expired, future bool
}

// issue makes the certificate, signed by itself, and its key, as PEM.
func (c certificate) issue(t *testing.T) (cert, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	host, begin, end := c.host, time.Now().AddDate(0, -2, 0), time.Now().AddDate(0, 2, 0)
	if host == "" {
		host = "localhost"
	}
	if c.expired {
		end = time.Now().Add(-time.Hour)
	}
	if c.future {
		begin = time.Now().AddDate(0, 1, 0)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{host}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: begin, NotAfter: end,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(
			&pem.Block{Type: "CERTIFICATE", Bytes: der},
		), pem.EncodeToMemory(
			&pem.Block{Type: "PRIVATE KEY", Bytes: secret},
		)
}

// withCertificate turns HTTPS on.
func withCertificate(c certificate) func(*testing.T, *doctorSetup) {
	return func(t *testing.T, setup *doctorSetup) {
		cert, key := c.issue(t)
		dir := t.TempDir()
		setup.env["P3S3F_USE_HTTPS"] = "1"
		setup.env["P3S3F_SRV_CRT"], setup.env["P3S3F_SRV_KEY"] = filepath.Join(dir, "crt"), filepath.Join(dir, "key")
		writeFile(t, setup.env["P3S3F_SRV_CRT"], string(cert))
		writeFile(t, setup.env["P3S3F_SRV_KEY"], string(key))
	}
}

// withTLSProxy puts TLS with this certificate before the store; trusted makes it known to the computer.
func withTLSProxy(c certificate, trusted bool) func(*testing.T, *doctorSetup) {
	return withTLSInterceptor(c, trusted, func(http.ResponseWriter, *http.Request) bool { return false })
}

// withTLSInterceptor is withTLSProxy with a function that may respond in the store's place.
func withTLSInterceptor(
	c certificate, trusted bool, respond func(http.ResponseWriter, *http.Request) (responded bool),
) func(*testing.T, *doctorSetup) {
	return func(t *testing.T, setup *doctorSetup) {
		cert, key := c.issue(t)
		pair, err := tls.X509KeyPair(cert, key)
		if err != nil {
			t.Fatal(err)
		}
		store := &httputil.ReverseProxy{Rewrite: toStore(setup)}
		proxy := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !respond(w, r) {
				store.ServeHTTP(w, r)
			}
		}))
		proxy.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
		proxy.Config.ErrorLog = log.New(io.Discard, "", 0) // of handshakes that are to fail
		proxy.StartTLS()
		t.Cleanup(proxy.Close)
		setup.env["AWS_ENDPOINT"] = fmt.Sprintf("https://localhost:%d", proxy.Listener.Addr().(*net.TCPAddr).Port)
		if trusted {
			setup.env["SSL_CERT_FILE"] = filepath.Join(t.TempDir(), "authorities.pem")
			writeFile(t, setup.env["SSL_CERT_FILE"], string(cert))
		}
	}
}

// withoutHeader puts a proxy before the store that removes a header from every response.
func withoutHeader(header string) func(*testing.T, *doctorSetup) {
	return withResponseChanged(func(r *http.Response) error {
		r.Header.Del(header)
		return nil
	})
}

// withoutHeaderOnRequests is withoutHeader for every request but preflights.
func withoutHeaderOnRequests(header string) func(*testing.T, *doctorSetup) {
	return withResponseChanged(func(r *http.Response) error {
		if r.Request.Method != http.MethodOptions {
			r.Header.Del(header)
		}
		return nil
	})
}

// withResponseChanged puts a proxy before the store that changes its responses.
func withResponseChanged(change func(*http.Response) error) func(*testing.T, *doctorSetup) {
	return func(t *testing.T, setup *doctorSetup) {
		proxy := httptest.NewServer(&httputil.ReverseProxy{Rewrite: toStore(setup), ModifyResponse: change})
		t.Cleanup(proxy.Close)
		setup.env["AWS_ENDPOINT"] = proxy.URL
	}
}

// interceptor responds to some requests itself; the proxy forwards the others to the store.
type interceptor func(w http.ResponseWriter, r *http.Request, body []byte) (responded bool)

// withInterceptor puts a proxy with an interceptor before the store.
func withInterceptor(g interceptor) func(*testing.T, *doctorSetup) {
	return func(t *testing.T, setup *doctorSetup) {
		store := &httputil.ReverseProxy{
			Rewrite:  toStore(setup),
			ErrorLog: log.New(io.Discard, "", 0), // it would log canceled requests
		}
		proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return // the sender has canceled the request
			}
			if g(w, r, body) {
				return
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			store.ServeHTTP(w, r)
		}))
		t.Cleanup(proxy.CloseClientConnections)
		t.Cleanup(proxy.Close)
		setup.env["AWS_ENDPOINT"] = strings.Replace(proxy.URL, "127.0.0.1", "localhost", 1)
	}
}

// rejecting responds to some requests with an HTML error page, as proxies do.
func rejecting(status int, which func(r *http.Request, body []byte) bool) func(*testing.T, *doctorSetup) {
	return withInterceptor(func(w http.ResponseWriter, r *http.Request, body []byte) bool {
		if !which(r, body) {
			return false
		}
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(status)
		fmt.Fprintf(w, "<html><h1>%d %s</h1></html>", status, http.StatusText(status))
		return true
	})
}

// hanging does not respond to some requests until they are canceled.
func hanging(which func(r *http.Request, body []byte) bool) func(*testing.T, *doctorSetup) {
	return withInterceptor(func(_ http.ResponseWriter, r *http.Request, body []byte) bool {
		if which(r, body) {
			<-r.Context().Done()
			return true
		}
		return false
	})
}

func anyRequest(*http.Request, []byte) bool { return true }

func withMethod(method string) func(*http.Request, []byte) bool {
	return func(r *http.Request, _ []byte) bool { return r.Method == method }
}

func isForm(r *http.Request, _ []byte) bool {
	return r.Method == http.MethodPost && r.URL.RawQuery == ""
}

func isLarge(_ *http.Request, body []byte) bool { return len(body) > 1<<20 }

// withHost puts a proxy before the store that asks it by another host.
func withHost(host string) func(*testing.T, *doctorSetup) {
	return func(t *testing.T, setup *doctorSetup) {
		proxy := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
			toStore(setup)(r)
			r.Out.Host = host
		}})
		t.Cleanup(proxy.Close)
		setup.env["AWS_ENDPOINT"] = proxy.URL
	}
}

// toStore sends a request on to the store under the host that its signature names.
func toStore(setup *doctorSetup) func(*httputil.ProxyRequest) {
	target := &url.URL{Scheme: "http", Host: loopback(setup.port)}
	return func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host
	}
}

// startPathOnly starts a versitygw that reads the bucket from the path alone.
func startPathOnly(t *testing.T) *store {
	t.Helper()
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	binary, err := versitygwBinary()
	if err != nil {
		t.Fatal(err)
	}
	s := newStore("versitygw", port)
	p, err := startProcess(
		"",
		nil,
		append(
			[]string{binary, "--port", loopback(port), "--access", s.accessKey, "--secret", s.secretKey, "--quiet", "posix"},
			posixBackend(t)...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.stop)
	if err := p.listens(port, 30*time.Second); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestDoctorTLS finds a setup with HTTPS on both sides healthy.
func TestDoctorTLS(t *testing.T) {
	t.Parallel()
	setup := newDoctorSetup(t, startVersitygw(t))
	withCertificate(certificate{})(t, setup)
	withTLSProxy(certificate{}, true)(t, setup)
	for _, f := range setup.runDoctor(t).with("failed") {
		t.Errorf("false alarm: %+v", f)
	}
}
