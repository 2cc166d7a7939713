-- name: remarks(before)!
-- Delete why people left before a time.
DELETE FROM leaving_remark WHERE at < :before;

-- name: soft_bounces(before)!
-- Delete the soft bounces from before a time.
DELETE FROM soft_bounce WHERE at < :before;

-- name: proofs(before)!
-- Delete the consents that were replaced before a time.
DELETE FROM past_consent WHERE replaced_at < :before;

-- name: last_at()$
-- Return when old data was last deleted. There is no row before the first time.
SELECT at FROM last_purge;

-- name: forget_last()!
-- Delete when old data was last deleted.
DELETE FROM last_purge;

-- name: keep_last(now)!
-- Save that old data is deleted now.
INSERT INTO last_purge (at) VALUES (:now);
