package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"

	_ "modernc.org/sqlite" // the driver, in go.mod; add that of your database with go get

	"s3-sign-srv/internal/hooks"
	"s3-sign-srv/internal/sign"
)

// expectedFiles is the table of expected files in the application's database.
type expectedFiles struct{ db *sql.DB }

// openExpectedFiles opens a SQLite database, which must have the table. A write waits up to 5 s for another one.
func openExpectedFiles(ctx context.Context, file string) (expectedFiles, error) {
	options := url.Values{"mode": {"rw"}, "_pragma": {"busy_timeout(5000)", "journal_mode(WAL)"}}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: file}).EscapedPath()+"?"+options.Encode())
	if err == nil {
		_, err = db.ExecContext(ctx, `SELECT s3key FROM expected LIMIT 1`)
	}
	if err != nil {
		return expectedFiles{}, fmt.Errorf("APP_DATABASE: the table of expected files in %q cannot be read (%w); "+
			"create it as docs/hooks.md shows", file, err)
	}
	return expectedFiles{db}, nil
}

var errTakenOver = hooks.Deny("Another upload of this file has taken over.")

// check claims the row of the file for the first request of an upload. It allows the other requests as long as no
// other upload has claimed the row.
func (e expectedFiles) check(ctx context.Context, c *hooks.Challenge) error {
	switch {
	case c.IsInitiate():
		return e.claim(ctx, c)
	case c.Operation == sign.AbortMultipartUpload:
		return nil // an abort only frees space
	}
	return e.checkClaim(ctx, c.Key)
}

// claim is one statement, so that of several uploads at a time only one has the row in the end.
func (e expectedFiles) claim(ctx context.Context, c *hooks.Challenge) error {
	changed, err := e.exec(ctx, `UPDATE expected SET s3key = ? WHERE dataset = ? AND name = ? AND etag IS NULL`,
		c.Key, c.Metadata["dataset"], c.Metadata["qqfilename"])
	if err == nil && !changed {
		return hooks.Deny("This file is not expected, or it is there already; check the data set.")
	}
	return err
}

func (e expectedFiles) checkClaim(ctx context.Context, key string) error {
	var name string
	err := e.db.QueryRowContext(ctx, `SELECT name FROM expected WHERE s3key = ?`, key).Scan(&name)
	if errors.Is(err, sql.ErrNoRows) {
		return errTakenOver
	}
	return err
}

// exec reports whether the statement has changed a row.
func (e expectedFiles) exec(ctx context.Context, statement string, args ...any) (changed bool, err error) {
	result, err := e.db.ExecContext(ctx, statement, args...)
	if err != nil {
		return false, err
	}
	rows, err := result.RowsAffected() // on MySQL, set clientFoundRows=true: else a repeated claim affects no row
	return rows > 0, err
}

// record marks the file of u as complete. isNew is false if it was complete already, because the browser repeats its
// report. The error is errTakenOver if another upload has claimed the row.
func (e expectedFiles) record(ctx context.Context, u *hooks.Upload) (isNew bool, err error) {
	isNew, err = e.exec(ctx, `UPDATE expected SET etag = ? WHERE s3key = ? AND etag IS NULL`, u.ETag, u.Key)
	if err == nil && !isNew {
		err = e.checkClaim(ctx, u.Key)
	}
	return isNew, err
}

// reopen makes the file of a deleted object expected again.
func (e expectedFiles) reopen(ctx context.Context, key string) error {
	_, err := e.exec(ctx, `UPDATE expected SET s3key = NULL, etag = NULL WHERE s3key = ?`, key)
	return err
}
