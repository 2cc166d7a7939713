-- name: unattended()
-- Return the broadcasts with a scheduled time that have not ended, and those that continue without a person, earliest
-- first. Broadcasts that are paused until a person looks at them are not included.
SELECT
    id, issue, segment, provider, state, reason, content_hash, nonce, envelope, waivers, created_at, finished_at,
    due_at, is_local_time, continues_at, good_until, kind, grace_until
FROM broadcast
WHERE (due_at <> '' AND state IN ('scheduled', 'running', 'cancelling')) OR continues_at <> ''
ORDER BY due_at, id;

-- name: next_due(broadcast)$
-- Return the earliest due time of a ready chunk.
SELECT min(due_at) FROM chunk WHERE broadcast = :broadcast AND state = 'ready' AND due_at <> '';

-- name: overdue(broadcast, before)$
-- Return the number of deliveries that were due before a time and have not been sent.
SELECT coalesce(sum(size), 0)
FROM chunk
WHERE broadcast = :broadcast AND state = 'ready' AND due_at <> '' AND due_at < :before;

-- name: due_now(broadcast, now)$
-- Return the number of deliveries that are due now. An empty `due_at` is always due.
SELECT coalesce(sum(size), 0) FROM chunk WHERE broadcast = :broadcast AND state = 'ready' AND due_at <= :now;

-- name: next_retry(broadcast, now)$
-- Return the earliest time at which a ready chunk that was refused may be tried again, if it is not due before that.
SELECT min(retry_at) FROM chunk WHERE broadcast = :broadcast AND state = 'ready' AND due_at <= :now AND retry_at > :now;

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
