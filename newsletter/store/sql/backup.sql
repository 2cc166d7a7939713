-- Comparing a backup with the data of now, and settling what a backup left open.

-- name: is_anything_there()$
-- Whether the database holds any data at all.
SELECT
    EXISTS (SELECT 1 FROM subscriber) OR EXISTS (SELECT 1 FROM broadcast) OR EXISTS (SELECT 1 FROM suppression)
    OR EXISTS (SELECT 1 FROM forgotten);

-- name: nonces()
-- By what each broadcast is known again.
SELECT id, nonce AS mark FROM broadcast ORDER BY id;

-- name: tokens(size)
-- By what some people are known again.
SELECT id, token AS mark FROM subscriber ORDER BY id LIMIT :size;

-- name: runners()
-- Who is handing over, or was.
SELECT DISTINCT runner FROM chunk WHERE state = 'inflight' ORDER BY runner;

-- name: open_broadcasts()
-- The broadcasts that may go on, or of which a chunk has not left or is leaving: how many people are in such chunks.
SELECT b.id, b.issue, coalesce(sum(c.size), 0) AS people
FROM broadcast AS b
LEFT JOIN chunk AS c ON c.broadcast = b.id AND c.state IN ('ready', 'inflight')
WHERE b.state IN ('scheduled', 'running') OR c.size > 0
GROUP BY b.id, b.issue
ORDER BY b.id;

-- name: make_unknown(broadcast, reason, now)!
-- What had not left, or was leaving, may have left since.
UPDATE chunk
SET state = 'unknown', reason = :reason, changed_at = :now
WHERE broadcast = :broadcast AND state IN ('ready', 'inflight');

-- name: suppressions()
-- Every suppression.
SELECT person, topic, email, reason, detail, created_at, repeated_at, handed_over_at FROM suppression;

-- name: suppress(person, topic, email, reason, detail, created_at, repeated_at, handed_over_at)*!
-- Keeps a suppression as it is now, whatever the backup said of it.
INSERT INTO suppression (person, topic, email, reason, detail, created_at, repeated_at, handed_over_at)
VALUES (:person, :topic, :email, :reason, :detail, :created_at, :repeated_at, :handed_over_at)
ON CONFLICT (person, topic) DO UPDATE
SET
    reason = excluded.reason,
    detail = excluded.detail,
    created_at = excluded.created_at,
    repeated_at = excluded.repeated_at,
    handed_over_at = excluded.handed_over_at;

-- name: forgotten()
-- Everybody who was forgotten.
SELECT digest, subscriber, reason, created_at FROM forgotten ORDER BY digest;

-- name: remember(digest, subscriber, reason, created_at)*!
-- Keeps that somebody was forgotten.
INSERT INTO forgotten (digest, subscriber, reason, created_at)
VALUES (:digest, :subscriber, :reason, :created_at)
ON CONFLICT (digest) DO NOTHING;

-- name: emails()
-- The address of everybody whom the backup knows, on the list or as suppressed.
SELECT email FROM subscriber UNION SELECT email FROM suppression;

-- name: email_of(subscriber)$
-- The address of somebody on the list.
SELECT email FROM subscriber WHERE id = :subscriber;
