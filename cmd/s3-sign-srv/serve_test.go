package main

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"s3-sign-srv/internal/config"
)

// program is run, called in the background.
type program struct {
	url  string
	stop func() error // ends it as a signal does, and returns what run returned
}

// start runs the program with env and returns once it listens.
func start(t *testing.T, env map[string]string) program {
	t.Helper()
	full := map[string]string{
		"AWS_CLIENT_ACCESS_KEY": "AKIAIOSFODNN7EXAMPLE", "AWS_CLIENT_SECRET_KEY": "s3cret/that/nobody/may/see", "AWS_DEST_BUCKET": "mybucket",
		"AWS_ENDPOINT": "http://127.0.0.1:9", "P3S3F_HOST_PORT": "0",
	}
	for name, value := range env {
		full[name] = value
	}
	ctx, cancel := context.WithCancel(context.Background())
	out, in := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, nil, full, in, io.Discard)
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
	return program{url, stop}
}

// TestStops ends the program while a request is on its way: it is answered, then the program ends well.
func TestStops(t *testing.T) {
	p := start(t, nil)
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "POST /s3/sign HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
	answers := bufio.NewReader(conn)
	if line, err := answers.ReadString('\n'); err != nil || !strings.Contains(line, "100 Continue") { // the handler reads the body
		t.Fatal(line, err)
	}
	answers.ReadString('\n')
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
	answer, err := http.ReadResponse(answers, nil)
	if err != nil || answer.StatusCode != http.StatusBadRequest {
		t.Errorf("%v %v", answer, err)
	}
	if err := <-ended; err != nil {
		t.Errorf("ended with %v", err)
	}
}

// TestLimits sends too slowly and too much. What is not sent in time is not sent at all, so that the limit waited for can be
// a hundred times shorter than the shipped one.
func TestLimits(t *testing.T) {
	shipped := shippedLimits()
	if shipped.read > 20*time.Second || shipped.write > 2*time.Minute || shipped.idle > 2*time.Minute || shipped.headerBytes > 32<<10 {
		t.Errorf("docs/security.md promises less than %+v", shipped)
	}
	hasty, restless := shipped, shipped
	hasty.read, restless.idle = shipped.read/100, shipped.idle/100
	for _, test := range []struct {
		name   string
		limits limits
		sends  string
		answer string
	}{
		{"a request", shipped, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "200"},
		{"half a header", hasty, "GET / HTTP/1.1\r\nHost: x\r\n", ""},
		{"half a body", hasty, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{", "400"},
		{"nothing more on a connection", restless, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "200"},
		{"a header of 64 KiB", shipped, "GET / HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("x", 64<<10) + "\r\n\r\n", "431"},
	} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		web := test.limits.web(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, err := io.ReadAll(r.Body); err != nil {
				w.WriteHeader(http.StatusBadRequest)
			}
		}))
		go web.Serve(listener)
		defer web.Close()
		conn, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		conn.SetDeadline(time.Now().Add(10 * time.Second))
		fmt.Fprint(conn, test.sends)
		answer, err := io.ReadAll(conn) // until the server closes the connection
		if _, rest, _ := strings.Cut(string(answer), " "); err != nil && test.answer == "200" || !strings.HasPrefix(rest, test.answer) || test.answer == "" && rest != "" {
			t.Errorf("%s: %q, %v", test.name, answer, err)
		}
		conn.Close()
	}
}

