-- name: find(broadcast)^
-- Return one broadcast.
SELECT
    id, issue, segment, provider, state, reason, content_hash, nonce, envelope, waivers, created_at, finished_at,
    due_at, is_local_time, continues_at, good_until, kind, grace_until
FROM broadcast
WHERE id = :broadcast;

-- name: list_all()
-- Return all broadcasts, newest first.
SELECT
    id, issue, segment, provider, state, reason, content_hash, nonce, envelope, waivers, created_at, finished_at,
    due_at, is_local_time, continues_at, good_until, kind, grace_until
FROM broadcast
ORDER BY id DESC;

-- name: set_state(broadcast, state, reason, continues_at)!
-- Set a state that is not final, and clear the time at which the broadcast ended.
UPDATE broadcast
SET state = :state, reason = :reason, continues_at = :continues_at, finished_at = NULL
WHERE id = :broadcast;

-- name: end(broadcast, state, reason, continues_at, now)!
-- Set a final state, and the time at which the broadcast ended.
UPDATE broadcast
SET state = :state, reason = :reason, continues_at = :continues_at, finished_at = :now
WHERE id = :broadcast;

-- name: let_overdue_go(broadcast, now)!
-- Make overdue chunks due as soon as possible.
UPDATE chunk SET due_at = '' WHERE broadcast = :broadcast AND state = 'ready' AND due_at <= :now AND due_at <> '';

-- name: cancel_ready(broadcast, reason, now)!
-- Cancel the ready and the deferred chunks of a broadcast, so that nothing more of it is sent.
UPDATE chunk
SET state = 'cancelled', reason = :reason, changed_at = :now
WHERE broadcast = :broadcast AND state IN ('ready', 'deferred');
