package server

import (
	"context"
	"fmt"
	"runtime/debug"
)

// askers are goroutines that ask the hooks, again and again: a line in the log needs several times the stack that a new
// goroutine has, and to enlarge it takes as long as to sign. The channel holds those that wait for the next question.
type askers chan chan func()

// mostIdle is how many of them wait at most, with 8 KB of stack each as a rule.
const mostIdle = 64

// run has f run by one that waits, or by a new one if none does.
func (a askers) run(f func()) {
	select {
	case next := <-a:
		next <- f
	default:
		go a.work(f)
	}
}

// work runs f and then what else comes, and ends when enough others wait.
func (a askers) work(f func()) {
	next := make(chan func(), 1)
	for {
		f()
		select {
		case a <- next:
			f = <-next
		default:
			return
		}
	}
}

// asking runs f, which asks the hooks, and waits for it no longer than HookTimeout: a hook that hangs
// or panics costs its own request and no other. What f sets may be read only when the error is nil,
// because a hook that ignores its context goes on behind our back.
func (s *server) asking(ctx context.Context, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.HookTimeout)
	defer cancel()
	done := make(chan error, 1)
	s.askers.run(func() { done <- ask(ctx, f) })
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("a hook did not answer: %w", ctx.Err())
	}
}

// ask returns f's error, or makes one of its panic.
func ask(ctx context.Context, f func(context.Context) error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("a hook panicked: %v\n%s", v, debug.Stack())
		}
	}()
	return f(ctx)
}
