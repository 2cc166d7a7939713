-- name: next_ready(broadcast, now, held_from, held_to)^
-- Return the first chunk that may be sent while the broadcast is running, and lock its row. A chunk must be due by
-- `:now`, or up to `:held_to` if there is an open batch in which the provider can hold it until then. Chunks due before
-- `:held_from` are skipped. An empty `:held_from` skips none, because an empty `due_at` sorts first. Everyone is tried
-- before anyone is tried again. Nothing is sent in the grace period, and no wave before its turn.
SELECT c.number, c.attempt, c.variant, c.size, c.first_subscriber, c.due_at, coalesce(h.id, '') AS batch_id, c.tries,
    c.accepted_before
FROM chunk AS c
JOIN broadcast AS b ON b.id = c.broadcast AND c.wave <= b.wave
LEFT JOIN held_batch AS h ON h.broadcast = c.broadcast AND h.due_at = c.due_at AND h.state = 'open'
WHERE
    c.broadcast = :broadcast
    AND c.state = 'ready'
    AND b.state = 'running'
    AND b.grace_until <= :now
    AND c.retry_at <= :now
    AND c.due_at >= :held_from
    AND c.due_at <= :held_to
    AND (c.due_at <= :now OR h.id IS NOT NULL)
ORDER BY c.tries, c.attempt, c.due_at, c.number
LIMIT 1
/*+ FOR UPDATE OF c SKIP LOCKED */;

-- name: next_deferred(broadcast, now)^
-- Return the first chunk that was set aside and is to be tried again now, and lock its row. None is tried again once an
-- event in the issue has passed.
SELECT c.number, c.attempt, c.variant, c.size, c.first_subscriber, c.due_at, '' AS batch_id, c.tries,
    c.accepted_before
FROM chunk AS c
JOIN broadcast AS b ON b.id = c.broadcast AND c.wave <= b.wave
WHERE
    c.broadcast = :broadcast
    AND c.state = 'deferred'
    AND b.state = 'running'
    AND c.retry_at <> ''
    AND c.retry_at <= :now
    AND (b.good_until = '' OR b.good_until > :now)
ORDER BY c.retry_at, c.number
LIMIT 1
/*+ FOR UPDATE OF c SKIP LOCKED */;

-- name: blocked_by(broadcast, since, free)$
-- Return when the chunk was claimed that must stop counting before `:free` deliveries are free. Of the chunks claimed
-- since a time, in all broadcasts that use the same provider as this one, it is the newest that exceeds the rest of the
-- allowance together with those claimed after it. Return nothing if none does.
SELECT claimed_at
FROM (
    SELECT
        c.claimed_at,
        sum(c.size) OVER (ORDER BY c.claimed_at DESC, c.broadcast, c.number) AS used
    FROM chunk AS c
    JOIN broadcast AS b ON b.id = c.broadcast
    WHERE
        c.claimed_at >= :since
        AND c.size > 0
        AND b.provider = (SELECT provider FROM broadcast WHERE id = :broadcast)
) AS claims
WHERE used > :free
ORDER BY claimed_at DESC
LIMIT 1;

-- name: is_anybody_suppressed()$
-- Return whether there are any suppressions. Looking up each person's suppression is a quarter of the work of a claim.
SELECT EXISTS (SELECT 1 FROM suppression);

-- name: deliveries(broadcast, chunk, first_subscriber, size, at, columns)
-- Return the deliveries of a chunk to people who are on the list with a recorded consent or basis, and have not paused.
-- `:columns` is replaced with names of columns.
-- Deliveries are stored by subscriber, so the table is read from the chunk's first subscriber until the whole chunk is
-- found.
SELECT d.subscriber, s.email, s.first_name, s.last_name, s.token:columns
FROM delivery AS d
JOIN subscriber AS s
    ON s.id = d.subscriber AND (s.consented_at <> '' OR s.consent_basis <> '') AND s.paused_until <= :at
