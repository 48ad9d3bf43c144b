package main

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	assets "s3-sign-srv"
	"s3-sign-srv/internal/config"
	"s3-sign-srv/internal/cookie"
	"s3-sign-srv/internal/hooks"
	"s3-sign-srv/internal/s3"
	"s3-sign-srv/internal/server"
	"s3-sign-srv/internal/sign"
)

// limits hold against slow and endless senders. Bodies are at most 64 KiB, see internal/server.
type limits struct {
	read        time.Duration // of a request's header and body
	write       time.Duration // from the header to the answer's end; the slowest is the page's bundle over a bad line
	idle        time.Duration // between two requests of a connection
	headerBytes int
}

func shippedLimits() limits {
	return limits{read: 20 * time.Second, write: 2 * time.Minute, idle: 2 * time.Minute, headerBytes: 32 << 10}
}

const (
	hookTimeout = 10 * time.Second // what takes longer belongs into a goroutine of the hook's own
	graceTime   = 30 * time.Second // for what is running when a signal comes
)

// What the server keeps is a few MB and, with thousands of connections, a few tens. A share of that alone would have the
// garbage collected all the time under load, so the collector is made to believe in ballast, memory that nobody
// touches and the kernel therefore never gives: garbage grows to 24 MB and half of what lives. A higher percentage
// instead would take its multiple with every connection. GOGC in the environment goes before both.
const (
	gcPercent    = 50
	ballastBytes = 48 << 20
)

// serve runs the server with the settings that getenv knows, until ctx ends.
func serve(ctx context.Context, getenv func(string) string, stdout, stderr io.Writer) error {
	p, err := newPlace(getenv)
	if err != nil {
		return err
	}
	return p.serve(ctx, getenv, stdout, stderr)
}

// place is where the server is going to answer: checked settings, and a listener that has its port.
type place struct {
	set         config.Config
	certificate *tls.Config // nil without HTTPS
	listener    net.Listener
}

// newPlace reports every wrong setting at once, a certificate that cannot be used among them.
func newPlace(getenv func(string) string) (place, error) {
	set, err := config.Load(getenv)
	certificate, certificateErr := loadCertificate(set)
	if err = errors.Join(err, certificateErr); err != nil {
		return place{}, fmt.Errorf("invalid configuration:\n%w", err)
	}
	listener, err := net.Listen("tcp", set.Address())
	if err != nil {
		return place{}, explainListen(set, err)
	}
	return place{set, certificate, listener}, nil
}

// serve answers until ctx ends.
func (p place) serve(ctx context.Context, getenv func(string) string, stdout, stderr io.Writer) error {
	defer p.listener.Close()
	if _, set := os.LookupEnv("GOGC"); !set {
		debug.SetGCPercent(gcPercent)
		ballast := make([]byte, ballastBytes)
		defer runtime.KeepAlive(ballast)
	}
	log := newLog(p.set, stderr)
	handler, err := newHandler(p.set, getenv, log)
	if err != nil {
		return err
	}
	for _, warning := range p.set.Warnings {
		log.Warn(warning)
	}
	web := shippedLimits().web(handler)
	web.TLSConfig = p.certificate
	web.ErrorLog = webLog(log)
	fmt.Fprintln(stdout, banner(p.set), pageURL(p.set, p.listener.Addr().(*net.TCPAddr).Port))
	return listen(ctx, web, p.listener)
}

// web returns a server within the limits.
func (l limits) web(handler http.Handler) *http.Server {
	return &http.Server{Handler: handler, ReadTimeout: l.read, WriteTimeout: l.write, IdleTimeout: l.idle, MaxHeaderBytes: l.headerBytes}
}

// banner precedes the server's address on standard output.
func banner(set config.Config) string {
	if !set.ServePage {
		return "serving the API at"
	}
	return "open"
}

// listen serves until ctx ends, then lets what is running finish.
func listen(ctx context.Context, web *http.Server, listener net.Listener) error {
	ended := make(chan error, 1)
	go func() {
		if web.TLSConfig != nil {
			ended <- web.ServeTLS(listener, "", "")
		} else {
			ended <- web.Serve(listener)
		}
	}()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), graceTime)
	defer cancel()
	if err := web.Shutdown(grace); err != nil {
		return fmt.Errorf("some requests did not finish within %v", graceTime)
	}
	return nil
}

