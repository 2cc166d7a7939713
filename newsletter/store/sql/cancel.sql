-- name: held_ahead(broadcast, now)$
-- Return the number of deliveries that the provider was asked to hold until after now.
SELECT coalesce(sum(size), 0)
FROM chunk
WHERE broadcast = :broadcast AND state IN ('accepted', 'unknown') AND hold_until > :now;

-- name: waiting(broadcast)$
-- Return the number of deliveries that have not been sent, including those that were set aside.
SELECT coalesce(sum(size), 0) FROM chunk WHERE broadcast = :broadcast AND state IN ('ready', 'deferred');

-- name: take_back(broadcast, beyond, reason, now)
-- Cancel the chunks that were taken back from the provider in time. Return their sizes.
UPDATE chunk
SET state = 'cancelled', reason = :reason, changed_at = :now
WHERE broadcast = :broadcast AND state IN ('accepted', 'unknown') AND hold_until > :beyond
RETURNING size;

-- name: leave_open(broadcast, since, beyond, reason, now)!
-- Mark as unknown the chunks that the provider held when the cancellation began, and may not have canceled in time.
UPDATE chunk
SET state = 'unknown', reason = :reason, changed_at = :now
WHERE broadcast = :broadcast AND state = 'accepted' AND hold_until > :since AND hold_until <= :beyond;

-- name: left_to_end(broadcast, since)$
-- Return the number of chunks that are being sent, or that still have to be taken back from the provider.
SELECT count(*)
FROM chunk
WHERE broadcast = :broadcast AND (state = 'inflight' OR (state = 'accepted' AND hold_until > :since));
