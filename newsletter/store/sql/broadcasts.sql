-- name: find(broadcast)^
-- One broadcast.
SELECT
    id, issue, segment, provider, state, reason, content_hash, nonce, envelope, waivers, created_at, finished_at
FROM broadcast
WHERE id = :broadcast;

-- name: list_all()
-- Every broadcast, the newest first.
SELECT
    id, issue, segment, provider, state, reason, content_hash, nonce, envelope, waivers, created_at, finished_at
FROM broadcast
ORDER BY id DESC;

-- name: set_state(broadcast, state, reason)!
-- Moves a broadcast on, or holds it back.
UPDATE broadcast SET state = :state, reason = :reason WHERE id = :broadcast;

-- name: stop(broadcast, reason, now)!
-- Ends a broadcast of which nothing more is handed over.
UPDATE broadcast
SET state = 'stopped', reason = :reason, finished_at = :now
WHERE id = :broadcast;

-- name: finish_if_done(broadcast, now)!
-- Ends a running broadcast that has nothing left to hand over.
UPDATE broadcast
SET state = 'done', finished_at = :now
WHERE
    id = :broadcast
    AND state = 'running'
    AND NOT EXISTS (
        SELECT 1 FROM chunk WHERE chunk.broadcast = broadcast.id AND chunk.state IN ('ready', 'inflight')
    );
