-- name: requests(broadcast, after, size)
-- Return a page of the chunks that are not empty.
SELECT number, state, size AS deliveries, attempt, changed_at AS at, reason, message_id, due_at, zone, hold_until
FROM chunk
WHERE broadcast = :broadcast AND number > :after AND size > 0
ORDER BY number
LIMIT :size;

-- name: request(broadcast, chunk)^
-- Return one chunk.
SELECT number, state, size AS deliveries, attempt, changed_at AS at, reason, message_id, due_at, zone, hold_until
FROM chunk
WHERE broadcast = :broadcast AND number = :chunk;

-- name: groups(broadcast)
-- Return, for each state, the number of chunks that are not empty, the number of their deliveries, and the times of the
-- first and last change to that state.
SELECT state, count(*) AS requests, sum(size) AS deliveries, min(changed_at) AS first_at, max(changed_at) AS last_at
FROM chunk
WHERE broadcast = :broadcast AND size > 0
GROUP BY state
ORDER BY min(number);

-- name: runners(broadcast)
-- Return the runners that are sending a chunk, or were when they died.
SELECT DISTINCT runner FROM chunk WHERE broadcast = :broadcast AND state = 'inflight' ORDER BY runner;

-- name: held(broadcast)
-- Return the number of deliveries that the provider accepted for a later time, grouped by that time.
SELECT hold_until AS until, sum(size) AS deliveries
FROM chunk
WHERE broadcast = :broadcast AND state = 'accepted' AND hold_until <> '' AND size > 0
GROUP BY hold_until
ORDER BY hold_until;

-- name: find_claim(broadcast, chunk)^
-- Return the last claim of a chunk, and the state that the chunk is in now.
SELECT c.state, c.attempt, c.runner, c.reason, c.size, c.first_subscriber, b.nonce
FROM chunk AS c
JOIN broadcast AS b ON b.id = c.broadcast
WHERE c.broadcast = :broadcast AND c.number = :chunk;
