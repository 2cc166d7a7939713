-- name: moments_to_hold(broadcast, now, until)
-- Return the times up to a given one at which a waiting chunk is due, and for which there is no open batch.
SELECT DISTINCT c.due_at
FROM chunk AS c
JOIN broadcast AS b ON b.id = c.broadcast AND c.wave <= b.wave
WHERE
    c.broadcast = :broadcast
    AND c.state = 'ready'
    AND c.due_at > :now
    AND c.due_at <= :until
    AND NOT EXISTS (
        SELECT 1 FROM held_batch AS h WHERE h.broadcast = c.broadcast AND h.due_at = c.due_at AND h.state = 'open'
    )
ORDER BY c.due_at;

-- name: keep_batch(batch_id, broadcast, due_at, recall_ends_at, now)!
-- Save an open batch, unless there is one for this time already.
INSERT INTO held_batch (id, broadcast, due_at, recall_ends_at, state, changed_at)
VALUES (:batch_id, :broadcast, :due_at, :recall_ends_at, 'open', :now)
ON CONFLICT DO NOTHING;

-- name: batches(broadcast)
-- Return the batches of a broadcast, earliest first. `is_second` says whether an earlier batch for the same time was
-- recalled. `unsettled` is the number of chunks whose state does not say yet that their batch was recalled.
SELECT
    h.id,
    h.broadcast,
    h.due_at,
    h.recall_ends_at,
    h.state,
    h.reason,
    EXISTS (
        SELECT 1
        FROM held_batch AS o
        WHERE o.broadcast = h.broadcast AND o.due_at = h.due_at AND o.state IN ('recalled', 'doubtful', 'undone')
    ) AND h.state = 'open' AS is_second,
    (
        SELECT count(*)
        FROM chunk AS c
        WHERE
            c.broadcast = h.broadcast
            AND c.batch_id = h.id
            AND c.size > 0
            AND (
                (c.state = 'accepted' AND h.state IN ('recalled', 'doubtful'))
                OR (c.state = 'unknown' AND h.state = 'recalled')
            )
    ) AS unsettled
FROM held_batch AS h
WHERE h.broadcast = :broadcast
ORDER BY h.due_at, h.changed_at, h.id;

-- name: watched(now)
-- Return the broadcasts with a batch that the provider still holds, or that was recalled and has not been undone.
SELECT DISTINCT broadcast
FROM held_batch
WHERE state IN ('recalling', 'recalled', 'doubtful') OR (state = 'open' AND due_at > :now)
ORDER BY broadcast;

-- name: past(before)
-- Return the batches that were recalled, or may have been, and whose time is past.
SELECT id, due_at FROM held_batch WHERE state IN ('recalling', 'recalled', 'doubtful') AND due_at <= :before ORDER BY due_at;

-- name: in_use()
-- Return the times of the batches that were recalled, or may have been, and that use up the provider's limit.
SELECT due_at FROM held_batch WHERE state IN ('recalling', 'recalled', 'doubtful') ORDER BY due_at;

-- name: find(batch_id)^
-- Return the broadcast of a batch, until when it can be recalled, its state, and how many requests may have canceled it.
SELECT broadcast, recall_ends_at, state, asked FROM held_batch WHERE id = :batch_id;

-- name: set_state(batch_id, state, asked, reason, now)!
-- Set the state of a batch.
UPDATE held_batch
SET state = :state, asked = :asked, reason = :reason, changed_at = :now
WHERE id = :batch_id;

-- name: held_chunks(broadcast, batch_id)
-- Return the chunks of a batch that the provider accepted, or may have accepted.
SELECT number, size, first_subscriber
FROM chunk
WHERE broadcast = :broadcast AND batch_id = :batch_id AND state IN ('accepted', 'unknown') AND size > 0
ORDER BY number;

-- name: add_chunk_again(broadcast, chunk, number, reason, now)!
-- Add a waiting chunk for all deliveries of a recalled one. Only the number of attempts is carried over.
INSERT INTO chunk (
    broadcast, number, variant, zone, wave, due_at, state, size, first_subscriber, attempt, reason, changed_at
)
SELECT broadcast, :number, variant, zone, wave, due_at, 'ready', size, first_subscriber, attempt, :reason, :now
FROM chunk
WHERE broadcast = :broadcast AND number = :chunk;

-- name: move_all(broadcast, chunk, into, first_subscriber, size)!
-- Move all deliveries of a chunk to another chunk. The table is read only until all of them are found.
UPDATE delivery
SET chunk = :into
WHERE
    broadcast = :broadcast
    AND subscriber IN (
        SELECT d.subscriber
        FROM delivery AS d
        WHERE d.broadcast = :broadcast AND d.subscriber >= :first_subscriber AND d.chunk = :chunk
        ORDER BY d.subscriber
        LIMIT :size
    );

-- name: close_chunk(broadcast, chunk, size, reason, now)!
-- Close a chunk that was recalled: it reached no one.
UPDATE chunk
SET state = 'cancelled', size = :size, reason = :reason, changed_at = :now
WHERE broadcast = :broadcast AND number = :chunk;

-- name: leave_open(broadcast, batch_id, reason, now)!
-- Mark the accepted chunks of a batch as unknown, because it may not have been recalled in time.
UPDATE chunk
SET state = 'unknown', reason = :reason, changed_at = :now
WHERE broadcast = :broadcast AND batch_id = :batch_id AND state = 'accepted' AND size > 0;

-- name: leavers(broadcast, batch_id, leaving, at)
-- Return the people in a batch who must not be emailed anymore. The deliveries are read first, because they are stored
-- by broadcast and subscriber, and chunks are then looked up by number. SQLite keeps the order of a CROSS JOIN.
SELECT d.subscriber, coalesce(s.email, '') AS email
FROM delivery AS d
CROSS JOIN chunk AS c
LEFT JOIN subscriber AS s ON s.id = d.subscriber
LEFT JOIN suppression AS p ON p.person = s.person AND p.topic = ''
WHERE
    d.broadcast = :broadcast
    AND c.broadcast = d.broadcast
    AND c.number = d.chunk
    AND c.batch_id = :batch_id
    AND c.state IN ('inflight', 'accepted', 'unknown')
    AND {d.left} IS NOT NULL
ORDER BY d.subscriber;

-- name: say_run(command, now)!
-- Save that a command that sends what is due runs now.
INSERT INTO last_run (command, at) VALUES (:command, :now)
ON CONFLICT (command) DO UPDATE SET at = excluded.at;

-- name: last_runs()
-- Return when each command that sends what is due last ran, the latest first.
SELECT command, at FROM last_run ORDER BY at DESC, command;