// newHandler puts the rooms together.
func newHandler(set config.Config, getenv func(string) string, log *slog.Logger) (http.Handler, error) {
	signer, err := sign.New(set.Sign)
	if err != nil {
		return nil, err
	}
	codec := cookie.NewCodec(set.Sign.SecretKey)
	userHooks, err := hooks.New(getenv, codec, log)
	if err != nil {
		return nil, fmt.Errorf("the hooks could not start: %w", err)
	}
	endpoint, host := set.Sign.BucketURL()
	var files fs.FS
	if set.ServePage {
		files = assets.FS(".")
	}
	return server.New(server.Config{
		Signer:         signer,
		Bucket:         s3.New(bucketConfig(set)),
		Hooks:          userHooks.Funcs(),
		HookTimeout:    hookTimeout,
		Log:            log,
		Now:            time.Now,
		OwnUploadsOnly: set.OwnUploadsOnly,
		Cookies:        codec,
		VerifySuccess:  set.VerifySuccess,
		AllowDelete:    set.AllowDelete,
		MaxBytes:       set.Sign.MaxBytes,
		AllowedOrigins: set.AllowedOrigins,
		Rate:           set.Rate,
		TrustedProxies: set.TrustedProxies,
		Files:          files,
		Client: server.Client{
			Endpoint: endpoint, Host: host, Bucket: set.Sign.Bucket, Region: set.Sign.Region,
			AccessKey: set.Sign.AccessKey, Version: set.SignatureVersion, MaxBytes: set.Sign.MaxBytes,
			Types: set.Sign.ContentTypes, NoDelete: !set.AllowDelete,
		},
	}), nil
}

// bucketConfig says where the configured bucket is.
func bucketConfig(set config.Config) s3.Config {
	return s3.Config{
		AccessKey: set.Sign.AccessKey, SecretKey: set.Sign.SecretKey, Endpoint: set.Sign.Endpoint,
		Region: set.Sign.Region, Name: set.Sign.Bucket, VirtualHosted: set.Sign.VirtualHosted,
	}
}

// loadCertificate returns nil without HTTPS. The error says of each file what is wrong with it.
func loadCertificate(set config.Config) (*tls.Config, error) {
	if !set.HTTPS || set.CertFile == "" || set.KeyFile == "" { // a missing name is told already
		return nil, nil
	}
	certificate, certErr := readPEM("P3S3F_SRV_CRT", set.CertFile, "CERTIFICATE")
	key, keyErr := readPEM("P3S3F_SRV_KEY", set.KeyFile, "PRIVATE KEY")
	if err := errors.Join(certErr, keyErr); err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		return nil, fmt.Errorf("P3S3F_SRV_CRT and P3S3F_SRV_KEY are not a certificate and its own key; set them to a pair (%s)", strings.TrimPrefix(err.Error(), "tls: "))
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, nil
}

// readPEM returns the file that a variable names, which must hold a block of the kind wanted.
func readPEM(name, file, wanted string) ([]byte, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%s is %s, which cannot be read (%w); set it to a PEM file that the server may read", name, file, errors.Unwrap(err))
	}
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		switch locked := strings.HasPrefix(block.Type, "ENCRYPTED") || block.Headers["DEK-Info"] != ""; { // PKCS #8, and OpenSSL's old form
		case strings.HasSuffix(block.Type, wanted) && locked:
			return nil, fmt.Errorf("%s is %s, which a passphrase protects; set it to the key without one, as openssl pkey -in OLD -out NEW writes it", name, file)
		case strings.HasSuffix(block.Type, wanted):
			return text, nil
		}
	}
	return nil, fmt.Errorf("%s is %s, which holds no PEM block %q; set it to the file that does, not to the other one of the pair", name, file, wanted)
}

// explainListen names the variable behind an address that cannot be listened on.
func explainListen(set config.Config, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("P3S3F_HOST_PORT: something else listens on %s; stop it or set another port", set.Address())
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("P3S3F_HOST_PORT: %s may not be listened on; set a port above 1023", set.Address())
	}
	return fmt.Errorf("P3S3F_HOST_NAME: %s cannot be listened on; set it to an address of this machine", set.Address())
}

// pageURL is where a browser on this machine finds the page.
func pageURL(set config.Config, port int) string {
	scheme, host := "http", set.Host
	if set.HTTPS {
		scheme = "https"
	}
	if ip := net.ParseIP(host); ip != nil && (ip.IsLoopback() || ip.IsUnspecified()) {
		host = "localhost"
	}
	return fmt.Sprintf("%s://%s", scheme, net.JoinHostPort(host, fmt.Sprint(port)))
}
