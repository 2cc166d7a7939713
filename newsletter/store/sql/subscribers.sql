-- name: find_id(person)$
-- The id of one person.
SELECT id FROM subscriber WHERE person = :person;

-- name: page(after, size)
-- Subscribers by id, a page at a time.
SELECT
    id, email, first_name, last_name, language, timezone, consented_at, consent_source, attributes, token,
    created_at, updated_at
FROM subscriber
WHERE id > :after
ORDER BY id
LIMIT :size;

-- name: tags_between(first, last)
-- The tags of the subscribers of a page.
SELECT subscriber, tag
FROM tag
WHERE subscriber BETWEEN :first AND :last
ORDER BY subscriber, tag;

-- name: attribute_names()
-- Every attribute name that an import brought.
SELECT name FROM attribute ORDER BY name;

-- name: remember_id(digest, subscriber)!
-- Keeps the id of a person who is removed.
INSERT INTO former_subscriber (digest, subscriber) VALUES (:digest, :subscriber);

-- name: remove_tags(subscriber)!
-- Removes the tags of a person.
DELETE FROM tag WHERE subscriber = :subscriber;

-- name: remove(subscriber)!
-- Removes a person who has no tags any more.
DELETE FROM subscriber WHERE id = :subscriber;

-- name: past_deliveries(subscriber)
-- What became of each broadcast for one subscriber, the newest first.
SELECT
    b.id,
    b.issue,
    coalesce(c.state, t.status) AS status,
    coalesce(c.changed_at, t.changed_at) AS changed_at,
    coalesce(c.reason, t.reason) AS reason
FROM broadcast AS b
JOIN delivery AS d ON d.broadcast = b.id AND d.subscriber = :subscriber
LEFT JOIN chunk AS c ON c.broadcast = d.broadcast AND c.number = d.chunk
LEFT JOIN settlement AS t ON t.broadcast = d.broadcast AND t.number = d.settlement
ORDER BY b.id DESC;
