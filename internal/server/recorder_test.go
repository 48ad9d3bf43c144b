package server_test

import (
	"bytes"
	"context"
	"net/http"
	"sync"

	"s3-sign-srv/internal/hooks"
)

// A logBuffer keeps log lines.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

// drain returns the text since it was last asked.
func (b *logBuffer) drain() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	text := b.text.String()
	b.text.Reset()
	return text
}

// A hookRecorder stands in the hooks' place, notes what they are told, and agrees.
type hookRecorder struct {
	mu         sync.Mutex
	challenges []*hooks.Challenge
	uploads    []*hooks.Upload
	deletions  []*hooks.Deletion
}

func (w *hookRecorder) hooks() hooks.Funcs {
	return hooks.Funcs{
		Identify: func(context.Context, *http.Request) (string, error) { return "", hooks.ErrUnauthenticated },
		ChallengeIsGood: func(_ context.Context, c *hooks.Challenge) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.challenges = append(w.challenges, c)
			return nil
		},
		Success: func(_ context.Context, u *hooks.Upload) (hooks.Reply, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.uploads = append(w.uploads, u)
			return hooks.Reply{"size": u.Size}, nil
		},
		Delete: func(_ context.Context, d *hooks.Deletion) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.deletions = append(w.deletions, d)
			return nil
		},
	}
}

// drain returns what was told since it was last asked.
func (w *hookRecorder) drain() (challenges []*hooks.Challenge, uploads []*hooks.Upload, deletions []*hooks.Deletion) {
	w.mu.Lock()
	defer w.mu.Unlock()
	challenges, uploads, deletions = w.challenges, w.uploads, w.deletions
	w.challenges, w.uploads, w.deletions = nil, nil, nil
	return
}
