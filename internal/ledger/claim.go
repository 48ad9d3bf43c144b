package ledger

import (
	"database/sql"
	"fmt"
	"strings"

	"s3-sign-srv/internal/apierror"
	"s3-sign-srv/internal/sign"
)

// expectedFile is an expected file with the upload that claimed it last.
type expectedFile struct {
	size          sql.NullInt64
	sha256, owner string
	key           string // empty: no upload
	state         state
	claimedBy     string // owner of that upload
	claimedAt     int64  // time of its last request, in milliseconds since 1970
}

// maxClaims limits the repetitions of a claim while other uploads claim the same file.
const maxClaims = 10

// claim claims the expected file of r for its key, with the state of r, begun or stored, and sets r.claims. Without
// such a file it only checks that r need not be expected. Everything but the statement that changes the row only
// explains a refusal; the number of changed rows decides.
func (l *Ledger) claim(t tx, r *record) error {
	for range maxClaims {
		e, found, err := t.expected(r.dataset, r.name)
		switch {
		case err != nil:
			return err
		case !found:
			return l.checkUnexpected(t, r)
		}
		if err := e.check(r, t.now); err != nil {
			return err
		}
		if e.isThere() { // and its key is that of r
			r.claims = true
			return nil
		}
		rows, err := t.exec(`UPDATE ledger_expected SET key = $4, state = $5, changed_at = $6
			WHERE bucket = $1 AND dataset = $2 AND name = $3 AND key = $7 AND state = $8`,
			r.dataset, r.name, r.Key, string(r.state), t.now, e.key, string(e.state))
		if err != nil || rows == 1 {
			r.claims = true
			l.parts.Remove(e.key)
			return err
		}
	}
	return apierror.New(apierror.Conflict, "Several uploads of this file began at the same time; try again.")
}

// isThere reports whether the file is in the bucket and not refused.
func (e *expectedFile) isThere() bool { return e.state == stored || e.state == accepted }

func (t tx) expected(dataset, name string) (e expectedFile, found bool, err error) {
	if dataset == "" {
		return e, false, nil // every expected file has one
	}
	found, err = t.row(`SELECT e.size, e.sha256, e.owner, e.key, e.state, COALESCE(u.owner, ''), COALESCE(u.changed_at, 0)
		FROM ledger_expected e LEFT JOIN ledger_uploads u ON u.bucket = e.bucket AND u.key = e.key
		WHERE e.bucket = $1 AND e.dataset = $2 AND e.name = $3`, []any{dataset, name},
		&e.size, &e.sha256, &e.owner, &e.key, &e.state, &e.claimedBy, &e.claimedAt)
	return e, found, err
}

// checkUnexpected rejects a file that is not expected, if it has to be.
func (l *Ledger) checkUnexpected(t tx, r *record) error {
	mustBe := l.ExpectedOnly
	if !mustBe && r.dataset != "" {
		var err error
		mustBe, err = t.row(`SELECT 1 FROM ledger_expected WHERE bucket = $1 AND dataset = $2 LIMIT 1`,
			[]any{r.dataset}, new(int))
		if err != nil {
			return err
		}
	}
	if !mustBe {
		return nil
	}
	return apierror.New(apierror.Forbidden, fmt.Sprintf("The file %q is not expected in the data set %q; "+
		"check the name of the file and the data set.", r.name, r.dataset))
}

// check rejects r if it is not the file e, or if another upload has claimed e.
func (e *expectedFile) check(r *record, now int64) error {
	sum := r.Metadata[metaSHA256]
	isOurs := e.key == r.Key && !(e.isThere() && r.state == begun)
	switch {
	case e.owner != "" && e.owner != r.Owner:
		return apierror.New(apierror.Forbidden, "This file is expected from another user; log in as that user.")
	case e.size.Valid && !contains(r.Sizes, e.size.Int64):
		return apierror.New(apierror.Forbidden, fmt.Sprintf("The file has another size than the expected %d bytes; "+
			"check that it is the right file and complete.", e.size.Int64))
	case e.sha256 != "" && sum != "" && !strings.EqualFold(sum, e.sha256):
		return apierror.New(apierror.Forbidden,
			"The file has another SHA-256 than the expected one; check that it is the right file.")
	case isOurs:
		return nil
	case e.isThere():
		return apierror.New(apierror.Conflict, fmt.Sprintf("This file is there already, under the key %q; "+
			"delete it first if it has to be replaced.", e.key))
	case e.state == begun && !e.mayTakeOver(r, now):
		return apierror.New(apierror.Conflict, fmt.Sprintf("This file is being uploaded already, under the key %q; wait "+
			"until that upload is complete, or for %.0f minutes after its last request.", e.key, claimTimeout.Minutes()))
	}
	return nil
}

// mayTakeOver reports whether r may claim a file that another upload has begun: that upload has the same owner, or has
// made no request for a long time. An upload that was refused before takes over from none.
func (e *expectedFile) mayTakeOver(r *record, now int64) bool {
	isOld := now-e.claimedAt > claimTimeout.Milliseconds()
	return !r.wasRefused && (isOld || r.Owner != "" && r.Owner == e.claimedBy)
}

// contains reports whether a file of that size may be in the range; true for nil.
func contains(r *sign.SizeRange, size int64) bool { return r == nil || r.Min <= size && size <= r.Max }
