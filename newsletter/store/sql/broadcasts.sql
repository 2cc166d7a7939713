-- name: find(broadcast)^
-- One broadcast.
SELECT
    id, issue, segment, provider, state, reason, content_hash, nonce, envelope, waivers, created_at, finished_at,
    due_at, is_local_time, batch_id
FROM broadcast
WHERE id = :broadcast;

-- name: list_all()
-- Every broadcast, the newest first.
SELECT
    id, issue, segment, provider, state, reason, content_hash, nonce, envelope, waivers, created_at, finished_at,
    due_at, is_local_time, batch_id
FROM broadcast
ORDER BY id DESC;

-- name: set_state(broadcast, state, reason)!
-- Moves a broadcast on, or holds it back; it has not ended.
UPDATE broadcast SET state = :state, reason = :reason, finished_at = NULL WHERE id = :broadcast;

-- name: end(broadcast, state, reason, now)!
-- Ends a broadcast.
UPDATE broadcast SET state = :state, reason = :reason, finished_at = :now WHERE id = :broadcast;

-- name: let_overdue_go(broadcast, now)!
-- What should have left before leaves as soon as it can.
UPDATE chunk SET due_at = '' WHERE broadcast = :broadcast AND state = 'ready' AND due_at <= :now AND due_at <> '';

-- name: cancel_ready(broadcast, reason, now)!
-- Nothing more of a broadcast leaves.
UPDATE chunk
SET state = 'cancelled', reason = :reason, changed_at = :now
WHERE broadcast = :broadcast AND state = 'ready';
