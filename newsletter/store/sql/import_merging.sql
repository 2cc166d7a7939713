-- A list that is merged into an audience. Its rows are staged; then each is looked up, and what it changes is done.

-- name: create_incoming()!
-- The rows of the list.
CREATE TEMPORARY TABLE incoming (
    line INTEGER PRIMARY KEY,
    person TEXT /*+ COLLATE "C" */ NOT NULL,
    {definitions}
);

-- name: create_standing()!
-- How each row stands to what is on record.
CREATE TEMPORARY TABLE standing (
    line INTEGER PRIMARY KEY,
    subscriber INTEGER,                 -- who it is; NULL for somebody new
    is_suppressed INTEGER NOT NULL,
    fate TEXT NOT NULL
);

-- name: create_change()!
-- What is to be on record of people of whom the list says something new.
CREATE TEMPORARY TABLE change (
    line INTEGER NOT NULL,
    subscriber INTEGER PRIMARY KEY,
    {definitions}
);

-- name: create_token()!
-- A token for each newcomer.
CREATE TEMPORARY TABLE token (
    number INTEGER PRIMARY KEY,
    token TEXT NOT NULL
);

-- name: create_newcomer()!
-- By which the forgotten among the newcomers are found.
CREATE TEMPORARY TABLE newcomer (
    line INTEGER PRIMARY KEY,
    digest /*+ BYTEA NOT NULL -- */ BLOB NOT NULL
);

-- name: drop_incoming()!
-- Clears up what an import before it left; it costs a second at the end of a large one, and nothing in a new process.
DROP TABLE IF EXISTS incoming;

-- name: drop_standing()!
-- Clears up what an import before it left; it costs a second at the end of a large one, and nothing in a new process.
DROP TABLE IF EXISTS standing;

-- name: drop_change()!
-- Clears up.
DROP TABLE change;

-- name: drop_token()!
-- Clears up.
DROP TABLE token;

-- name: drop_newcomer()!
-- Clears up.
DROP TABLE newcomer;

-- name: count_incoming()!
-- Tells PostgreSQL how many rows there are, which it plans by.
/*+ ANALYZE incoming -- */ SELECT 1;

-- name: find_offset()$
-- By how much ids and lines differ, if the list stands in the order in which its people were added; NULL if all are new.
SELECT s.id - i.line FROM incoming AS i JOIN subscriber AS s ON s.person = i.person ORDER BY i.line LIMIT 1;

-- name: look_up_by_place(offset)!
-- How the rows stand to what is on record, where the person is the one whom the offset leads to. A row is `unchanged` if
-- each of its cells is empty or repeats what is on record; what is `updated` here may yet turn out to say nothing new.
INSERT INTO standing (line, subscriber, is_suppressed, fate)
SELECT i.line, s.id, CASE WHEN p.person IS NULL THEN 0 ELSE 1 END, CASE WHEN {repeats} THEN 'unchanged' ELSE 'updated' END
FROM incoming AS i
JOIN subscriber AS s ON s.id = i.line + :offset AND s.person = i.person
LEFT JOIN suppression AS p ON p.person = i.person AND p.topic = '';

-- name: look_up_by_person()!
-- The same for all others, of whom some are new.
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
-- The rows of people who stand in the list several times. Which cell says a thing counts as well: a mark that no cell
-- holds stands between them.
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

-- name: reject_remarked()!
-- Takes out what was rejected.
UPDATE standing SET fate = 'rejected' WHERE line IN (SELECT line FROM remark WHERE is_rejected = 1);

-- name: newcomers(after, size)
-- Who is not on the list, a page at a time.
SELECT t.line, i.person
FROM standing AS t
JOIN incoming AS i ON i.line = t.line
WHERE t.fate = 'added' AND t.line > :after
ORDER BY t.line
LIMIT :size;

-- name: forgotten_newcomers()
-- Those of them who were forgotten.
SELECT n.line, i.email, n.digest, f.subscriber, f.reason, f.created_at AS forgotten_at, i.consented_at, i.consent_source
FROM newcomer AS n
JOIN forgotten AS f ON f.digest = n.digest
JOIN incoming AS i ON i.line = n.line
ORDER BY n.line;

