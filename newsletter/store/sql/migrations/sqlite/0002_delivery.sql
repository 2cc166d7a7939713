-- When a broadcast is to reach people: a time, or empty for as soon as possible.
ALTER TABLE broadcast ADD COLUMN due_at TEXT NOT NULL DEFAULT '';
ALTER TABLE broadcast ADD COLUMN is_local_time INTEGER NOT NULL DEFAULT 0;

-- The id under which the provider holds email that is sent to it early. It is saved before it is first used.
ALTER TABLE broadcast ADD COLUMN batch_id TEXT NOT NULL DEFAULT '';

-- If the broadcast goes by local time, each chunk has one time zone.
ALTER TABLE chunk ADD COLUMN zone TEXT NOT NULL DEFAULT '';
ALTER TABLE chunk ADD COLUMN due_at TEXT NOT NULL DEFAULT '';

-- Until when the provider was asked to hold it: a time, or empty if it was to be sent at once.
ALTER TABLE chunk ADD COLUMN hold_until TEXT NOT NULL DEFAULT '';

-- When it was last claimed, for the pace. Empty if it never was.
ALTER TABLE chunk ADD COLUMN claimed_at TEXT NOT NULL DEFAULT '';

CREATE INDEX chunk_claimed ON chunk (claimed_at);

-- The order in which chunks are claimed. It contains only chunks that are still to be claimed.
CREATE INDEX chunk_ready ON chunk (broadcast, due_at, number) WHERE state = 'ready';

-- The journal of a broadcast: what happened to it, in order.
CREATE TABLE journal (
    broadcast INTEGER NOT NULL REFERENCES broadcast (id),
    number INTEGER NOT NULL,
    at TEXT NOT NULL,
    entry TEXT NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (broadcast, number)
) STRICT, WITHOUT ROWID;

-- Who approved which content of an issue.
CREATE TABLE approval (
    issue TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    approved_by TEXT NOT NULL,
    approved_at TEXT NOT NULL,
    PRIMARY KEY (issue, content_hash, approved_by)
) STRICT, WITHOUT ROWID;

-- The contents of issues of which the provider accepted test copies.
CREATE TABLE tested (
    issue TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    tested_at TEXT NOT NULL,
    copies INTEGER NOT NULL,
    PRIMARY KEY (issue, content_hash)
) STRICT, WITHOUT ROWID;

-- Events that the provider reported. The key begins with the time, so that new events are written at the end. A
-- repeated event has the same key.
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
