-- name: next_ready(broadcast)^
-- The lowest chunk that may be handed over, as long as the broadcast runs.
SELECT c.number, c.attempt, c.variant, c.size, c.first_subscriber
FROM chunk AS c
JOIN broadcast AS b ON b.id = c.broadcast
WHERE c.broadcast = :broadcast AND c.state = 'ready' AND b.state = 'running'
ORDER BY c.number
LIMIT 1;

-- name: deliveries(broadcast, chunk, first_subscriber, size)
-- The deliveries of a chunk with what every message needs; `suppression` and `removed` as they are now.
-- The chunk's part of the table is read from its first subscriber on, until as many are found as it holds.
SELECT
    d.subscriber, s.email, s.first_name, s.last_name, s.token, p.reason AS suppression, s.id IS NULL AS removed
FROM delivery AS d
LEFT JOIN subscriber AS s ON s.id = d.subscriber
LEFT JOIN suppression AS p ON p.person = s.person
WHERE d.broadcast = :broadcast AND d.subscriber >= :first_subscriber AND d.chunk = :chunk
ORDER BY d.subscriber
LIMIT :size;

-- name: deliveries_in_full(broadcast, chunk, first_subscriber, size)
-- The same, with everything else that a merge field can ask for: twice the work, and few issues ask.
SELECT
    d.subscriber, s.email, s.first_name, s.last_name, s.token, p.reason AS suppression, s.id IS NULL AS removed,
    s.language, s.timezone, s.consented_at, s.consent_source, s.attributes
FROM delivery AS d
LEFT JOIN subscriber AS s ON s.id = d.subscriber
LEFT JOIN suppression AS p ON p.person = s.person
WHERE d.broadcast = :broadcast AND d.subscriber >= :first_subscriber AND d.chunk = :chunk
ORDER BY d.subscriber
LIMIT :size;

-- name: mark_inflight(broadcast, chunk, runner, now)!
-- From here on the chunk may have left the machine.
UPDATE chunk
SET state = 'inflight', attempt = attempt + 1, runner = :runner, reason = '', changed_at = :now
WHERE broadcast = :broadcast AND number = :chunk;
