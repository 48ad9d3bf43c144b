package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"syscall"
	"time"

	"s3-sign-srv/internal/bucket"
	"s3-sign-srv/internal/hooks"
	"s3-sign-srv/internal/server"
	"s3-sign-srv/internal/settings"
	"s3-sign-srv/internal/sign"
	"s3-sign-srv/internal/visitor"
)

// Limits that hold against slow and endless senders. Bodies are at most 64 KiB; the slowest answer is
// the page's bundle over a bad line.
const (
	hookTimeout    = 10 * time.Second // what takes longer belongs into a goroutine of the hook's own
	headerTimeout  = 10 * time.Second
	readTimeout    = 20 * time.Second
	writeTimeout   = 2 * time.Minute
	idleTimeout    = 2 * time.Minute
	maxHeaderBytes = 32 << 10
	graceTime      = 30 * time.Second // for what is running when a signal comes
)

// gcPercent lets garbage grow to one and a half times what lives, which is a few MB: more signatures a second for a
// few MB more, and under 100 MB with 1,500 connections, which 400 was not. GOGC in the environment
// goes before it.
const gcPercent = 150

// serve runs the server with the settings that getenv knows, until ctx ends.
func serve(ctx context.Context, getenv func(string) string, stdout, stderr io.Writer) error {
	set, err := settings.Read(getenv)
	certificate, certificateErr := loadCertificate(set)
	if err = errors.Join(err, certificateErr); err != nil {
		return fmt.Errorf("the settings need mending:\n%w", err)
	}
	if _, set := os.LookupEnv("GOGC"); !set {
		debug.SetGCPercent(gcPercent)
	}
	log := newLog(set, stderr)
	handler, err := newHandler(set, getenv, log)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", set.Address())
	if err != nil {
		return explainListen(set, err)
	}
	for _, warning := range set.Warnings {
		log.Warn(warning)
	}
	web := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		TLSConfig:         certificate,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug), // broken handshakes and the like
	}
	fmt.Fprintln(stdout, "open", pageURL(set, listener.Addr().(*net.TCPAddr).Port))
	return listen(ctx, web, listener)
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

func newLog(set settings.Settings, w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: set.LogLevel}
	if set.LogJSON {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// newHandler puts the rooms together.
func newHandler(set settings.Settings, getenv func(string) string, log *slog.Logger) (http.Handler, error) {
	signer, err := sign.New(set.Sign)
	if err != nil {
		return nil, err
	}
	visitors := visitor.NewKeeper(set.Sign.SecretKey)
	house, err := hooks.New(getenv, visitors, log)
	if err != nil {
		return nil, fmt.Errorf("the hooks could not start: %w", err)
	}
	static, err := os.OpenRoot("static")
	if errors.Is(err, fs.ErrNotExist) {
		log.Info("there is no folder static here, so no page is served; make static builds it")
	} else if err != nil {
		return nil, fmt.Errorf("the folder static cannot be opened: %w", err)
	}
	endpoint, host := set.Endpoint()
	return server.New(server.Config{
		Signer:         signer,
		Bucket:         newBucket(set),
		Hooks:          house.Funcs(),
		HookTimeout:    hookTimeout,
		Log:            log,
		Now:            time.Now,
		OwnUploadsOnly: set.OwnUploadsOnly,
		Visitors:       visitors,
		VerifySuccess:  set.VerifySuccess,
		AllowDelete:    set.AllowDelete,
		MaxBytes:       set.Sign.MaxBytes,
		AllowedOrigins: set.AllowedOrigins,
		Rate:           set.Rate,
		TrustedProxies: set.TrustedProxies,
		Static:         static,
		ClientConf:     "client_conf.js",
		Client: server.Client{
			Endpoint: endpoint, Host: host, Bucket: set.Sign.Bucket, Region: set.Sign.Region,
			AccessKey: set.Sign.AccessKey, Version: set.SignatureVersion, MaxBytes: set.Sign.MaxBytes,
		},
	}), nil
}

func newBucket(set settings.Settings) *bucket.Bucket {
	return bucket.New(bucket.Config{
		AccessKey: set.Sign.AccessKey, SecretKey: set.Sign.SecretKey, Endpoint: set.Sign.Endpoint,
		Region: set.Sign.Region, Name: set.Sign.Bucket, VirtualHosted: set.Sign.VirtualHosted,
	})
}

// loadCertificate returns nil without HTTPS.
func loadCertificate(set settings.Settings) (*tls.Config, error) {
	if !set.HTTPS || set.CertFile == "" || set.KeyFile == "" { // a missing name is told already
		return nil, nil
	}
	pair, err := tls.LoadX509KeyPair(set.CertFile, set.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("P3S3F_SRV_CRT and P3S3F_SRV_KEY are not a readable PEM certificate and its key: %w", err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, nil
}

// explainListen names the variable behind an address that cannot be listened on.
func explainListen(set settings.Settings, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("P3S3F_HOST_PORT: something else listens on %s; stop it or set another port", set.Address())
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("P3S3F_HOST_PORT: %s may not be listened on; set a port above 1023", set.Address())
	}
	return fmt.Errorf("P3S3F_HOST_NAME: %s cannot be listened on; set it to an address of this machine", set.Address())
}

// pageURL is where a browser on this machine finds the page.
func pageURL(set settings.Settings, port int) string {
	scheme, host := "http", set.Host
	if set.HTTPS {
		scheme = "https"
	}
	if ip := net.ParseIP(host); ip != nil && (ip.IsLoopback() || ip.IsUnspecified()) {
		host = "localhost"
	}
	return fmt.Sprintf("%s://%s", scheme, net.JoinHostPort(host, fmt.Sprint(port)))
}