// TestFaultsAtStart wants one clear sentence that names the variable.
func TestFaultsAtStart(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	crt, key := selfSigned(t)
	_, otherKey := selfSigned(t)
	encrypted := writeFile(t, "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n")
	certificate, err := os.ReadFile(crt)
	if err != nil {
		t.Fatal(err)
	}
	combined := writeFile(t, "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n"+string(certificate))
	for _, test := range []struct {
		env  map[string]string
		want string
	}{
		{map[string]string{"P3S3F_HOST_PORT": port}, "P3S3F_HOST_PORT: something else listens on 127.0.0.1:" + port},
		{map[string]string{"P3S3F_HOST_NAME": "203.0.113.1"}, "P3S3F_HOST_NAME"},
		{map[string]string{"P3S3F_USE_HTTPS": "1", "P3S3F_SRV_CRT": crt, "P3S3F_SRV_KEY": "/nowhere.key"}, "P3S3F_SRV_KEY is /nowhere.key, which cannot be read (no such file or directory)"},
		{map[string]string{"P3S3F_USE_HTTPS": "1", "P3S3F_SRV_CRT": "/nowhere.crt", "P3S3F_SRV_KEY": "/nowhere.key"}, "P3S3F_SRV_CRT is /nowhere.crt, which cannot be read (no such file or directory); set it to a PEM file that the server may read\nP3S3F_SRV_KEY"},
		{map[string]string{"P3S3F_USE_HTTPS": "1", "P3S3F_SRV_CRT": key, "P3S3F_SRV_KEY": crt}, "P3S3F_SRV_CRT is " + key + ", which holds no PEM block \"CERTIFICATE\""},
		{map[string]string{"P3S3F_USE_HTTPS": "1", "P3S3F_SRV_CRT": crt, "P3S3F_SRV_KEY": encrypted}, "P3S3F_SRV_KEY is " + encrypted + ", which a passphrase protects; set it to the key without one"},
		{map[string]string{"P3S3F_USE_HTTPS": "1", "P3S3F_SRV_CRT": crt, "P3S3F_SRV_KEY": otherKey}, "are not a certificate and its own key; set them to a pair (private key does not match public key)"},
		{map[string]string{"AWS_CLIENT_SECRET_KEY": "XXXX", "AWS_ENDPOINT": ""}, "AWS_CLIENT_SECRET_KEY still is the placeholder"},
		{map[string]string{"P3S3F_MAX_BYTE": "5", "AWS_CLIENT_SECRET_KEY": "XXXX"}, "invalid configuration:\nP3S3F_MAX_BYTE is not a setting, and would have no effect; write P3S3F_MAX_BYTES if you mean that, or take it out\nAWS_CLIENT_SECRET_KEY still is the placeholder"},
		{map[string]string{"AWS_REGION_2": "eu-west-1", "AWS_REGION": "eu-west-1", "P3S3F_HOST_PORT": port}, "P3S3F_HOST_PORT: something else listens on"},
		{map[string]string{"P3S3F_USE_HTTPS": "1", "P3S3F_SRV_CRT": combined, "P3S3F_SRV_KEY": key, "P3S3F_HOST_PORT": port}, "P3S3F_HOST_PORT: something else listens on"},
	} {
		full := map[string]string{
			"AWS_CLIENT_ACCESS_KEY": "AKIAIOSFODNN7EXAMPLE", "AWS_CLIENT_SECRET_KEY": "s3cret/that/nobody/may/see", "AWS_DEST_BUCKET": "mybucket",
			"AWS_ENDPOINT": "http://127.0.0.1:9", "P3S3F_HOST_PORT": "0",
		}
		for name, value := range test.env {
			full[name] = value
		}
		err := run(context.Background(), nil, full, io.Discard, io.Discard)
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%v: %v, want %q", test.env, err, test.want)
		}
	}
}

// TestDemoFaultsFirst wants the same sentence of a demo, before its store is looked for.
func TestDemoFaultsFirst(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	t.Chdir(t.TempDir())
	var said strings.Builder
	err = run(context.Background(), []string{"-demo"}, variables{"P3S3F_HOST_PORT": port}, &said, &said)
	if err == nil || !strings.HasPrefix(err.Error(), "P3S3F_HOST_PORT: something else listens on") || said.Len() != 0 {
		t.Errorf("%v, and %q", err, said.String())
	}
}

