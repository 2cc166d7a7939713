-- name: settle_taken(broadcast, chunk, attempt, state, reason, message_id, now)!
-- Set the state of a whole chunk, unless an outcome has already been recorded. The row is found and locked in one step.
UPDATE chunk
SET state = :state, reason = :reason, message_id = :message_id, changed_at = :now
WHERE broadcast = :broadcast AND number = :chunk AND attempt = :attempt AND state IN ('inflight', 'unknown');

-- name: find_chunk(broadcast, chunk)^
-- Return the state of a chunk.
SELECT state, attempt, size, first_subscriber, tries, deferrals, accepted_before
FROM chunk
WHERE broadcast = :broadcast AND number = :chunk;

-- name: take_up_again(broadcast, chunk, hold_until, batch_id, now)!
-- Restore the details of the claim, for a chunk that was given up but was sent after all.
UPDATE chunk
SET hold_until = :hold_until, batch_id = :batch_id, claimed_at = :now
WHERE broadcast = :broadcast AND number = :chunk;

-- name: subscribers_of_chunk(broadcast, chunk, first_subscriber, size)
-- Return the subscribers in a chunk.
SELECT subscriber
FROM delivery
WHERE broadcast = :broadcast AND subscriber >= :first_subscriber AND chunk = :chunk
ORDER BY subscriber
LIMIT :size;

-- name: report_subscriber(subscriber, reason, now)*!
-- Report the address of a subscriber as a suppression.
INSERT INTO reported (number, person, topic, email, reason, detail, created_at, until, consent_on_record)
SELECT id, person, '', email, :reason, '', :now, :now, '' FROM subscriber WHERE id = :subscriber;

-- name: inflight_chunks(broadcast)
-- Return the chunks that a runner is sending, or was sending when it died.
SELECT number, runner FROM chunk WHERE broadcast = :broadcast AND state = 'inflight' ORDER BY number;
