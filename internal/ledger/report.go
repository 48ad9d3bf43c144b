package ledger

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Store records that u is in the bucket, and checks its claim. If it returns a refusal, it has recorded that, too. A
// repeated report of an accepted upload changes nothing.
func (l *Ledger) Store(ctx context.Context, u Upload) error {
	l.parts.Remove(u.Key)
	var refusal error
	err := l.inTx(ctx, func(t tx) error {
		old, err := t.load(u.Key)
		if err != nil || old.state == accepted && old.ETag == text(u.ETag) {
			return err
		}
		r := u.stored(old)
		if refusal = l.claim(t, &r); refusal != nil {
			if !isRefusal(refusal) {
				return refusal
			}
			r.claims, r.state, r.reason = old.claims, refused, refusal.Error()
			if err := t.endClaim(r, refused); err != nil {
				return err
			}
		}
		if _, err := t.save(r); err != nil || r.state == old.state || r.state != refused {
			return err
		}
		return l.emit(t, r)
	})
	if err != nil {
		return err
	}
	return refusal
}

// stored returns the record of an object whose first request is in old. If its upload began before there was a ledger,
// the metadata of the object tells what that request did.
func (u Upload) stored(old record) record {
	r := u.record()
	if old.name != "" || u.Metadata == nil && old.state != "" {
		r.Owner, r.dataset, r.name, r.params = old.Owner, old.dataset, old.name, old.params
	}
	r.state, r.wasRefused = stored, old.state == refused
	return r
}

// Accept records that the hooks have accepted a stored upload.
func (l *Ledger) Accept(ctx context.Context, key string) error { return l.end(ctx, key, accepted, "") }

// Refuse records that a stored upload was refused, and why. An expected file can then be uploaded again.
func (l *Ledger) Refuse(ctx context.Context, key, reason string) error {
	return l.end(ctx, key, refused, text(reason))
}

// Delete records that an object was deleted. An expected file can then be uploaded again.
func (l *Ledger) Delete(ctx context.Context, key string) error { return l.end(ctx, key, deleted, "") }

// end moves an upload and its expected file to another state. It changes expected files before uploads, as all
// transactions do, so that none waits for another in a circle.
func (l *Ledger) end(ctx context.Context, key string, to state, reason string) error {
	l.parts.Remove(key)
	return l.inTx(ctx, func(t tx) error {
		r, err := t.load(key)
		if err != nil || r.state == "" {
			return err
		}
		if err := t.endClaim(r, to); err != nil {
			return err
		}
		rows, err := t.exec(`UPDATE ledger_uploads SET state = $3, reason = $4, changed_at = $5
			WHERE bucket = $1 AND key = $2 AND state IN (`+statesBefore(to)+`)`, key, string(to), reason, t.now)
		if err != nil || rows == 0 {
			return err
		}
		r.state, r.reason = to, reason
		return l.emit(t, r)
	})
}

// endClaim moves the expected file of r to another state if r has its claim.
func (t tx) endClaim(r record, to state) error {
	if !r.claims {
		return nil
	}
	_, err := t.exec(`UPDATE ledger_expected SET state = $5, changed_at = $6
		WHERE bucket = $1 AND dataset = $2 AND name = $3 AND key = $4 AND state IN (`+statesBefore(to)+`)`,
		r.dataset, r.name, r.Key, string(to), t.now)
	return err
}

// statesBefore has the states from which an upload or expected file can get into another, as a list of SQL.
func statesBefore(to state) string {
	switch to {
	case accepted:
		return `'stored'`
	case refused:
		return `'begun', 'stored', 'accepted'`
	}
	return `'begun', 'stored', 'accepted', 'refused'`
}

// batch is the number of keys in one query of Unaccepted.
const batch = 200

// Unaccepted returns those of the keys whose uploads the ledger knows and has not accepted.
func (l *Ledger) Unaccepted(ctx context.Context, keys []string) (map[string]bool, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	unaccepted := map[string]bool{}
	for some := range slices.Chunk(keys, batch) {
		if err := l.addUnaccepted(ctx, unaccepted, some); err != nil {
			return nil, unavailable(err)
		}
	}
	return unaccepted, nil
}

func (l *Ledger) addUnaccepted(ctx context.Context, unaccepted map[string]bool, keys []string) error {
	args, places := []any{l.Bucket}, make([]string, batch)
	for i := range batch { // always as many, so that the statement is prepared once
		places[i] = fmt.Sprintf("$%d", i+2)
		args = append(args, keys[min(i, len(keys)-1)])
	}
	rows, err := l.db.QueryContext(ctx, `SELECT key FROM ledger_uploads
		WHERE bucket = $1 AND state <> 'accepted' AND key IN (`+strings.Join(places, ", ")+`)`, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var key string
		if err := rows.Scan(&key); err != nil {
			return err
		}
		unaccepted[key] = true
	}
	return rows.Err()
}
