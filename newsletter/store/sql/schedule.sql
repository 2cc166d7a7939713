-- name: scheduled()
-- The broadcasts with a time of their own that have not ended, by that time.
SELECT
    id, issue, segment, provider, state, reason, content_hash, nonce, envelope, waivers, created_at, finished_at,
    due_at, is_local_time, batch_id
FROM broadcast
WHERE due_at <> '' AND state IN ('scheduled', 'running', 'cancelling')
ORDER BY due_at, id;

-- name: next_due(broadcast)$
-- The earliest moment that something which is ready waits for.
SELECT min(due_at) FROM chunk WHERE broadcast = :broadcast AND state = 'ready' AND due_at <> '';

-- name: overdue(broadcast, before)$
-- How many deliveries should have left before a moment, and have not.
SELECT coalesce(sum(size), 0)
FROM chunk
WHERE broadcast = :broadcast AND state = 'ready' AND due_at <> '' AND due_at < :before;

-- name: due_now(broadcast, now)$
-- How many deliveries may leave now, as far as their time goes.
SELECT coalesce(sum(size), 0) FROM chunk WHERE broadcast = :broadcast AND state = 'ready' AND due_at <= :now;

-- name: last_claimed(broadcast)$
-- When a chunk was last claimed, of those that did not surely come back.
SELECT max(claimed_at) FROM chunk WHERE broadcast = :broadcast AND claimed_at <> '';

-- name: keep_batch_id(broadcast, batch_id)!
-- Keeps the first batch id.
UPDATE broadcast SET batch_id = :batch_id WHERE id = :broadcast AND batch_id = '';

-- name: zones(broadcast)
-- How each time zone stands. What is overdue and was let go has no moment any more; the rest of its zone has.
SELECT
    zone,
    max(due_at) AS due_at,
    sum(size) AS deliveries,
    sum(CASE WHEN state = 'ready' THEN size ELSE 0 END) AS waiting,
    sum(CASE WHEN state = 'cancelled' THEN size ELSE 0 END) AS cancelled
FROM chunk
WHERE broadcast = :broadcast AND zone <> ''
GROUP BY zone
ORDER BY max(due_at), zone;
