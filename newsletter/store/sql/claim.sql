-- name: next_ready(broadcast, now, held_from, held_to)^
-- The first chunk that may be handed over, as long as the broadcast runs; its row is locked. What is due later may go
-- too, up to a moment, where the provider can hold it; or that alone, from a moment on.
SELECT c.number, c.attempt, c.variant, c.size, c.first_subscriber, c.due_at, b.batch_id
FROM chunk AS c
JOIN broadcast AS b ON b.id = c.broadcast
WHERE
    c.broadcast = :broadcast
    AND c.state = 'ready'
    AND b.state = 'running'
    AND c.due_at >= :held_from
    AND c.due_at <= CASE WHEN b.batch_id = '' THEN :now ELSE :held_to END
ORDER BY c.due_at, c.number
LIMIT 1
/*+ FOR UPDATE OF c SKIP LOCKED */;

-- name: claimed_since(broadcast, since)$
-- How many deliveries were claimed from the provider of a broadcast since a moment, of whichever broadcast.
SELECT coalesce(sum(c.size), 0)
FROM chunk AS c
JOIN broadcast AS b ON b.id = c.broadcast
WHERE c.claimed_at >= :since AND b.provider = (SELECT provider FROM broadcast WHERE id = :broadcast);

-- name: is_anybody_suppressed()$
-- Whether there is a suppression at all: to look for each person's is a quarter of the work of a claim.
SELECT EXISTS (SELECT 1 FROM suppression);

-- name: deliveries(broadcast, chunk, first_subscriber, size, columns)
-- The deliveries of a chunk, of those who are on the list. In the place of `:columns` names of columns are put.
-- The chunk's part of the table is read from its first subscriber on, until as many are found as it holds.
SELECT d.subscriber, s.email, s.first_name, s.last_name, s.token:columns
FROM delivery AS d
JOIN subscriber AS s ON s.id = d.subscriber
WHERE d.broadcast = :broadcast AND d.subscriber >= :first_subscriber AND d.chunk = :chunk
ORDER BY d.subscriber
LIMIT :size;

-- name: deliveries_with_late(broadcast, chunk, first_subscriber, size, leaving, columns)
-- The same, and last in each row why this person must not be mailed any more; NULL where they may. `:leaving` is the
-- reason for those who left all topics of the broadcast, and empty where that need not be looked for.
SELECT
    d.subscriber, s.email, s.first_name, s.last_name, s.token:columns,
    coalesce(
        p.reason,
        CASE WHEN s.id IS NULL THEN 'removed from the list' END,
        CASE
            WHEN
                :leaving <> ''
                AND NOT EXISTS (
                    SELECT 1
                    FROM broadcast_topic AS t
                    WHERE
                        t.broadcast = d.broadcast
                        AND NOT EXISTS (
                            SELECT 1 FROM suppression AS l WHERE l.person = s.person AND l.topic = t.topic
                        )
                )
                THEN :leaving
        END
    ) AS late
FROM delivery AS d
LEFT JOIN subscriber AS s ON s.id = d.subscriber
LEFT JOIN suppression AS p ON p.person = s.person AND p.topic = ''
WHERE d.broadcast = :broadcast AND d.subscriber >= :first_subscriber AND d.chunk = :chunk
ORDER BY d.subscriber
LIMIT :size;

-- name: lock_broadcast(broadcast)$
-- Keeps other claims from numbering settlements at the same time.
SELECT id FROM broadcast WHERE id = :broadcast /*+ FOR UPDATE */;

-- name: mark_inflight(broadcast, chunk, runner, hold_until, now)!
-- From here on the chunk may have left the machine.
UPDATE chunk
SET
    state = 'inflight',
    attempt = attempt + 1,
    runner = :runner,
    reason = '',
    hold_until = :hold_until,
    claimed_at = :now,
    changed_at = :now
WHERE broadcast = :broadcast AND number = :chunk;
