-- The steps of merging a list into an existing audience. The rows are staged and looked up, and then the changes are
-- made.

-- name: create_incoming()!
-- Create the table of the list's rows.
CREATE TEMPORARY TABLE incoming (
    line INTEGER PRIMARY KEY,
    person TEXT /*+ COLLATE "C" */ NOT NULL,
    {definitions}
);

-- name: create_standing()!
-- Create the table that relates each row to the stored data.
CREATE TEMPORARY TABLE standing (
    line INTEGER PRIMARY KEY,
    subscriber INTEGER,                 -- the existing or returning person; NULL for a new one
    is_suppressed INTEGER NOT NULL,
    fate TEXT NOT NULL
);

-- name: create_change()!
-- Create the table of the new cells of people for whom the list has new values.
CREATE TEMPORARY TABLE change (
    line INTEGER NOT NULL,
    subscriber INTEGER PRIMARY KEY,
    {definitions}
);

-- name: create_token()!
-- Create the table of tokens, one for each newcomer.
CREATE TEMPORARY TABLE token (
    number INTEGER PRIMARY KEY,
    token TEXT NOT NULL
);

-- name: create_newcomer()!
-- Create the table of the newcomers' digests, by which the erased people among them are found.
CREATE TEMPORARY TABLE newcomer (
    line INTEGER PRIMARY KEY,
    digest /*+ BYTEA NOT NULL -- */ BLOB NOT NULL
);

-- name: drop_incoming()!
-- Drop the table of an earlier import. Dropping it at the end of a large import would take a second, and the process
-- usually ends then anyway.
DROP TABLE IF EXISTS incoming;

-- name: drop_standing()!
-- Drop the table of an earlier import. Dropping it at the end of a large import would take a second, and the process
-- usually ends then anyway.
DROP TABLE IF EXISTS standing;

-- name: drop_change()!
-- Drop the temporary table at the end of the step.
DROP TABLE change;

-- name: drop_token()!
-- Drop the temporary table at the end of the step.
DROP TABLE token;

-- name: drop_newcomer()!
-- Drop the temporary table at the end of the step.
DROP TABLE newcomer;

-- name: count_incoming()!
-- Let PostgreSQL count the rows, because its query plans depend on their number.
/*+ ANALYZE incoming -- */ SELECT 1;

-- name: find_offset()$
-- Return the difference between the id and the line of the first known person. If the list is in the order in which its
-- people were added, the difference is the same for all. There is no row if all people are new.
SELECT s.id - i.line FROM incoming AS i JOIN subscriber AS s ON s.person = i.person ORDER BY i.line LIMIT 1;

-- name: look_up_by_place(offset, {no_columns})!
-- Relate each row to the subscriber whose id is line + offset, if that is the same person. A row is `unchanged` if each
-- of its cells says nothing or equals the stored one. A row that is `updated` here may still turn out to have nothing new.
INSERT INTO standing (line, subscriber, is_suppressed, fate)
SELECT i.line, s.id, CASE WHEN p.person IS NULL THEN 0 ELSE 1 END, CASE WHEN {repeats} THEN 'unchanged' ELSE 'updated' END
FROM incoming AS i
JOIN subscriber AS s ON s.id = i.line + :offset AND s.person = i.person
LEFT JOIN suppression AS p ON p.person = i.person AND p.topic = '';

-- name: look_up_by_person({no_columns})!
-- Relate all other rows to subscribers by their address. A row without a subscriber is `added`.
INSERT INTO standing (line, subscriber, is_suppressed, fate)
SELECT
    i.line,
    s.id,
    CASE WHEN p.person IS NULL THEN 0 ELSE 1 END,
    CASE WHEN s.id IS NULL THEN 'added' WHEN {repeats} THEN 'unchanged' ELSE 'updated' END
FROM incoming AS i
LEFT JOIN subscriber AS s ON s.person = i.person
LEFT JOIN suppression AS p ON p.person = i.person AND p.topic = ''
WHERE NOT EXISTS (SELECT 1 FROM standing AS t WHERE t.line = i.line);

