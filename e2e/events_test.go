//go:build e2e

package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"s3-sign-srv/internal/postgrestest"
)

// An eventReceiver is an application that learns of uploads.
type eventReceiver struct {
	*httptest.Server
	blocked atomic.Bool // it confirms nothing while a connection lasts

	mu     sync.Mutex
	bodies map[string][]string        // by id
	ids    map[string]map[string]bool // by key
}

const eventsSecret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

func startEventReceiver(t *testing.T) *eventReceiver {
	t.Helper()
	verifier, err := standardwebhooks.NewWebhook(eventsSecret)
	if err != nil {
		t.Fatal(err)
	}
	a := &eventReceiver{bodies: map[string][]string{}, ids: map[string]map[string]bool{}}
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var event struct {
			Type string
			Data struct{ Key string }
		}
		if err := verifier.Verify(body, r.Header); err != nil || json.Unmarshal(body, &event) != nil ||
			event.Type != "upload.accepted" {
			t.Errorf("%s: %v", body, err)
		}
		id := r.Header.Get(standardwebhooks.HeaderWebhookID)
		a.mu.Lock()
		a.bodies[id] = append(a.bodies[id], string(body))
		if a.ids[event.Data.Key] == nil {
			a.ids[event.Data.Key] = map[string]bool{}
		}
		a.ids[event.Data.Key][id] = true
		a.mu.Unlock()
		if a.blocked.Load() {
			<-r.Context().Done()
		}
	}))
	t.Cleanup(a.Close)
	return a
}

// deliveries is how often the event of a key came.
func (a *eventReceiver) deliveries(key string) (n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for id := range a.ids[key] {
		n += len(a.bodies[id])
	}
	return n
}

// check wants one id for each key, and one body for each id.
func (a *eventReceiver) check(t *testing.T, keys []string) {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, key := range keys {
		if len(a.ids[key]) != 1 {
			t.Errorf("%s has the events %v, want one", key, a.ids[key])
		}
	}
	for id, bodies := range a.bodies {
		for _, body := range bodies {
			if body != bodies[0] {
				t.Errorf("%s: %s\nand %s", id, bodies[0], body)
			}
		}
	}
}

// TestEvents kills servers between the change of the state of an upload and the delivery of its event.
func TestEvents(t *testing.T) {
	t.Parallel()
	postgres, err := postgrestest.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { postgres.Close() })
	b := newBucket(t, shared.radosgw)
	on := func(address string, app *eventReceiver) settings {
		return settingsFor(b, pathStyle.endpoint(b.port)).with(ownUploadsOnly).with(settings{
			"P3S3F_DATABASE": address, "P3S3F_EVENTS_URL": app.URL, "P3S3F_EVENTS_SECRET": eventsSecret})
	}
	for name, address := range map[string]string{
		"killed, SQLite": "sqlite:" + t.TempDir() + "/ledger.db", "killed, PostgreSQL": postgres.NewDatabase(t),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app := startEventReceiver(t)
			env := on(address, app)
			srv := startServer(t, t.TempDir(), env)
			app.blocked.Store(true)
			c := newLedgerClient(t, b, srv)
			if err := c.upload(t, srv, "form"); err != nil {
				t.Fatal(err)
			}
			eventually(t, 30*time.Second, "a delivery begins", func() bool { return app.deliveries(c.key) == 1 })
			app.blocked.Store(false)
			srv.restart(t, env)
			eventually(t, time.Minute, "the event is delivered again", func() bool { return app.deliveries(c.key) == 2 })
			eventually(t, 30*time.Second, "the delivery is recorded", func() bool {
				return pendingEvents(t, env) == 0
			})
			for id := range app.ids[c.key] {
				env.run(t, "events", "redeliver", id)
			}
			eventually(t, time.Minute, "the event is redelivered", func() bool { return app.deliveries(c.key) == 3 })
			app.check(t, []string{c.key})
		})
	}
	t.Run("replicas", func(t *testing.T) {
		t.Parallel()
		app := startEventReceiver(t)
		env := on(postgres.NewDatabase(t), app)
		replicas := []*server{startServer(t, t.TempDir(), env), startServer(t, t.TempDir(), env)}
		var keys []string
		for i := range 10 {
			c := newLedgerClient(t, b, replicas[i%2])
			keys = append(keys, c.key)
			if err := c.upload(t, replicas[i%2], "form"); err != nil {
				t.Fatal(err)
			}
			if i == 4 {
				replicas[0] = replicas[0].restart(t, env)
			}
		}
		eventually(t, time.Minute, "all events are delivered", func() bool {
			return pendingEvents(t, env) == 0
		})
		app.check(t, keys)
	})
}

// pendingEvents is the number of events that are not delivered.
func pendingEvents(t *testing.T, s settings) int {
	t.Helper()
	return strings.Count(s.run(t, "events", "list", "-json"), `"delivered":null`)
}
