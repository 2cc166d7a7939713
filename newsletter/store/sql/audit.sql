-- name: deliveries(broadcast, after, status, size)
-- Return a page of deliveries with all their details, by subscriber. An empty `:status` selects every status.
SELECT
    d.subscriber,
    coalesce(s.email, '') AS email,
    coalesce(c.state, t.status) AS status,
    coalesce(c.reason, t.reason) AS reason,
    coalesce(c.changed_at, t.changed_at) AS at,
    d.chunk,
    coalesce(c.attempt, 0) AS attempt,
    coalesce(c.message_id, '') AS message_id,
    coalesce(c.due_at, '') AS due_at,
    coalesce(c.zone, '') AS zone
FROM delivery AS d
LEFT JOIN chunk AS c ON c.broadcast = d.broadcast AND c.number = d.chunk
LEFT JOIN settlement AS t ON t.broadcast = d.broadcast AND t.number = d.settlement
LEFT JOIN subscriber AS s ON s.id = d.subscriber
WHERE d.broadcast = :broadcast AND d.subscriber > :after AND :status IN ('', coalesce(c.state, t.status))
ORDER BY d.subscriber
LIMIT :size;

-- name: find_forgotten(digest)$
-- Return the subscriber id of an erased person.
SELECT subscriber FROM forgotten WHERE digest = :digest;
