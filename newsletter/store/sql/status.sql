-- name: sizes(broadcast)
-- Return the number of deliveries by the state of their chunk, or by the status of their settlement.
SELECT state, sum(size) AS size FROM chunk WHERE broadcast = :broadcast GROUP BY state
UNION ALL
SELECT status, sum(size) FROM settlement WHERE broadcast = :broadcast GROUP BY status;

-- name: count_frozen(broadcast)$
-- Return the number of frozen deliveries.
SELECT frozen FROM broadcast WHERE id = :broadcast;

-- name: settlements(broadcast)
-- Return the reasons for which deliveries were settled individually, the most common first.
SELECT status, reason, size AS deliveries
FROM settlement
WHERE broadcast = :broadcast AND size > 0
ORDER BY status, size DESC, reason;

-- name: chunk_summaries(broadcast)
-- Return the number of chunks with each state and reason.
SELECT state, reason, count(*) AS chunks, sum(size) AS deliveries
FROM chunk
WHERE broadcast = :broadcast AND size > 0
GROUP BY state, reason
ORDER BY min(number);

-- name: emails_of_chunk(broadcast, chunk, first_subscriber, size)
-- Return the addresses of a chunk.
SELECT coalesce(s.email, '') AS email
FROM delivery AS d
LEFT JOIN subscriber AS s ON s.id = d.subscriber
WHERE d.broadcast = :broadcast AND d.subscriber >= :first_subscriber AND d.chunk = :chunk
ORDER BY d.subscriber
LIMIT :size;
