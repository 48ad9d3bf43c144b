package cli

import (
	"context"
	"fmt"
	"time"

	"s3-sign-srv/internal/config"
	"s3-sign-srv/internal/hooks"
	"s3-sign-srv/internal/webhook"
)

// Limits for hooks, in the order of their calls.
const (
	startHooksTimeout = 30 * time.Second // for a database that starts at the same time
	hookTimeout       = 10 * time.Second // longer work belongs into a goroutine of the hook
	closeHooksTimeout = 10 * time.Second // for these goroutines, after the last request
)

// startHooks calls newHooks, and adds the application of P3S3F_HOOKS_URL if it is set.
func startHooks(
	ctx context.Context, newHooks hooks.NewFunc, hooksConfig hooks.Config, cfg config.Config,
) (hooks.Funcs, error) {
	ctx, cancel := context.WithTimeout(ctx, startHooksTimeout)
	defer cancel()
	funcs, err := newHooks(ctx, hooksConfig)
	if err != nil {
		return funcs, fmt.Errorf("the hooks could not start: %w", err)
	}
	if cfg.HooksURL == nil {
		return funcs, nil
	}
	application, err := webhook.New(cfg.HooksURL, cfg.HooksSecrets)
	if err != nil {
		return funcs, fmt.Errorf("P3S3F_HOOKS_SECRET: %w", err)
	}
	return application.After(funcs), nil
}

// closeHooks calls the hook Close, and waits no longer than closeHooksTimeout.
func closeHooks(funcs hooks.Funcs) error {
	ctx, cancel := context.WithTimeout(context.Background(), closeHooksTimeout)
	defer cancel()
	closed := make(chan error, 1)
	go func() { closed <- funcs.Close(ctx) }()
	select {
	case err := <-closed:
		if err != nil {
			return fmt.Errorf("the hook Close failed: %w", err)
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("the hook Close did not return within %v", closeHooksTimeout)
	}
}
