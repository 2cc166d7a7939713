-- name: create_reported()!
-- Create the table of suppressions that are added together, unless this connection has it already. To create it each time
-- would make the engine prepare every statement again. `until` is the latest time at which the person may have left.
CREATE TEMPORARY TABLE IF NOT EXISTS reported (
    number INTEGER PRIMARY KEY,
    person TEXT /*+ COLLATE "C" */ NOT NULL,
    topic TEXT /*+ COLLATE "C" */ NOT NULL,
    email TEXT NOT NULL,
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    created_at TEXT /*+ COLLATE "C" */ NOT NULL,
    until TEXT /*+ COLLATE "C" */ NOT NULL,
    consent_on_record TEXT /*+ COLLATE "C" */ NOT NULL
);

-- name: take_past_leavings()!
-- Take the last time at which each of these people left and came back, if it is later than the one that was reported.
UPDATE reported
SET until = w.last
FROM (
    SELECT p.person, p.topic, max({p.last}) AS last
    FROM past_suppression AS p
    WHERE p.person IN (SELECT person FROM reported)  -- so that only their rows are read
    GROUP BY p.person, p.topic
) AS w
WHERE w.person = reported.person AND w.topic = reported.topic AND w.last > reported.until;

-- name: take_consents_on_record()!
-- Take the consent that is on record for each of these people, if it is later than the one that was reported. A leaving
-- that is not later than the one that is known may have been before that consent.
UPDATE reported
SET consent_on_record = s.consented_at
FROM subscriber AS s
WHERE
    s.person = reported.person AND s.consented_at > reported.consent_on_record
    AND NOT EXISTS (
        SELECT 1
        FROM suppression AS p
        WHERE p.person = reported.person AND p.topic = reported.topic AND {p.last} >= reported.until
    );

-- name: add_reported()!
-- Add these suppressions in the order in which the table stores them. If one person and topic have several, the
-- earliest is kept, and a doubt only if there is nothing else.
INSERT INTO suppression (person, topic, email, reason, detail, created_at, consent_on_record)
SELECT person, topic, email, reason, detail, created_at, consent_on_record
FROM reported
WHERE TRUE
ORDER BY person, topic, CASE WHEN reason = 'in doubt' THEN 1 ELSE 0 END, created_at, number
ON CONFLICT (person, topic) DO NOTHING;

-- name: say_reported_again()!
-- Combine each suppression with everything that was reported of the same person and topic. The firmest reason and the
-- first time are kept, except that of a doubt. The latest time counts.
UPDATE suppression AS p
SET
    reason = {p.firmest},
    detail = CASE WHEN p.reason = 'in doubt' AND r.left_until <> '' THEN r.detail ELSE p.detail END,
    created_at = CASE WHEN p.reason = 'in doubt' AND r.left_until <> '' THEN r.created_at ELSE p.created_at END,
    repeated_at = CASE
        WHEN p.reason = 'in doubt' AND r.left_until <> ''
            THEN CASE WHEN r.left_until > r.created_at THEN r.left_until ELSE '' END
        WHEN p.reason = 'in doubt' AND r.until > {p.last} THEN r.until
        WHEN r.left_until > {p.last} THEN r.left_until
        ELSE p.repeated_at
    END,
    consent_on_record = CASE
        WHEN p.reason = 'in doubt' AND r.left_until = '' AND r.consent > p.consent_on_record THEN r.consent
        WHEN r.left_consent > p.consent_on_record THEN r.left_consent
        ELSE p.consent_on_record
    END
FROM (
    SELECT
        person, topic, reason, detail, created_at,
        row_number() OVER one AS place,
        max({firmness}) OVER every_row AS firmness,
        max(until) OVER every_row AS until,
        max(CASE WHEN reason <> 'in doubt' THEN until ELSE '' END) OVER every_row AS left_until,
        max(CASE WHEN reason <> 'in doubt' THEN consent_on_record ELSE '' END) OVER every_row AS left_consent,
        max(consent_on_record) OVER every_row AS consent
    FROM reported
    WINDOW
        one AS (
            PARTITION BY person, topic
            ORDER BY CASE WHEN reason = 'in doubt' THEN 1 ELSE 0 END, created_at, number
        ),
        every_row AS (PARTITION BY person, topic)
) AS r
WHERE
    p.person IN (SELECT person FROM reported)  -- so that only their rows are read
    AND p.person = r.person AND p.topic = r.topic AND r.place = 1
    AND (
        p.reason = 'in doubt'
        OR r.firmness > {p.firmness}
        OR r.left_until > {p.last}
        OR r.left_consent > p.consent_on_record
    );

