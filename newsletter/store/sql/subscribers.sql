-- name: find_id(person)$
-- The id of one person.
SELECT id FROM subscriber WHERE person = :person;

-- name: page(after, size)
-- Subscribers by id, a page at a time.
SELECT id, token, joined_at, updated_at, {columns}
FROM subscriber
WHERE id > :after
ORDER BY id
LIMIT :size;

-- name: attribute_names()
-- Every attribute name that an import brought.
SELECT name FROM attribute ORDER BY name;

-- name: tag_names()
-- Every tag that an import brought.
SELECT name FROM tag ORDER BY name;

-- name: past_deliveries(subscriber)
-- What became of each broadcast for one subscriber, the newest first.
SELECT
    b.id AS broadcast,
    b.issue,
    coalesce(c.state, t.status) AS status,
    coalesce(c.changed_at, t.changed_at) AS at,
    coalesce(c.reason, t.reason) AS reason
FROM broadcast AS b
JOIN delivery AS d ON d.broadcast = b.id AND d.subscriber = :subscriber
LEFT JOIN chunk AS c ON c.broadcast = d.broadcast AND c.number = d.chunk
LEFT JOIN settlement AS t ON t.broadcast = d.broadcast AND t.number = d.settlement
ORDER BY b.id DESC;

-- name: past_consents(subscriber)
-- What somebody had consented to before, the newest first.
SELECT replaced_at, consented_at, source, wording, confirmed_at
FROM past_consent
WHERE subscriber = :subscriber
ORDER BY replaced_at DESC, consented_at DESC;

-- name: events(subscriber)
-- What was reported about the mail to one subscriber, the newest first. There is no index for it: people ask for one
-- person now and then, and reports come by the million.
SELECT e.at, e.type, e.broadcast, coalesce(b.issue, '') AS issue, e.detail
FROM event AS e
LEFT JOIN broadcast AS b ON b.id = e.broadcast
WHERE e.subscriber = :subscriber
ORDER BY e.at DESC, e.id DESC;

-- name: soft_bounces(person)
-- When mail to a person could not be taken for a while, the newest first.
SELECT at, detail FROM soft_bounce WHERE person = :person ORDER BY at DESC;

-- name: count()$
-- How many people are on the list.
SELECT count(*) FROM subscriber;
