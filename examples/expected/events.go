package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// events tells another program, at url, which uploads are complete.
type events struct {
	url     string
	log     *slog.Logger
	client  *http.Client
	sending sync.WaitGroup
}

func newEvents(url string, log *slog.Logger) *events {
	return &events{url: url, log: log, client: &http.Client{Timeout: 5 * time.Second}}
}

// send sends the key in the background, so that the browser does not wait. The context of a hook ends with its request;
// the one of the goroutine must not.
func (e *events) send(ctx context.Context, key string) {
	ctx = context.WithoutCancel(ctx)
	e.sending.Go(func() {
		if err := e.post(ctx, key); err != nil {
			e.log.ErrorContext(ctx, "event not sent", "key", key, "cause", err)
		}
	})
}

func (e *events) post(ctx context.Context, key string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url+"?key="+url.QueryEscape(key), nil)
	if err != nil {
		return err
	}
	response, err := e.client.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("status %s", response.Status)
	}
	return nil
}

// wait returns when all events are sent, or when ctx ends.
func (e *events) wait(ctx context.Context) error {
	sent := make(chan struct{})
	go func() { e.sending.Wait(); close(sent) }()
	select {
	case <-sent:
		return nil
	case <-ctx.Done():
		return errors.New("some events were not sent in time")
	}
}
