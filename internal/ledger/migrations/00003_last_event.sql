-- +goose Up

-- SHA-256 of type and data of the last event of a key; empty: it has none.
ALTER TABLE ledger_uploads ADD COLUMN last_event TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE ledger_uploads DROP COLUMN last_event;
