-- The steps of filling an empty audience with a list. Ids follow the order of the lines: id = :after + line.

-- name: is_anybody_there()$
-- Return whether anyone is on the list.
SELECT EXISTS (SELECT 1 FROM subscriber);

-- name: last_id()$
-- Return the highest id ever assigned. No id is used twice.
SELECT coalesce(max(g.seq), 0)
FROM /*+ (SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS seq, 'subscriber' AS name FROM subscriber_id_seq) AS g -- */ sqlite_sequence AS g
WHERE g.name = 'subscriber';

-- name: keep_last_id()$
-- Make new ids continue after the highest id.
SELECT /*+ setval('subscriber_id_seq', greatest(max(id), (SELECT last_value FROM subscriber_id_seq))), */ max(id)
FROM subscriber;

-- name: drop_person_index()!
-- Drop the index by person. Creating it after all rows are in takes a third of the time.
DROP INDEX subscriber_person;

-- name: create_person_index()!
-- Create the index by person. This fails if a person is on the list twice.
CREATE UNIQUE INDEX subscriber_person ON subscriber (person);

-- name: index_repeated()!
-- Create an index that brings the rows of one person together.
CREATE INDEX subscriber_repeated ON subscriber (person) /*+ ; ANALYZE subscriber */;

-- name: drop_repeated_index()!
-- Drop the index that brought the rows of one person together.
DROP INDEX subscriber_repeated;

-- name: find_contenders(after, now, mark)!
-- Collect the rows of people who are in the list more than once. `said` is the text of all cells, without the defaults
-- that the import filled in. A mark that no cell contains separates the cells, so that equal texts mean equal cells.
INSERT INTO contender (line, person, email, consented_at, said)
SELECT
    s.id - :after,
    s.person,
    s.email,
    s.consented_at,
    {s.said}
FROM subscriber AS s
WHERE s.person IN (SELECT person FROM subscriber GROUP BY person HAVING count(*) > 1);

-- name: reject_left(after, now)!
-- Reject the rows of people who left, according to another row of the list, unless their own consent is newer than that,
-- and than the consent in that row.
INSERT INTO remark (line, email, fate, text)
SELECT s.id - :after, s.email, 'rejected', 'line ' || l.line || ' says that this person left, or leaves it open'
FROM subscriber AS s
JOIN (
    SELECT person, min(line) AS line, max(CASE WHEN consented_at > until THEN consented_at ELSE until END) AS until
    FROM leaver
    GROUP BY person
) AS l ON l.person = s.person
WHERE NOT {s.outweighs};

-- name: delete_rejected(after)!
-- Delete the rejected rows.
DELETE FROM subscriber WHERE id IN (SELECT :after + line FROM remark WHERE fate = 'rejected');

-- name: find_revivals(after, now)!
-- Collect the people whose row has a consent that is newer than the time when they left.
INSERT INTO revival (line, person, email, reason, consented_at, because)
SELECT
    s.id - :after, s.person, s.email, p.reason, s.consented_at,
    'new consent dated ' || s.consented_at || ' (' || s.consent_source || ')'
FROM suppression AS p
JOIN subscriber AS s ON s.person = p.person
WHERE
    p.topic = ''
    AND {s.ends};

-- name: count_suppressed()$
-- Return the number of suppressed people on the list.
SELECT count(*) FROM suppression AS p JOIN subscriber AS s ON s.person = p.person WHERE p.topic = '';

-- name: count_without_consent()$
-- Return the number of people without a recorded consent or basis.
SELECT count(*) FROM subscriber WHERE consented_at = '' AND consent_basis = '';

-- name: fates(after, line, size)
-- Return a page of the people who were added.
SELECT id - :after AS line, email, 'added' AS fate
FROM subscriber
WHERE id > :after + :line
ORDER BY id
LIMIT :size;

-- name: remark_on_suppressed(after)!
-- Add a remark to each row whose address is suppressed.
INSERT INTO remark (line, email, fate, text)
SELECT s.id - :after, s.email, '', 'not emailed: ' || p.reason || ' on ' || substr(p.created_at, 1, 10)
FROM suppression AS p
JOIN subscriber AS s ON s.person = p.person
WHERE p.topic = '';

-- name: remark_on_missing_consent(after)!
-- Add a remark to each row without a recorded consent or basis.
INSERT INTO remark (line, email, fate, text)
SELECT id - :after, email, '', 'not emailed: no consent on record'
FROM subscriber
WHERE consented_at = '' AND consent_basis = '';
