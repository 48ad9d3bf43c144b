package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"

	"s3-sign-srv/internal/apierror"
	"s3-sign-srv/internal/sign"
)

// state is that of an upload or of an expected file.
type state string

const (
	open     state = "open"     // of an expected file: no upload has claimed it
	begun    state = "begun"    // its first request was allowed
	stored   state = "stored"   // it was reported and is in the bucket
	accepted state = "accepted" // by the hook Success
	refused  state = "refused"  // by the hook, or because it is not the expected file
	deleted  state = "deleted"
)

// Upload describes an upload: its first request, or the object that it has stored.
type Upload struct {
	Key, Owner string
	Metadata   map[string]string // x-amz-meta-* without the prefix; nil: not known
	ETag       string            // of an object
	Sizes      *sign.SizeRange   // of a policy, or twice the size of an object; nil: not known
}

// The names of metadata that the ledger knows.
const (
	metaDataset = "dataset"    // request.params.dataset
	metaName    = "qqfilename" // Fine Uploader sets it to the file's name
	metaSHA256  = "sha256"     // request.params.sha256, of pages that compute it
)

// record is an upload as the database has it.
type record struct {
	Upload
	dataset, name, params string
	claims                bool // the file is an expected one
	state                 state
	wasRefused            bool // the state before
	reason                string
}

// record returns u for the database.
func (u Upload) record() record {
	params := maps.Clone(u.Metadata)
	maps.DeleteFunc(params, func(name, _ string) bool { return name == metaDataset || name == metaName })
	if params == nil {
		params = map[string]string{}
	}
	encoded, err := json.Marshal(params)
	if err != nil {
		panic(err) // strings can be encoded
	}
	u.Owner, u.ETag = text(u.Owner), text(u.ETag)
	return record{Upload: u, dataset: text(u.Metadata[metaDataset]), name: text(u.Metadata[metaName]),
		params: string(encoded)}
}

// text returns s without what PostgreSQL cannot store.
func text(s string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", "\ufffd"), "\ufffd")
}

// Allow decides whether the request r of owner may be signed, and records it. The first request of an upload claims
// its file, if that is an expected one; the others are allowed as long as the upload has its claim.
func (l *Ledger) Allow(ctx context.Context, owner string, r *sign.Request) (err error) {
	switch {
	case r.IsInitiate():
		return l.begin(ctx, Upload{Key: r.Key, Owner: owner, Metadata: r.Metadata, Sizes: r.Size})
	case r.Operation == sign.AbortMultipartUpload:
		err = l.abort(ctx, r.Key)
	default:
		err = l.resume(ctx, owner, r)
	}
	if e := (*apierror.Error)(nil); l.SignWhenAway && errors.As(err, &e) && e.Code == apierror.Unavailable {
		l.Log.WarnContext(ctx, "signed without the database", "operation", string(r.Operation), "key", r.Key,
			"cause", e.Err.Error())
		return nil
	}
	return err
}

// begin records the first request of an upload. It forgets what the key was used for before, unless that is an
// expected file that is there.
func (l *Ledger) begin(ctx context.Context, u Upload) error {
	l.parts.Remove(u.Key)
	return l.inTx(ctx, func(t tx) error {
		r := u.record()
		r.state = begun
		if err := l.claim(t, &r); err != nil {
			return err
		}
		rows, err := t.save(r)
		if err == nil && rows == 0 {
			return apierror.New(apierror.Conflict, fmt.Sprintf("The key %q belongs to a file that is there already; "+
				"upload under another key, or delete that file first.", u.Key))
		}
		return err
	})
}

