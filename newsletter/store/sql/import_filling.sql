-- A list that is filled into an empty audience. People get ids in the order of their lines: id = :after + line.

-- name: is_anybody_there()$
-- Whether there is anybody on the list.
SELECT EXISTS (SELECT 1 FROM subscriber);

-- name: last_id()$
-- The last id that was ever given; none is given twice.
SELECT coalesce(max(g.seq), 0)
FROM /*+ (SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS seq, 'subscriber' AS name FROM subscriber_id_seq) AS g -- */ sqlite_sequence AS g
WHERE g.name = 'subscriber';

-- name: keep_last_id()$
-- Goes on from the last id.
SELECT /*+ setval('subscriber_id_seq', max(id)), */ max(id) FROM subscriber;

-- name: drop_person_index()!
-- While it fills, the list has no index by person: made at the end, it costs a third.
DROP INDEX subscriber_person;

-- name: create_person_index()!
-- Nobody stands on the list twice.
CREATE UNIQUE INDEX subscriber_person ON subscriber (person);

-- name: index_repeated()!
-- Brings the rows of one person together.
CREATE INDEX subscriber_repeated ON subscriber (person) /*+ ; ANALYZE subscriber */;

-- name: drop_repeated_index()!
-- Clears up.
DROP INDEX subscriber_repeated;

-- name: find_contenders(after, now, mark)!
-- The rows of people who stand in the list several times. What the import filled in itself does not count as said. Which
-- cell says a thing counts as well: a mark that no cell holds stands between them.
INSERT INTO contender (line, person, email, consented_at, said)
SELECT
    s.id - :after,
    s.person,
    s.email,
    s.consented_at,
    {s.said}
FROM subscriber AS s
WHERE s.person IN (SELECT person FROM subscriber GROUP BY person HAVING count(*) > 1);

-- name: delete_rejected(after)!
-- Takes off whose rows do not count.
DELETE FROM subscriber WHERE id IN (SELECT :after + line FROM remark WHERE is_rejected = 1);

-- name: find_revivals(after, now)!
-- Whose row holds a newer consent than the moment when they left.
INSERT INTO revival (line, person, email, reason, because)
SELECT
    s.id - :after, s.person, s.email, p.reason, 'new consent of ' || s.consented_at || ' (' || s.consent_source || ')'
FROM suppression AS p
JOIN subscriber AS s ON s.person = p.person
WHERE
    p.topic = ''
    AND p.reason IN ('unsubscribed', 'bounced', 'complained')
    AND s.consented_at > p.created_at
    AND s.consented_at > p.repeated_at
    AND s.consented_at <= :now
    AND s.consent_source <> '';

-- name: count_suppressed()$
-- How many are suppressed.
SELECT count(*) FROM suppression AS p JOIN subscriber AS s ON s.person = p.person WHERE p.topic = '';

-- name: count_without_consent()$
-- How many nothing on record allows to mail.
SELECT count(*) FROM subscriber WHERE consented_at = '' AND consent_basis = '';

-- name: fates(after, line, size)
-- Who was added, a page at a time.
SELECT id - :after AS line, email, 'added' AS fate
FROM subscriber
WHERE id > :after + :line
ORDER BY id
LIMIT :size;

-- name: remark_on_suppressed(after)!
-- Says whose address is suppressed.
INSERT INTO remark (line, email, is_rejected, text)
SELECT s.id - :after, s.email, 0, 'not mailed: ' || p.reason || ' on ' || substr(p.created_at, 1, 10)
FROM suppression AS p
JOIN subscriber AS s ON s.person = p.person
WHERE p.topic = '';

-- name: remark_on_missing_consent(after)!
-- Says of whom no consent is known.
INSERT INTO remark (line, email, is_rejected, text)
SELECT id - :after, email, 0, 'not mailed: no consent on record'
FROM subscriber
WHERE consented_at = '' AND consent_basis = '';
