-- name: settle_taken(broadcast, chunk, attempt, state, reason, message_id, now)!
-- What became of a chunk as a whole, where nobody has said so before; the row is found and locked in one step.
UPDATE chunk
SET state = :state, reason = :reason, message_id = :message_id, changed_at = :now
WHERE broadcast = :broadcast AND number = :chunk AND attempt = :attempt AND state IN ('inflight', 'unknown');

-- name: find_chunk(broadcast, chunk)^
-- Where a chunk stands.
SELECT state, attempt, size, first_subscriber FROM chunk WHERE broadcast = :broadcast AND number = :chunk;

-- name: take_up_again(broadcast, chunk, hold_until, now)!
-- A chunk that was given up was handed over after all: what was forgotten of its claim is kept again.
UPDATE chunk SET hold_until = :hold_until, claimed_at = :now WHERE broadcast = :broadcast AND number = :chunk;

-- name: subscribers_of_chunk(broadcast, chunk, first_subscriber, size)
-- Who is in a chunk.
SELECT subscriber
FROM delivery
WHERE broadcast = :broadcast AND subscriber >= :first_subscriber AND chunk = :chunk
ORDER BY subscriber
LIMIT :size;

-- name: suppress_subscriber(subscriber, reason, now)*!
-- Suppresses the address of a subscriber, unless it is suppressed already.
INSERT INTO suppression (person, topic, email, reason, detail, created_at)
SELECT person, '', email, :reason, '', :now FROM subscriber WHERE id = :subscriber
ON CONFLICT (person, topic) DO NOTHING;

-- name: inflight_chunks(broadcast)
-- The chunks that somebody is handing over, or was.
SELECT number, runner FROM chunk WHERE broadcast = :broadcast AND state = 'inflight' ORDER BY number;
