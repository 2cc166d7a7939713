-- name: unattended()
-- Return the broadcasts with a scheduled time or in waves that have not ended, and those that continue without a person,
-- earliest first. Broadcasts that are paused until a person looks at them are not included.
SELECT
    id, issue, segment, provider, state, reason, content_hash, nonce, envelope, waivers, created_at, finished_at,
    due_at, is_local_time, continues_at, good_until, kind, grace_until
FROM broadcast
WHERE
    continues_at <> ''
    OR (
        state IN ('scheduled', 'running', 'watching', 'cancelling')
        AND (due_at <> '' OR EXISTS (SELECT 1 FROM watch AS w WHERE w.broadcast = broadcast.id))
    )
ORDER BY due_at, id;

-- name: next_due(broadcast)$
-- Return the earliest due time of a ready chunk in a wave that may leave.
SELECT min(c.due_at)
FROM chunk AS c
JOIN broadcast AS b ON b.id = c.broadcast AND c.wave <= b.wave
WHERE c.broadcast = :broadcast AND c.state = 'ready' AND c.due_at <> '';

-- name: overdue(broadcast, before)$
-- Return the number of deliveries that were due before a time and have not been sent, in waves that may leave.
SELECT coalesce(sum(c.size), 0)
FROM chunk AS c
JOIN broadcast AS b ON b.id = c.broadcast AND c.wave <= b.wave
WHERE c.broadcast = :broadcast AND c.state = 'ready' AND c.due_at <> '' AND c.due_at < :before;

-- name: due_now(broadcast, now)$
-- Return the number of deliveries that are due now, in waves that may leave. An empty `due_at` is always due.
SELECT coalesce(sum(c.size), 0)
FROM chunk AS c
JOIN broadcast AS b ON b.id = c.broadcast AND c.wave <= b.wave
WHERE c.broadcast = :broadcast AND c.state = 'ready' AND c.due_at <= :now;

-- name: next_retry(broadcast, now)$
-- Return the earliest time at which a ready chunk that was refused may be tried again, if it is not due before that.
SELECT min(c.retry_at)
FROM chunk AS c
JOIN broadcast AS b ON b.id = c.broadcast AND c.wave <= b.wave
WHERE c.broadcast = :broadcast AND c.state = 'ready' AND c.due_at <= :now AND c.retry_at > :now;

-- name: last_accepted(broadcast)$
-- Return when a chunk was last accepted.
SELECT max(changed_at) FROM chunk WHERE broadcast = :broadcast AND state = 'accepted' AND size > 0;

-- name: last_claimed(broadcast)$
-- Return when a chunk that may have been sent was last claimed.
SELECT max(claimed_at) FROM chunk WHERE broadcast = :broadcast AND claimed_at <> '';

-- name: zones(broadcast)
-- Return the progress of each time zone. An overdue chunk that was released has lost its due time, but the other
-- chunks of its zone still have it. The latest due time is therefore that of the zone.
SELECT
    zone,
    max(due_at) AS due_at,
    sum(size) AS deliveries,
    sum(CASE WHEN state IN ('ready', 'deferred') THEN size ELSE 0 END) AS waiting,
    sum(CASE WHEN state = 'cancelled' THEN size ELSE 0 END) AS cancelled
FROM chunk
WHERE broadcast = :broadcast AND zone <> ''
GROUP BY zone
ORDER BY max(due_at), zone;
