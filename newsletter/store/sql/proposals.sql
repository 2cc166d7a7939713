-- Broadcasts that agents proposed.

-- name: add(issue, segment, content_hash, recipients, wall_time, is_second, zone, is_local_time, proposed_by, proposed_at, expires_at)$
-- Save an open proposal, and return its number.
INSERT INTO proposal (
    issue, segment, content_hash, recipients, wall_time, is_second, zone, is_local_time, proposed_by, proposed_at,
    expires_at
)
VALUES (
    :issue, :segment, :content_hash, :recipients, :wall_time, :is_second, :zone, :is_local_time, :proposed_by,
    :proposed_at, :expires_at
)
RETURNING id;

-- name: drop_earlier(issue, segment, expired_before)!
-- Delete the open proposal of the same issue and segment, and all that no one decided about and that expired long ago.
DELETE FROM proposal
WHERE state = 'open' AND ((issue = :issue AND segment = :segment) OR expires_at < :expired_before);

-- name: find(id)^
-- Return the proposal with a number.
SELECT id, issue, segment, content_hash, recipients, wall_time, is_second, zone, is_local_time, proposed_by, proposed_at,
    expires_at, state, broadcast
FROM proposal
WHERE id = :id;

-- name: still_open(now)
-- Return the proposals that can be released, the oldest first.
SELECT id, issue, segment, content_hash, recipients, wall_time, is_second, zone, is_local_time, proposed_by, proposed_at,
    expires_at, state, broadcast
FROM proposal
WHERE state = 'open' AND expires_at > :now
ORDER BY id;

-- name: settle(id, state, broadcast)!
-- Save what a person decided about an open proposal.
UPDATE proposal SET state = :state, broadcast = :broadcast WHERE id = :id AND state = 'open';
