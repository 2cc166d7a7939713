-- name: find_id(person)$
-- Return the id of a subscriber.
SELECT id FROM subscriber WHERE person = :person;

-- name: find_email(person)$
-- Return the address of a subscriber, as it was given.
SELECT email FROM subscriber WHERE person = :person;

-- name: find_reason(person)$
-- Return why a person must not be emailed at all.
SELECT reason FROM suppression WHERE person = :person AND topic = '';

-- name: is_known(person)$
-- Return whether anything about a person is stored.
SELECT
    EXISTS (SELECT 1 FROM subscriber WHERE person = :person)
    OR EXISTS (SELECT 1 FROM suppression WHERE person = :person)
    OR EXISTS (SELECT 1 FROM past_suppression WHERE person = :person)
    OR EXISTS (SELECT 1 FROM soft_bounce WHERE person = :person);

-- name: find_key()$
-- Return the digest that identifies the key. There is no row if no one is erased anymore.
SELECT digest FROM forgotten_key WHERE EXISTS (SELECT 1 FROM forgotten);

-- name: drop_key()!
-- Delete the digest that identifies the key.
DELETE FROM forgotten_key;

-- name: remember_key(digest)!
-- Save the digest that identifies the key.
INSERT INTO forgotten_key (digest) VALUES (:digest);

-- name: remember(digest, subscriber, reason, now)!
-- Save that a person was erased. If they were erased before, and a suppression has been added since then, they
-- keep their id. They also keep a reason that no new consent lifts (`manual` or `invalid`).
INSERT INTO forgotten (digest, subscriber, reason, created_at)
VALUES (:digest, :subscriber, :reason, :now)
ON CONFLICT (digest) DO UPDATE
SET
    subscriber = coalesce(excluded.subscriber, forgotten.subscriber),
    reason = CASE WHEN forgotten.reason IN ('manual', 'invalid') THEN forgotten.reason ELSE excluded.reason END,
    created_at = excluded.created_at;

-- name: find_forgotten(digest)$
-- Return when a person was erased.
SELECT created_at FROM forgotten WHERE digest = :digest;

-- name: count_forgotten()$
-- Return the number of erased people.
SELECT count(*) FROM forgotten;

-- name: clear_forgotten()!
-- Delete the record of who was erased.
DELETE FROM forgotten;

-- name: erase_past_consents(person)!
-- Erase a person's past consents.
DELETE FROM past_consent WHERE subscriber IN (SELECT id FROM subscriber WHERE person = :person);

-- name: empty_events(person)!
-- Erase the text of the events about a person, because servers repeat addresses, and links are personal. The events
-- themselves remain, so that the totals stay correct.
UPDATE event SET detail = ''
WHERE detail <> '' AND subscriber = (SELECT id FROM subscriber WHERE person = :person);

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

-- name: broadcast_words(address)
-- Return the broadcasts whose text contains an address, for example a reason, or a segment for one person.
SELECT id, segment, expression, reason, waivers
FROM broadcast
WHERE instr(lower(segment || ' ' || expression || ' ' || reason || ' ' || waivers), :address) > 0;

-- name: set_broadcast_words(id, segment, expression, reason, waivers)!
-- Replace the text with one that does not contain the address.
UPDATE broadcast SET segment = :segment, expression = :expression, reason = :reason, waivers = :waivers
WHERE id = :id;

-- name: journal_words(address)
-- Return the journal entries that contain an address.
SELECT broadcast, number, detail AS words FROM journal WHERE instr(lower(detail), :address) > 0;

-- name: set_journal_words(broadcast, number, words)!
-- Replace the text with one that does not contain the address.
UPDATE journal SET detail = :words WHERE broadcast = :broadcast AND number = :number;

-- name: chunk_words(address)
-- Return the chunks whose reason contains an address.
SELECT broadcast, number, reason AS words FROM chunk WHERE instr(lower(reason), :address) > 0;

-- name: set_chunk_words(broadcast, number, words)!
-- Replace the text with one that does not contain the address.
UPDATE chunk SET reason = :words WHERE broadcast = :broadcast AND number = :number;

-- name: settlement_words(address)
-- Return the settlements whose reason contains an address.
SELECT broadcast, number, reason AS words FROM settlement WHERE instr(lower(reason), :address) > 0;

-- name: set_settlement_words(broadcast, number, words)!
-- Replace the text with one that does not contain the address.
UPDATE settlement SET reason = :words WHERE broadcast = :broadcast AND number = :number;
