package metrics

import (
	"context"
	"errors"
	"net/http"
	"time"

	"s3-sign-srv/internal/hooks"
	"s3-sign-srv/internal/sign"
)

// Hooks returns funcs that are measured, and count uploads.
func (m *Metrics) Hooks(f hooks.Funcs) hooks.Funcs {
	return hooks.Funcs{
		Identify: func(ctx context.Context, r *http.Request) (owner string, err error) {
			defer m.observeHook("Identify", &err)()
			return f.Identify(ctx, r)
		},
		ChallengeIsGood: func(ctx context.Context, c *hooks.Challenge) (err error) {
			defer m.observeHook("ChallengeIsGood", &err)()
			if err = f.ChallengeIsGood(ctx, c); err == nil {
				m.countChallenge(c)
			}
			return err
		},
		Success: func(ctx context.Context, u *hooks.Upload) (reply hooks.Reply, err error) {
			defer m.observeHook("Success", &err)()
			if reply, err = f.Success(ctx, u); err == nil {
				m.uploadsCompleted.Inc()
				m.uploadBytes.Add(float64(u.Size))
			}
			return reply, err
		},
		Delete: func(ctx context.Context, d *hooks.Deletion) (err error) {
			defer m.observeHook("Delete", &err)()
			return f.Delete(ctx, d)
		},
		Deleted: func(ctx context.Context, d *hooks.Deletion) (err error) {
			defer m.observeHook("Deleted", &err)()
			return f.Deleted(ctx, d)
		},
		List: func(ctx context.Context, uploads []*hooks.Upload) (listed []*hooks.Upload, err error) {
			defer m.observeHook("List", &err)()
			return f.List(ctx, uploads)
		},
		Close: f.Close,
	}
}

// errPanic is the result of a hook that does not return.
var errPanic = errors.New("the hook panicked")

// observeHook begins the call of a hook whose result is err. The function that it returns is to be deferred.
func (m *Metrics) observeHook(name string, err *error) func() {
	start := time.Now()
	*err = errPanic
	return func() { m.hookDuration.WithLabelValues(name, result(*err)).Observe(time.Since(start).Seconds()) }
}

// countChallenge counts an upload that begins or is aborted with c.
func (m *Metrics) countChallenge(c *hooks.Challenge) {
	switch {
	case c.IsInitiate():
		m.uploadsBegun.Inc()
	case c.Operation == sign.AbortMultipartUpload:
		m.uploadsAborted.Inc()
	}
}
