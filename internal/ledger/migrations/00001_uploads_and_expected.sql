-- +goose Up

-- One row for each key, about its latest upload. Times are milliseconds since 1970.
CREATE TABLE ledger_uploads (
	bucket     TEXT    NOT NULL,
	key        TEXT    NOT NULL,
	upload_id  TEXT    NOT NULL DEFAULT '', -- empty for a form, and before the first part
	owner      TEXT    NOT NULL DEFAULT '',
	dataset    TEXT    NOT NULL DEFAULT '',
	name       TEXT    NOT NULL DEFAULT '', -- empty if the upload began before there was a ledger
	params     TEXT    NOT NULL DEFAULT '{}', -- the other request.params, as JSON
	claims     BOOLEAN NOT NULL DEFAULT FALSE, -- the file is an expected one
	size       BIGINT  NOT NULL DEFAULT 0, -- size and ETag are set once the upload is stored
	etag       TEXT    NOT NULL DEFAULT '',
	state      TEXT    NOT NULL CHECK (state IN ('begun', 'stored', 'accepted', 'refused', 'deleted')),
	reason     TEXT    NOT NULL DEFAULT '', -- of a refusal
	begun_at   BIGINT  NOT NULL,
	changed_at BIGINT  NOT NULL, -- also the time of the last request of an upload that is under way
	PRIMARY KEY (bucket, key)
);

CREATE TABLE ledger_expected (
	bucket     TEXT   NOT NULL,
	dataset    TEXT   NOT NULL,
	name       TEXT   NOT NULL,
	size       BIGINT, -- NULL: any
	sha256     TEXT   NOT NULL DEFAULT '', -- hexadecimal, lower case; empty: any
	owner      TEXT   NOT NULL DEFAULT '', -- who may upload the file; empty: anybody
	key        TEXT   NOT NULL DEFAULT '', -- of the upload that claimed the file last
	state      TEXT   NOT NULL DEFAULT 'open'
		CHECK (state IN ('open', 'begun', 'stored', 'accepted', 'refused', 'deleted')),
	changed_at BIGINT NOT NULL,
	PRIMARY KEY (bucket, dataset, name)
);

-- +goose Down
DROP TABLE ledger_expected;
DROP TABLE ledger_uploads;