WHERE d.broadcast = :broadcast AND d.subscriber >= :first_subscriber AND d.chunk = :chunk
ORDER BY d.subscriber
LIMIT :size;

-- name: deliveries_with_late(broadcast, chunk, first_subscriber, size, leaving, at, columns)
-- Return all deliveries of a chunk. The last column says why this person must not be emailed anymore, and is NULL if
-- they may be emailed (`left_sql` in `model/permission.py`).
SELECT
    d.subscriber, s.email, s.first_name, s.last_name, s.token:columns,
    {d.left} AS late
FROM delivery AS d
LEFT JOIN subscriber AS s ON s.id = d.subscriber
LEFT JOIN suppression AS p ON p.person = s.person AND p.topic = ''
WHERE d.broadcast = :broadcast AND d.subscriber >= :first_subscriber AND d.chunk = :chunk
ORDER BY d.subscriber
LIMIT :size;

-- name: deliveries_of_signups(broadcast, chunk, first_subscriber, size, at)
-- Return all deliveries of a chunk of emails about sign-ups, or of those that ask people on the list for a consent. They
-- go to the address in the sign-up, and contain nothing else of it. Someone who is on the list already gets theirs at the
-- address on the list, because it contains their own link. The last column is as in `deliveries_with_late` (`unasked_sql`
-- and `unasked_again_sql` in `model/permission.py`).
SELECT
    d.subscriber,
    CASE WHEN u.state = 'known' THEN s.email ELSE u.email END AS email,
    '' AS first_name,
    '' AS last_name,
    CASE WHEN u.state = 'known' THEN s.token ELSE u.token END AS token,
    CASE WHEN u.is_asked_again = 1 THEN {u.unasked_again} ELSE {u.unasked} END AS late
FROM delivery AS d
LEFT JOIN signup AS u ON u.broadcast = d.broadcast AND u.subscriber = d.subscriber
LEFT JOIN subscriber AS s ON s.id = d.subscriber
LEFT JOIN suppression AS p ON p.person = u.person AND p.topic = ''
WHERE d.broadcast = :broadcast AND d.subscriber >= :first_subscriber AND d.chunk = :chunk
ORDER BY d.subscriber
LIMIT :size;

-- name: deliveries_of_requests(broadcast, chunk, first_subscriber, size)
-- Return all deliveries of a chunk of links that people asked for. Each goes to the address for which it was asked. The
-- last column is as in `deliveries_with_late` (`unsent_sql` in `model/permission.py`).
SELECT
    d.subscriber,
    u.email,
    '' AS first_name,
    '' AS last_name,
    CASE WHEN u.kind = 'preferences' THEN s.token ELSE u.token END AS token,
    {u.unsent} AS late
FROM delivery AS d
LEFT JOIN link_request AS u ON u.broadcast = d.broadcast AND u.recipient = d.subscriber
LEFT JOIN subscriber AS s ON s.id = u.subscriber
LEFT JOIN suppression AS p ON p.person = u.person AND p.topic = ''
WHERE d.broadcast = :broadcast AND d.subscriber >= :first_subscriber AND d.chunk = :chunk
ORDER BY d.subscriber
LIMIT :size;

-- name: kind(broadcast)$
-- Return the kind of a broadcast.
SELECT kind FROM broadcast WHERE id = :broadcast;

-- name: lock_broadcast(broadcast)$
-- Lock the broadcast, so that no other claim numbers settlements at the same time.
SELECT id FROM broadcast WHERE id = :broadcast /*+ FOR UPDATE */;

-- name: mark_inflight(broadcast, chunk, runner, hold_until, batch_id, claimed_at, now)!
-- Mark a chunk as inflight. Once this is committed, it may have left the machine.
UPDATE chunk
SET
    state = 'inflight',
    attempt = attempt + 1,
    runner = :runner,
    reason = '',
    hold_until = :hold_until,
    batch_id = :batch_id,
    retry_at = '',
    claimed_at = :claimed_at,
    changed_at = :now
WHERE broadcast = :broadcast AND number = :chunk;
