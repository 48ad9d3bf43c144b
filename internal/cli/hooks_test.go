package cli

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"s3-sign-srv/internal/hooks"
)

// TestHooksCannotStart checks that the server does not start if the hooks cannot.
func TestHooksCannotStart(t *testing.T) {
	fail := func(context.Context, hooks.Config) (hooks.Funcs, error) {
		return hooks.Funcs{}, errors.New("APP_DATABASE: cannot open /x; name a file")
	}
	var out strings.Builder
	err := run(t.Context(), nil, serverEnviron(nil), fail, &out, io.Discard)
	const want = "the hooks could not start: APP_DATABASE: cannot open /x; name a file"
	if err == nil || err.Error() != want || out.Len() > 0 {
		t.Errorf("%v, %q; want %s", err, &out, want)
	}
}

// TestHooksClose stops the server while a hook runs and has started work in a goroutine. Close is called after the
// request, and run returns after the work.
func TestHooksClose(t *testing.T) {
	errClose := errors.New("one event could not be sent")
	for _, test := range []struct {
		name string
		err  error
		want string
	}{
		{"closes", nil, ""},
		{"fails", errClose, "the hook Close failed: one event could not be sent"},
	} {
		called, stopped := make(chan bool), make(chan bool)
		var answered, sent atomic.Bool
		p := startWith(t, nil, nil, func(ctx context.Context, cfg hooks.Config) (hooks.Funcs, error) {
			funcs, err := hooks.New(ctx, cfg)
			funcs.Identify = func(context.Context, *http.Request) (string, error) {
				close(called)
				<-stopped
				answered.Store(true)
				return "user/42", nil
			}
			funcs.Close = func(context.Context) error {
				sent.Store(answered.Load())
				return test.err
			}
			return funcs, err
		}, io.Discard)
		response := make(chan error)
		go func() {
			r, err := http.Get(p.url + "/s3/owner")
			if err == nil {
				r.Body.Close()
			}
			response <- err
		}()
		<-called
		ended := make(chan error)
		go func() { ended <- p.stop() }()
		for { // until the listener is closed
			r, err := http.Get(p.url + "/healthz")
			if err != nil {
				break
			}
			r.Body.Close()
		}
		close(stopped)
		if err := <-response; err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		text := ""
		if err := <-ended; err != nil {
			text = err.Error()
		}
		if !sent.Load() || text != test.want {
			t.Errorf("%s: sent %t, ended with %q, want %q", test.name, sent.Load(), text, test.want)
		}
	}
}