-- name: count_reported()$
-- Return the number of rows.
SELECT count(*) FROM reported;

-- name: count_new()$
-- Return how many of the suppressions would be new.
SELECT count(*)
FROM (
    SELECT DISTINCT r.person, r.topic
    FROM reported AS r
    WHERE NOT EXISTS (SELECT 1 FROM suppression AS p WHERE p.person = r.person AND p.topic = r.topic)
) AS n;

-- name: count_mailed()$
-- Return how many of these people receive email now.
SELECT count(DISTINCT r.person)
FROM reported AS r
JOIN subscriber AS s ON s.person = r.person
WHERE
    (s.consented_at <> '' OR s.consent_basis <> '')
    AND NOT EXISTS (SELECT 1 FROM suppression AS p WHERE p.person = r.person AND p.topic IN ('', r.topic));

-- name: empty_reported()!
-- Remove all suppressions that are added together.
DELETE FROM reported;

-- name: keep_past(person, topic, because, consented_at, now)!
-- Save a suppression that is about to be lifted, the reason, and the time of the consent if that is the reason. If two
-- are lifted within a second, the first is kept.
INSERT INTO past_suppression (person, topic, reason, created_at, repeated_at, lifted_at, because, consented_at)
SELECT person, topic, reason, created_at, repeated_at, :now, :because, :consented_at
FROM suppression
WHERE person = :person AND topic = :topic
ON CONFLICT (person, topic, lifted_at) DO NOTHING;

-- name: remove(person, topic)!
-- Lift a suppression.
DELETE FROM suppression WHERE person = :person AND topic = :topic;

-- name: of_person(person)
-- Return the suppressions of one person. The one from all email has an empty topic and comes first.
SELECT email, reason, created_at, topic, detail, repeated_at, consent_on_record
FROM suppression
WHERE person = :person
ORDER BY topic;

-- name: of_persons(persons)
-- Return the suppressions of the people in a JSON list.
SELECT person, email, reason, created_at, topic, detail, repeated_at, consent_on_record
FROM suppression
WHERE person IN (SELECT value FROM json_each(:persons))
ORDER BY person, topic;

-- name: past_of_person(person)
-- Return the lifted suppressions of one person, the last one first.
SELECT reason, created_at, lifted_at, because, topic
FROM past_suppression
WHERE person = :person
ORDER BY lifted_at DESC, topic;

-- name: page(after_person, after_topic, every_topic, topic, every_reason, reason, size)
-- Return a page of suppressions, by address.
SELECT person, email, reason, created_at, topic, detail, repeated_at, consent_on_record
FROM suppression
WHERE
    (person, topic) > (:after_person, :after_topic)
    AND (:every_topic = 1 OR topic = :topic)
    AND (:every_reason = 1 OR reason = :reason)
ORDER BY person, topic
LIMIT :size;

-- name: counts(every_topic, topic, every_reason, reason)
-- Return the number of suppressions for each reason.
SELECT reason, count(*) AS suppressions
FROM suppression
WHERE (:every_topic = 1 OR topic = :topic) AND (:every_reason = 1 OR reason = :reason)
GROUP BY reason
ORDER BY count(*) DESC, reason;

-- name: suppressed_among(persons)
-- Return the people in a JSON list who are suppressed from all email, when that was last reported, and when the address
-- was added to a list at the provider.
SELECT p.person, {p.last} AS said_at, p.handed_over_at
FROM suppression AS p
WHERE p.topic = '' AND p.person IN (SELECT value FROM json_each(:persons));

-- name: keep_handed_over(persons, at)!
-- Save that people were added to a list at the provider.
UPDATE suppression SET handed_over_at = :at
WHERE topic = '' AND person IN (SELECT value FROM json_each(:persons));

-- name: allowed_again(persons)
-- Return the people in a JSON list who were once suppressed, and since when they may be emailed again. If a new consent
-- lifted the suppression, that is the time of the consent, because the import may have read it much later. Otherwise it
-- is the time when the suppression was lifted.
SELECT person, max(CASE WHEN consented_at <> '' THEN consented_at ELSE lifted_at END) AS since
FROM past_suppression
WHERE topic = '' AND person IN (SELECT value FROM json_each(:persons))
GROUP BY person;
