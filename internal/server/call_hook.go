package server

import (
	"context"
	"fmt"
	"runtime/debug"
)

// callHook returns what f returns, which calls the hooks, but waits no longer than HookTimeout: a hook that hangs or
// panics costs only its own request. A hook that ignores its context keeps running after callHook has returned.
func callHook[T any](ctx context.Context, s *server, f func(context.Context) (T, error)) (value T, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.HookTimeout)
	defer cancel()
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := recoverPanic(ctx, f)
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		return value, fmt.Errorf("hook timeout: %w", ctx.Err())
	}
}

// recoverPanic returns what f returns, or an error that describes its panic.
func recoverPanic[T any](ctx context.Context, f func(context.Context) (T, error)) (value T, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("a hook panicked: %v\n%s", v, debug.Stack())
		}
	}()
	return f(ctx)
}
