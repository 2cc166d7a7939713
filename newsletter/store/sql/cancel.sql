-- name: held_ahead(broadcast, now)$
-- Return the number of deliveries that the provider was asked to hold until after now.
SELECT coalesce(sum(size), 0)
FROM chunk
WHERE broadcast = :broadcast AND state IN ('accepted', 'unknown') AND hold_until > :now;

-- name: waiting(broadcast)$
-- Return the number of deliveries that have not been sent, including those that were set aside.
SELECT coalesce(sum(size), 0) FROM chunk WHERE broadcast = :broadcast AND state IN ('ready', 'deferred');

-- name: left_to_end(broadcast, now)$
-- Return the number of chunks that are being sent, or that still have to be recalled from the provider. If the time of
-- a batch has come before it could be recalled, its email has been sent.
SELECT count(*)
FROM chunk AS c
LEFT JOIN held_batch AS h ON h.id = c.batch_id
WHERE
    c.broadcast = :broadcast
    AND (
        c.state = 'inflight'
        OR (c.state = 'accepted' AND c.size > 0 AND h.state <> 'undone' AND (h.state <> 'open' OR h.due_at > :now))
    );
