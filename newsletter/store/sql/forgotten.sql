-- name: find_id(person)$
-- Return the id of a subscriber.
SELECT id FROM subscriber WHERE person = :person;

-- name: emails(person)
-- Return the addresses of a person, as they were given.
SELECT email FROM subscriber WHERE person = :person
UNION
SELECT email FROM suppression WHERE person = :person
UNION
SELECT email FROM signup WHERE person = :person;

-- name: find_reason(person)$
-- Return why a person must not be emailed at all.
SELECT reason FROM suppression WHERE person = :person AND topic = '';

-- name: is_known(person)$
-- Return whether anything about a person is stored.
SELECT
    EXISTS (SELECT 1 FROM subscriber WHERE person = :person)
    OR EXISTS (SELECT 1 FROM suppression WHERE person = :person)
    OR EXISTS (SELECT 1 FROM past_suppression WHERE person = :person)
    OR EXISTS (SELECT 1 FROM soft_bounce WHERE person = :person)
    OR EXISTS (SELECT 1 FROM import_suppression WHERE person = :person)
    OR EXISTS (SELECT 1 FROM import_return WHERE person = :person)
    OR EXISTS (SELECT 1 FROM left_since_import WHERE person = :person)
    OR EXISTS (SELECT 1 FROM signup WHERE person = :person)
    OR EXISTS (SELECT 1 FROM link_request WHERE person = :person);

-- name: find_key()$
-- Return the digest that identifies the key. There is no row if no one is erased anymore, and no one would be erased again
-- by undoing the last import.
SELECT digest
FROM forgotten_key
WHERE EXISTS (SELECT 1 FROM forgotten) OR EXISTS (SELECT 1 FROM import_return);

-- name: drop_key()!
-- Delete the digest that identifies the key.
DELETE FROM forgotten_key;

-- name: remember_key(digest)!
-- Save the digest that identifies the key.
INSERT INTO forgotten_key (digest) VALUES (:digest);

-- name: remember(digest, subscriber, reason, now)!
-- Save that a person was erased. If they were erased before, and a suppression has been added since then, they
-- keep their id. Of both reasons, the firmer one is kept.
INSERT INTO forgotten (digest, subscriber, reason, created_at)
VALUES (:digest, :subscriber, :reason, :now)
ON CONFLICT (digest) DO UPDATE
SET
    subscriber = coalesce(excluded.subscriber, forgotten.subscriber),
    reason = {firmer},
    created_at = excluded.created_at;

-- name: find_forgotten(digest)$
-- Return when a person was erased.
SELECT created_at FROM forgotten WHERE digest = :digest;

-- name: is_anybody_forgotten()$
-- Return whether anyone was erased.
SELECT EXISTS (SELECT 1 FROM forgotten);

-- name: count_forgotten()$
-- Return the number of erased people.
SELECT count(*) FROM forgotten;

-- name: count_digests()$
-- Return the number of digests, with those of people who came back with the last import.
SELECT (SELECT count(*) FROM forgotten) + (SELECT count(*) FROM import_return);

-- name: digests()
-- Return the digests of all erased people.
SELECT digest FROM forgotten;

-- name: clear_forgotten()!
-- Delete the record of who was erased.
DELETE FROM forgotten;

-- name: erase_past_consents(person)!
-- Erase a person's past consents.
DELETE FROM past_consent WHERE subscriber IN (SELECT id FROM subscriber WHERE person = :person);

-- name: erase_leaving_remarks(person)!
-- Erase what a person said about leaving.
DELETE FROM leaving_remark WHERE subscriber IN (SELECT id FROM subscriber WHERE person = :person);

-- name: erase_link_requests(person)!
-- Erase the links that a person asked for, and those that others asked to be sent to them.
DELETE FROM link_request
WHERE person = :person OR subscriber IN (SELECT id FROM subscriber WHERE person = :person);

-- name: erase_former_tokens(person)!
-- Erase the tokens that a person had before.
DELETE FROM former_token WHERE subscriber IN (SELECT id FROM subscriber WHERE person = :person);

-- name: erase_tracking_choices(person)!
-- Erase when a person agreed to tracking or withdrew.
DELETE FROM tracking_choice WHERE subscriber IN (SELECT id FROM subscriber WHERE person = :person);

-- name: erase_signups(person)!
-- Erase what a person asked for with the form for joining, also with an earlier address.
DELETE FROM signup
WHERE person = :person OR subscriber IN (SELECT id FROM subscriber WHERE person = :person);

-- name: empty_events(person)!
-- Erase the text of the events about a person, because servers repeat addresses, and links are personal. The events
-- themselves remain, so that the totals stay correct.
UPDATE event SET detail = '', url = ''
WHERE (detail <> '' OR url <> '') AND subscriber = (SELECT id FROM subscriber WHERE person = :person);

-- name: erase_import_changes(person)!
-- Erase a person's cells from before the last import.
DELETE FROM import_change WHERE subscriber IN (SELECT id FROM subscriber WHERE person = :person);

-- name: erase_import_suppressions(person)!
-- Erase a person's suppressions from before the last import.
DELETE FROM import_suppression WHERE person = :person;

-- name: erase_import_return(person)!
-- Erase that the last import let a person return.
DELETE FROM import_return WHERE person = :person;

-- name: erase_left_since_import(person)!
-- Erase that a person left since the last import.
DELETE FROM left_since_import WHERE person = :person;

-- name: erase_subscriber(person)!
-- Remove a person from the list.
DELETE FROM subscriber WHERE person = :person;

-- name: erase_suppressions(person)!
-- Erase a person's suppressions. The digest replaces them.
DELETE FROM suppression WHERE person = :person;

-- name: erase_past_suppressions(person)!
-- Erase a person's lifted suppressions.
DELETE FROM past_suppression WHERE person = :person;

-- name: erase_soft_bounces(person)!
-- Erase a person's soft bounces.
DELETE FROM soft_bounce WHERE person = :person;

-- name: create_rewritten()!
-- Create the table of texts that contained the address of an erased person, and what replaces them.
CREATE TEMPORARY TABLE rewritten (
    was TEXT /*+ COLLATE "C" */ NOT NULL,
    text TEXT /*+ COLLATE "C" */ NOT NULL
);

-- name: drop_rewritten()!
-- Drop the temporary table at the end of the step.
DROP TABLE rewritten;
