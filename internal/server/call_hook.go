package server

import (
	"context"
	"fmt"
	"runtime/debug"
)

// callHook runs f, which calls the hooks, and waits for it no longer than HookTimeout: a hook that hangs or panics
// costs only its own request. What f sets may be read only if the error is nil, because a hook that ignores its
// context keeps running after callHook has returned.
func (s *server) callHook(ctx context.Context, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.HookTimeout)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- recoverPanic(ctx, f) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("hook timeout: %w", ctx.Err())
	}
}

// recoverPanic returns f's error, or an error that describes its panic.
func recoverPanic(ctx context.Context, f func(context.Context) error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("a hook panicked: %v\n%s", v, debug.Stack())
		}
	}()
	return f(ctx)
}
