-- name: find_id(person)$
-- Return the id of one person.
SELECT id FROM subscriber WHERE person = :person;

-- name: by_id(subscriber)
-- Return one subscriber.
SELECT id, token, joined_at, updated_at, {columns}
FROM subscriber
WHERE id = :subscriber;

-- name: page(after, size)
-- Return a page of subscribers, by id.
SELECT id, token, joined_at, updated_at, {columns}
FROM subscriber
WHERE id > :after
ORDER BY id
LIMIT :size;

-- name: search(pattern, size)
-- Return the first subscribers whose address or name contains a text, by id. The pattern is for LIKE, with ! before each
-- character that would mean something else. There is no index for this query, because only a preview asks it.
SELECT email, first_name, last_name
FROM subscriber
WHERE lower(email) LIKE lower(:pattern) ESCAPE '!'
    OR lower(first_name || ' ' || last_name) LIKE lower(:pattern) ESCAPE '!'
ORDER BY id
LIMIT :size;

-- name: attribute_names()
-- Return the names of all attributes that imports added.
SELECT name FROM attribute ORDER BY name;

-- name: tag_names()
-- Return all tags that imports added.
SELECT name FROM tag ORDER BY name;

-- name: past_deliveries(subscriber)
-- Return the result of each broadcast for one subscriber, newest first.
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
-- Return a subscriber's records of consent that were replaced, newest first.
SELECT replaced_at, consented_at, source, wording, confirmed_at
FROM past_consent
WHERE subscriber = :subscriber
ORDER BY replaced_at DESC, consented_at DESC;

-- name: events(subscriber)
-- Return the events reported about email to one subscriber, newest first. There is no index for this query, because it
-- is rare, and an index would slow down the saving of millions of events.
SELECT e.at, e.type, e.broadcast, coalesce(b.issue, '') AS issue,
    CASE WHEN e.url <> '' THEN e.url ELSE e.detail END AS detail
FROM event AS e
LEFT JOIN broadcast AS b ON b.id = e.broadcast
WHERE e.subscriber = :subscriber
ORDER BY e.at DESC, e.digest DESC;

-- name: soft_bounces(person)
-- Return the soft bounces of a person, newest first.
SELECT at, detail FROM soft_bounce WHERE person = :person ORDER BY at DESC;

-- name: count()$
-- Return the number of people on the list.
SELECT count(*) FROM subscriber;
