-- Sign-ups with the form: what someone asked for, the email about it, and what came of it.

-- name: keep_wording(version, language, words, now)!
-- Save the words that a form showed, unless this version is known.
INSERT INTO signup_wording (version, language, words, first_shown_at)
VALUES (:version, :language, :words, :now)
ON CONFLICT (version) DO NOTHING;

-- name: find_wording(version)
-- Return one version of the words.
SELECT version, language, words FROM signup_wording WHERE version = :version;

-- name: add(person, email, first_name, language, topics, wants_tracking, source, wording, now)!
-- Save what someone asked for. Nothing is looked up, so this takes the same time for everyone.
INSERT INTO signup (
    person, email, first_name, language, topics, wants_tracking, source, wording, asked_at
)
VALUES (:person, :email, :first_name, :language, :topics, :wants_tracking, :source, :wording, :now);

-- name: count_refusal(hour_at, reason)!
-- Count a sign-up that is not followed up.
INSERT INTO signup_refusal (hour_at, reason, signups)
VALUES (:hour_at, :reason, 1)
ON CONFLICT (hour_at, reason) DO UPDATE SET signups = signup_refusal.signups + 1;

-- name: refusals(since)
-- Return how many sign-ups were not followed up since a time, by reason.
SELECT reason, CAST(sum(signups) AS INTEGER) AS signups
FROM signup_refusal
WHERE hour_at >= :since
GROUP BY reason
ORDER BY reason;

-- name: is_anyone_waiting()$
-- Return whether anyone waits for an email about a sign-up, or for a welcome email.
SELECT EXISTS (SELECT 1 FROM signup WHERE state = 'asked') OR EXISTS (SELECT 1 FROM signup WHERE welcome = 'due');

-- name: asked(size)
-- Return the oldest sign-ups about which nothing has been decided.
SELECT
    id, person, email, first_name, language, topics, wants_tracking, source, wording, token, asked_at, state,
    mailed_at, broadcast, subscriber, confirmed_at, is_asked_again
FROM signup
WHERE state = 'asked'
ORDER BY id
LIMIT :size;

-- name: mailed_since(person, since)$
-- Return how many emails about sign-ups one person was sent since a time.
SELECT count(*) FROM signup WHERE person = :person AND mailed_at > :since;

-- name: reserved_id(person)$
-- Return the id that was reserved for someone who has asked before.
SELECT subscriber FROM signup WHERE person = :person AND subscriber IS NOT NULL ORDER BY id DESC LIMIT 1;

-- name: keep_mailed(signup, state, subscriber, token, now)!
-- Save that an email about a sign-up is put in the ledger, and the key of the link in it.
UPDATE signup
SET state = :state, subscriber = :subscriber, token = :token, mailed_at = :now
WHERE id = :signup;

-- name: keep_broadcast(signup, broadcast)*!
-- Save the broadcast with the email about a sign-up.
UPDATE signup SET broadcast = :broadcast WHERE id = :signup;

-- name: put_back(signup)*!
-- Let a sign-up wait for its email after all.
UPDATE signup SET state = 'asked', subscriber = NULL, token = '', mailed_at = '' WHERE id = :signup;

-- name: drop(signup)!
-- Delete a sign-up that is not followed up.
DELETE FROM signup WHERE id = :signup;

-- name: rush(hour_ago, month_ago, day_ago, two_hours_ago)
-- Return how many people were asked by email to confirm: in the last hour, from a month to a day ago, and in the last two
-- hours. Also return how many of these last ones did.
SELECT
    coalesce(sum(CASE WHEN mailed_at > :hour_ago THEN 1 ELSE 0 END), 0) AS last_hour,
    coalesce(sum(CASE WHEN mailed_at <= :day_ago THEN 1 ELSE 0 END), 0) AS usually,
    coalesce(sum(CASE WHEN mailed_at > :two_hours_ago THEN 1 ELSE 0 END), 0) AS lately,
    coalesce(sum(CASE WHEN mailed_at > :two_hours_ago AND state = 'confirmed' THEN 1 ELSE 0 END), 0) AS confirmed
