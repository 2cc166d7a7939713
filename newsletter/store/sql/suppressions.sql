-- name: add(person, topic, email, reason, detail, created_at)!
-- Suppresses an address, at all or about one topic; a suppression that stands already stays as it is.
INSERT INTO suppression (person, topic, email, reason, detail, created_at)
VALUES (:person, :topic, :email, :reason, :detail, :created_at)
ON CONFLICT (person, topic) DO NOTHING;

-- name: say_again(person, topic, at)!
-- Keeps when a suppression that stands was last said again; the first reason and its time stay.
UPDATE suppression
SET repeated_at = :at
WHERE person = :person AND topic = :topic AND created_at < :at AND repeated_at < :at;

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
-- Keeps when those that stand were last said again.
UPDATE suppression AS p
SET repeated_at = r.at
FROM (SELECT person, topic, max(created_at) AS at FROM reported GROUP BY person, topic) AS r
WHERE p.person = r.person AND p.topic = r.topic AND p.created_at < r.at AND p.repeated_at < r.at;

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
SELECT reason, count(*)
FROM suppression
WHERE (:every_topic = 1 OR topic = :topic) AND (:every_reason = 1 OR reason = :reason)
GROUP BY reason
ORDER BY count(*) DESC, reason;

-- name: suppressed_among(persons)
-- Who of a list must not be mailed at all.
SELECT person FROM suppression WHERE topic = '' AND person IN (SELECT value FROM json_each(:persons));

-- name: allowed_again(persons)
-- Who of a list was suppressed once, and since when they may be mailed again: since they said yes, where it was a new
-- consent that lifted the suppression, which an import may have read much later; else since it was lifted.
SELECT
    p.person,
    max(CASE WHEN s.consented_at > p.created_at AND s.consented_at < p.lifted_at THEN s.consented_at ELSE p.lifted_at END)
FROM past_suppression AS p
LEFT JOIN subscriber AS s ON s.person = p.person
WHERE p.topic = '' AND p.person IN (SELECT value FROM json_each(:persons))
GROUP BY p.person;

-- name: forgotten()
-- Who was forgotten, as far as that is kept.
SELECT digest FROM forgotten;
