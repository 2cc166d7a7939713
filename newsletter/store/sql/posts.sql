-- name: add(received_at, provider, digest, content, interpreted_at)!
-- Save a post, unless the same body is already saved.
INSERT INTO post (received_at, provider, digest, content, interpreted_at, failure)
VALUES (:received_at, :provider, :digest, :content, :interpreted_at, '')
ON CONFLICT (digest) DO NOTHING;

-- name: waiting(most)
-- Return the oldest posts that are still to be interpreted.
SELECT id, content
FROM post
WHERE interpreted_at = ''
ORDER BY id
LIMIT :most;

-- name: count_waiting()$
-- Return the number of posts that are still to be interpreted.
SELECT count(*) FROM post WHERE interpreted_at = '';

-- name: set_interpreted(posts, now, failure)!
-- Save that the posts in a JSON list were interpreted, or why they cannot be.
UPDATE post
SET interpreted_at = :now, failure = :failure
WHERE id IN (SELECT CAST(value AS INTEGER) FROM json_each(:posts));

-- name: delete(before)!
-- Delete the interpreted posts that were received before a time.
DELETE FROM post WHERE received_at < :before AND interpreted_at <> '';

-- name: persons(subscribers)
-- Return the people in a JSON list of numbers who are on the list.
SELECT id, person FROM subscriber WHERE id IN (SELECT CAST(value AS INTEGER) FROM json_each(:subscribers));

-- name: ids(persons)
-- Return the people in a JSON list who are on the list.
SELECT id, person FROM subscriber WHERE person IN (SELECT value FROM json_each(:persons));
