-- name: set_mode(broadcast, mode)!
-- Save whether the emails of a broadcast report opens and clicks.
UPDATE broadcast SET tracking = :mode WHERE id = :broadcast;

-- name: add_link(broadcast, number, target, version)*!
-- Save where a tracked link leads, and in which version of the issue it is.
INSERT INTO tracked_link (broadcast, number, target, version) VALUES (:broadcast, :number, :target, :version);

-- name: find_link(broadcast, number, subscriber)?
-- Return where a tracked link leads, and what is needed to check whose it is. The person's token is empty if they are not
-- on the list.
SELECT
    t.target,
    t.version,
    b.nonce,
    b.tracking AS mode,
    coalesce(s.token, '') AS token,
    coalesce(s.tracking_consented_at, '') AS consented_at
FROM tracked_link AS t
JOIN broadcast AS b ON b.id = t.broadcast
LEFT JOIN subscriber AS s ON s.id = :subscriber
WHERE t.broadcast = :broadcast AND t.number = :number;

-- name: agree(subscriber, now)!
-- Save that one person agrees to tracking, unless they did before.
UPDATE subscriber SET tracking_consented_at = :now WHERE id = :subscriber AND tracking_consented_at = '';

-- name: withdraw(subscriber)!
-- End the consent to tracking of one person.
UPDATE subscriber SET tracking_consented_at = '' WHERE id = :subscriber AND tracking_consented_at <> '';

-- name: forget_reactions(subscriber)*!
-- Delete which broadcasts one person opened and clicked.
DELETE FROM reaction
WHERE
    broadcast IN (SELECT id FROM broadcast WHERE tracking = 'consented')
    AND type IN ('opened', 'clicked')
    AND subscriber = :subscriber;

-- name: unjudged(until)
-- Return the minutes up to a given one in which emails were delivered, opened or clicked, and which are not judged yet.
SELECT minute FROM unjudged_minute WHERE minute <= :until ORDER BY minute;

-- name: reactions(since, until)
-- Return the opens and clicks of a time, and when the emails of these people were delivered if that was in the same time.
SELECT
    e.at,
    e.digest,
    e.broadcast,
    e.subscriber,
    CAST(e.type = 'clicked' AS INTEGER) AS is_click,
    CAST(e.type = 'delivered' AS INTEGER) AS is_delivery,
    e.url_offset AS link,
    e.verdict
FROM event AS e
WHERE
    e.at >= :since
    AND e.at < :until
    AND e.subscriber <> 0
    AND (
        e.type IN ('opened', 'clicked')
        OR (
            e.type = 'delivered'
            AND e.subscriber IN (
                SELECT r.subscriber
                FROM event AS r
                WHERE r.at >= :since AND r.at < :until AND r.type IN ('opened', 'clicked')
            )
        )
    )
ORDER BY e.at, e.digest;

-- name: set_verdict(at, digest, verdict)*!
-- Save how a machine was recognized.
UPDATE event SET verdict = :verdict WHERE at = :at AND digest = :digest;

-- name: react(since, until)!
-- Save who opened or clicked a broadcast in a time, and the latest time. Only people count, and only after they agreed to
-- tracking. It also saves the first time.
INSERT INTO reaction (broadcast, type, subscriber, last_at, first_at)
SELECT e.broadcast, e.type, e.subscriber, max(e.at), min(e.at)
FROM event AS e
JOIN subscriber AS s ON s.id = e.subscriber
WHERE
    e.at >= :since
    AND e.at < :until
    AND e.type IN ('opened', 'clicked')
    AND e.verdict IN ('', 'proxy')
    AND s.tracking_consented_at <> ''
    AND s.tracking_consented_at <= e.at
GROUP BY e.broadcast, e.type, e.subscriber
ORDER BY e.broadcast, e.type, e.subscriber
ON CONFLICT (broadcast, type, subscriber) DO UPDATE SET
    last_at = CASE WHEN excluded.last_at > reaction.last_at THEN excluded.last_at ELSE reaction.last_at END,
    first_at = CASE WHEN excluded.first_at < reaction.first_at THEN excluded.first_at ELSE reaction.first_at END
WHERE excluded.last_at > reaction.last_at OR excluded.first_at < reaction.first_at;

-- name: deliver(since, until)!
-- Save who received an email within a time, according to the receiving servers.
UPDATE delivery SET is_delivered = 1
WHERE
    is_delivered = 0
    AND (broadcast, subscriber) IN (
        SELECT e.broadcast, e.subscriber
        FROM event AS e
        WHERE e.at >= :since AND e.at < :until AND e.type = 'delivered' AND e.broadcast <> 0 AND e.subscriber <> 0
    );

-- name: counted(broadcasts, subscribers)
-- Return the first and the last time that counts as an open or a click of some people.
SELECT broadcast, subscriber, CAST(type = 'clicked' AS INTEGER) AS is_click, first_at, last_at
FROM reaction
WHERE
    broadcast IN (SELECT CAST(value AS INTEGER) FROM json_each(:broadcasts))
    AND type IN ('opened', 'clicked')
    AND subscriber IN (SELECT CAST(value AS INTEGER) FROM json_each(:subscribers));

-- name: count_again(since, until, subscribers)
-- Return the same as far as the events of a time say so. Only people count, and only after they agreed to tracking.
SELECT
    e.broadcast,
    e.subscriber,
    CAST(e.type = 'clicked' AS INTEGER) AS is_click,
    min(e.at) AS first_at,
    max(e.at) AS last_at
FROM event AS e
JOIN subscriber AS s ON s.id = e.subscriber
WHERE
    e.at >= :since
    AND e.at <= :until
    AND e.type IN ('opened', 'clicked')
    AND e.verdict IN ('', 'proxy')
    AND s.tracking_consented_at <> ''
    AND s.tracking_consented_at <= e.at
    AND e.subscriber IN (SELECT CAST(value AS INTEGER) FROM json_each(:subscribers))
GROUP BY e.broadcast, e.subscriber, e.type;

-- name: recount(broadcast, type, subscriber, first_at, last_at)*!
-- Save the first and the last time that still counts.
UPDATE reaction SET first_at = :first_at, last_at = :last_at
WHERE broadcast = :broadcast AND type = :type AND subscriber = :subscriber;

-- name: unreact(broadcast, type, subscriber)*!
-- Delete a reaction that was only a machine's.
DELETE FROM reaction WHERE broadcast = :broadcast AND type = :type AND subscriber = :subscriber;

-- name: set_judged(minute)!
-- Save that a minute has been judged.
DELETE FROM unjudged_minute WHERE minute = :minute;

-- name: known_of_issue(issue)$
-- Return how many people received an issue, and of how many of them we may know whether they opened it: those who had
-- agreed to tracking when a tracked broadcast was created, and still do.
SELECT
    count(DISTINCT d.subscriber) AS people,
    count(
        DISTINCT CASE
            WHEN
                b.tracking = 'consented'
                AND s.tracking_consented_at <> ''
                AND s.tracking_consented_at <= b.created_at
                THEN d.subscriber
        END
    ) AS known
FROM broadcast AS b
JOIN delivery AS d ON d.broadcast = b.id
JOIN chunk AS c ON c.broadcast = d.broadcast AND c.number = d.chunk
LEFT JOIN subscriber AS s ON s.id = d.subscriber
WHERE b.issue = :issue AND c.state = 'accepted';

-- name: known_of_all()$
-- Return how many people are on the list, and how many of them agree to tracking.
SELECT count(*) AS people, count(CASE WHEN tracking_consented_at <> '' THEN 1 END) AS known FROM subscriber;
