package server

import (
	"context"
	"fmt"
	"runtime/debug"
)

// asking runs f, which asks the hooks, and waits for it no longer than HookTimeout: a hook that hangs
// or panics costs its own request and no other. What f sets may be read only when the error is nil,
// because a hook that ignores its context goes on behind our back.
func (s *server) asking(ctx context.Context, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.HookTimeout)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		defer func() {
			if v := recover(); v != nil {
				done <- fmt.Errorf("a hook panicked: %v\n%s", v, debug.Stack())
			}
		}()
		done <- f(ctx)
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("a hook did not answer: %w", ctx.Err())
	}
}
