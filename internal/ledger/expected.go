package ledger

import (
	"context"
	"iter"
	"time"
)

// Import adds expected files, all or none. If a file is expected already, its size, SHA-256 and owner are replaced, and
// its state stays. added is the number of new ones.
func (l *Ledger) Import(ctx context.Context, files []File) (added int, err error) {
	sqlTx, err := l.db.BeginTx(ctx, nil)
	if err != nil {
		return 0, unavailable(err)
	}
	defer sqlTx.Rollback() // without effect after a commit
	t := tx{sqlTx, ctx, l.Bucket, l.Now().UnixMilli()}
	for _, f := range files {
		rows, err := t.exec(`INSERT INTO ledger_expected (bucket, dataset, name, size, sha256, owner, changed_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
			f.Dataset, f.Name, f.Size, f.SHA256, f.Owner, t.now)
		if err == nil && rows == 0 {
			_, err = t.exec(`UPDATE ledger_expected SET size = $4, sha256 = $5, owner = $6
				WHERE bucket = $1 AND dataset = $2 AND name = $3`, f.Dataset, f.Name, f.Size, f.SHA256, f.Owner)
		}
		if err != nil {
			return 0, unavailable(err)
		}
		added += int(rows)
	}
	if err := sqlTx.Commit(); err != nil {
		return 0, unavailable(err)
	}
	return added, nil
}

// ExpectedFile is an expected file and what has become of it.
type ExpectedFile struct {
	File
	State   string    `json:"state"`         // open, begun, stored, accepted, refused or deleted
	Key     string    `json:"key,omitempty"` // of the upload that claimed it last
	Changed time.Time `json:"changed"`       // when it got into its state, to the millisecond
	Reason  string    `json:"reason,omitempty"`
}

// Expected returns the expected files by data set and name.
func (l *Ledger) Expected(ctx context.Context) iter.Seq2[ExpectedFile, error] {
	return func(yield func(ExpectedFile, error) bool) {
		rows, err := l.db.QueryContext(ctx, `SELECT e.dataset, e.name, e.size, e.sha256, e.owner, e.state, e.key,
				e.changed_at, CASE e.state WHEN 'refused' THEN COALESCE(u.reason, '') ELSE '' END
			FROM ledger_expected e LEFT JOIN ledger_uploads u ON u.bucket = e.bucket AND u.key = e.key
			WHERE e.bucket = $1 ORDER BY e.dataset, e.name`, l.Bucket)
		if err != nil {
			yield(ExpectedFile{}, unavailable(err))
			return
		}
		defer rows.Close()
		for rows.Next() {
			var e ExpectedFile
			var changed int64
			err := rows.Scan(&e.Dataset, &e.Name, &e.Size, &e.SHA256, &e.Owner, &e.State, &e.Key, &changed, &e.Reason)
			e.Changed = time.UnixMilli(changed).UTC()
			if !yield(e, err) || err != nil {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(ExpectedFile{}, unavailable(err))
		}
	}
}