// TestDemoStopped ends a demo while it waits for its store, as Ctrl-C does.
func TestDemoStopped(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	if err := os.WriteFile("versitygw", []byte("#!/bin/sh\necho started >&2\nexec sleep 60\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	said, words := io.Pipe()
	ended := make(chan error)
	go func() {
		ended <- run(ctx, []string{"-demo"}, variables{"P3S3F_HOST_PORT": "0"}, io.Discard, words)
	}()
	if line, err := bufio.NewReader(said).ReadString('\n'); err != nil || line != "started\n" {
		t.Fatalf("%q, %v", line, err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("ended with %v", err)
	}
}

// TestWebLog has net/http report what keeps all clients out, and what is one client's doing.
func TestWebLog(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	said, words := io.Pipe()
	web := &http.Server{ErrorLog: webLog(newLog(config.Config{LogLevel: slog.LevelDebug}, words)), TLSConfig: new(tls.Config)}
	crt, key := selfSigned(t)
	go web.ServeTLS(&exhausted{Listener: listener}, crt, key)
	defer web.Close()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	lines := bufio.NewReader(said)
	for _, want := range []string{
		`level=ERROR msg="http: Accept error: too many open files; retrying in 5ms"`,
		`level=DEBUG msg="http: TLS handshake error from ` + conn.LocalAddr().String(),
	} {
		line, err := lines.ReadString('\n')
		if err != nil || !strings.Contains(line, want) {
			t.Errorf("%q, %v, want %q", line, err, want)
		}
		fmt.Fprint(conn, "GET / HTTP/1.1\r\n\r\n") // which is no TLS
	}
}

// exhausted accepts no connection at first, as where the process has too many files open.
type exhausted struct {
	net.Listener
	asked bool
}

func (e *exhausted) Accept() (net.Conn, error) {
	if !e.asked {
		e.asked = true
		return nil, syscall.EMFILE
	}
	return e.Listener.Accept()
}

// TestHTTPS serves over TLS, with HTTP/2.
func TestHTTPS(t *testing.T) {
	crt, key := selfSigned(t)
	p := start(t, map[string]string{"P3S3F_USE_HTTPS": "1", "P3S3F_SRV_CRT": crt, "P3S3F_SRV_KEY": key})
	authorities := x509.NewCertPool()
	certificate, err := os.ReadFile(crt)
	if err != nil || !authorities.AppendCertsFromPEM(certificate) {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: authorities}}}
	answer, err := client.Get(p.url + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK || answer.Proto != "HTTP/2.0" || !strings.HasPrefix(p.url, "https://localhost:") {
		t.Errorf("%s %s at %s", answer.Proto, answer.Status, p.url)
	}
	client.CloseIdleConnections()
	if err := p.stop(); err != nil {
		t.Error(err)
	}
}

// selfSigned writes a certificate for localhost and its key.
func selfSigned(t *testing.T) (crtFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	crtFile, keyFile = filepath.Join(dir, "server.crt"), filepath.Join(dir, "server.key")
	for file, block := range map[string]*pem.Block{crtFile: {Type: "CERTIFICATE", Bytes: certificate}, keyFile: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return crtFile, keyFile
}

// TestLogs wants lines that a terminal does not obey, in both formats, and the same text behind them.
func TestLogs(t *testing.T) {
	for _, hostile := range []string{"caf\u00e9\u009b2J\x7f\u0085\u202e\x1b[2J\nforged", "caf\u00e9\x7f", "caf\u00e9\u202e"} {
		for _, asJSON := range []bool{false, true} {
			var out strings.Builder
			log := newLog(config.Config{LogJSON: asJSON}, &out)
			log.Info("refused", "path", hostile, "list", map[string]string{hostile: hostile}, slog.Group("form", hostile, hostile))
			line, more, _ := strings.Cut(out.String(), "\n")
			if more != "" || strings.ContainsFunc(line, isHidden) || !strings.Contains(line, "caf\u00e9") {
				t.Errorf("%q", out.String())
			}
			if !asJSON {
				continue
			}
			var read struct{ Path string }
			if err := json.Unmarshal([]byte(line), &read); err != nil || read.Path != hostile {
				t.Errorf("%v %q", err, read.Path)
			}
		}
	}
}
