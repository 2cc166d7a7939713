-- name: add(at, id, type, broadcast, nonce, chunk, attempt, subscriber, detail)*!
-- Keeps what a provider reported, unless it is kept already, or is of a broadcast that another database numbers alike.
INSERT INTO event (at, id, type, broadcast, chunk, attempt, subscriber, detail)
SELECT :at, :id, :type, b.id, :chunk, :attempt, :subscriber, :detail
FROM broadcast AS b
WHERE b.id = :broadcast AND b.nonce = :nonce
ON CONFLICT (at, id) DO NOTHING;

-- name: react(at, type, broadcast, nonce, subscriber)*!
-- Keeps who opened or clicked a broadcast, and when last; a report that is repeated changes nothing.
INSERT INTO reaction (broadcast, type, subscriber, last_at)
SELECT b.id, :type, :subscriber, :at
FROM broadcast AS b
WHERE b.id = :broadcast AND b.nonce = :nonce
ON CONFLICT (broadcast, type, subscriber) DO UPDATE SET last_at = excluded.last_at
WHERE excluded.last_at > reaction.last_at;

-- name: evidence(broadcast)
-- The attempts of unknown chunks of which events came in, and the types of the events.
SELECT DISTINCT e.chunk, e.attempt, e.type
FROM event AS e
JOIN chunk AS c ON c.broadcast = e.broadcast AND c.number = e.chunk AND c.attempt = e.attempt
WHERE e.broadcast = :broadcast AND c.state = 'unknown'
ORDER BY e.chunk, e.attempt, e.type;
