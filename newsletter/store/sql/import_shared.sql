-- The steps that filling and merging share: remarks about rows, repeated rows of one person, and people who return.

-- name: create_remark()!
-- Create the table of remarks about single rows.
CREATE TEMPORARY TABLE remark (
    line INTEGER NOT NULL,
    email TEXT NOT NULL,
    is_rejected INTEGER NOT NULL,
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
SELECT line, email, is_rejected, text FROM remark WHERE line > :after AND line <= :last ORDER BY line, is_rejected DESC, text;

-- name: rejections(size)
-- Return the first rows that were rejected after they had been read.
SELECT line, email, text AS reason FROM remark WHERE is_rejected = 1 ORDER BY line LIMIT :size;

-- name: add_attribute_name(name)*!
-- Save the name of an attribute.
INSERT INTO attribute (name) VALUES (:name) ON CONFLICT (name) DO NOTHING;

-- name: add_tag_name(name)*!
-- Save the name of a tag.
INSERT INTO tag (name) VALUES (:name) ON CONFLICT (name) DO NOTHING;

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
INSERT INTO remark (line, email, is_rejected, text)
SELECT r.line, r.email, 1, 'line ' || r.counting || ' has the same person, and that row is used'
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
    because TEXT NOT NULL
);

-- name: drop_revival()!
-- Drop the temporary table at the end of the step.
DROP TABLE revival;

-- name: keep_past_suppressions(now)!
-- Save the suppressions that are about to be lifted, and the reason.
INSERT INTO past_suppression (person, topic, reason, created_at, lifted_at, because)
SELECT p.person, p.topic, p.reason, p.created_at, :now, r.because
FROM revival AS r
JOIN suppression AS p ON p.person = r.person AND p.topic = ''
WHERE TRUE
ON CONFLICT (person, topic, lifted_at) DO NOTHING;

-- name: lift()!
-- Lift the suppressions, so that these people may be emailed again.
DELETE FROM suppression WHERE topic = '' AND person IN (SELECT person FROM revival);

-- name: remark_on_revivals()!
-- Add a remark to each row of a person who returns.
INSERT INTO remark (line, email, is_rejected, text)
SELECT line, email, 0, 'came back (' || reason || '): ' || because FROM revival;

-- name: is_anybody_forgotten()$
-- Return whether anyone was erased.
SELECT EXISTS (SELECT 1 FROM forgotten);

-- name: keep_import(at, file, added, updated, unchanged, rejected, basis, tags)!
-- Save the results of an import.
INSERT INTO import (at, file, added, updated, unchanged, rejected, basis, tags)
VALUES (:at, :file, :added, :updated, :unchanged, :rejected, :basis, :tags);

-- name: past_imports()
-- Return the results of all imports, newest first.
SELECT at, file, added, updated, unchanged, rejected, basis, tags FROM import ORDER BY id DESC;
