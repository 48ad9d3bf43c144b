package ledger

import (
	"database/sql"
	"errors"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

// maxConnections limits the connections of one server to PostgreSQL, which by default accepts 100 in all.
const maxConnections = 16

// address is a checked value of P3S3F_DATABASE.
type address struct {
	dialect goose.Dialect
	name    string // for messages: without user and password

	file     string          // of SQLite
	postgres *pgx.ConnConfig // of PostgreSQL
}

// parseAddress reads sqlite:PATH or postgres://…. Its errors do not show the value.
func parseAddress(value string) (address, error) {
	if path, ok := strings.CutPrefix(value, "sqlite:"); ok {
		file, err := filepath.Abs(path)
		return address{dialect: goose.DialectSQLite3, name: path, file: file}, err
	}
	cfg, err := pgx.ParseConfig(value)
	if err != nil {
		return address{}, errors.New("is not an address of PostgreSQL; set it to one such as " +
			"postgres://USER:PASSWORD@HOST:5432/NAME, with other characters than letters and digits percent-encoded")
	}
	return address{dialect: goose.DialectPostgres, name: cfg.Database + " at " + cfg.Host, postgres: cfg}, nil
}

// open prepares the connections. SQLite has one writer at a time, so the server has one connection: its requests wait
// for each other in Go, where no waiting fails. Other processes, such as the command expect, wait for busy_timeout.
func (a address) open() *sql.DB {
	if a.postgres != nil {
		db := stdlib.OpenDB(*a.postgres)
		db.SetMaxOpenConns(maxConnections)
		db.SetMaxIdleConns(maxConnections)
		db.SetConnMaxIdleTime(time.Minute)
		return db
	}
	const options = "_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_txlock=immediate"
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: a.file, RawQuery: options}).String())
	if err != nil {
		panic(err) // the driver is registered
	}
	db.SetMaxOpenConns(1)
	return db
}

// describe returns the last line of err, which has the reason, without the password.
func (a address) describe(err error) string {
	text := strings.TrimSpace(err.Error())
	text = strings.TrimSpace(text[strings.LastIndexByte(text, '\n')+1:])
	if a.postgres != nil && a.postgres.Password != "" {
		text = strings.ReplaceAll(text, a.postgres.Password, "…")
	}
	return text
}
