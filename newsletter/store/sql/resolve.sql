-- name: unknown_chunks(broadcast)
-- Return the chunks that the provider may or may not have accepted.
SELECT number, attempt, size, first_subscriber, changed_at, reason, hold_until
FROM chunk
WHERE broadcast = :broadcast AND state = 'unknown' AND size > 0
ORDER BY number;

-- name: sample(broadcast, chunk, first_subscriber, size)
-- Return a few addresses of a chunk, of people who are still on the list.
SELECT s.email
FROM delivery AS d
JOIN subscriber AS s ON s.id = d.subscriber
WHERE d.broadcast = :broadcast AND d.subscriber >= :first_subscriber AND d.chunk = :chunk
ORDER BY d.subscriber
LIMIT :size;

-- name: find_unknown(broadcast, chunk, attempt)$
-- Return the number of deliveries in a chunk, if it became unknown in this attempt.
SELECT size
FROM chunk
WHERE broadcast = :broadcast AND number = :chunk AND attempt = :attempt AND state = 'unknown';

-- name: settle(broadcast, chunk, state, reason, now)!
-- Set the state of a chunk.
UPDATE chunk
SET state = :state, reason = :reason, changed_at = :now
WHERE broadcast = :broadcast AND number = :chunk;
