-- The steps of undoing the last import. What happened to a person since then is kept, and reported.

-- name: find_import()^
-- Return the import that can be undone, if there is one.
SELECT id, at, file, added_after, added_until FROM import WHERE is_undoable = 1;

-- name: last_file()$
-- Return the file of the last import.
SELECT file FROM import ORDER BY id DESC LIMIT 1;

-- name: create_undoing()!
-- Create the table of the people whom the import added or changed. `why` says what happened since, if anything.
CREATE TEMPORARY TABLE undoing (
    subscriber INTEGER PRIMARY KEY,
    is_added INTEGER NOT NULL,
    why TEXT NOT NULL
);

-- name: create_restoring()!
-- Create the table of the suppressions that the import added, changed or lifted. `why` says what happened since.
CREATE TEMPORARY TABLE restoring (
    person TEXT /*+ COLLATE "C" */ NOT NULL,
    topic TEXT /*+ COLLATE "C" */ NOT NULL,
    was_there INTEGER NOT NULL,
    is_there INTEGER NOT NULL,
    is_lifted INTEGER NOT NULL,
    why TEXT NOT NULL,
    PRIMARY KEY (person, topic)
);

-- name: drop_undoing()!
-- Drop the temporary table at the end of the step.
DROP TABLE undoing;

-- name: drop_restoring()!
-- Drop the temporary table at the end of the step.
DROP TABLE restoring;

-- name: collect_people(after, until, at)!
-- Collect the people whom the import added or changed, and note who was edited or left since. Forgotten people who
-- returned have their old id, unless they had none.
INSERT INTO undoing (subscriber, is_added, why)
SELECT
    s.id,
    s.is_added,
    CASE
        WHEN s.updated_at <> :at THEN 'edited since'
        WHEN s.is_added = 1 AND EXISTS (SELECT 1 FROM left_since_import AS l WHERE l.person = s.person)
            THEN 'unsubscribed or blocked since'
        ELSE ''
    END
FROM (
    SELECT id, person, updated_at, 1 AS is_added FROM subscriber WHERE id > :after AND id <= :until
    UNION
    SELECT r.id, r.person, r.updated_at, 1 FROM subscriber AS r JOIN import_return AS b ON b.subscriber = r.id
    UNION
    SELECT k.id, k.person, k.updated_at, 0 FROM subscriber AS k JOIN import_change AS c ON c.subscriber = k.id
) AS s;

-- name: note_deliveries(after, until, at)!
-- Note which of the people whom the import added have a place in a broadcast since.
UPDATE undoing SET why = 'a recipient of a broadcast since'
WHERE
    is_added = 1 AND why = ''
    AND subscriber IN (
        SELECT d.subscriber
        FROM broadcast AS b
        JOIN delivery AS d ON d.broadcast = b.id AND d.subscriber > :after AND d.subscriber <= :until
        WHERE d.chunk IS NOT NULL
        UNION
        SELECT d.subscriber
        FROM broadcast AS b
        JOIN delivery AS d ON d.broadcast = b.id
        JOIN import_return AS r ON r.subscriber = d.subscriber
        WHERE d.chunk IS NOT NULL AND b.created_at >= :at
    );

-- name: collect_suppressions(at)!
-- Collect the suppressions that the import added, changed or lifted, and note who left since, or was allowed again. A
-- suppression that the import added, and someone lifted since, is of no interest.
INSERT INTO restoring (person, topic, was_there, is_there, is_lifted, why)
SELECT
    b.person,
    b.topic,
    CASE WHEN b.reason <> '' THEN 1 ELSE 0 END,
    CASE WHEN p.person IS NOT NULL THEN 1 ELSE 0 END,
    b.is_lifted,
    CASE
        WHEN
            p.person IS NOT NULL AND EXISTS (
                SELECT 1 FROM left_since_import AS l WHERE l.person = b.person AND l.topic IN (b.topic, '')
            )
            THEN 'unsubscribed or blocked since'
        WHEN b.reason = '' AND p.handed_over_at <> '' THEN 'on the list of the provider since'
        WHEN
            p.person IS NULL AND EXISTS (
                SELECT 1 FROM past_suppression AS o
                WHERE o.person = b.person AND o.topic = b.topic AND o.lifted_at > :at
            )
            THEN 'allowed again since'
        ELSE ''
    END
FROM import_suppression AS b
LEFT JOIN suppression AS p ON p.person = b.person AND p.topic = b.topic
WHERE p.person IS NOT NULL OR b.is_lifted = 1;

-- name: note_events()!
-- Note which of the people whom the import suppressed also left according to a provider's report about an email.
UPDATE restoring SET why = 'unsubscribed or bounced, according to the provider'
WHERE
    was_there = 0 AND is_there = 1 AND why = ''
    AND person IN (
        SELECT s.person
        FROM event AS e
        JOIN subscriber AS s ON s.id = e.subscriber
        WHERE e.type IN ('unsubscribed', 'complained', 'bounced', 'dropped')
    );

-- name: note_consents(at, now)!
-- Note who consented since the import, so that they may be emailed although the import let them return.
UPDATE restoring SET why = 'consented since'
WHERE
    is_there = 0 AND why = ''
    AND EXISTS (
        SELECT 1
        FROM import_suppression AS p
        JOIN subscriber AS s ON s.person = p.person
        WHERE p.person = restoring.person AND p.topic = restoring.topic AND s.consented_at > :at AND {s.ends}
    );

