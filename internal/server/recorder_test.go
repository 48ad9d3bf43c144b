package server_test

import (
	"bytes"
	"context"
	"net/http"
	"sync"

	"s3-sign-srv/internal/hooks"
)

// logBuffer keeps log lines.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

// drain returns the text since the last call.
func (b *logBuffer) drain() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	text := b.text.String()
	b.text.Reset()
	return text
}

// hookRecorder has hooks that record their arguments and allow everything.
type hookRecorder struct {
	mu         sync.Mutex
	challenges []*hooks.Challenge
	uploads    []*hooks.Upload
	deletions  []*hooks.Deletion
}

func (s *hookRecorder) hooks() hooks.Funcs {
	return hooks.Funcs{
		Identify: func(context.Context, *http.Request) (string, error) { return "", hooks.ErrUnauthenticated },
		ChallengeIsGood: func(_ context.Context, c *hooks.Challenge) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.challenges = append(s.challenges, c)
			return nil
		},
		Success: func(_ context.Context, u *hooks.Upload) (hooks.Reply, error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.uploads = append(s.uploads, u)
			return hooks.Reply{"size": u.Size}, nil
		},
		Delete: func(_ context.Context, d *hooks.Deletion) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.deletions = append(s.deletions, d)
			return nil
		},
		Deleted: func(context.Context, *hooks.Deletion) error { return nil },
		List:    func(_ context.Context, uploads []*hooks.Upload) ([]*hooks.Upload, error) { return uploads, nil },
	}
}

// drain returns the arguments since the last call.
func (s *hookRecorder) drain() (challenges []*hooks.Challenge, uploads []*hooks.Upload, deletions []*hooks.Deletion) {
	s.mu.Lock()
	defer s.mu.Unlock()
	challenges, uploads, deletions = s.challenges, s.uploads, s.deletions
	s.challenges, s.uploads, s.deletions = nil, nil, nil
	return
}