-- name: give_id_back(line, subscriber)*!
-- Somebody who was forgotten gets their id again.
UPDATE standing SET subscriber = :subscriber WHERE line = :line;

-- name: remember_again(digest)*!
-- Somebody is on the list again.
DELETE FROM forgotten WHERE digest = :digest;

-- name: find_revivals(now)!
-- Whose row holds a newer consent than the moment when they left.
INSERT INTO revival (line, person, email, reason, because)
SELECT
    i.line, i.person, i.email, p.reason, 'new consent of ' || i.consented_at || ' (' || i.consent_source || ')'
FROM standing AS t
JOIN incoming AS i ON i.line = t.line
JOIN suppression AS p ON p.person = i.person AND p.topic = ''
WHERE
    t.is_suppressed = 1
    AND t.fate <> 'rejected'
    AND p.reason IN ('unsubscribed', 'bounced', 'complained')
    AND i.consented_at > p.created_at
    AND i.consented_at > p.repeated_at
    AND i.consented_at <= :now
    AND i.consent_source <> '';

-- name: candidates(after, size)
-- Whoever is on the list and of whom the list may say something new, with what is on record and what it says.
SELECT t.line, s.id AS subscriber, {s.columns}, {i.columns}
FROM standing AS t
JOIN incoming AS i ON i.line = t.line
JOIN subscriber AS s ON s.id = t.subscriber
WHERE t.fate = 'updated' AND t.line > :after
ORDER BY t.line
LIMIT :size;

-- name: settle_unchanged()!
-- Those of whom it says nothing new after all.
UPDATE standing SET fate = 'unchanged' WHERE fate = 'updated' AND line NOT IN (SELECT line FROM change);

-- name: keep_past_consents(now)!
-- Keeps what a consent on record said, where it is replaced or corrected.
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
-- Puts on record what is new.
UPDATE subscriber AS s
SET {changes}, updated_at = :now
FROM change AS c
WHERE c.subscriber = s.id;

-- name: count_fates()^
-- How many rows have which fate, and how many of those taken are of suppressed addresses.
SELECT
    count(CASE WHEN fate = 'added' THEN 1 END) AS added,
    count(CASE WHEN fate = 'updated' THEN 1 END) AS updated,
    count(CASE WHEN fate = 'unchanged' THEN 1 END) AS unchanged,
    count(CASE WHEN fate = 'rejected' THEN 1 END) AS rejected,
    count(CASE WHEN fate <> 'rejected' AND is_suppressed = 1 THEN 1 END) AS suppressed
FROM standing;

-- name: add_newcomers(after, now)!
-- Adds who is new, in the order of the index by person, which is then written front to back.
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
-- Whether there is anybody whom nothing on record allows to mail.
SELECT EXISTS (SELECT 1 FROM subscriber WHERE consented_at = '' AND consent_basis = '');

-- name: remark_on_missing_consent()!
-- Says of which rows nothing on record allows to mail the person.
INSERT INTO remark (line, email, is_rejected, text)
SELECT i.line, i.email, 0, 'not mailed: no consent on record'
FROM standing AS t
JOIN incoming AS i ON i.line = t.line
LEFT JOIN subscriber AS s ON s.id = t.subscriber
WHERE
    t.fate <> 'rejected'
    AND coalesce(s.consented_at, i.consented_at) = ''
    AND coalesce(s.consent_basis, i.consent_basis) = '';

-- name: remark_on_suppressed()!
-- Says whose address is suppressed.
INSERT INTO remark (line, email, is_rejected, text)
SELECT i.line, i.email, 0, 'not mailed: ' || p.reason || ' on ' || substr(p.created_at, 1, 10)
FROM standing AS t
JOIN incoming AS i ON i.line = t.line
JOIN suppression AS p ON p.person = i.person AND p.topic = ''
WHERE t.is_suppressed = 1 AND t.fate <> 'rejected';

-- name: fates(line, size)
-- What became of the rows that were taken, a page at a time.
SELECT t.line, i.email, t.fate
FROM standing AS t
JOIN incoming AS i ON i.line = t.line
WHERE t.line > :line AND t.fate <> 'rejected'
ORDER BY t.line
LIMIT :size;