-- name: find_contenders(now, mark)!
-- Collect the rows of people who are in the list more than once. `said` is the text of all cells. A mark that no cell
-- contains separates them, so that equal texts mean equal cells.
INSERT INTO contender (line, person, email, consented_at, said)
SELECT
    i.line,
    i.person,
    i.email,
    i.consented_at,
    {i.said}
FROM incoming AS i
WHERE i.person IN (
    SELECT s.person
    FROM (SELECT subscriber FROM standing WHERE subscriber IS NOT NULL GROUP BY subscriber HAVING count(*) > 1) AS t
    JOIN subscriber AS s ON s.id = t.subscriber
    UNION ALL
    SELECT n.person
    FROM standing AS t
    JOIN incoming AS n ON n.line = t.line
    WHERE t.fate = 'added'
    GROUP BY n.person
    HAVING count(*) > 1
);

-- name: reject_left(now)!
-- Reject the rows of people who left, according to another row of the list, unless their own consent is newer than that,
-- and than the consent in that row.
INSERT INTO remark (line, email, fate, text)
SELECT i.line, i.email, 'rejected', 'line ' || l.line || ' says that this person left, or leaves it open'
FROM incoming AS i
JOIN (
    SELECT person, min(line) AS line, max(CASE WHEN consented_at > until THEN consented_at ELSE until END) AS until
    FROM leaver
    GROUP BY person
) AS l ON l.person = i.person
WHERE NOT {i.outweighs};

-- name: note_suppressed()!
-- Note the rows of people whom another row of the list has just suppressed.
UPDATE standing SET is_suppressed = 1
WHERE
    is_suppressed = 0
    AND line IN (
        SELECT i.line FROM incoming AS i JOIN suppression AS p ON p.person = i.person AND p.topic = ''
    );

-- name: reject_remarked()!
-- Mark the rejected rows.
UPDATE standing SET fate = 'rejected' WHERE line IN (SELECT line FROM remark WHERE fate = 'rejected');

-- name: newcomers(after, size)
-- Return a page of the people who are not on the list yet.
SELECT t.line, i.person
FROM standing AS t
JOIN incoming AS i ON i.line = t.line
WHERE t.fate = 'added' AND t.line > :after
ORDER BY t.line
LIMIT :size;

-- name: forgotten_newcomers()
-- Return the newcomers who were erased.
SELECT n.line, i.email, n.digest, f.subscriber, f.reason, f.created_at AS forgotten_at, i.consented_at, i.consent_source
FROM newcomer AS n
JOIN forgotten AS f ON f.digest = n.digest
JOIN incoming AS i ON i.line = n.line
ORDER BY n.line;

-- name: give_id_back(line, subscriber)*!
-- Give an erased person their old id back.
UPDATE standing SET subscriber = :subscriber WHERE line = :line;

-- name: remember_again(digest)*!
-- Delete the record of an erased person who is on the list again.
DELETE FROM forgotten WHERE digest = :digest;

-- name: find_revivals(now)!
-- Collect the people whose row has a new consent, given after they left.
INSERT INTO revival (line, person, email, reason, consented_at, because)
SELECT
    i.line, i.person, i.email, p.reason, i.consented_at,
    'new consent dated ' || i.consented_at || ' (' || i.consent_source || ')'
FROM standing AS t
JOIN incoming AS i ON i.line = t.line
JOIN suppression AS p ON p.person = i.person AND p.topic = ''
LEFT JOIN subscriber AS s ON s.id = t.subscriber
WHERE
    t.is_suppressed = 1
    AND t.fate IN ('added', 'updated')
    AND {i.is_new}
    AND {i.ends};

-- name: candidates(after, size)
-- Return a page of subscribers for whom the list may have new values, with the stored cells and those of the row.
SELECT t.line, s.id AS subscriber, {s.columns}, {i.columns}
FROM standing AS t
JOIN incoming AS i ON i.line = t.line
JOIN subscriber AS s ON s.id = t.subscriber
WHERE t.fate = 'updated' AND t.line > :after
ORDER BY t.line
LIMIT :size;

