-- What people ask for on the pages with their preferences.

-- name: ask(subscriber, kind, person, email, token, now)!
-- Save that someone asked for a link. Its email is sent later.
INSERT INTO link_request (subscriber, kind, person, email, token, asked_at)
VALUES (:subscriber, :kind, :person, :email, :token, :now);

-- name: requests(subscriber)
-- Return the links that someone asked for, the newest first.
SELECT id, subscriber, kind, email, token, asked_at, mailed_at, broadcast, recipient, confirmed_at
FROM link_request
WHERE subscriber = :subscriber
ORDER BY id DESC;

-- name: sent_to(recipient)
-- Return the links that were sent to someone, whom the ledger knows by this id.
SELECT id, subscriber, kind, email, token, asked_at, mailed_at, broadcast, recipient, confirmed_at
FROM link_request
WHERE recipient = :recipient
ORDER BY id DESC;

-- name: waiting(size)
-- Return the first links that are to be sent, the oldest first.
SELECT id, subscriber, kind, email, token, asked_at, mailed_at, broadcast, recipient, confirmed_at
FROM link_request
WHERE mailed_at = ''
ORDER BY id
LIMIT :size;

-- name: is_waiting()$
-- Return whether any link is to be sent.
SELECT EXISTS (SELECT 1 FROM link_request WHERE mailed_at = '');

-- name: new_address_mailed_since(person, since)$
-- Return how many links to a new address were sent to one person since a time.
SELECT count(*) FROM link_request WHERE person = :person AND kind = 'new address' AND mailed_at >= :since;

-- name: reserved_id(person)$
-- Return the id by which the ledger knows the owner of a new address who got a link before.
SELECT recipient FROM link_request WHERE person = :person AND kind = 'new address' AND recipient IS NOT NULL
ORDER BY id DESC
LIMIT 1;

-- name: keep_mailed(request, recipient, now)!
-- Save that a link is sent now, and to whom.
UPDATE link_request SET mailed_at = :now, recipient = :recipient WHERE id = :request;

-- name: keep_broadcast(request, broadcast)*!
-- Save the broadcast in which a link is sent.
UPDATE link_request SET broadcast = :broadcast WHERE id = :request;

-- name: put_back(request)*!
-- Let a link wait again.
UPDATE link_request SET mailed_at = '' WHERE id = :request;

-- name: drop(request)!
-- Delete the request for a link that is not sent.
DELETE FROM link_request WHERE id = :request;

-- name: confirm(request, now)!
-- Save that the owner of the address confirmed it. The first time is kept.
UPDATE link_request SET confirmed_at = :now WHERE id = :request AND confirmed_at = '';

-- name: end_requests(subscriber)!
-- End all links that someone asked for. Those that were sent to a new address are needed for the limits of its owner.
DELETE FROM link_request WHERE subscriber = :subscriber AND NOT (kind = 'new address' AND mailed_at <> '');

-- name: end_sent_requests(subscriber)!
-- End the links to a new address that were sent: a link without a recipient opens nothing.
UPDATE link_request SET recipient = NULL WHERE subscriber = :subscriber;

-- name: drop_old(before)!
-- Delete the requests whose links were sent before a time, once no limit needs them anymore.
DELETE FROM link_request WHERE mailed_at <> '' AND mailed_at < :before;

-- name: set_token(subscriber, token)!
-- Give someone a new token, which ends all links that were made with the one before.
UPDATE subscriber SET token = :token WHERE id = :subscriber;

-- name: keep_former_token(subscriber, ends_at)!
-- Save the token that someone has now, before they get a new one.
INSERT INTO former_token (subscriber, token, ends_at)
SELECT id, token, :ends_at FROM subscriber WHERE id = :subscriber
ON CONFLICT (subscriber, token) DO NOTHING;

-- name: former_tokens(subscriber, now)
-- Return the former tokens of someone that are still good for leaving, and for following tracked links.
SELECT token FROM former_token WHERE subscriber = :subscriber AND ends_at > :now;

-- name: add_tracking_choice(subscriber, agrees, wording, now)!
-- Save that someone agreed to tracking or withdrew. The last choice in a second is kept.
INSERT INTO tracking_choice (subscriber, at, agrees, wording)
VALUES (:subscriber, :now, :agrees, :wording)
ON CONFLICT (subscriber, at) DO UPDATE SET agrees = excluded.agrees, wording = excluded.wording;

-- name: tracking_choices(subscriber)
-- Return when someone agreed to tracking or withdrew, the newest first.
SELECT at, agrees, wording FROM tracking_choice WHERE subscriber = :subscriber ORDER BY at DESC;
