-- name: add(at, id, type, broadcast, nonce, chunk, attempt, subscriber, detail)*!
-- Save an event that a provider reported. Ignore it if it is already saved. Also ignore it if the nonce differs: it
-- then belongs to a broadcast of another database that has the same number. Its text is kept only if its person is still
-- on the list, because servers repeat addresses.
INSERT INTO event (at, id, type, broadcast, chunk, attempt, subscriber, detail)
SELECT
    :at, :id, :type, b.id, :chunk, :attempt, :subscriber,
    CASE WHEN EXISTS (SELECT 1 FROM subscriber AS s WHERE s.id = :subscriber) THEN :detail ELSE '' END
FROM broadcast AS b
WHERE b.id = :broadcast AND b.nonce = :nonce
ON CONFLICT (at, id) DO NOTHING;

-- name: react(at, type, broadcast, nonce, subscriber)*!
-- Save who opened or clicked a broadcast, and the latest time. A repeated or older report changes nothing.
INSERT INTO reaction (broadcast, type, subscriber, last_at)
SELECT b.id, :type, :subscriber, :at
FROM broadcast AS b
WHERE b.id = :broadcast AND b.nonce = :nonce
ON CONFLICT (broadcast, type, subscriber) DO UPDATE SET last_at = excluded.last_at
WHERE excluded.last_at > reaction.last_at;

-- name: evidence(broadcast)
-- Return the attempts of unknown chunks for which events were reported, and the types of these events.
SELECT DISTINCT e.chunk, e.attempt, e.type
FROM event AS e
JOIN chunk AS c ON c.broadcast = e.broadcast AND c.number = e.chunk AND c.attempt = e.attempt
WHERE e.broadcast = :broadcast AND c.state = 'unknown'
ORDER BY e.chunk, e.attempt, e.type;
