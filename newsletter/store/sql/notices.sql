-- What the reviewers must learn about scheduled broadcasts. Each notice is sent once, and none is about another notice.

-- name: stuck(since)
-- Return the broadcasts with a scheduled time or in waves that were paused or stopped since a time, with the last time and the reason. If a
-- broadcast continues without a person, the same reason is no news for a day, however often it is paused.
SELECT b.id AS broadcast, b.state, b.reason, max(j.at) AS at, b.continues_at <> '' AS is_passing
FROM broadcast AS b
JOIN journal AS j ON j.broadcast = b.id AND j.entry = b.state
WHERE
    b.state IN ('paused', 'stopped')
    AND (b.due_at <> '' OR EXISTS (SELECT 1 FROM watch AS w WHERE w.broadcast = b.id))
GROUP BY b.id, b.state, b.reason, b.continues_at
HAVING max(j.at) >= :since
ORDER BY b.id;

-- name: add(broadcast, at, what, state, since)!
-- Add a notice, unless the same was noticed since a time.
INSERT INTO notice (broadcast, at, what, state)
SELECT b.id, :at, :what, :state
FROM broadcast AS b
WHERE
    b.id = :broadcast
    AND NOT EXISTS (
        SELECT 1 FROM notice AS n WHERE n.broadcast = :broadcast AND n.what = :what AND n.at >= :since
    );

-- name: add_alarm(broadcast, at, what, kind)!
-- Add an alarm about what came back, unless one of this kind was added before. Its kind stands in place of a state.
INSERT INTO notice (broadcast, at, what, state)
SELECT b.id, :at, :what, :kind
FROM broadcast AS b
WHERE b.id = :broadcast AND NOT EXISTS (SELECT 1 FROM notice AS n WHERE n.broadcast = :broadcast AND n.state = :kind);

-- name: last_tried()$
-- Return when the reviewers were last emailed, whether or not it was accepted.
SELECT max(tried_at) FROM notice WHERE tried_at <> '';

-- name: untold()
-- Return the notices that the reviewers have not been told, oldest first. One that no longer holds is left out: the
-- state of its broadcast has changed since. An alarm holds in every state.
SELECT n.broadcast, n.at, n.what, n.state, n.tried_at, n.failure
FROM notice AS n
JOIN broadcast AS b ON b.id = n.broadcast AND (b.state = n.state OR n.state IN ('complaints', 'bounces'))
WHERE n.told_at = ''
ORDER BY n.at, n.broadcast, n.what;

-- name: say_tried(broadcast, at, what, tried_at)*!
-- Save that an email about a notice is about to be sent.
UPDATE notice
SET tried_at = :tried_at, failure = ''
WHERE broadcast = :broadcast AND at = :at AND what = :what;

-- name: say_told(broadcast, at, what, told_at, failure)*!
-- Save that an email about a notice was accepted, or why it was not.
UPDATE notice
SET told_at = :told_at, failure = :failure
WHERE broadcast = :broadcast AND at = :at AND what = :what;
