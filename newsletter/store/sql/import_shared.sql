-- What filling and merging a list share: what is said about single rows, rows of one person, people who come back.

-- name: create_remark()!
-- What is said of single rows.
CREATE TEMPORARY TABLE remark (
    line INTEGER NOT NULL,
    email TEXT NOT NULL,
    is_rejected INTEGER NOT NULL,
    text TEXT NOT NULL
);

-- name: drop_remark()!
-- Clears up.
DROP TABLE remark;

-- name: index_remark()!
-- So that those of some lines are found.
CREATE INDEX remark_line ON remark (line) /*+ ; ANALYZE remark */;

-- name: remarks(after, last)
-- What is said of the rows of some lines.
SELECT line, email, is_rejected, text FROM remark WHERE line > :after AND line <= :last ORDER BY line, is_rejected DESC, text;

-- name: rejections(size)
-- The first rows that were rejected after they had been read.
SELECT line, email, text AS reason FROM remark WHERE is_rejected = 1 ORDER BY line LIMIT :size;

-- name: add_attribute_name(name)*!
-- Keeps the name of an attribute.
INSERT INTO attribute (name) VALUES (:name) ON CONFLICT (name) DO NOTHING;

-- name: add_tag_name(name)*!
-- Keeps the name of a tag.
INSERT INTO tag (name) VALUES (:name) ON CONFLICT (name) DO NOTHING;

-- name: create_contender()!
-- The rows of people who stand in the list several times.
CREATE TEMPORARY TABLE contender (
    line INTEGER NOT NULL,
    person TEXT /*+ COLLATE "C" */ NOT NULL,
    email TEXT NOT NULL,
    consented_at TEXT /*+ COLLATE "C" */ NOT NULL,
    said TEXT /*+ COLLATE "C" */ NOT NULL
);

-- name: drop_contender()!
-- Clears up.
DROP TABLE contender;

-- name: reject_repeated()!
-- Of each person one row counts: that of the newest consent; of several the one that says most; then by its text.
INSERT INTO remark (line, email, is_rejected, text)
SELECT r.line, r.email, 1, 'the same person stands on line ' || r.counting || ', and that row counts'
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
-- Whose row holds a newer consent.
CREATE TEMPORARY TABLE revival (
    line INTEGER NOT NULL,
    person TEXT /*+ COLLATE "C" */ NOT NULL,
    email TEXT NOT NULL,
    reason TEXT NOT NULL,
    because TEXT NOT NULL
);

-- name: drop_revival()!
-- Clears up.
DROP TABLE revival;

-- name: keep_past_suppressions(now)!
-- Keeps what is lifted, and why.
INSERT INTO past_suppression (person, topic, reason, created_at, lifted_at, because)
SELECT p.person, p.topic, p.reason, p.created_at, :now, r.because
FROM revival AS r
JOIN suppression AS p ON p.person = r.person AND p.topic = ''
WHERE TRUE
ON CONFLICT (person, topic, lifted_at) DO NOTHING;

-- name: lift()!
-- They may be mailed again.
DELETE FROM suppression WHERE topic = '' AND person IN (SELECT person FROM revival);

-- name: remark_on_revivals()!
-- Says who came back.
INSERT INTO remark (line, email, is_rejected, text)
SELECT line, email, 0, 'came back (' || reason || '): ' || because FROM revival;

-- name: is_anybody_forgotten()$
-- Whether somebody was forgotten.
SELECT EXISTS (SELECT 1 FROM forgotten);

-- name: keep_import(at, file, added, updated, unchanged, rejected, basis, tags)!
-- Keeps what an import brought.
INSERT INTO import (at, file, added, updated, unchanged, rejected, basis, tags)
VALUES (:at, :file, :added, :updated, :unchanged, :rejected, :basis, :tags);

-- name: past_imports()
-- What each import brought, the newest first.
SELECT at, file, added, updated, unchanged, rejected, basis, tags FROM import ORDER BY id DESC;
