-- name: sizes(broadcast)
-- How many deliveries stand where: by the state of their chunk, or by how they were settled.
SELECT state, sum(size) AS size FROM chunk WHERE broadcast = :broadcast GROUP BY state
UNION ALL
SELECT status, sum(size) FROM settlement WHERE broadcast = :broadcast GROUP BY status;

-- name: count_frozen(broadcast)$
-- How many deliveries were frozen.
SELECT frozen FROM broadcast WHERE id = :broadcast;

-- name: settlements(broadcast)
-- For which reasons deliveries were settled by themselves, the most frequent first.
SELECT status, reason, size AS deliveries
FROM settlement
WHERE broadcast = :broadcast AND size > 0
ORDER BY status, size DESC, reason;

-- name: chunk_summaries(broadcast)
-- How many chunks share a state and a reason.
SELECT state, reason, count(*) AS chunks, sum(size) AS deliveries
FROM chunk
WHERE broadcast = :broadcast AND size > 0
GROUP BY state, reason
ORDER BY min(number);

-- name: emails_of_chunk(broadcast, chunk, first_subscriber, size)
-- The addresses of a chunk.
SELECT coalesce(s.email, '') AS email
FROM delivery AS d
LEFT JOIN subscriber AS s ON s.id = d.subscriber
WHERE d.broadcast = :broadcast AND d.subscriber >= :first_subscriber AND d.chunk = :chunk
ORDER BY d.subscriber
LIMIT :size;
