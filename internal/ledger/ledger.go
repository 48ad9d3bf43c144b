// Package ledger keeps uploads and expected files in a database, SQLite or PostgreSQL. An upload goes from begun to
// stored, when it is in the bucket, then to accepted or refused, and possibly to deleted. An expected file is claimed
// by the key of one upload at a time, so that of several uploads of the same file only one is accepted.
//
// Both databases run the same statements. A refusal is an *apierror.Error with a sentence for the user; a database that
// does not respond is one with the code apierror.Unavailable.
package ledger

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"github.com/hashicorp/golang-lru/v2"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	"golang.org/x/sync/singleflight"

	"s3-sign-srv/internal/apierror"
	"s3-sign-srv/internal/sign"
)

const (
	timeout      = 3 * time.Second  // for what a request asks of the database
	startTimeout = 30 * time.Second // to connect and to bring the tables up to date

	claimTimeout = time.Hour // without a request, after which anybody may upload an expected file that was begun

	// partInterval is how long the parts of an upload are signed without the database after it allowed one, and
	// maxCached of how many uploads that is known.
	partInterval = 30 * time.Second
	maxCached    = 10_000
)

// Config is what a Ledger needs. All but the flags are required.
type Config struct {
	Address sign.Secret // sqlite:PATH or postgres://…
	Bucket  string
	Log     *slog.Logger
	Now     func() time.Time

	ExpectedOnly bool // allow only expected files, also in data sets that have none
	Events       bool // keep events for Due
	SignWhenAway bool // allow the requests of uploads that have begun while the database does not respond
}

// Ledger is safe for concurrent use.
type Ledger struct {
	Config
	db    *sql.DB
	parts *lru.Cache[string, time.Time] // when the database last allowed a part of the upload with that key
	looks singleflight.Group            // by key

	isPostgres bool
}

//go:embed migrations/*.sql
var migrations embed.FS

// Open connects to the database and brings its tables up to date. Its error names the setting and has no password.
func Open(ctx context.Context, cfg Config) (*Ledger, error) {
	a, err := parseAddress(cfg.Address.Reveal())
	if err != nil {
		return nil, fmt.Errorf("P3S3F_DATABASE %w", err)
	}
	parts, err := lru.New[string, time.Time](maxCached)
	if err != nil {
		return nil, err
	}
	db := a.open()
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if err = db.PingContext(ctx); err == nil {
		err = migrate(ctx, a, db)
	}
	if err != nil {
		db.Close()
		return nil, fmt.Errorf("P3S3F_DATABASE: the database %s cannot be used: %s; check the address, that the database "+
			"runs, and that this user may create tables in it", a.name, a.describe(err))
	}
	return &Ledger{Config: cfg, db: db, parts: parts, isPostgres: a.dialect == goose.DialectPostgres}, nil
}

// maxMigrations is how often migrate begins on SQLite: a migration fails if another process has just applied it.
const maxMigrations = 3

// migrate applies what is missing of the migrations. On PostgreSQL, replicas that start at once wait for each other.
func migrate(ctx context.Context, a address, db *sql.DB) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	options := []goose.ProviderOption{goose.WithTableName("ledger_schema"), goose.WithDisableGlobalRegistry(true)}
	if a.dialect == goose.DialectPostgres {
		locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, uint64(startTimeout.Seconds()))) // s
		if err != nil {
			return err
		}
		options = append(options, goose.WithSessionLocker(locker))
	}
	provider, err := goose.NewProvider(a.dialect, db, files, options...)
	if err != nil {
		return err
	}
	for range maxMigrations {
		if _, err = provider.Up(ctx); err == nil || a.dialect == goose.DialectPostgres {
			break
		}
	}
	return err
}

// Close closes the connections.
func (l *Ledger) Close() error { return l.db.Close() }

// Ping reports whether the database responds.
func (l *Ledger) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if err := l.db.PingContext(ctx); err != nil {
		return unavailable(err)
	}
	return nil
}

// unavailable is the error for a statement that failed. The drivers put no password into theirs.
func unavailable(err error) error {
	return &apierror.Error{Code: apierror.Unavailable, Err: fmt.Errorf("the database of P3S3F_DATABASE: %w", err),
		Message: "The server's database does not respond; try again in a minute, and tell its operator if that does " +
			"not help."}
}

// inTx runs f in a transaction, and commits it if f returns nil. A refusal stays as it is.
func (l *Ledger) inTx(ctx context.Context, f func(tx) error) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	sqlTx, err := l.db.BeginTx(ctx, nil)
	if err != nil {
		return unavailable(err)
	}
	defer sqlTx.Rollback() // without effect after a commit
	err = f(tx{sqlTx, ctx, l.Bucket, l.Now().UnixMilli()})
	if err == nil {
		err = sqlTx.Commit()
	}
	if err != nil && !isRefusal(err) {
		return unavailable(err)
	}
	return err
}

func isRefusal(err error) bool { return errors.As(err, new(*apierror.Error)) }

// tx is a transaction about one bucket at one time.
type tx struct {
	*sql.Tx
	ctx    context.Context
	bucket string
	now    int64 // milliseconds since 1970
}

// exec returns the number of rows that the statement has changed. Its first argument is the bucket.
func (t tx) exec(statement string, args ...any) (rows int64, err error) {
	result, err := t.ExecContext(t.ctx, statement, append([]any{t.bucket}, args...)...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// row scans the row that the query finds into targets. Its first argument is the bucket.
func (t tx) row(query string, args []any, targets ...any) (found bool, err error) {
	err = t.QueryRowContext(t.ctx, query, append([]any{t.bucket}, args...)...).Scan(targets...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}
