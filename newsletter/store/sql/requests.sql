-- name: requests(broadcast, after, size)
-- The chunks that hold somebody, a page at a time.
SELECT number, state, size AS deliveries, attempt, changed_at AS at, reason, message_id, due_at, zone, hold_until
FROM chunk
WHERE broadcast = :broadcast AND number > :after AND size > 0
ORDER BY number
LIMIT :size;

-- name: request(broadcast, chunk)^
-- One chunk.
SELECT number, state, size AS deliveries, attempt, changed_at AS at, reason, message_id, due_at, zone, hold_until
FROM chunk
WHERE broadcast = :broadcast AND number = :chunk;

-- name: groups(broadcast)
-- The chunks that hold somebody, by state: how many, how many deliveries, and when they came to it.
SELECT state, count(*) AS requests, sum(size) AS deliveries, min(changed_at) AS first_at, max(changed_at) AS last_at
FROM chunk
WHERE broadcast = :broadcast AND size > 0
GROUP BY state
ORDER BY min(number);

-- name: runners(broadcast)
-- Who is handing over, or was.
SELECT DISTINCT runner FROM chunk WHERE broadcast = :broadcast AND state = 'inflight' ORDER BY runner;

-- name: held(broadcast)
-- What was handed over ahead of its time, by the moment until which the provider holds it.
SELECT hold_until AS until, sum(size) AS deliveries
FROM chunk
WHERE broadcast = :broadcast AND state = 'accepted' AND hold_until <> '' AND size > 0
GROUP BY hold_until
ORDER BY hold_until;
