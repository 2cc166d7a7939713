-- The batches in which the provider holds email: one for each time at which a broadcast is due, and one more for what
-- was recalled and sent to it again. A batch is saved before it is first used.
CREATE TABLE held_batch (
    id TEXT NOT NULL PRIMARY KEY,      -- the provider's id
    broadcast INTEGER NOT NULL REFERENCES broadcast (id),
    due_at TEXT NOT NULL,              -- until when its email is held
    recall_ends_at TEXT NOT NULL,      -- until when its email can be recalled for certain
    state TEXT NOT NULL,
    asked INTEGER NOT NULL DEFAULT 0,  -- how many requests to cancel it may have had an effect
    reason TEXT NOT NULL DEFAULT '',   -- why it was not recalled although someone in it left
    changed_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX held_batch_open ON held_batch (broadcast, due_at) WHERE state = 'open';
CREATE INDEX held_batch_of_broadcast ON held_batch (broadcast);

-- The batch in which a chunk is held, or empty if it is not.
ALTER TABLE chunk ADD COLUMN batch_id TEXT NOT NULL DEFAULT '';

-- Before, a broadcast had one batch for all of its times. It can be recalled until the first of them is close.
UPDATE chunk
SET batch_id = (SELECT b.batch_id FROM broadcast AS b WHERE b.id = chunk.broadcast)
WHERE hold_until <> '';

INSERT INTO held_batch (id, broadcast, due_at, recall_ends_at, state, changed_at)
SELECT
    b.batch_id,
    b.id,
    max(c.hold_until),
    strftime('%Y-%m-%dT%H:%M:%SZ', min(c.hold_until), '-10 minutes'),
    CASE b.state WHEN 'cancelling' THEN 'recalling' WHEN 'cancelled' THEN 'recalled' ELSE 'open' END,
    max(c.changed_at)
FROM broadcast AS b
JOIN chunk AS c ON c.broadcast = b.id AND c.hold_until <> ''
WHERE b.batch_id <> ''
GROUP BY b.id;

ALTER TABLE broadcast DROP COLUMN batch_id;

-- When a command that sends what is due last ran: the timer's, a worker, or a terminal.
CREATE TABLE last_run (
    command TEXT NOT NULL PRIMARY KEY,
    at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