-- name: settle_unchanged()!
-- Mark the rows that turned out to have nothing new.
UPDATE standing SET fate = 'unchanged' WHERE fate = 'updated' AND line NOT IN (SELECT line FROM change);

-- name: keep_past_consents(now)!
-- Save the old consent of people whose consent is replaced or corrected.
INSERT INTO past_consent (subscriber, replaced_at, consented_at, source, wording, confirmed_at)
SELECT s.id, :now, s.consented_at, s.consent_source, s.consent_wording, s.consent_confirmed_at
FROM change AS c
JOIN subscriber AS s ON s.id = c.subscriber
WHERE
    s.consented_at <> ''
    AND (
        c.consented_at <> s.consented_at
        OR s.consent_source NOT IN (c.consent_source, '')
        OR s.consent_wording NOT IN (c.consent_wording, '')
        OR s.consent_confirmed_at NOT IN (c.consent_confirmed_at, '')
    )
ON CONFLICT (subscriber, replaced_at, consented_at) DO NOTHING;

-- name: make_changes(now)!
-- Save the new values.
UPDATE subscriber AS s
SET {changes}, updated_at = :now
FROM change AS c
WHERE c.subscriber = s.id;

-- name: count_fates()^
-- Return the number of rows with each fate, and how many of the imported rows have a suppressed address.
SELECT
    count(CASE WHEN fate = 'added' THEN 1 END) AS added,
    count(CASE WHEN fate = 'updated' THEN 1 END) AS updated,
    count(CASE WHEN fate = 'unchanged' THEN 1 END) AS unchanged,
    count(CASE WHEN fate = 'rejected' THEN 1 END) AS rejected,
    count(CASE WHEN fate <> 'rejected' AND is_suppressed = 1 THEN 1 END) AS suppressed
FROM standing;

-- name: add_newcomers(after, now)!
-- Add the newcomers in the order of the index by person, so that the index is written from front to back.
INSERT INTO subscriber (id, person, token, updated_at, {columns})
SELECT coalesce(n.subscriber, :after + n.number), n.person, k.token, :now, {n.kept}
FROM (
    SELECT i.*, t.subscriber, row_number() OVER (ORDER BY i.person) AS number
    FROM standing AS t
    JOIN incoming AS i ON i.line = t.line
    WHERE t.fate = 'added'
) AS n
JOIN token AS k ON k.number = n.number;

-- name: is_anybody_without_consent()$
-- Return whether anyone has neither a recorded consent nor a basis.
SELECT EXISTS (SELECT 1 FROM subscriber WHERE consented_at = '' AND consent_basis = '');

-- name: remark_on_missing_consent()!
-- Add a remark to each row of a person without a recorded consent or basis.
INSERT INTO remark (line, email, fate, text)
SELECT i.line, i.email, '', 'not emailed: no consent on record'
FROM standing AS t
JOIN incoming AS i ON i.line = t.line
LEFT JOIN subscriber AS s ON s.id = t.subscriber
WHERE
    t.fate <> 'rejected'
    AND coalesce(s.consented_at, i.consented_at) = ''
    AND coalesce(s.consent_basis, i.consent_basis) = '';

-- name: remark_on_suppressed()!
-- Add a remark to each row whose address is suppressed.
INSERT INTO remark (line, email, fate, text)
SELECT i.line, i.email, '', 'not emailed: ' || p.reason || ' on ' || substr(p.created_at, 1, 10)
FROM standing AS t
JOIN incoming AS i ON i.line = t.line
JOIN suppression AS p ON p.person = i.person AND p.topic = ''
WHERE t.is_suppressed = 1 AND t.fate <> 'rejected';

-- name: fates(line, size)
-- Return a page of the fates of the rows that were imported.
SELECT t.line, i.email, t.fate
FROM standing AS t
JOIN incoming AS i ON i.line = t.line
WHERE t.line > :line AND t.fate <> 'rejected'
ORDER BY t.line
LIMIT :size;
