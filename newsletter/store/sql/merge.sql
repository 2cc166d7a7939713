-- The steps of an import, in the order in which they run, all in one transaction.

-- name: create_incoming()!
-- The rows of the file; `subscriber` is the id of a person who was removed once and now returns.
CREATE TEMPORARY TABLE incoming (
    line INTEGER PRIMARY KEY,
    person TEXT /*+ COLLATE "C" */ NOT NULL,
    subscriber INTEGER,
    email TEXT NOT NULL,
    first_name TEXT NOT NULL,
    last_name TEXT NOT NULL,
    language TEXT NOT NULL,
    timezone TEXT NOT NULL,
    consented_at TEXT NOT NULL,
    consent_source TEXT NOT NULL,
    attributes TEXT NOT NULL,
    tags TEXT NOT NULL,
    token TEXT NOT NULL
);

-- name: former_subscribers()
-- Who was removed, and under which id.
SELECT digest, subscriber FROM former_subscriber;

-- name: index_incoming()!
-- Brings the rows of one person together, and tells PostgreSQL how many there are, which it plans by.
CREATE INDEX incoming_person ON incoming (person) /*+ ; ANALYZE incoming */;

-- name: repeated_rows()
-- Every row of a person who stands in the file before.
SELECT i.line, i.email, r.first_line
FROM (SELECT person, min(line) AS first_line FROM incoming GROUP BY person HAVING count(*) > 1) AS r
JOIN incoming AS i ON i.person = r.person
WHERE i.line > r.first_line
ORDER BY i.line;

-- name: drop_row(line)*!
-- Leaves a row out.
DELETE FROM incoming WHERE line = :line;

-- name: update_known(now)!
-- Updates whoever is on the list already and of whom the file says something new. Empty text says nothing.
UPDATE subscriber AS s
SET
    email = i.email,
    first_name = coalesce(nullif(i.first_name, ''), s.first_name),
    last_name = coalesce(nullif(i.last_name, ''), s.last_name),
    language = coalesce(nullif(i.language, ''), s.language),
    timezone = coalesce(nullif(i.timezone, ''), s.timezone),
    consented_at = coalesce(nullif(i.consented_at, ''), s.consented_at),
    consent_source = coalesce(nullif(i.consent_source, ''), s.consent_source),
    attributes = json_patch(s.attributes, i.attributes),
    updated_at = :now
FROM incoming AS i
WHERE
    i.person = s.person
    AND (
        i.email <> s.email
        OR i.first_name NOT IN ('', s.first_name)
        OR i.last_name NOT IN ('', s.last_name)
        OR i.language NOT IN ('', s.language)
        OR i.timezone NOT IN ('', s.timezone)
        OR i.consented_at NOT IN ('', s.consented_at)
        OR i.consent_source NOT IN ('', s.consent_source)
        OR (i.attributes <> '{}' AND json_patch(s.attributes, i.attributes) <> s.attributes)
        OR EXISTS (
            SELECT 1
            FROM json_each(i.tags) AS t
            WHERE NOT EXISTS (SELECT 1 FROM tag WHERE tag.subscriber = s.id AND tag.tag = t.value)
        )
    );

-- name: add_returning(now)!
-- Adds whoever was removed once, under the id that they had.
INSERT INTO subscriber (
    id, person, email, first_name, last_name, language, timezone, consented_at, consent_source, attributes, token,
    created_at, updated_at
)
SELECT
    i.subscriber, i.person, i.email, i.first_name, i.last_name, i.language, i.timezone, i.consented_at,
    i.consent_source, i.attributes, i.token, :now, :now
FROM incoming AS i
WHERE i.subscriber IS NOT NULL
ON CONFLICT (person) DO NOTHING;

-- name: add_new(now)!
-- Adds whoever else is not on the list; in the order of the unique index, which is then written front to back.
-- PostgreSQL draws an id for every row that it tries to add, and ids are not without end.
INSERT INTO subscriber (
    person, email, first_name, last_name, language, timezone, consented_at, consent_source, attributes, token,
    created_at, updated_at
)
SELECT
    i.person, i.email, i.first_name, i.last_name, i.language, i.timezone, i.consented_at,
    i.consent_source, i.attributes, i.token, :now, :now
FROM incoming AS i
WHERE i.subscriber IS NULL /*+ AND NOT EXISTS (SELECT 1 FROM subscriber AS s WHERE s.person = i.person) */
ORDER BY i.person
ON CONFLICT (person) DO NOTHING;

-- name: add_tags()!
-- Adds the tags that a person does not have yet.
INSERT INTO tag (subscriber, tag)
SELECT s.id, t.value
FROM incoming AS i
JOIN subscriber AS s ON s.person = i.person
CROSS JOIN json_each(i.tags) AS t
WHERE i.tags <> '[]'
ON CONFLICT (subscriber, tag) DO NOTHING;

-- name: add_attribute_name(name)*!
-- Keeps the name of an attribute.
INSERT INTO attribute (name) VALUES (:name) ON CONFLICT (name) DO NOTHING;

-- name: forget_former()!
-- Whoever has returned is not a former subscriber any more.
DELETE FROM former_subscriber
WHERE subscriber IN (SELECT subscriber FROM incoming WHERE subscriber IS NOT NULL);

-- name: count_suppressed()$
-- How many of the rows are of suppressed addresses.
SELECT count(*) FROM suppression AS p JOIN incoming AS i ON i.person = p.person;

-- name: drop_incoming()!
-- Clears up.
DROP TABLE incoming;
