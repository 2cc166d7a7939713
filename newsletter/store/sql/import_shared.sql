-- The steps that filling and merging share: remarks about rows, repeated rows of one person, and people who return.

-- name: create_remark()!
-- Create the table of remarks about single rows.
CREATE TEMPORARY TABLE remark (
    line INTEGER NOT NULL,
    email TEXT NOT NULL,
    fate TEXT NOT NULL,                 -- the fate of a row that is not imported; otherwise empty
    text TEXT NOT NULL
);

-- name: drop_remark()!
-- Drop the temporary table at the end of the step.
DROP TABLE remark;

-- name: index_remark()!
-- Create an index that finds the remarks about a range of lines.
CREATE INDEX remark_line ON remark (line) /*+ ; ANALYZE remark */;

-- name: remarks(after, last)
-- Return the remarks about the rows in a range of lines.
SELECT line, email, fate, text FROM remark WHERE line > :after AND line <= :last ORDER BY line, fate DESC, text;

-- name: rejections(size)
-- Return the first rows that were rejected after they had been read.
SELECT line, email, text AS reason FROM remark WHERE fate = 'rejected' ORDER BY line LIMIT :size;

-- name: add_attribute_name(name)*!
-- Save the name of an attribute.
INSERT INTO attribute (name) VALUES (:name) ON CONFLICT (name) DO NOTHING;

-- name: add_tag_name(name)*!
-- Save the name of a tag.
INSERT INTO tag (name) VALUES (:name) ON CONFLICT (name) DO NOTHING;

-- name: create_leaver()!
-- Create the table of the rows that say that their person left, or do not make clear whether they did. `reason` is
-- empty if no one is suppressed for it.
CREATE TEMPORARY TABLE leaver (
    line INTEGER PRIMARY KEY,
    person TEXT /*+ COLLATE "C" */ NOT NULL,
    email TEXT NOT NULL,
    reason TEXT NOT NULL,
    left_at TEXT /*+ COLLATE "C" */ NOT NULL,
    until TEXT /*+ COLLATE "C" */ NOT NULL,
    detail TEXT NOT NULL,
    told TEXT NOT NULL,
    consented_at TEXT /*+ COLLATE "C" */ NOT NULL
);

-- name: create_topic_leaver()!
-- Create the table of the rows that say that their person left a topic.
CREATE TEMPORARY TABLE topic_leaver (
    line INTEGER NOT NULL,
    person TEXT /*+ COLLATE "C" */ NOT NULL,
    topic TEXT /*+ COLLATE "C" */ NOT NULL,
    email TEXT NOT NULL,
    left_at TEXT /*+ COLLATE "C" */ NOT NULL,
    detail TEXT NOT NULL
);

-- name: report_topic_leavers()!
-- Report the people who left topics as suppressions, unless these exist: the list does not say when they left. People who
-- are not on the list are meant only if they are suppressed from all email.
INSERT INTO reported (number, person, topic, email, reason, detail, created_at, until, consent_on_record)
SELECT
    row_number() OVER (ORDER BY l.line, l.topic), l.person, l.topic, l.email, 'unsubscribed', l.detail, l.left_at,
    l.left_at, ''
FROM topic_leaver AS l
WHERE
    NOT EXISTS (SELECT 1 FROM suppression AS p WHERE p.person = l.person AND p.topic = l.topic)
    AND (
        EXISTS (SELECT 1 FROM subscriber AS s WHERE s.person = l.person)
        OR EXISTS (SELECT 1 FROM suppression AS p WHERE p.person = l.person AND p.topic = '')
    );

-- name: drop_topic_leaver()!
-- Drop the temporary table at the end of the step.
DROP TABLE topic_leaver;

-- name: index_leaver()!
-- Create an index that finds the rows of one person.
CREATE INDEX leaver_person ON leaver (person, line) /*+ ; ANALYZE leaver */;

-- name: drop_leaver()!
-- Drop the temporary table at the end of the step.
DROP TABLE leaver;

-- name: count_leavers()$
-- Return the number of rows about leaving.
SELECT count(*) FROM leaver;

-- name: leaving_strangers(after, size)
-- Return a page of the people in rows about leaving who are not on the list.
SELECT l.line, l.person
FROM leaver AS l
WHERE l.line > :after AND NOT EXISTS (SELECT 1 FROM subscriber AS s WHERE s.person = l.person)
ORDER BY l.line
LIMIT :size;

-- name: forget_leaver(line)*!
-- Clear the reason of a row about leaving, so that its address is not saved as a suppression.
UPDATE leaver SET reason = '' WHERE line = :line;

