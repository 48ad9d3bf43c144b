package events

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"s3-sign-srv/internal/ledger"
	"s3-sign-srv/internal/sign"
	"s3-sign-srv/internal/webhook"
)

var secret = "whsec_" + base64.StdEncoding.EncodeToString([]byte("a secret of the application"))

// application verifies events and records their bodies by their ids. It fails as often as failures says.
type application struct {
	mu       sync.Mutex
	bodies   map[string][]string
	failures int
}

func (a *application) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	verifier, err := standardwebhooks.NewWebhook(secret)
	if err == nil {
		err = verifier.Verify(body, r.Header)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	id := r.Header.Get(standardwebhooks.HeaderWebhookID)
	a.bodies[id] = append(a.bodies[id], string(body))
	if a.failures--; err != nil || a.failures >= 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
}

// fixture is a ledger with a clock, and its sender.
type fixture struct {
	*Sender
	clock *atomic.Int64 // milliseconds since 1970
}

func newFixture(t *testing.T, database, address string) fixture {
	t.Helper()
	clock := new(atomic.Int64)
	clock.Store(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC).UnixMilli())
	l, err := ledger.Open(t.Context(), ledger.Config{
		Address: sign.NewSecret(database), Bucket: "mybucket", Log: slog.New(slog.DiscardHandler), Events: true,
		Now: func() time.Time { return time.UnixMilli(clock.Load()) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	client, err := webhook.New(u, []sign.Secret{sign.NewSecret(secret)})
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	return fixture{&Sender{Ledger: l, Application: client, Log: log, Poll: 10 * time.Millisecond}, clock}
}

// accept records an upload from begin to end.
func (f fixture) accept(t *testing.T, key string) {
	t.Helper()
	metadata := map[string]string{"dataset": "D1", "qqfilename": "a.txt", "x": "1"}
	err := f.Ledger.Allow(t.Context(), "ada", &sign.Request{Operation: sign.PostObject, Key: key, Metadata: metadata})
	for range 2 { // the report is repeated
		if err == nil {
			err = f.Ledger.Store(t.Context(), ledger.Upload{Key: key, Owner: "ada", Metadata: metadata, ETag: `"e"`,
				Sizes: &sign.SizeRange{Min: 5, Max: 5}})
		}
		if err == nil {
			err = f.Ledger.Accept(t.Context(), key)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestEvents checks what the application receives: an event for each change of a state, again until it confirms it.
func TestEvents(t *testing.T) {
	for kind, database := range databases(t) {
		t.Run(kind, func(t *testing.T) {
			app := &application{bodies: map[string][]string{}, failures: 2}
			web := httptest.NewServer(app)
			defer web.Close()
			f := newFixture(t, database, web.URL)
			f.accept(t, "ada/1")
			for i, want := range []struct{ wait, due int }{{0, 1}, {4, 0}, {2, 1}, {9, 0}, {2, 1}, {3600, 0}} {
				f.clock.Add(int64(want.wait) * 1000)
				if n := f.sendDue(t.Context()); n != want.due {
					t.Errorf("look %d: %d attempts, want %d", i, n, want.due)
				}
			}
			const event = `{"type":"upload.accepted","timestamp":"2026-11-23T12:00:00Z","data":{"bucket":"mybucket",` +
				`"key":"ada/1","owner":"ada","dataset":"D1","name":"a.txt","params":{"x":"1"},"size":5,"etag":"\"e\""}}`
			if len(app.bodies) != 1 {
				t.Errorf("events: %q, want one with one id", app.bodies)
			}
			for id, bodies := range app.bodies {
				if strings.Join(bodies, "\n") != strings.Join([]string{event, event, event}, "\n") {
					t.Errorf("%s: %q", id, bodies)
				}
				if n, err := f.Ledger.Redeliver(t.Context(), id); n != 1 || err != nil || f.sendDue(t.Context()) != 1 {
					t.Errorf("delivered again: %d, %v", n, err)
				}
			}
			if err := f.Ledger.Refuse(t.Context(), "ada/1", "It has a virus."); err != nil {
				t.Error(err)
			}
			if err := f.Ledger.Delete(t.Context(), "ada/1"); err != nil {
				t.Error(err)
			}
			f.sendDue(t.Context())
			all := fmt.Sprint(app.bodies)
			if len(app.bodies) != 3 || !strings.Contains(all, `"upload.refused"`) ||
				!strings.Contains(all, `"reason":"It has a virus."`) || !strings.Contains(all, `"upload.deleted"`) {
				t.Errorf("events: %s", all)
			}
		})
	}
}

// TestReplicas delivers many events from three servers with one database: each event once. An event whose server ends
// during the attempt is delivered after the lease, with the same id.
func TestReplicas(t *testing.T) {
	const uploads = 50
	for kind, database := range databases(t) {
		t.Run(kind, func(t *testing.T) {
			app := &application{bodies: map[string][]string{}}
			web := httptest.NewServer(app)
			defer web.Close()
			servers := []fixture{
				newFixture(t, database, web.URL), newFixture(t, database, web.URL), newFixture(t, database, web.URL)}
			for i := range uploads {
				servers[0].accept(t, fmt.Sprintf("ada/%d", i))
			}
			lost, err := servers[0].Ledger.Due(t.Context(), 1) // and never delivered
			if err != nil || len(lost) != 1 {
				t.Fatal(lost, err)
			}
			ctx, stop := context.WithCancel(t.Context())
			var group sync.WaitGroup
			for _, s := range servers {
				group.Go(func() { s.Run(ctx) })
			}
			servers[0].await(t, uploads-1)
			for _, s := range servers {
				s.clock.Add(61_000)
			}
			servers[0].await(t, uploads)
			stop()
			group.Wait()
			for id, bodies := range app.bodies {
				if len(bodies) != 1 {
					t.Errorf("%s was delivered %d times", id, len(bodies))
				}
			}
			if app.bodies[lost[0].ID] == nil {
				t.Errorf("%s was not delivered", lost[0].ID)
			}
		})
	}
}

// await waits until the ledger knows that n events are delivered.
func (f fixture) await(t *testing.T, n int) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		count := 0
		for e, err := range f.Ledger.AllEvents(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			if e.Delivered != nil {
				count++
			}
		}
		if count == n {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d events are delivered, want %d", count, n)
		}
	}
}
