-- When a broadcast is to reach people: a moment, or empty for as soon as it can.
ALTER TABLE broadcast ADD COLUMN due_at TEXT NOT NULL DEFAULT '';
ALTER TABLE broadcast ADD COLUMN is_local_time INTEGER NOT NULL DEFAULT 0;

-- Under which the provider holds mail that was handed over ahead of its time; kept before it is first used.
ALTER TABLE broadcast ADD COLUMN batch_id TEXT NOT NULL DEFAULT '';

-- A chunk is of one time zone where the broadcast goes by local time.
ALTER TABLE chunk ADD COLUMN zone TEXT NOT NULL DEFAULT '';
ALTER TABLE chunk ADD COLUMN due_at TEXT NOT NULL DEFAULT '';

-- Until when the provider was asked to hold it; a moment, or empty where it was handed over to leave at once.
ALTER TABLE chunk ADD COLUMN hold_until TEXT NOT NULL DEFAULT '';

-- When it was last claimed, for the pace; empty where it never was.
ALTER TABLE chunk ADD COLUMN claimed_at TEXT NOT NULL DEFAULT '';

CREATE INDEX chunk_claimed ON chunk (claimed_at);

-- The order in which chunks are claimed; it holds only what is left to claim.
CREATE INDEX chunk_ready ON chunk (broadcast, due_at, number) WHERE state = 'ready';

-- What happened to a broadcast, in order.
CREATE TABLE journal (
    broadcast INTEGER NOT NULL REFERENCES broadcast (id),
    number INTEGER NOT NULL,
    at TEXT NOT NULL,
    entry TEXT NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (broadcast, number)
) STRICT, WITHOUT ROWID;

-- Who said yes to which content of an issue.
CREATE TABLE approval (
    issue TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    approved_by TEXT NOT NULL,
    approved_at TEXT NOT NULL,
    PRIMARY KEY (issue, content_hash, approved_by)
) STRICT, WITHOUT ROWID;

-- Of which content of an issue test copies were taken by the provider.
CREATE TABLE tested (
    issue TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    tested_at TEXT NOT NULL,
    copies INTEGER NOT NULL,
    PRIMARY KEY (issue, content_hash)
) STRICT, WITHOUT ROWID;

-- What the provider reported; by time first, so that new reports are written at the end. Repetitions fall together.
CREATE TABLE event (
    at TEXT NOT NULL,
    id TEXT NOT NULL,
    type TEXT NOT NULL,
    broadcast INTEGER NOT NULL,
    chunk INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    subscriber INTEGER NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (at, id)
) STRICT, WITHOUT ROWID;
