-- name: add(at, id, type, broadcast, nonce, chunk, attempt, subscriber, detail)*!
-- Keeps what a provider reported, unless it is kept already, or is of a broadcast that another database numbers alike.
INSERT INTO event (at, id, type, broadcast, chunk, attempt, subscriber, detail)
SELECT :at, :id, :type, b.id, :chunk, :attempt, :subscriber, :detail
FROM broadcast AS b
WHERE b.id = :broadcast AND b.nonce = :nonce
ON CONFLICT (at, id) DO NOTHING;

-- name: evidence(broadcast)
-- The attempts of unknown chunks of which events came in, and the types of the events.
SELECT DISTINCT e.chunk, e.attempt, e.type
FROM event AS e
JOIN chunk AS c ON c.broadcast = e.broadcast AND c.number = e.chunk AND c.attempt = e.attempt
WHERE e.broadcast = :broadcast AND c.state = 'unknown'
ORDER BY e.chunk, e.attempt, e.type;
