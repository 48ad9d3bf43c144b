package cli

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"s3-sign-srv/internal/hooks"
)

// testServer is the server, run in the background.
type testServer struct {
	url  string
	stop func() error // ends it as a signal does, and returns the error of run
}

// serverEnviron returns env with the settings that a server needs.
func serverEnviron(env environ) environ {
	full := environ{
		"AWS_CLIENT_ACCESS_KEY": "AKIAIOSFODNN7EXAMPLE", "AWS_CLIENT_SECRET_KEY": "s3cret/that/nobody/may/see",
		"AWS_DEST_BUCKET": "mybucket", "AWS_ENDPOINT": "http://127.0.0.1:9", "P3S3F_HOST_PORT": "0",
	}
	maps.Copy(full, env)
	return full
}

// start runs the server with env and the shipped hooks, and returns once it listens.
func start(t *testing.T, env environ) testServer {
	t.Helper()
	return startWith(t, nil, env, hooks.New, io.Discard)
}

func startWith(t *testing.T, args []string, env environ, newHooks hooks.NewFunc, stderr io.Writer) testServer {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	out, in := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, args, serverEnviron(env), newHooks, in, stderr)
		in.Close()
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		cancel()
		t.Fatalf("did not start: %v", <-ended)
	}
	stop := func() error { cancel(); return <-ended }
	t.Cleanup(func() { cancel() })
	url := strings.TrimSpace(strings.TrimPrefix(line, "open "))
	return testServer{url, stop}
}

// TestStops stops the server while a request is on its way. The request is answered, and run returns no error.
func TestStops(t *testing.T) {
	p := start(t, nil)
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "POST /s3/sign HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"+
		"Content-Length: 2\r\nExpect: 100-continue\r\n\r\n")
	responses := bufio.NewReader(conn)
	line, err := responses.ReadString('\n') // comes when the handler reads the body
	if err != nil || !strings.Contains(line, "100 Continue") {
		t.Fatal(line, err)
	}
	responses.ReadString('\n')
	ended := make(chan error)
	go func() { ended <- p.stop() }()
	for { // the listener closes first
		extra, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
		if err != nil {
			break
		}
		extra.Close()
	}
	fmt.Fprint(conn, "{}")
	response, err := http.ReadResponse(responses, nil)
	if err != nil || response.StatusCode != http.StatusBadRequest {
		t.Errorf("%v %v", response, err)
	}
	if err := <-ended; err != nil {
		t.Errorf("ended with %v", err)
	}
}

// TestLimits sends too slowly and too much. The limits that it waits for are a hundredth of the default ones.
func TestLimits(t *testing.T) {
	srv := newServer(nil)
	if srv.ReadTimeout != 20*time.Second || srv.WriteTimeout != 2*time.Minute || srv.IdleTimeout != 2*time.Minute ||
		srv.MaxHeaderBytes != 32<<10 {
		t.Errorf("the limits are others than docs/security.md promises: %+v", srv)
	}
	defaults := func(*http.Server) {}
	shortRead := func(srv *http.Server) { srv.ReadTimeout /= 100 }
	shortIdle := func(srv *http.Server) { srv.IdleTimeout /= 100 }
	long := strings.Repeat("x", 64<<10)
	for _, test := range []struct {
		name     string
		change   func(*http.Server)
		sends    string
		response string
	}{
		{"a request", defaults, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "200"},
		{"half a header", shortRead, "GET / HTTP/1.1\r\nHost: x\r\n", ""},
		{"half a body", shortRead, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{", "400"},
		{"nothing more on a connection", shortIdle, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "200"},
		{"a header of 64 KiB", defaults, "GET / HTTP/1.1\r\nHost: x\r\nX: " + long + "\r\n\r\n", "431"},
	} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		srv := newServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, err := io.ReadAll(r.Body); err != nil {
				w.WriteHeader(http.StatusBadRequest)
			}
		}))
		test.change(srv)
		go srv.Serve(listener)
		defer srv.Close()
		conn, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		conn.SetDeadline(time.Now().Add(10 * time.Second))
		fmt.Fprint(conn, test.sends)
		response, err := io.ReadAll(conn) // until the server closes the connection
		_, status, _ := strings.Cut(string(response), " ")
		wrong := !strings.HasPrefix(status, test.response) || test.response == "" && status != ""
		if wrong || err != nil && test.response == "200" {
			t.Errorf("%s: %q, %v", test.name, response, err)
		}
		conn.Close()
	}
}

// TestHTTPS serves over TLS, with HTTP/2.
func TestHTTPS(t *testing.T) {
	crt, key := selfSigned(t)
	p := start(t, environ{"P3S3F_USE_HTTPS": "1", "P3S3F_SRV_CRT": crt, "P3S3F_SRV_KEY": key})
	authorities := x509.NewCertPool()
	certificate, err := os.ReadFile(crt)
	if err != nil || !authorities.AppendCertsFromPEM(certificate) {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{
		ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: authorities},
	}}
	response, err := client.Get(p.url + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	ok := response.StatusCode == http.StatusOK && response.Proto == "HTTP/2.0"
	if !ok || !strings.HasPrefix(p.url, "https://localhost:") {
		t.Errorf("%s %s at %s", response.Proto, response.Status, p.url)
	}
	client.CloseIdleConnections()
	if err := p.stop(); err != nil {
		t.Error(err)
	}
}

// selfSigned writes a certificate for localhost and its key into a new directory.
func selfSigned(t *testing.T) (certFile, keyFile string) {
	t.Helper()
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "server.crt"), filepath.Join(dir, "server.key")
	if err := writeCertificate(certFile, keyFile); err != nil {
		t.Fatal(err)
	}
	return certFile, keyFile
}

// writeCertificate writes a self-signed certificate for localhost and its key.
func writeCertificate(certFile, keyFile string) error {
	return writeCertificateUntil(certFile, keyFile, time.Now().Add(time.Hour))
}

func writeCertificateUntil(certFile, keyFile string, end time.Time) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, NotAfter: end,
		IsCA: true, BasicConstraintsValid: true,
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})
	return errors.Join(os.WriteFile(certFile, certPEM, 0o600), os.WriteFile(keyFile, keyPEM, 0o600))
}
