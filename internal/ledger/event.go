package ledger

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"
)

// Event is a change that the application is told of.
type Event struct {
	ID        string          `json:"id"` // the same for each attempt to deliver it
	Body      json.RawMessage `json:"body"`
	Attempts  int             `json:"attempts"`
	Error     string          `json:"error,omitempty"` // of the last attempt
	Created   time.Time       `json:"created"`
	Delivered *time.Time      `json:"delivered"` // nil: not yet
}

// eventBody is the body of an event, in the form that Standard Webhooks recommends.
type eventBody struct {
	Type      string    `json:"type"` // upload.accepted, upload.refused or upload.deleted
	Timestamp time.Time `json:"timestamp"`
	Data      eventData `json:"data"`
}

type eventData struct {
	Bucket  string          `json:"bucket"`
	Key     string          `json:"key"`
	Owner   string          `json:"owner"`
	Dataset string          `json:"dataset"`
	Name    string          `json:"name"`
	Params  json.RawMessage `json:"params"`
	Size    int64           `json:"size"`
	ETag    string          `json:"etag"`
	Reason  string          `json:"reason,omitempty"`
}

// emit adds the event that r got into its state, in the transaction that changes it, unless the last event of its key
// says the same: pages repeat their reports.
func (l *Ledger) emit(t tx, r record) error {
	if !l.Events {
		return nil
	}
	data := eventData{t.bucket, r.Key, r.Owner, r.dataset, r.name, json.RawMessage(r.params), 0, r.ETag, r.reason}
	if _, err := t.row(`SELECT size, etag FROM ledger_uploads WHERE bucket = $1 AND key = $2`, []any{r.Key},
		&data.Size, &data.ETag); err != nil {
		return err
	}
	event := eventBody{"upload." + string(r.state), time.UnixMilli(t.now).UTC(), data}
	content, err := json.Marshal(eventBody{Type: event.Type, Data: data})
	if err != nil {
		return err
	}
	digest := fmt.Sprintf("%x", sha256.Sum256(content))
	rows, err := t.exec(`UPDATE ledger_uploads SET last_event = $3 WHERE bucket = $1 AND key = $2 AND last_event <> $3`,
		r.Key, digest)
	if err != nil || rows == 0 {
		return err
	}
	body, err := json.Marshal(event)
	if err != nil {
		return err
	}
	_, err = t.exec(`INSERT INTO ledger_events (bucket, id, body, created_at, due_at) VALUES ($1, $2, $3, $4, $4)`,
		"evt_"+rand.Text(), string(body), t.now)
	return err
}

// lease is how long an event that is being delivered is not due for another replica, and how long an attempt may take.
const lease = 20 * time.Second

// Due returns at most n events to deliver now, and counts the attempt. Until the lease ends, no replica gets them.
func (l *Ledger) Due(ctx context.Context, n int) (events []Event, err error) {
	skip := "" // SQLite has one writer at a time
	if l.isPostgres {
		skip = "FOR UPDATE SKIP LOCKED"
	}
	err = l.inTx(ctx, func(t tx) error {
		rows, err := t.QueryContext(ctx, `UPDATE ledger_events SET attempts = attempts + 1, due_at = $3
			WHERE bucket = $1 AND id IN (SELECT id FROM ledger_events
				WHERE bucket = $1 AND delivered_at IS NULL AND due_at <= $2 ORDER BY due_at LIMIT $4 `+skip+`)
			RETURNING id, body, attempts`, t.bucket, t.now, t.now+lease.Milliseconds(), n)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var e Event
			var body string
			if err := rows.Scan(&e.ID, &body, &e.Attempts); err != nil {
				return err
			}
			e.Body = json.RawMessage(body)
			events = append(events, e)
		}
		return rows.Err()
	})
	return events, err
}

// Delivered records that an event was delivered.
func (l *Ledger) Delivered(ctx context.Context, id string) error {
	return l.inTx(ctx, func(t tx) error {
		_, err := t.exec(`UPDATE ledger_events SET delivered_at = $3, error = '' WHERE bucket = $1 AND id = $2`, id, t.now)
		return err
	})
}

// Postpone records why an attempt to deliver an event has failed, and when the next one is due.
func (l *Ledger) Postpone(ctx context.Context, id string, cause error, delay time.Duration) error {
	return l.inTx(ctx, func(t tx) error {
		_, err := t.exec(`UPDATE ledger_events SET due_at = $3, error = $4 WHERE bucket = $1 AND id = $2`,
			id, t.now+delay.Milliseconds(), text(cause.Error()))
		return err
	})
}

// Pending returns the number of events that are not delivered.
func (l *Ledger) Pending(ctx context.Context) (n int64, err error) {
	err = l.inTx(ctx, func(t tx) error {
		_, err := t.row(`SELECT COUNT(*) FROM ledger_events WHERE bucket = $1 AND delivered_at IS NULL`, nil, &n)
		return err
	})
	return n, err
}

// Redeliver makes an event due again, or with an empty id all that are not delivered yet.
func (l *Ledger) Redeliver(ctx context.Context, id string) (n int64, err error) {
	err = l.inTx(ctx, func(t tx) error {
		if id == "" {
			n, err = t.exec(`UPDATE ledger_events SET due_at = $2 WHERE bucket = $1 AND delivered_at IS NULL`, t.now)
		} else {
			n, err = t.exec(`UPDATE ledger_events SET due_at = $2, delivered_at = NULL WHERE bucket = $1 AND id = $3`, t.now, id)
		}
		return err
	})
	if err == nil && id != "" && n == 0 {
		err = errors.New("there is no event " + id + "; see s3-sign-srv events list")
	}
	return n, err
}

// AllEvents returns the events in the order in which they happened.
func (l *Ledger) AllEvents(ctx context.Context) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		rows, err := l.db.QueryContext(ctx, `SELECT id, body, attempts, error, created_at, delivered_at
			FROM ledger_events WHERE bucket = $1 ORDER BY created_at, id`, l.Bucket)
		if err != nil {
			yield(Event{}, unavailable(err))
			return
		}
		defer rows.Close()
		for rows.Next() {
			var e Event
			var body string
			var created int64
			var delivered *int64
			err := rows.Scan(&e.ID, &body, &e.Attempts, &e.Error, &created, &delivered)
			e.Body, e.Created = json.RawMessage(body), time.UnixMilli(created).UTC()
			if delivered != nil {
				at := time.UnixMilli(*delivered).UTC()
				e.Delivered = &at
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(Event{}, unavailable(err))
		}
	}
}