// save writes r. It changes no row if r begins over an expected file that is there, or reports what was accepted.
func (t tx) save(r record) (rows int64, err error) {
	size := int64(0)
	if r.Sizes != nil && r.state != begun {
		size = r.Sizes.Max
	}
	return t.exec(`INSERT INTO ledger_uploads
			(bucket, key, owner, dataset, name, params, claims, size, etag, state, reason, begun_at, changed_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)
		ON CONFLICT (bucket, key) DO UPDATE SET
			owner = excluded.owner, dataset = excluded.dataset, name = excluded.name, params = excluded.params,
			claims = excluded.claims, size = excluded.size, etag = excluded.etag, state = excluded.state,
			reason = excluded.reason, changed_at = excluded.changed_at,
			begun_at = CASE excluded.state WHEN 'begun' THEN excluded.begun_at ELSE ledger_uploads.begun_at END,
			upload_id = CASE excluded.state WHEN 'begun' THEN '' ELSE ledger_uploads.upload_id END
		WHERE CASE excluded.state
			WHEN 'begun' THEN NOT (ledger_uploads.claims AND ledger_uploads.state IN ('stored', 'accepted'))
			WHEN 'stored' THEN NOT (ledger_uploads.state = 'accepted' AND ledger_uploads.etag = excluded.etag)
			ELSE TRUE END`,
		r.Key, r.Owner, r.dataset, r.name, r.params, r.claims, size, r.ETag, string(r.state), r.reason, t.now)
}

// load returns the upload of a key; its state is empty if there is none.
func (t tx) load(key string) (r record, err error) {
	r.Key = key
	_, err = t.row(`SELECT owner, dataset, name, params, claims, etag, state, reason
		FROM ledger_uploads WHERE bucket = $1 AND key = $2`, []any{key},
		&r.Owner, &r.dataset, &r.name, &r.params, &r.claims, &r.ETag, &r.state, &r.reason)
	return r, err
}

// resume allows a part or the completion of an upload that has begun and has not lost its claim. An upload that began
// before there was a ledger is recorded now. Parts are allowed for partInterval after the last look at the database,
// and parts that need the next one share it.
func (l *Ledger) resume(ctx context.Context, owner string, r *sign.Request) error {
	if r.Operation != sign.UploadPart {
		return l.look(ctx, owner, r)
	}
	if at, ok := l.parts.Get(r.Key); ok && l.Now().Sub(at) < partInterval {
		return nil
	}
	_, err, _ := l.looks.Do(r.Key, func() (any, error) {
		return nil, l.look(context.WithoutCancel(ctx), owner, r)
	})
	return err
}

// look asks the database whether the upload of r may go on.
func (l *Ledger) look(ctx context.Context, owner string, r *sign.Request) error {
	now := l.Now()
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	result, err := l.db.ExecContext(ctx, `INSERT INTO ledger_uploads AS u
			(bucket, key, upload_id, owner, state, begun_at, changed_at)
		VALUES ($1, $2, $3, $4, 'begun', $5, $5)
		ON CONFLICT (bucket, key) DO UPDATE SET upload_id = excluded.upload_id, changed_at = excluded.changed_at
		WHERE u.state = 'begun' AND (NOT u.claims OR EXISTS (SELECT 1 FROM ledger_expected e
			WHERE e.bucket = u.bucket AND e.dataset = u.dataset AND e.name = u.name
				AND e.key = u.key AND e.state = 'begun'))`,
		l.Bucket, r.Key, r.UploadID, text(owner), now.UnixMilli())
	if err != nil {
		return unavailable(err)
	}
	rows, err := result.RowsAffected()
	if err != nil {
		return unavailable(err)
	}
	if rows == 0 {
		l.parts.Remove(r.Key)
		return l.whyNot(ctx, r.Key)
	}
	l.parts.Add(r.Key, now)
	return nil
}

// whyNot explains why the upload of a key must not go on.
func (l *Ledger) whyNot(ctx context.Context, key string) error {
	return l.inTx(ctx, func(t tx) error {
		r, err := t.load(key)
		if err != nil {
			return err
		}
		text := "Another upload of this file has taken over; cancel this one."
		switch r.state {
		case stored, accepted:
			text = "This upload is complete already; reload the page."
		case refused:
			text = "This upload was refused: " + r.reason
		case deleted:
			text = "The file of this upload was deleted; upload it again."
		}
		return apierror.New(apierror.Conflict, text)
	})
}

// abort gives up the claim of an upload, if it has one.
func (l *Ledger) abort(ctx context.Context, key string) error {
	l.parts.Remove(key)
	return l.inTx(ctx, func(t tx) error {
		_, err := t.exec(`UPDATE ledger_expected SET state = 'open', key = '', changed_at = $3
			WHERE (bucket, dataset, name) =
				(SELECT bucket, dataset, name FROM ledger_uploads WHERE bucket = $1 AND key = $2)
				AND key = $2 AND state = 'begun'`, key, t.now)
		return err
	})
}
