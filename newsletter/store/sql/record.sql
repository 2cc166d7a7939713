-- name: find_chunk(broadcast, chunk)^
-- Where a chunk stands.
SELECT c.state, c.size, c.first_subscriber, b.state AS broadcast_state, b.reason AS broadcast_reason
FROM chunk AS c
JOIN broadcast AS b ON b.id = c.broadcast
WHERE c.broadcast = :broadcast AND c.number = :chunk;

-- name: subscribers_of_chunk(broadcast, chunk, first_subscriber, size)
-- Who is in a chunk.
SELECT subscriber
FROM delivery
WHERE broadcast = :broadcast AND subscriber >= :first_subscriber AND chunk = :chunk
ORDER BY subscriber
LIMIT :size;

-- name: reject_ready(broadcast, reason, now)!
-- Nothing more of a stopped broadcast leaves.
UPDATE chunk
SET state = 'rejected', reason = :reason, changed_at = :now
WHERE broadcast = :broadcast AND state = 'ready';

-- name: suppress_subscriber(subscriber, reason, now)*!
-- Suppresses the address of a subscriber, unless it is suppressed already.
INSERT INTO suppression (person, email, reason, created_at)
SELECT person, email, :reason, :now FROM subscriber WHERE id = :subscriber
ON CONFLICT (person) DO NOTHING;

-- name: inflight_chunks(broadcast)
-- The chunks that somebody is handing over, or was.
SELECT number, runner FROM chunk WHERE broadcast = :broadcast AND state = 'inflight' ORDER BY number;
