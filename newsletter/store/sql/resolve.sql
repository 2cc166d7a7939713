-- name: unknown_chunks(broadcast)
-- The chunks that may or may not have been taken.
SELECT number, attempt, size, first_subscriber, changed_at, reason, hold_until
FROM chunk
WHERE broadcast = :broadcast AND state = 'unknown' AND size > 0
ORDER BY number;

-- name: sample(broadcast, chunk, first_subscriber, size)
-- A few addresses of a chunk, of those who are still on the list.
SELECT s.email
FROM delivery AS d
JOIN subscriber AS s ON s.id = d.subscriber
WHERE d.broadcast = :broadcast AND d.subscriber >= :first_subscriber AND d.chunk = :chunk
ORDER BY d.subscriber
LIMIT :size;

-- name: find_unknown(broadcast, chunk, attempt)$
-- How many deliveries a chunk has, if it is unknown since this attempt.
SELECT size
FROM chunk
WHERE broadcast = :broadcast AND number = :chunk AND attempt = :attempt AND state = 'unknown';

-- name: settle(broadcast, chunk, state, reason, now)!
-- What became of a chunk.
UPDATE chunk
SET state = :state, reason = :reason, changed_at = :now
WHERE broadcast = :broadcast AND number = :chunk;
