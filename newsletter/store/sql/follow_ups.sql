-- The people who get no follow-up of an issue, although they are in the segment. A follow-up is for those
-- who are known to have got the issue, and not to have opened it.

-- name: first_sent(issue, provider)$
-- Return when the first broadcast of an issue was created, or an empty text if there is none.
SELECT coalesce(min(created_at), '')
FROM broadcast
WHERE issue = :issue AND kind = 'issue' AND (provider = 'outbox') = (:provider = 'outbox');

-- name: exclude_unreached(settlement, issue, provider)!
-- Exclude the members whose email with the issue was not accepted.
UPDATE member
SET settlement = :settlement
WHERE
    settlement IS NULL
    AND NOT EXISTS (
        SELECT 1
        FROM broadcast AS b
        JOIN delivery AS d ON d.broadcast = b.id AND d.subscriber = member.subscriber
        JOIN chunk AS c ON c.broadcast = d.broadcast AND c.number = d.chunk
        WHERE
            b.issue = :issue AND b.kind = 'issue' AND (b.provider = 'outbox') = (:provider = 'outbox')
            AND c.state = 'accepted'
    );

-- name: exclude_recent(settlement, issue, provider, until)!
-- Exclude the members who got the issue, or may have got it, after a time.
UPDATE member
SET settlement = :settlement
WHERE
    settlement IS NULL
    AND EXISTS (
        SELECT 1
        FROM broadcast AS b
        JOIN delivery AS d ON d.broadcast = b.id AND d.subscriber = member.subscriber
        JOIN chunk AS c ON c.broadcast = d.broadcast AND c.number = d.chunk
        WHERE
            b.issue = :issue AND b.kind = 'issue' AND (b.provider = 'outbox') = (:provider = 'outbox')
            AND c.state NOT IN ('rejected', 'cancelled')
            AND CASE WHEN c.hold_until <> '' THEN c.hold_until ELSE c.changed_at END > :until
    );

-- name: exclude_untracked(settlement, issue, provider)!
-- Exclude the members whose opens cannot be known. They had not agreed to tracking when the broadcast was created, or do
-- not agree anymore, or the broadcast did not report it.
UPDATE member
SET settlement = :settlement
WHERE
    settlement IS NULL
    AND NOT EXISTS (
        SELECT 1
        FROM broadcast AS b
        JOIN delivery AS d ON d.broadcast = b.id AND d.subscriber = member.subscriber
        JOIN chunk AS c ON c.broadcast = d.broadcast AND c.number = d.chunk
        JOIN subscriber AS s ON s.id = d.subscriber
        WHERE
            b.issue = :issue AND b.kind = 'issue' AND (b.provider = 'outbox') = (:provider = 'outbox')
            AND c.state = 'accepted'
            AND b.tracking = 'consented'
            AND s.tracking_consented_at <> ''
            AND s.tracking_consented_at <= b.created_at
    );

-- name: exclude_reacted(settlement, issue, type)!
-- Exclude the members who opened the issue, or clicked a link in it, as far as a person did it.
UPDATE member
SET settlement = :settlement
WHERE
    settlement IS NULL
    AND subscriber IN (
        SELECT r.subscriber
        FROM reaction AS r
        WHERE r.type = :type AND r.broadcast IN (SELECT b.id FROM broadcast AS b WHERE b.issue = :issue)
    );

-- name: exclude_reported(settlement, issue, since, types)!
-- Exclude the members about whose email with the issue something of these types, a JSON list, was reported.
UPDATE member
SET settlement = :settlement
WHERE
    settlement IS NULL
    AND subscriber IN (
        SELECT e.subscriber
        FROM event AS e
        WHERE
            e.at >= :since
            AND e.type IN (SELECT value FROM json_each(:types))
            AND e.broadcast IN (SELECT b.id FROM broadcast AS b WHERE b.issue = :issue)
    );

-- name: exclude_left(settlement, since)!
-- Exclude the members who left after a time, even if they came back.
UPDATE member
SET settlement = :settlement
WHERE
    settlement IS NULL
    AND subscriber IN (
        SELECT s.id
        FROM past_suppression AS p
        JOIN subscriber AS s ON s.person = p.person
        WHERE p.created_at >= :since
    );

-- name: no_longer_known(broadcast, chunk, first_subscriber, size, since)
-- Return the people in a chunk of a follow-up who have opened the issue by now, or clicked in it, or do not agree to
-- tracking anymore. Opens and clicks since a time were not judged yet, so all of them count.
SELECT d.subscriber
FROM (
    SELECT subscriber
    FROM delivery
    WHERE broadcast = :broadcast AND subscriber >= :first_subscriber AND chunk = :chunk
    ORDER BY subscriber
    LIMIT :size
) AS d
LEFT JOIN subscriber AS s ON s.id = d.subscriber
WHERE
    coalesce(s.tracking_consented_at, '') = ''
    OR EXISTS (
        SELECT 1
        FROM broadcast AS f
        JOIN broadcast AS b ON b.issue = f.issue AND b.kind = 'issue'
        JOIN reaction AS r
            ON r.broadcast = b.id AND r.type IN ('opened', 'clicked') AND r.subscriber = d.subscriber
        WHERE f.id = :broadcast
    )
    OR d.subscriber IN (
        SELECT e.subscriber
        FROM event AS e
        WHERE
            e.at >= :since
            AND e.type IN ('opened', 'clicked')
            AND e.broadcast IN (
                SELECT b.id FROM broadcast AS f JOIN broadcast AS b ON b.issue = f.issue WHERE f.id = :broadcast
            )
    )
ORDER BY d.subscriber;
