-- name: delivery(broadcast, subscriber)^
-- Return the delivery of a broadcast to a subscriber, with what verifies a report about it. Where messages are sent one by
-- one, a report about one of them says nothing about the others of an unknown chunk.
SELECT
    d.broadcast,
    b.nonce,
    d.subscriber,
    coalesce(s.token, '') AS token,
    coalesce(c.number, 0) AS chunk,
    coalesce(c.attempt, 0) AS attempt
FROM broadcast AS b
JOIN delivery AS d ON d.broadcast = b.id AND d.subscriber = :subscriber
LEFT JOIN subscriber AS s ON s.id = d.subscriber
LEFT JOIN chunk AS c
    ON c.broadcast = d.broadcast AND c.number = d.chunk AND (c.state <> 'unknown' OR c.size = 1)
WHERE b.id = :broadcast;

-- name: token(subscriber)^
-- Return the stored token of a person.
SELECT token FROM subscriber WHERE id = :subscriber;

-- name: recent(persons, since, until)
-- Return the deliveries to the persons in a JSON list that may have been sent between two times, at most two.
SELECT
    d.broadcast,
    b.nonce,
    d.subscriber,
    s.token,
    c.number AS chunk,
    c.attempt
FROM subscriber AS s
JOIN broadcast AS b ON b.created_at <= :until
JOIN delivery AS d ON d.broadcast = b.id AND d.subscriber = s.id
JOIN chunk AS c ON c.broadcast = d.broadcast AND c.number = d.chunk
WHERE
    s.person IN (SELECT value FROM json_each(:persons))
    AND c.state = 'accepted'
    AND c.changed_at >= :since
    AND c.changed_at <= :until
ORDER BY d.broadcast DESC, d.subscriber
LIMIT 2;
