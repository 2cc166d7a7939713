-- name: next_ready(broadcast, now, held_from, held_to)^
-- Return the first chunk that may be sent while the broadcast is running, and lock its row. If the provider can hold
-- email (the broadcast has a batch id), a chunk may be due up to `:held_to`; otherwise it must be due by `:now`. Chunks
-- due before `:held_from` are skipped. An empty `:held_from` skips none, because an empty `due_at` sorts first.
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
-- Return the number of deliveries claimed since a time, of all broadcasts that use the same provider as this one.
SELECT coalesce(sum(c.size), 0)
FROM chunk AS c
JOIN broadcast AS b ON b.id = c.broadcast
WHERE c.claimed_at >= :since AND b.provider = (SELECT provider FROM broadcast WHERE id = :broadcast);

-- name: is_anybody_suppressed()$
-- Return whether there are any suppressions. Looking up each person's suppression is a quarter of the work of a claim.
SELECT EXISTS (SELECT 1 FROM suppression);

-- name: deliveries(broadcast, chunk, first_subscriber, size, columns)
-- Return the deliveries of a chunk to people who are on the list with a recorded consent or basis. `:columns` is replaced
-- with names of columns.
-- Deliveries are stored by subscriber, so the table is read from the chunk's first subscriber until the whole chunk is
-- found.
SELECT d.subscriber, s.email, s.first_name, s.last_name, s.token:columns
FROM delivery AS d
JOIN subscriber AS s ON s.id = d.subscriber AND (s.consented_at <> '' OR s.consent_basis <> '')
WHERE d.broadcast = :broadcast AND d.subscriber >= :first_subscriber AND d.chunk = :chunk
ORDER BY d.subscriber
LIMIT :size;

-- name: deliveries_with_late(broadcast, chunk, first_subscriber, size, leaving, no_consent, columns)
-- Return all deliveries of a chunk. The last column says why this person must not be emailed anymore, and is NULL if
-- they may be emailed. `:leaving` is the reason for people who left all topics of the broadcast. If it is empty, topics
-- are not checked. `:no_consent` is the reason for people without a recorded consent or basis.
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
        END,
        CASE WHEN s.consented_at = '' AND s.consent_basis = '' THEN :no_consent END
    ) AS late
FROM delivery AS d
LEFT JOIN subscriber AS s ON s.id = d.subscriber
LEFT JOIN suppression AS p ON p.person = s.person AND p.topic = ''
WHERE d.broadcast = :broadcast AND d.subscriber >= :first_subscriber AND d.chunk = :chunk
ORDER BY d.subscriber
LIMIT :size;

-- name: lock_broadcast(broadcast)$
-- Lock the broadcast, so that no other claim numbers settlements at the same time.
SELECT id FROM broadcast WHERE id = :broadcast /*+ FOR UPDATE */;

-- name: mark_inflight(broadcast, chunk, runner, hold_until, now)!
-- Mark a chunk as inflight. Once this is committed, it may have left the machine.
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
