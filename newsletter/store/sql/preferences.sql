-- What people ask for on the pages with their preferences.

-- name: ask(subscriber, kind, person, email, token, now)!
-- Save that someone asked for a link. Its email is sent later.
INSERT INTO link_request (subscriber, kind, person, email, token, asked_at)
VALUES (:subscriber, :kind, :person, :email, :token, :now);

-- name: requests(subscriber)
-- Return the links that someone asked for, the newest first.
SELECT id, subscriber, kind, email, token, asked_at, mailed_at, broadcast, confirmed_at
FROM link_request
WHERE subscriber = :subscriber
ORDER BY id DESC;

-- name: confirm(request, now)!
-- Save that the owner of the address confirmed it. The first time is kept.
UPDATE link_request SET confirmed_at = :now WHERE id = :request AND confirmed_at = '';

-- name: end_requests(subscriber)!
-- End all links that someone asked for.
DELETE FROM link_request WHERE subscriber = :subscriber;

-- name: set_token(subscriber, token)!
-- Give someone a new token, which ends all links that were made with the one before.
UPDATE subscriber SET token = :token WHERE id = :subscriber;

-- name: keep_former_token(subscriber, ends_at)!
-- Save the token that someone has now, before they get a new one.
INSERT INTO former_token (subscriber, token, ends_at)
SELECT id, token, :ends_at FROM subscriber WHERE id = :subscriber
ON CONFLICT (subscriber, token) DO NOTHING;

-- name: drop_former_tokens(now)!
-- Delete the former tokens that are not good for anything anymore.
DELETE FROM former_token WHERE ends_at <= :now;

-- name: former_tokens(subscriber, now)
-- Return the former tokens of someone that are still good for leaving.
SELECT token FROM former_token WHERE subscriber = :subscriber AND ends_at > :now;

-- name: add_tracking_choice(subscriber, agrees, wording, now)!
-- Save that someone agreed to tracking or withdrew. The last choice in a second is kept.
INSERT INTO tracking_choice (subscriber, at, agrees, wording)
VALUES (:subscriber, :now, :agrees, :wording)
ON CONFLICT (subscriber, at) DO UPDATE SET agrees = excluded.agrees, wording = excluded.wording;

-- name: tracking_choices(subscriber)
-- Return when someone agreed to tracking or withdrew, the newest first.
SELECT at, agrees, wording FROM tracking_choice WHERE subscriber = :subscriber ORDER BY at DESC;
