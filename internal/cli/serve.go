package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"syscall"
	"time"

	assets "s3-sign-srv"
	"s3-sign-srv/internal/config"
	"s3-sign-srv/internal/cookie"
	"s3-sign-srv/internal/hooks"
	"s3-sign-srv/internal/ledger"
	"s3-sign-srv/internal/metrics"
	"s3-sign-srv/internal/s3"
	"s3-sign-srv/internal/server"
	"s3-sign-srv/internal/sign"
)

const shutdownTimeout = 30 * time.Second // for requests that are running when a signal comes

// tuneGC tunes the garbage collector, unless the user has set GOGC or GOMEMLIMIT. The live heap is a few MB, so that
// Go's GOGC of 100 makes the collector run many times per second under load. 400 costs about 12 MB of memory and saves
// a tenth of the processor time per request, measured in one run. The limit makes the collector run more often again
// when there are thousands of connections.
func tuneGC() {
	if os.Getenv("GOGC") == "" && os.Getenv("GOMEMLIMIT") == "" {
		debug.SetGCPercent(400)
		debug.SetMemoryLimit(64 << 20)
	}
}

// runServer serves with the settings that getenv knows, until ctx ends. After SIGHUP it reads them again with environ.
func runServer(
	ctx context.Context, getenv func(string) string, environ func() (func(string) string, error),
	newHooks hooks.NewFunc, stdout, stderr io.Writer,
) error {
	l, err := newListener(getenv)
	if err != nil {
		return err
	}
	l.environ = environ
	return l.serve(ctx, newHooks, stdout, stderr)
}

// listener has checked settings and its ports.
type listener struct {
	net.Listener
	metrics     net.Listener // nil: no metrics
	getenv      func(string) string
	environ     func() (func(string) string, error) // reads the settings again; nil: SIGHUP ends the server
	cfg         config.Config
	certificate *certificate // nil without HTTPS
}

// newListener reports every wrong setting at once, an unusable certificate among them.
func newListener(getenv func(string) string) (*listener, error) {
	cfg, err := config.Load(getenv)
	certificate, certificateErr := loadCertificate(cfg)
	if err := invalidConfig(err, certificateErr); err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", cfg.Address())
	if err != nil {
		return nil, listenError("P3S3F_HOST_NAME", "P3S3F_HOST_PORT", cfg.Address(), err)
	}
	metrics, err := listenForMetrics(cfg)
	if err != nil {
		l.Close()
		return nil, err
	}
	return &listener{Listener: l, metrics: metrics, getenv: getenv, cfg: cfg, certificate: certificate}, nil
}

// serve serves until ctx ends, or the terminal closes.
func (l *listener) serve(ctx context.Context, newHooks hooks.NewFunc, stdout, stderr io.Writer) error {
	defer l.Close()
	tuneGC()
	queue := newLineQueue(stderr, func(w io.Writer, dropped int64) {
		newLog(l.cfg, w).Warn("log lines dropped", "count", dropped)
	})
	defer queue.close()
	log, m := newLog(l.cfg, queue), metrics.New(buildVersion())
	m.AddCounter("log_lines_dropped_total", "Log lines that were dropped because standard error was blocked.",
		func() float64 { return float64(queue.dropped.Load()) })
	records, closeLedger, err := openLedger(ctx, l.cfg, log)
	if err != nil {
		return err
	}
	defer closeLedger()
	r := l.newReloader(log, m)
	hooksConfig := hooks.Config{Getenv: l.getenv, Cookies: r.cookies, Bucket: r.bucket, Log: server.HookLog(log)}
	funcs, err := startHooks(ctx, newHooks, hooksConfig, l.cfg)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer r.start(ctx, cancel)()
	defer cancel(nil)
	stopEvents, err := startEvents(l.cfg, records, log, m)
	if err != nil {
		return err
	}
	defer stopEvents()
	startLog := newLog(l.cfg, stderr) // not queued, so that its lines come before the banner
	defer l.serveMetrics(m, log, startLog)()
	for _, warning := range slices.Concat(l.cfg.Warnings, assets.Warnings(".")) {
		startLog.Warn(warning)
	}
	srv := newServer(l.newHandler(ctx, funcs, r, records, log, m))
	if l.certificate != nil {
		srv.TLSConfig = l.certificate.config()
	}
	srv.ErrorLog = httpLog(log)
	l.cfg.Port = strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
	startLog.Info("server started", "version", buildVersion(), "address", l.cfg.Origin(), l.settings())
	l.printBanner(stdout)
	err = errors.Join(serveUntil(ctx, srv, l, l.cfg.ShutdownDelay), closeHooks(funcs))
	log.Info("server stopped", "reason", cmp.Or(err, context.Cause(ctx)))
	if errors.Is(context.Cause(ctx), errHangup) {
		return cmp.Or(err, error(errHangup))
	}
	return err
}

