-- Recipients whom the provider refused: they are tried again after everyone else, or set aside.

-- name: put_back(broadcast, chunk, tries, deferrals, accepted_before, retry_at)!
-- Make a chunk wait behind everyone who has been tried less often, until a certain time.
UPDATE chunk
SET tries = :tries, deferrals = :deferrals, accepted_before = :accepted_before, retry_at = :retry_at
WHERE broadcast = :broadcast AND number = :chunk;

-- name: doubt(broadcast, chunk, tries, ending, accepted_before)!
-- Note what the recipients of a deferred chunk become if the refusal was about them.
UPDATE chunk
SET tries = :tries, ending = :ending, accepted_before = :accepted_before
WHERE broadcast = :broadcast AND number = :chunk;

-- name: accepted(broadcast)$
-- Return the number of accepted deliveries.
SELECT coalesce(sum(size), 0) FROM chunk WHERE broadcast = :broadcast AND state = 'accepted';

-- name: perhaps_accepted(broadcast, chunk)$
-- Return the number of deliveries outside a chunk that are accepted, or may turn out to be.
SELECT coalesce(sum(size), 0)
FROM chunk
WHERE broadcast = :broadcast AND state IN ('accepted', 'inflight', 'unknown') AND number <> :chunk;

-- name: in_a_row(broadcast, accepted)
-- Return the number of recipients who were refused without any acceptance after their first refusal, by their ending.
SELECT ending, sum(size) AS deliveries
FROM chunk
WHERE broadcast = :broadcast AND state = 'deferred' AND retry_at = '' AND accepted_before >= :accepted
GROUP BY ending;

-- name: unclear(broadcast, orphaned)$
-- Return the number of chunks whose requests ended without a clear answer since a chunk was last accepted. Those whose
-- program was killed say nothing about the provider.
SELECT count(*)
FROM chunk
WHERE
    broadcast = :broadcast
    AND state = 'unknown'
    AND reason <> :orphaned
    AND changed_at > (SELECT coalesce(max(changed_at), '') FROM chunk WHERE broadcast = :broadcast AND state = 'accepted');

-- name: acquit(broadcast, accepted, now)!
-- Make ready again everyone who was refused once only, or without any acceptance after their first refusal.
UPDATE chunk
SET state = 'ready', reason = '', ending = '', claimed_at = '', changed_at = :now
WHERE
    broadcast = :broadcast
    AND state = 'deferred'
    AND retry_at = ''
    AND (tries = 1 OR accepted_before >= :accepted);

-- name: doubted(broadcast)
-- Return the chunks whose recipients were refused for good, and whose fault it is was not clear.
SELECT number, size, first_subscriber, tries, reason, ending, accepted_before
FROM chunk
WHERE broadcast = :broadcast AND state = 'deferred' AND retry_at = '' AND size > 0
ORDER BY number;

-- name: reject_outdated(broadcast, why, now)!
-- Give up everyone who was set aside in a broadcast with an event or deadline that has passed.
UPDATE chunk
SET state = 'rejected', reason = reason || :why, retry_at = '', changed_at = :now
WHERE
    broadcast = :broadcast
    AND state = 'deferred'
    AND retry_at <> ''
    AND EXISTS (SELECT 1 FROM broadcast AS b WHERE b.id = chunk.broadcast AND b.good_until <> '' AND b.good_until <= :now);

-- name: first_retry(broadcast)$
-- Return when someone who was set aside is to be tried again.
SELECT min(retry_at) FROM chunk WHERE broadcast = :broadcast AND state = 'deferred' AND retry_at <> '';
