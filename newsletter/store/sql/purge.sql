-- name: remarks(before)!
-- Delete why people left before a time.
DELETE FROM leaving_remark WHERE at < :before;

-- name: soft_bounces(before)!
-- Delete the soft bounces from before a time.
DELETE FROM soft_bounce WHERE at < :before;

-- name: proofs(before)!
-- Delete the consents that were replaced before a time.
DELETE FROM past_consent WHERE replaced_at < :before;

-- name: tracking_choices(before)!
-- Delete the choices about tracking that a newer one replaced before a time.
DELETE FROM tracking_choice
WHERE EXISTS (
    SELECT 1
    FROM tracking_choice AS n
    WHERE n.subscriber = tracking_choice.subscriber AND n.at > tracking_choice.at AND n.at < :before
);

-- name: signups(before)!
-- Delete the sign-ups from before a time that were not confirmed. The limits on emails to one address count them.
DELETE FROM signup
WHERE
    (state IN ('mailed', 'known') AND mailed_at < :before AND is_asked_again = 0)
    OR (state = 'asked' AND asked_at < :before);

-- name: refusals(before)!
-- Delete the counts of sign-ups from before a time that were not followed up.
DELETE FROM signup_refusal WHERE hour_at < :before;

-- name: wordings(before)!
-- Delete the words of forms that were first shown before a time, if no record of a consent names them. If a form shows
-- them still, the next sign-up saves them again.
DELETE FROM signup_wording
WHERE
    first_shown_at < :before
    AND version NOT IN (SELECT wording FROM signup)
    AND version NOT IN (SELECT consent_wording FROM subscriber)
    AND version NOT IN (SELECT wording FROM past_consent)
    AND version NOT IN (SELECT wording FROM tracking_choice);

-- name: link_requests(before)!
-- Delete the links from before a time that people asked for. They do not work anymore, and no limit counts them.
DELETE FROM link_request
WHERE (mailed_at <> '' AND mailed_at < :before) OR (mailed_at = '' AND asked_at < :before);

-- name: former_tokens(before)!
-- Delete the former tokens that ended before a time.
DELETE FROM former_token WHERE ends_at < :before;

-- name: last_at()$
-- Return when old data was last deleted. There is no row before the first time.
SELECT at FROM last_purge;

-- name: forget_last()!
-- Delete when old data was last deleted.
DELETE FROM last_purge;

-- name: keep_last(now)!
-- Save that old data is deleted now.
INSERT INTO last_purge (at) VALUES (:now);