// printBanner prints the address to open, for a person. With a log in JSON, nobody reads it.
func (l *listener) printBanner(stdout io.Writer) {
	switch {
	case l.cfg.LogJSON:
	case l.cfg.ServePage:
		fmt.Fprintln(stdout, "open", l.cfg.Origin())
	default:
		fmt.Fprintln(stdout, "serving the API at", l.cfg.Origin())
	}
}

// newServer returns a server with limits for slow and endless senders. Bodies are at most 64 KiB, see internal/server.
func newServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:        handler,
		ReadTimeout:    20 * time.Second, // of a request's header and body
		WriteTimeout:   2 * time.Minute,  // from the header to the end of the response: the bundle over a bad line
		IdleTimeout:    2 * time.Minute,  // between two requests of a connection
		MaxHeaderBytes: 32 << 10,
	}
}

// serveUntil serves until delay after the end of ctx, and lets running requests finish.
func serveUntil(ctx context.Context, srv *http.Server, l net.Listener, delay time.Duration) error {
	ended := make(chan error, 1)
	go func() {
		if srv.TLSConfig != nil {
			ended <- srv.ServeTLS(l, "", "")
		} else {
			ended <- srv.Serve(l)
		}
	}()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-ended:
		return err
	case <-time.After(delay):
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	if err := srv.Shutdown(grace); err != nil {
		return fmt.Errorf("some requests did not finish within %v", shutdownTimeout)
	}
	return nil
}

// newHandler connects the settings, the hooks, the signer and the bucket.
// The server is not ready after ctx has ended.
func (l *listener) newHandler(
	ctx context.Context, funcs hooks.Funcs, r *reloader, records *ledger.Ledger, log *slog.Logger, m *metrics.Metrics,
) http.Handler {
	cfg := l.cfg
	endpoint, host := cfg.Sign.BucketURL()
	var files fs.FS
	if cfg.ServePage {
		files = assets.FS(".")
	}
	return server.New(server.Config{
		Signer:         r.signer,
		Bucket:         r.bucket,
		Hooks:          m.Hooks(funcs),
		Ledger:         records,
		HookTimeout:    hookTimeout,
		Log:            log,
		AccessLog:      cfg.AccessLog,
		Metrics:        m,
		Now:            time.Now,
		OwnUploadsOnly: cfg.OwnUploadsOnly,
		Cookies:        r.cookies,
		VerifySuccess:  cfg.VerifySuccess,
		AllowDelete:    cfg.AllowDelete,
		MaxBytes:       cfg.Sign.MaxBytes,
		AllowedOrigins: cfg.AllowedOrigins,
		Rate:           cfg.Rate,
		TrustedProxies: cfg.TrustedProxies,
		Ready:          l.ready(ctx, records),
		Files:          files,
		Client: server.Client{
			Endpoint: endpoint, Host: host, Bucket: cfg.Sign.Bucket, Region: cfg.Sign.Region,
			Version: cfg.SignatureVersion, Types: cfg.Sign.ContentTypes, UnsignedPayload: cfg.Sign.AllowsUnsignedPayload(),
		},
	})
}

// newReloader makes what has keys.
func (l *listener) newReloader(log *slog.Logger, m *metrics.Metrics) *reloader {
	bucket := bucketConfig(l.cfg)
	bucket.Observe = m.ObserveStore
	return &reloader{
		environ: l.environ, getenv: l.getenv, log: log, certificate: l.certificate,
		signer: sign.New(l.cfg.Sign), bucket: s3.New(bucket), cookies: cookie.NewCodec(cookieSecrets(l.cfg)...),
	}
}

// bucketConfig is the bucket that the settings name.
func bucketConfig(cfg config.Config) s3.Config {
	return s3.Config{
		AccessKey: cfg.Sign.AccessKey, SecretKey: cfg.Sign.SecretKey, Endpoint: cfg.Sign.Endpoint,
		Region: cfg.Sign.Region, Name: cfg.Sign.Bucket, VirtualHosted: cfg.Sign.VirtualHosted,
	}
}

// listenError names the setting behind an address that cannot be listened on.
func listenError(hostSetting, portSetting, address string, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%s: another program listens on %s; stop it or set another port", portSetting, address)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%s: this user may not listen on %s; set a port above 1023", portSetting, address)
	}
	return fmt.Errorf("%s: cannot listen on %s; set it to an address of this machine", hostSetting, address)
}
