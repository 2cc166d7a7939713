-- What comes back about a broadcast that can be a reason to stop it.

-- name: passed_on(broadcast, now)$
-- Return the number of emails that were accepted, and that the provider does not hold anymore.
SELECT coalesce(sum(size), 0) FROM chunk WHERE broadcast = :broadcast AND state = 'accepted' AND hold_until <= :now;

-- name: refused(broadcast)$
-- Return the number of recipients who were refused by a policy, for good or as long as nothing else shows.
SELECT coalesce(sum(size), 0)
FROM chunk
WHERE broadcast = :broadcast AND (state = 'rejected' OR (state = 'deferred' AND ending = 'rejected'));

-- name: invalid(broadcast)$
-- Return the number of recipients whose address was refused, for good or as long as nothing else shows.
SELECT
    (SELECT coalesce(sum(size), 0) FROM settlement WHERE broadcast = :broadcast AND status = 'invalid')
    + (
        SELECT coalesce(sum(size), 0)
        FROM chunk
        WHERE broadcast = :broadcast AND state = 'deferred' AND ending IN ('invalid', 'undeliverable')
    );

-- name: reported(broadcast, causes, since, until)
-- Return the number of people for each kind of report about a broadcast. A block counts if its cause is in the JSON list
-- `:causes`. Who left, or complained, is also found by the suppression between two times, because pages and lists of the
-- provider say nothing of a broadcast.
SELECT kind, count(*) AS people
FROM (
    SELECT
        CASE e.type WHEN 'complained' THEN 'complaints' WHEN 'bounced' THEN 'bounces' WHEN 'blocked' THEN 'refusals'
            ELSE 'leavers'
        END AS kind,
        e.subscriber
    FROM event AS e
    WHERE
        e.broadcast = :broadcast
        AND e.type IN ('bounced', 'blocked', 'dropped', 'deferred', 'complained', 'unsubscribed')  -- as the index has it
        AND e.type NOT IN ('dropped', 'deferred')
        AND (e.type <> 'blocked' OR e.cause IN (SELECT value FROM json_each(:causes)))
    UNION
    SELECT CASE p.reason WHEN 'complained' THEN 'complaints' ELSE 'leavers' END AS kind, d.subscriber
    FROM suppression AS p
    JOIN subscriber AS s ON s.person = p.person
    JOIN delivery AS d ON d.broadcast = :broadcast AND d.subscriber = s.id
    JOIN chunk AS c ON c.broadcast = d.broadcast AND c.number = d.chunk AND c.state = 'accepted'
    WHERE
        p.reason IN ('complained', 'unsubscribed')
        AND p.created_at >= :since
        AND p.created_at < :until
        AND (p.topic = '' OR p.topic IN (SELECT topic FROM broadcast_topic WHERE broadcast = :broadcast))
) AS reports
GROUP BY kind
ORDER BY kind;

-- name: began(broadcast)$
-- Return when the first email of a broadcast was handed over.
SELECT min(claimed_at) FROM chunk WHERE broadcast = :broadcast AND claimed_at <> '';

-- name: is_anything_known(broadcast, since)$
-- Return whether a provider or a server reported anything at all about the delivery of a broadcast since a time. What
-- people did with an email, such as opening it or leaving through our own pages, does not show that reports arrive.
SELECT
    EXISTS (
        SELECT 1
        FROM event
        WHERE
            at >= :since
            AND broadcast = :broadcast
            AND type IN ('processed', 'delivered', 'deferred', 'bounced', 'blocked', 'dropped')
    );

-- name: earlier(kind, provider, most)
-- Return the newest broadcasts of a kind that were sent through a provider, up to a number.
SELECT id
FROM broadcast
WHERE kind = :kind AND provider = :provider AND state = 'done'
ORDER BY id DESC
LIMIT :most;
