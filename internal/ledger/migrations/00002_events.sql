-- +goose Up

-- Events that the application is told of. Times are milliseconds since 1970.
CREATE TABLE ledger_events (
	bucket       TEXT   NOT NULL,
	id           TEXT   NOT NULL, -- the same for each attempt to deliver the event
	body         TEXT   NOT NULL, -- JSON
	attempts     BIGINT NOT NULL DEFAULT 0,
	error        TEXT   NOT NULL DEFAULT '', -- of the last attempt
	created_at   BIGINT NOT NULL,
	due_at       BIGINT NOT NULL, -- the next attempt
	delivered_at BIGINT, -- NULL: not yet
	PRIMARY KEY (bucket, id)
);
CREATE INDEX ledger_events_due ON ledger_events (bucket, due_at) WHERE delivered_at IS NULL;

-- +goose Down
DROP TABLE ledger_events;
