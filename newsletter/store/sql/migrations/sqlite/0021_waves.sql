-- The last wave of a broadcast that may leave, and the wave of each chunk. Everyone is in the first, unless the
-- broadcast leaves in waves.
ALTER TABLE broadcast ADD COLUMN wave INTEGER NOT NULL DEFAULT 1;
ALTER TABLE chunk ADD COLUMN wave INTEGER NOT NULL DEFAULT 1;

-- A broadcast that leaves in waves: how, and how far it is.
CREATE TABLE watch (
    broadcast INTEGER PRIMARY KEY REFERENCES broadcast (id),
    plan TEXT NOT NULL,         -- JSON, which never changes: the seed of the draw, the shares, how long it is watched
    sizes TEXT NOT NULL,        -- JSON: the people in each wave by mailbox provider
    state TEXT NOT NULL,
    watch_until TEXT NOT NULL,  -- a time, or empty until the first wave was sent
    decided_at TEXT NOT NULL,   -- a time, or empty
    reason TEXT NOT NULL,       -- of the last decision, in words
    figures TEXT NOT NULL       -- JSON: what it was based on
) STRICT;

-- Who was drawn into the first wave, and the value that was drawn for them. It never changes.
CREATE TABLE drawn (
    broadcast INTEGER NOT NULL,
    subscriber INTEGER NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (broadcast, subscriber)
) STRICT, WITHOUT ROWID;
