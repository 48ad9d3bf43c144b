// Package events delivers the events of the ledger to the application, each at least once.
package events

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"s3-sign-srv/internal/ledger"
	"s3-sign-srv/internal/webhook"
)

const (
	maxAttempts    = 16               // that run at a time
	attemptTimeout = 10 * time.Second // less than the lease of the ledger
	minDelay       = 5 * time.Second  // after the first failure; it doubles with each further one
	maxDelay       = time.Hour
)

// Sender delivers the events of Ledger to Application.
type Sender struct {
	Ledger      *ledger.Ledger
	Application *webhook.Client
	Log         *slog.Logger
	Poll        time.Duration // between two looks for events
}

// Run delivers events until ctx ends and running attempts have ended.
func (s *Sender) Run(ctx context.Context) {
	for ctx.Err() == nil {
		if s.sendDue(context.WithoutCancel(ctx)) == maxAttempts {
			continue // there may be more
		}
		select {
		case <-ctx.Done():
		case <-time.After(s.Poll):
		}
	}
}

// sendDue attempts to deliver the events that are due, and returns their number.
func (s *Sender) sendDue(ctx context.Context) int {
	due, err := s.Ledger.Due(ctx, maxAttempts)
	if err != nil {
		s.Log.WarnContext(ctx, "events cannot be delivered: the ledger does not respond", "cause", err.Error())
		return 0
	}
	var group sync.WaitGroup
	for _, e := range due {
		group.Go(func() { s.send(ctx, e) })
	}
	group.Wait()
	return len(due)
}

// send attempts to deliver an event, and records the result. If that fails, the event is due again after its lease.
func (s *Sender) send(ctx context.Context, e ledger.Event) {
	attempt, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	err := s.Application.Deliver(attempt, e.ID, e.Body)
	if err == nil {
		err = s.Ledger.Delivered(ctx, e.ID)
	} else {
		delay := delayAfter(e.Attempts)
		s.Log.WarnContext(ctx, "event not delivered", "id", e.ID, "attempts", e.Attempts, "retry_in", delay,
			"cause", err.Error())
		err = s.Ledger.Postpone(ctx, e.ID, err, delay)
	}
	if err != nil {
		s.Log.WarnContext(ctx, "the delivery of an event was not recorded", "id", e.ID, "cause", err.Error())
	}
}

// delayAfter returns the time until the next attempt.
func delayAfter(attempts int) time.Duration {
	return min(minDelay<<min(max(attempts-1, 0), 20), maxDelay)
}