-- name: counts()^
-- Return how many people are removed and changed back, how many suppressions are lifted and put back, and what is kept.
SELECT
    (SELECT count(*) FROM undoing WHERE is_added = 1 AND why = '') AS removed,
    (SELECT count(*) FROM undoing WHERE is_added = 0 AND why = '') AS restored,
    (SELECT count(*) FROM restoring WHERE was_there = 0 AND is_there = 1 AND why = '') AS lifted,
    (SELECT count(*) FROM restoring WHERE was_there = 1 AND is_there = 0 AND why = '') AS blocked,
    (SELECT count(*) FROM undoing WHERE why <> '') AS kept_people,
    (SELECT count(*) FROM restoring WHERE why <> '' AND (was_there = 1 OR is_there = 1)) AS kept_suppressions;

-- name: kept(size)
-- Return the first people about whom something is kept, and what happened since.
SELECT email, what, why
FROM (
    SELECT s.email, CASE WHEN u.is_added = 1 THEN 'stays on the list' ELSE 'keeps the new values' END AS what, u.why
    FROM undoing AS u
    JOIN subscriber AS s ON s.id = u.subscriber
    WHERE u.why <> ''
    UNION ALL
    SELECT
        coalesce(p.email, b.email),
        CASE WHEN r.is_there = 1 THEN 'stays blocked' ELSE 'is not blocked again' END,
        r.why
    FROM restoring AS r
    JOIN import_suppression AS b ON b.person = r.person AND b.topic = r.topic
    LEFT JOIN suppression AS p ON p.person = r.person AND p.topic = r.topic
    WHERE r.why <> '' AND (r.was_there = 1 OR r.is_there = 1)
) AS k
ORDER BY email, what
LIMIT :size;

-- name: lift_added()!
-- Lift the suppressions that the import added.
DELETE FROM suppression
WHERE EXISTS (
    SELECT 1
    FROM restoring AS r
    WHERE r.person = suppression.person AND r.topic = suppression.topic AND r.was_there = 0 AND r.why = ''
);

-- name: put_back()!
-- Save the suppressions that the import changed or lifted as they were before. The time at which an address was added to
-- a list at the provider stays.
INSERT INTO suppression (
    person, topic, email, reason, detail, created_at, repeated_at, handed_over_at, consent_on_record
)
SELECT
    b.person, b.topic, b.email, b.reason, b.detail, b.created_at, b.repeated_at, b.handed_over_at, b.consent_on_record
FROM import_suppression AS b
JOIN restoring AS r ON r.person = b.person AND r.topic = b.topic
WHERE r.was_there = 1 AND r.why = ''
ON CONFLICT (person, topic) DO UPDATE
SET
    email = excluded.email,
    reason = excluded.reason,
    detail = excluded.detail,
    created_at = excluded.created_at,
    repeated_at = excluded.repeated_at,
    consent_on_record = excluded.consent_on_record;

-- name: drop_past_suppressions(at)!
-- Delete that the import lifted suppressions.
DELETE FROM past_suppression
WHERE
    lifted_at = :at
    AND EXISTS (
        SELECT 1
        FROM restoring AS r
        WHERE
            r.person = past_suppression.person AND r.topic = past_suppression.topic AND r.is_lifted = 1 AND r.why = ''
    );

-- name: cells_before(after, size)
-- Return a page of the cells before the import of people who were not edited since, with the character between them.
SELECT c.subscriber, c.cells
FROM import_change AS c
JOIN undoing AS u ON u.subscriber = c.subscriber
WHERE u.is_added = 0 AND u.why = '' AND c.subscriber > :after
ORDER BY c.subscriber
LIMIT :size;

-- name: drop_past_consents(at)!
-- Delete the past consents that the import saved, because the people have these consents again.
DELETE FROM past_consent
WHERE
    replaced_at = :at
    AND EXISTS (
        SELECT 1
        FROM subscriber AS s
        JOIN undoing AS u ON u.subscriber = s.id
        WHERE
            s.id = past_consent.subscriber AND u.is_added = 0 AND u.why = ''
            AND s.consented_at = past_consent.consented_at AND s.consent_source = past_consent.source
            AND s.consent_wording = past_consent.wording AND s.consent_confirmed_at = past_consent.confirmed_at
    );

-- name: restore_times()!
-- Restore when people had last been changed.
UPDATE subscriber
SET updated_at = c.updated_at
FROM import_change AS c
JOIN undoing AS u ON u.subscriber = c.subscriber
WHERE c.subscriber = subscriber.id AND u.is_added = 0 AND u.why = '';

-- name: remove_added()!
-- Remove the people whom the import added.
DELETE FROM subscriber WHERE id IN (SELECT subscriber FROM undoing WHERE is_added = 1 AND why = '');

-- name: people_to_forget()
-- Return the forgotten people who had returned with the import, and are removed again.
SELECT s.email, r.digest
FROM import_return AS r
JOIN subscriber AS s ON s.person = r.person
JOIN undoing AS u ON u.subscriber = s.id AND u.is_added = 1 AND u.why = ''
ORDER BY r.person;

-- name: forget_again()!
-- Restore the records of these people.
INSERT INTO forgotten (digest, subscriber, reason, created_at)
SELECT r.digest, r.subscriber, r.reason, r.created_at
FROM import_return AS r
JOIN subscriber AS s ON s.person = r.person
JOIN undoing AS u ON u.subscriber = s.id AND u.is_added = 1 AND u.why = ''
WHERE TRUE
ON CONFLICT (digest) DO NOTHING;

-- name: mark_undone(id, now)!
-- Save that the import was undone.
UPDATE import SET undone_at = :now WHERE id = :id;