-- name: report_leavers(everyone, fills)!
-- Report the people who left, according to the list, and those in doubt, as suppressions. People who are neither on the
-- list nor suppressed are suppressed only if everyone is, and never for a doubt. If the list fills an empty audience, no
-- one was on it before. What is known already is not reported again.
INSERT INTO reported (number, person, topic, email, reason, detail, created_at, until, consent_on_record)
SELECT l.line, l.person, '', l.email, l.reason, l.detail, l.left_at, l.until, l.consented_at
FROM leaver AS l
WHERE
    l.reason <> ''
    AND (
        (:fills = 0 AND EXISTS (SELECT 1 FROM subscriber AS s WHERE s.person = l.person))
        OR EXISTS (SELECT 1 FROM suppression AS b WHERE b.person = l.person AND b.topic = '')
        OR (:everyone = 1 AND l.reason <> 'in doubt')
    )
    AND NOT EXISTS (
        SELECT 1
        FROM suppression AS p
        WHERE
            p.person = l.person AND p.topic = '' AND p.reason = l.reason
            AND {p.last} >= l.until
            AND (
                p.consent_on_record >= l.consented_at
                OR (
                    :fills = 0
                    AND EXISTS (
                        SELECT 1 FROM subscriber AS c WHERE c.person = l.person AND c.consented_at >= l.consented_at
                    )
                )
            )
    );

-- name: count_left()$
-- Return the number of rows whose person is suppressed, of rows that clearly say that someone else left, of rows that do
-- not make clear whether someone else left, and of people who are suppressed for a doubt.
SELECT
    count(CASE WHEN l.reason <> '' AND p.person IS NOT NULL THEN 1 END) AS blocked,
    count(CASE WHEN l.reason NOT IN ('', 'in doubt') AND p.person IS NULL THEN 1 END) AS strangers,
    count(CASE WHEN l.reason = 'in doubt' AND p.person IS NULL THEN 1 END) AS unclear,
    count(DISTINCT CASE WHEN l.reason = 'in doubt' AND p.reason = 'in doubt' THEN l.person END) AS in_doubt
FROM leaver AS l
LEFT JOIN suppression AS p ON p.person = l.person AND p.topic = '';

-- name: remark_on_leavers()!
-- Add a remark to each row about leaving, with its fate.
INSERT INTO remark (line, email, fate, text)
SELECT
    l.line,
    l.email,
    CASE
        WHEN
            l.reason <> '' AND EXISTS (SELECT 1 FROM suppression AS p WHERE p.person = l.person AND p.topic = '')
            THEN 'blocked'
        ELSE 'rejected'
    END,
    l.told
FROM leaver AS l
ORDER BY l.line;

-- name: create_contender()!
-- Create the table of the rows of people who are in the list more than once.
CREATE TEMPORARY TABLE contender (
    line INTEGER NOT NULL,
    person TEXT /*+ COLLATE "C" */ NOT NULL,
    email TEXT NOT NULL,
    consented_at TEXT /*+ COLLATE "C" */ NOT NULL,
    said TEXT /*+ COLLATE "C" */ NOT NULL
);

-- name: drop_contender()!
-- Drop the temporary table at the end of the step.
DROP TABLE contender;

-- name: reject_repeated()!
-- Reject all but one row per person. The row with the newest consent is kept. If several rows have it, the one with
-- the longest text is kept, then the one whose text sorts last, then the first in the list.
INSERT INTO remark (line, email, fate, text)
SELECT r.line, r.email, 'rejected', 'line ' || r.counting || ' has the same person, and that row is used'
FROM (
    SELECT
        line,
        email,
        first_value(line) OVER (
            PARTITION BY person ORDER BY consented_at DESC, length(said) DESC, said DESC, line
        ) AS counting
    FROM contender
) AS r
WHERE r.line <> r.counting;

-- name: create_revival()!
-- Create the table of people whose row has a newer consent.
CREATE TEMPORARY TABLE revival (
    line INTEGER NOT NULL,
    person TEXT /*+ COLLATE "C" */ NOT NULL,
    email TEXT NOT NULL,
    reason TEXT NOT NULL,
    consented_at TEXT /*+ COLLATE "C" */ NOT NULL,
    because TEXT NOT NULL
);

-- name: drop_revival()!
-- Drop the temporary table at the end of the step.
DROP TABLE revival;

-- name: keep_past_suppressions(now)!
-- Save the suppressions that are about to be lifted, and the reason.
INSERT INTO past_suppression (person, topic, reason, created_at, repeated_at, lifted_at, because, consented_at)
SELECT p.person, p.topic, p.reason, p.created_at, p.repeated_at, :now, r.because, r.consented_at
FROM revival AS r
JOIN suppression AS p ON p.person = r.person AND p.topic = ''
WHERE TRUE
ON CONFLICT (person, topic, lifted_at) DO NOTHING;

-- name: lift()!
-- Lift the suppressions, so that these people may be emailed again.
DELETE FROM suppression WHERE topic = '' AND person IN (SELECT person FROM revival);

-- name: remark_on_revivals()!
-- Add a remark to each row of a person who returns.
INSERT INTO remark (line, email, fate, text)
SELECT line, email, '', 'came back (' || reason || '): ' || because FROM revival;

-- name: keep_import(at, file, added, updated, unchanged, blocked, rejected, basis, tags, after, until, is_undoable)!
-- Save the results of an import.
INSERT INTO import (
    at, file, added, updated, unchanged, blocked, rejected, basis, tags, added_after, added_until, is_undoable
)
VALUES (
    :at, :file, :added, :updated, :unchanged, :blocked, :rejected, :basis, :tags, :after, :until, :is_undoable
);

-- name: past_imports()
-- Return the results of all imports, newest first.
SELECT at, file, added, updated, unchanged, blocked, rejected, basis, tags, undone_at FROM import ORDER BY id DESC;
