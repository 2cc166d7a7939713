-- The record of what the last import changed, by which it can be undone.

-- name: clear_changes()!
-- Delete the record of the people who were changed.
DELETE FROM import_change;

-- name: clear_suppressions()!
-- Delete the record of the suppressions that were added, changed or lifted.
DELETE FROM import_suppression;

-- name: clear_returns()!
-- Delete the record of the forgotten people who returned.
DELETE FROM import_return;

-- name: clear_left()!
-- Delete the record of the people who left since.
DELETE FROM left_since_import;

-- name: close()!
-- Mark the import whose record was deleted.
UPDATE import SET is_undoable = 0 WHERE is_undoable = 1;

-- name: keep_cells(mark)!
-- Save the cells of the people who are about to be changed.
INSERT INTO import_change (subscriber, updated_at, cells)
SELECT s.id, s.updated_at, {s.packed}
FROM change AS c
JOIN subscriber AS s ON s.id = c.subscriber;

-- name: keep_reported()!
-- Save the suppressions of the people who are about to be suppressed, also if there is none yet.
INSERT INTO import_suppression (
    person, topic, email, reason, detail, created_at, repeated_at, handed_over_at, consent_on_record, is_lifted
)
SELECT
    r.person, r.topic, coalesce(p.email, ''), coalesce(p.reason, ''), coalesce(p.detail, ''),
    coalesce(p.created_at, ''), coalesce(p.repeated_at, ''), coalesce(p.handed_over_at, ''),
    coalesce(p.consent_on_record, ''), 0
FROM (SELECT DISTINCT person, topic FROM reported) AS r
LEFT JOIN suppression AS p ON p.person = r.person AND p.topic = r.topic
WHERE TRUE
ON CONFLICT (person, topic) DO NOTHING;

-- name: keep_lifted()!
-- Save the suppressions that are about to be lifted. One that the same import added is known already.
INSERT INTO import_suppression (
    person, topic, email, reason, detail, created_at, repeated_at, handed_over_at, consent_on_record, is_lifted
)
SELECT
    p.person, p.topic, p.email, p.reason, p.detail, p.created_at, p.repeated_at, p.handed_over_at,
    p.consent_on_record, 1
FROM suppression AS p
WHERE p.topic = '' AND p.person IN (SELECT person FROM revival)
ON CONFLICT (person, topic) DO UPDATE SET is_lifted = 1;

-- name: count_revivals()$
-- Return how many people return.
SELECT count(*) FROM revival;

-- name: keep_return(line, digest)*!
-- Save the record of a forgotten person who is about to return.
INSERT INTO import_return (person, digest, subscriber, reason, created_at)
SELECT i.person, f.digest, f.subscriber, f.reason, f.created_at
FROM forgotten AS f
JOIN incoming AS i ON i.line = :line
WHERE f.digest = :digest;

-- name: confirm(ids, now)!
-- Date the entries of the people in a JSON list of ids, among those whom the import that can be undone added or changed:
-- someone has just confirmed by hand what is recorded about them.
UPDATE subscriber SET updated_at = :now
WHERE id IN (SELECT CAST(value AS INTEGER) FROM json_each(:ids)) AND (
    EXISTS (SELECT 1 FROM import AS m WHERE m.is_undoable = 1 AND subscriber.id > m.added_after AND subscriber.id <= m.added_until)
    OR id IN (SELECT c.subscriber FROM import_change AS c)
    OR id IN (SELECT r.subscriber FROM import_return AS r)
);

-- name: confirm_unchanged(now)!
-- Do the same for the people in a list who stay as they are.
UPDATE subscriber SET updated_at = :now
WHERE id IN (SELECT subscriber FROM standing WHERE fate = 'unchanged') AND (
    EXISTS (SELECT 1 FROM import AS m WHERE m.is_undoable = 1 AND subscriber.id > m.added_after AND subscriber.id <= m.added_until)
    OR id IN (SELECT c.subscriber FROM import_change AS c)
    OR id IN (SELECT r.subscriber FROM import_return AS r)
);

-- name: hear_reported()!
-- Save that people left, according to a report that is not part of the import, if there is one that can be undone.
INSERT INTO left_since_import (person, topic)
SELECT DISTINCT person, topic FROM reported
WHERE EXISTS (SELECT 1 FROM import WHERE is_undoable = 1)
ON CONFLICT (person, topic) DO NOTHING;

-- name: hear_leavers()!
-- Save who left, according to the rows of an import that changes nothing. Other people do not matter to an undo.
INSERT INTO left_since_import (person, topic)
SELECT DISTINCT l.person, ''
FROM leaver AS l
WHERE
    l.reason <> ''
    AND EXISTS (SELECT 1 FROM import WHERE is_undoable = 1)
    AND (
        EXISTS (SELECT 1 FROM subscriber AS s WHERE s.person = l.person)
        OR EXISTS (SELECT 1 FROM suppression AS p WHERE p.person = l.person)
    )
ON CONFLICT (person, topic) DO NOTHING;

-- name: hear_topic_leavers()!
-- Save who left a topic, according to the rows of an import that changes nothing.
INSERT INTO left_since_import (person, topic)
SELECT DISTINCT l.person, l.topic
FROM topic_leaver AS l
WHERE
    EXISTS (SELECT 1 FROM suppression AS p WHERE p.person = l.person AND p.topic = l.topic)
    AND EXISTS (SELECT 1 FROM import WHERE is_undoable = 1)
ON CONFLICT (person, topic) DO NOTHING;

-- name: undoable_at()$
-- Return when the import was that can be undone.
SELECT at FROM import WHERE is_undoable = 1;
