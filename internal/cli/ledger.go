package cli

import (
	"context"
	"log/slog"
	"time"

	"s3-sign-srv/internal/config"
	"s3-sign-srv/internal/ledger"
)

// openLedger opens the ledger that the settings name, and returns it and how to close it; nil if they name none.
func openLedger(ctx context.Context, cfg config.Config, log *slog.Logger) (*ledger.Ledger, func() error, error) {
	if cfg.Database.Reveal() == "" {
		return nil, func() error { return nil }, nil
	}
	l, err := ledger.Open(ctx, ledger.Config{
		Address: cfg.Database, Bucket: cfg.Sign.Bucket, Log: log, Now: time.Now,
		Events: cfg.EventsURL != nil, ExpectedOnly: cfg.ExpectedOnly, SignWhenAway: !cfg.DatabaseRequired,
	})
	if err != nil {
		return nil, nil, err
	}
	return l, l.Close, nil
}
