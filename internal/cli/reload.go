package cli

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"s3-sign-srv/internal/config"
	"s3-sign-srv/internal/cookie"
	"s3-sign-srv/internal/s3"
	"s3-sign-srv/internal/sign"
)

// renewInterval is how often the server looks for a renewed certificate.
const renewInterval = time.Minute

// reloaded are the settings that SIGHUP applies, besides the content of the certificate's files.
var reloaded = []string{"AWS_CLIENT_ACCESS_KEY", "AWS_CLIENT_SECRET_KEY", "AWS_CLIENT_OLD_ACCESS_KEY",
	"AWS_CLIENT_OLD_SECRET_KEY", "P3S3F_COOKIE_SECRET"}

// reloader changes keys and certificate of a running server. Its methods are called by one goroutine.
type reloader struct {
	environ func() (getenv func(string) string, err error) // reads the environment and the env file; nil: no reload
	getenv  func(string) string                            // the settings at the start

	log         *slog.Logger
	certificate *certificate // nil without HTTPS
	signer      *sign.Signer
	bucket      *s3.Bucket
	cookies     *cookie.Codec
	hasTerminal bool // at the start
}

// start runs r until ctx ends, and returns what waits for the end of it. When it returns, SIGHUP is r's.
func (r *reloader) start(ctx context.Context, cancel context.CancelCauseFunc) (wait func()) {
	r.hasTerminal = hasTerminal()
	hangups, ticker := make(chan os.Signal, 1), time.NewTicker(renewInterval)
	if r.environ != nil && !signal.Ignored(syscall.SIGHUP) { // nohup ignores it
		signal.Reset(syscall.SIGHUP) // of cancelOnSignal
		signal.Notify(hangups, syscall.SIGHUP)
	}
	var group sync.WaitGroup
	group.Go(func() {
		defer ticker.Stop()
		defer signal.Stop(hangups)
		r.run(ctx, cancel, hangups, ticker.C)
	})
	return group.Wait
}

// run reloads after each SIGHUP, and looks for a renewed certificate at each tick, until ctx ends. If the server's
// terminal closes, which also sends SIGHUP, it calls cancel.
func (r *reloader) run(
	ctx context.Context, cancel context.CancelCauseFunc, hangups <-chan os.Signal, ticks <-chan time.Time,
) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks:
			r.renewCertificate()
		case <-hangups:
			if r.hasTerminal && !hasTerminal() {
				cancel(errHangup)
				return
			}
			r.renewCertificate()
			r.reload()
		}
	}
}

// hasTerminal reports whether the process has a controlling terminal.
func hasTerminal() bool {
	f, err := os.OpenFile("/dev/tty", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err == nil {
		f.Close()
	}
	return err == nil
}

func (r *reloader) renewCertificate() {
	if r.certificate == nil {
		return
	}
	switch changed, err := r.certificate.renew(); {
	case err != nil:
		r.log.Error("certificate not renewed", "error", err.Error())
	case changed:
		r.log.Info("certificate renewed", "expiry", r.certificate.expiry())
	}
}

// reload reads the settings again and applies keys and secrets. If there is an error, nothing changes.
func (r *reloader) reload() {
	getenv, err := r.environ()
	if err == nil {
		var cfg config.Config
		if cfg, err = config.Load(getenv); err == nil {
			r.apply(cfg)
		}
	}
	if err != nil {
		r.log.Error("settings not reloaded", "error", err.Error())
		return
	}
	var ignored []string
	for _, s := range config.Settings() {
		if getenv(s.Name) != r.getenv(s.Name) && !slices.Contains(reloaded, s.Name) {
			ignored = append(ignored, s.Name)
		}
	}
	if len(ignored) > 0 {
		r.log.Warn("changed settings need a restart", "settings", strings.Join(ignored, ","))
	}
}

func (r *reloader) apply(cfg config.Config) {
	current := sign.KeyPair{AccessKey: cfg.Sign.AccessKey, SecretKey: cfg.Sign.SecretKey}
	r.signer.SetKeys(current, cfg.Sign.Old)
	r.bucket.SetKeys(current)
	r.cookies.SetSecrets(cookieSecrets(cfg)...)
	r.log.Info("settings reloaded", "access_key", current.AccessKey, "old_access_key", cfg.Sign.Old.AccessKey)
}

// cookieSecrets are the secrets of owner cookies: the first one signs, all of them verify.
func cookieSecrets(cfg config.Config) []sign.Secret {
	secrets := append(slices.Clone(cfg.CookieSecrets), cfg.Sign.SecretKey)
	if cfg.Sign.Old.AccessKey != "" {
		secrets = append(secrets, cfg.Sign.Old.SecretKey)
	}
	return secrets
}
