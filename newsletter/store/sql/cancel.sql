-- name: held_ahead(broadcast, now)$
-- How many deliveries the provider was asked to hold beyond now.
SELECT coalesce(sum(size), 0)
FROM chunk
WHERE broadcast = :broadcast AND state IN ('accepted', 'unknown') AND hold_until > :now;

-- name: waiting(broadcast)$
-- How many deliveries have not left.
SELECT coalesce(sum(size), 0) FROM chunk WHERE broadcast = :broadcast AND state = 'ready';

-- name: take_back(broadcast, beyond, reason, now)
-- What the provider gave back in time; the sizes of the chunks.
UPDATE chunk
SET state = 'cancelled', reason = :reason, changed_at = :now
WHERE broadcast = :broadcast AND state IN ('accepted', 'unknown') AND hold_until > :beyond
RETURNING size;

-- name: leave_open(broadcast, since, beyond, reason, now)!
-- What the provider held when the cancelling began, and may not have given back in time.
UPDATE chunk
SET state = 'unknown', reason = :reason, changed_at = :now
WHERE broadcast = :broadcast AND state = 'accepted' AND hold_until > :since AND hold_until <= :beyond;

-- name: left_to_end(broadcast, since)$
-- How many chunks are being handed over, or were taken by the provider to be held and are not taken back yet.
SELECT count(*)
FROM chunk
WHERE broadcast = :broadcast AND (state = 'inflight' OR (state = 'accepted' AND hold_until > :since));
