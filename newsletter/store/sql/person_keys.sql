-- The steps of giving people new keys in a migration. It is not known which of the mailboxes with one old key left, so all
-- of them stay suppressed: the rows with the old key are kept.

-- name: beyond_ascii()
-- Return each address that is not plain ASCII, with its key.
SELECT email, person FROM subscriber WHERE /*+ email ~ '[^ -~]' -- */ email GLOB '*[^ -~]*'
UNION
SELECT email, person FROM suppression WHERE /*+ email ~ '[^ -~]' -- */ email GLOB '*[^ -~]*'
;

-- name: create_changed_key()!
-- Create the table of the keys that change.
CREATE TEMPORARY TABLE changed_key (
    email TEXT /*+ COLLATE "C" */ NOT NULL,
    old TEXT /*+ COLLATE "C" */ NOT NULL,
    person TEXT /*+ COLLATE "C" */ NOT NULL
);

-- name: change_keys()!
-- Change the keys of the people on the list.
UPDATE subscriber
SET person = c.person
FROM changed_key AS c
WHERE c.email = subscriber.email AND c.old = subscriber.person;

-- name: copy_suppressions()!
-- Suppress everyone whose old key is suppressed.
INSERT INTO suppression (
    person, topic, email, reason, detail, created_at, repeated_at, handed_over_at, consent_on_record
)
SELECT
    c.person, p.topic, c.email, p.reason, p.detail, p.created_at, p.repeated_at, p.handed_over_at, p.consent_on_record
FROM changed_key AS c
JOIN suppression AS p ON p.person = c.old
WHERE TRUE
ON CONFLICT (person, topic) DO NOTHING;

-- name: copy_past_suppressions()!
-- Copy the lifted suppressions.
INSERT INTO past_suppression (person, topic, reason, created_at, repeated_at, lifted_at, because, consented_at)
SELECT c.person, p.topic, p.reason, p.created_at, p.repeated_at, p.lifted_at, p.because, p.consented_at
FROM changed_key AS c
JOIN past_suppression AS p ON p.person = c.old
WHERE TRUE
ON CONFLICT (person, topic, lifted_at) DO NOTHING;

-- name: copy_soft_bounces()!
-- Copy the soft bounces.
INSERT INTO soft_bounce (person, at, detail)
SELECT c.person, b.at, b.detail
FROM changed_key AS c
JOIN soft_bounce AS b ON b.person = c.old
WHERE TRUE
ON CONFLICT (person, at) DO NOTHING;

-- name: drop_changed_key()!
-- Drop the temporary table at the end of the step.
DROP TABLE changed_key;
