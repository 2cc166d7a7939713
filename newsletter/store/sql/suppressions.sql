-- name: add(person, topic, email, reason, detail, created_at)!
-- Suppresses an address, at all or about one topic; a suppression that stands already stays as it is.
INSERT INTO suppression (person, topic, email, reason, detail, created_at)
VALUES (:person, :topic, :email, :reason, :detail, :created_at)
ON CONFLICT (person, topic) DO NOTHING;

-- name: say_again(person, topic, at, reason)!
-- Keeps when a suppression that stands was last said again; the first reason and its time stay, but by hand overrules it.
UPDATE suppression
SET
    repeated_at = CASE WHEN created_at < :at AND repeated_at < :at THEN :at ELSE repeated_at END,
    reason = CASE WHEN :reason = 'manual' THEN 'manual' ELSE reason END
WHERE person = :person AND topic = :topic;

-- name: create_reported()!
-- Many at once.
CREATE TEMPORARY TABLE reported (
    number INTEGER PRIMARY KEY,
    person TEXT /*+ COLLATE "C" */ NOT NULL,
    topic TEXT /*+ COLLATE "C" */ NOT NULL,
    email TEXT NOT NULL,
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    created_at TEXT /*+ COLLATE "C" */ NOT NULL
);

-- name: add_reported()!
-- Suppresses them, in the order of the table that they go into. Of several about one person the first in time stands.
INSERT INTO suppression (person, topic, email, reason, detail, created_at)
SELECT person, topic, email, reason, detail, created_at
FROM reported
WHERE TRUE
ORDER BY person, topic, created_at, number
ON CONFLICT (person, topic) DO NOTHING;

-- name: say_reported_again()!
-- Keeps when those that stand were last said again; the first reason stays, but by hand overrules it.
UPDATE suppression AS p
SET
    repeated_at = CASE WHEN p.created_at < r.at AND p.repeated_at < r.at THEN r.at ELSE p.repeated_at END,
    reason = CASE WHEN r.by_hand = 1 THEN 'manual' ELSE p.reason END
FROM (
    SELECT person, topic, max(created_at) AS at, max(CASE WHEN reason = 'manual' THEN 1 ELSE 0 END) AS by_hand
    FROM reported
    GROUP BY person, topic
) AS r
WHERE
    p.person = r.person AND p.topic = r.topic
    AND ((p.created_at < r.at AND p.repeated_at < r.at) OR (r.by_hand = 1 AND p.reason <> 'manual'));

-- name: count_reported()$
-- How many rows they are.
SELECT count(*) FROM reported;

-- name: count_new()$
-- How many of them would be new.
SELECT count(*)
FROM (
    SELECT DISTINCT r.person, r.topic
    FROM reported AS r
    WHERE NOT EXISTS (SELECT 1 FROM suppression AS p WHERE p.person = r.person AND p.topic = r.topic)
) AS n;

-- name: count_mailed()$
-- How many people among these get mail now.
SELECT count(DISTINCT r.person)
FROM reported AS r
JOIN subscriber AS s ON s.person = r.person
WHERE
    (s.consented_at <> '' OR s.consent_basis <> '')
    AND NOT EXISTS (SELECT 1 FROM suppression AS p WHERE p.person = r.person AND p.topic IN ('', r.topic));

-- name: drop_reported()!
-- Clears up.
DROP TABLE reported;

-- name: keep_past(person, topic, now, because)!
-- Keeps a suppression that is about to be lifted, and why; of two within one second the first.
INSERT INTO past_suppression (person, topic, reason, created_at, lifted_at, because)
SELECT person, topic, reason, created_at, :now, :because
FROM suppression
WHERE person = :person AND topic = :topic
ON CONFLICT (person, topic, lifted_at) DO NOTHING;

-- name: remove(person, topic)!
-- Lifts a suppression.
DELETE FROM suppression WHERE person = :person AND topic = :topic;

-- name: of_person(person)
-- The suppressions of one person, the whole one first.
SELECT email, reason, created_at, topic, detail FROM suppression WHERE person = :person ORDER BY topic;

-- name: past_of_person(person)
-- The suppressions of one person that were lifted, the last one first.
SELECT reason, created_at, lifted_at, because, topic
FROM past_suppression
WHERE person = :person
ORDER BY lifted_at DESC, topic;

-- name: page(after_person, after_topic, every_topic, topic, every_reason, reason, size)
-- Suppressions by address, a page at a time.
SELECT person, email, reason, created_at, topic, detail
FROM suppression
WHERE
    (person, topic) > (:after_person, :after_topic)
    AND (:every_topic = 1 OR topic = :topic)
    AND (:every_reason = 1 OR reason = :reason)
ORDER BY person, topic
LIMIT :size;

-- name: counts(every_topic, topic, every_reason, reason)
-- How many there are of each reason.
SELECT reason, count(*) AS suppressions
FROM suppression
WHERE (:every_topic = 1 OR topic = :topic) AND (:every_reason = 1 OR reason = :reason)
GROUP BY reason
ORDER BY count(*) DESC, reason;

-- name: suppressed_among(persons)
-- Who of a list must not be mailed at all; when that was last said, and when it was put on a list of the provider.
SELECT person, CASE WHEN repeated_at > created_at THEN repeated_at ELSE created_at END AS said_at, handed_over_at
FROM suppression
WHERE topic = '' AND person IN (SELECT value FROM json_each(:persons));

-- name: keep_handed_over(persons, at)!
-- Keeps that people were put on a list of the provider.
UPDATE suppression SET handed_over_at = :at
WHERE topic = '' AND person IN (SELECT value FROM json_each(:persons));

-- name: allowed_again(persons)
-- Who of a list was suppressed once, and since when they may be mailed again: since they said yes, where it was a new
-- consent that lifted the suppression, which an import may have read much later; else since it was lifted.
SELECT
    p.person,
    max(CASE WHEN s.consented_at > p.created_at AND s.consented_at < p.lifted_at THEN s.consented_at ELSE p.lifted_at END)
        AS since
FROM past_suppression AS p
LEFT JOIN subscriber AS s ON s.person = p.person
WHERE p.topic = '' AND p.person IN (SELECT value FROM json_each(:persons))
GROUP BY p.person;

-- name: forgotten()
-- Who was forgotten, as far as that is kept.
SELECT digest FROM forgotten;
