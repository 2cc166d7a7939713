-- name: find_id(person)$
-- The id of somebody on the list.
SELECT id FROM subscriber WHERE person = :person;

-- name: find_email(person)$
-- The address of somebody on the list, as it was given.
SELECT email FROM subscriber WHERE person = :person;

-- name: find_reason(person)$
-- Why somebody must not be mailed at all.
SELECT reason FROM suppression WHERE person = :person AND topic = '';

-- name: is_known(person)$
-- Whether anything is kept of somebody.
SELECT
    EXISTS (SELECT 1 FROM subscriber WHERE person = :person)
    OR EXISTS (SELECT 1 FROM suppression WHERE person = :person)
    OR EXISTS (SELECT 1 FROM past_suppression WHERE person = :person)
    OR EXISTS (SELECT 1 FROM soft_bounce WHERE person = :person);

-- name: find_key()$
-- The digest by which the key is known again; none where nobody is forgotten any more.
SELECT digest FROM forgotten_key WHERE EXISTS (SELECT 1 FROM forgotten);

-- name: drop_key()!
-- Makes room for another key.
DELETE FROM forgotten_key;

-- name: remember_key(digest)!
-- Keeps the digest by which the key is known again.
INSERT INTO forgotten_key (digest) VALUES (:digest);

-- name: remember(digest, subscriber, reason, now)!
-- Keeps who was forgotten. Somebody who was forgotten before, and of whom a suppression was added since, keeps their id,
-- and a reason that no new consent lifts.
INSERT INTO forgotten (digest, subscriber, reason, created_at)
VALUES (:digest, :subscriber, :reason, :now)
ON CONFLICT (digest) DO UPDATE
SET
    subscriber = coalesce(excluded.subscriber, forgotten.subscriber),
    reason = CASE WHEN forgotten.reason IN ('manual', 'invalid') THEN forgotten.reason ELSE excluded.reason END,
    created_at = excluded.created_at;

-- name: find_forgotten(digest)$
-- Since when somebody is forgotten.
SELECT created_at FROM forgotten WHERE digest = :digest;

-- name: count_forgotten()$
-- How many are forgotten.
SELECT count(*) FROM forgotten;

-- name: clear_forgotten()!
-- Forgets who was forgotten.
DELETE FROM forgotten;

-- name: erase_past_consents(person)!
-- Erases what a person once consented to.
DELETE FROM past_consent WHERE subscriber IN (SELECT id FROM subscriber WHERE person = :person);

-- name: empty_events(person)!
-- Erases the words of what was reported about a person: servers repeat addresses, and links are personal. That it was
-- reported stays, for the sums.
UPDATE event SET detail = ''
WHERE detail <> '' AND subscriber = (SELECT id FROM subscriber WHERE person = :person);

-- name: erase_subscriber(person)!
-- Takes a person off the list.
DELETE FROM subscriber WHERE person = :person;

-- name: erase_suppressions(person)!
-- Erases the address from those that must not be mailed: the digest stands for it now.
DELETE FROM suppression WHERE person = :person;

-- name: erase_past_suppressions(person)!
-- Erases which suppressions were lifted.
DELETE FROM past_suppression WHERE person = :person;

-- name: erase_soft_bounces(person)!
-- Erases what could not be delivered for a while.
DELETE FROM soft_bounce WHERE person = :person;

-- name: broadcast_words(address)
-- The broadcasts whose words name an address: a reason, or a segment that was written for one person.
SELECT id, segment, expression, reason, waivers
FROM broadcast
WHERE instr(lower(segment || ' ' || expression || ' ' || reason || ' ' || waivers), :address) > 0;

-- name: set_broadcast_words(id, segment, expression, reason, waivers)!
-- The same without the address.
UPDATE broadcast SET segment = :segment, expression = :expression, reason = :reason, waivers = :waivers
WHERE id = :id;

-- name: journal_words(address)
-- The entries that name an address.
SELECT broadcast, number, detail AS words FROM journal WHERE instr(lower(detail), :address) > 0;

-- name: set_journal_words(broadcast, number, words)!
-- The same without the address.
UPDATE journal SET detail = :words WHERE broadcast = :broadcast AND number = :number;

-- name: chunk_words(address)
-- The chunks whose reason names an address.
SELECT broadcast, number, reason AS words FROM chunk WHERE instr(lower(reason), :address) > 0;

-- name: set_chunk_words(broadcast, number, words)!
-- The same without the address.
UPDATE chunk SET reason = :words WHERE broadcast = :broadcast AND number = :number;

-- name: settlement_words(address)
-- The settlements whose reason names an address.
SELECT broadcast, number, reason AS words FROM settlement WHERE instr(lower(reason), :address) > 0;

-- name: set_settlement_words(broadcast, number, words)!
-- The same without the address.
UPDATE settlement SET reason = :words WHERE broadcast = :broadcast AND number = :number;