FROM signup
WHERE mailed_at > :month_ago AND state IN ('mailed', 'confirmed') AND is_asked_again = 0;

-- name: of_subscriber(subscriber)
-- Return the sign-ups that someone with this id was asked to confirm, the newest first.
SELECT
    id, person, email, first_name, language, topics, wants_tracking, source, wording, token, asked_at, state,
    mailed_at, broadcast, subscriber, confirmed_at, is_asked_again
FROM signup
WHERE subscriber = :subscriber AND state IN ('mailed', 'confirmed')
ORDER BY id DESC;

-- name: of_person(person)
-- Return everything that someone asked for, the newest first.
SELECT
    id, person, email, first_name, language, topics, wants_tracking, source, wording, token, asked_at, state,
    mailed_at, broadcast, subscriber, confirmed_at, is_asked_again
FROM signup
WHERE person = :person
ORDER BY id DESC;

-- name: keep_confirmed(signup, welcome, now)!
-- Save that someone confirmed a sign-up. It keeps the id in its link, even if an import has given the person another.
UPDATE signup SET state = 'confirmed', confirmed_at = :now, welcome = :welcome WHERE id = :signup;

-- name: add_subscriber(subscriber, person, token, joined_at, email, first_name, language, consented_at, source, wording, confirmed_at, now)!
-- Add someone who confirmed that they want to join, with the id that was reserved for them.
INSERT INTO subscriber (
    id, person, token, updated_at, email, first_name, last_name, language, timezone, tags, attributes, joined_at,
    consented_at, consent_source, consent_wording, consent_confirmed_at, consent_basis, tracking_consented_at,
    paused_until
)
VALUES (
    :subscriber, :person, :token, :now, :email, :first_name, '', :language, '', '', '{}', :joined_at, :consented_at,
    :source, :wording, :confirmed_at, '', '', ''
);

-- name: keep_past_consent(subscriber, consented_at, now)!
-- Save the consent on record that is about to be replaced by a newer one.
INSERT INTO past_consent (subscriber, replaced_at, consented_at, source, wording, confirmed_at)
SELECT id, :now, consented_at, consent_source, consent_wording, consent_confirmed_at
FROM subscriber
WHERE id = :subscriber AND consented_at <> '' AND consented_at < :consented_at
ON CONFLICT (subscriber, replaced_at, consented_at) DO NOTHING;

-- name: renew_consent(subscriber, consented_at, source, wording, confirmed_at, now)!
-- Save the consent that someone confirmed, unless a newer one is on record.
UPDATE subscriber
SET
    consented_at = :consented_at,
    consent_source = :source,
    consent_wording = :wording,
    consent_confirmed_at = :confirmed_at,
    consent_basis = '',
    updated_at = :now
WHERE id = :subscriber AND consented_at < :consented_at;

-- name: fill_in(subscriber, first_name, language, now)!
-- Save what someone filled in, unless the list has a value already.
UPDATE subscriber
SET
    first_name = CASE WHEN first_name = '' THEN :first_name ELSE first_name END,
    language = CASE WHEN language = '' THEN :language ELSE language END,
    updated_at = :now
WHERE id = :subscriber;

-- name: find_erased(digest)
-- Return the record of an erased person.
SELECT subscriber, reason, created_at FROM forgotten WHERE digest = :digest;

-- name: return_erased(digest)!
-- Delete the record of an erased person who has joined again.
DELETE FROM forgotten WHERE digest = :digest;

-- name: welcomes_due(size)
-- Return the people who are to get the welcome email, by sign-up.
SELECT u.id AS signup, u.person
FROM signup AS u
WHERE u.welcome = 'due'
ORDER BY u.id
LIMIT :size;

-- name: keep_welcomed(signup)*!
-- Save that the welcome email of someone is in the ledger, or that they get none.
UPDATE signup SET welcome = 'done' WHERE id = :signup;
