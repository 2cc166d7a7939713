-- What came of the emails that were accepted, as counts. No query returns a person.
--
-- A CROSS JOIN tells SQLite in which order to read the tables. To use an index of some types, a query must name all types
-- of that index.
--
-- Opens and clicks are known only of people who had agreed to tracking when the broadcast was created, and still do. A
-- mailbox provider is empty if the person is no longer on the list.

-- name: create_mailbox()!
-- Create the table of the provider of each domain. Without an index, each recipient would be compared with all of them.
CREATE TEMPORARY TABLE IF NOT EXISTS mailbox (
    domain TEXT /*+ COLLATE "C" */ NOT NULL PRIMARY KEY,
    provider TEXT NOT NULL
);

-- name: groups(broadcasts, after, until)
-- Return how many emails were accepted and delivered, by broadcast, variant, language and mailbox provider, and of how
-- many people it is known what they opened. The people's ids are greater than `after`, up to `until`.
SELECT
    d.broadcast,
    c.variant,
    coalesce(s.language, '') AS language,
    CASE WHEN s.id IS NULL THEN '' ELSE coalesce(m.provider, 'other') END AS mailbox,
    count(*) AS accepted,
    sum(d.is_delivered) AS delivered,
    count(
        CASE
            WHEN b.tracking = 'consented' AND s.tracking_consented_at <> '' AND s.tracking_consented_at <= b.created_at
                THEN 1
        END
    ) AS known
FROM broadcast AS b
CROSS JOIN delivery AS d
JOIN chunk AS c ON c.broadcast = d.broadcast AND c.number = d.chunk AND c.state = 'accepted'
LEFT JOIN subscriber AS s ON s.id = d.subscriber
LEFT JOIN mailbox AS m ON m.domain = {s.domain}
WHERE
    b.id IN (SELECT CAST(value AS INTEGER) FROM json_each(:broadcasts)) AND d.broadcast = b.id
    AND d.subscriber > :after AND d.subscriber <= :until
GROUP BY 1, 2, 3, 4;

-- name: reactions(broadcasts, after, until)
-- Return how many people opened and clicked, by the same groups and by the hour of the first time. Someone who clicked, but did not open, is counted apart:
-- their app shows no pictures, so they have opened it all the same.
SELECT
    r.broadcast,
    c.variant,
    s.language,
    coalesce(m.provider, 'other') AS mailbox,
    CASE
        WHEN
            r.type = 'clicked'
            AND NOT EXISTS (
                SELECT 1
                FROM reaction AS o
                WHERE o.broadcast = r.broadcast AND o.type = 'opened' AND o.subscriber = r.subscriber
            )
            THEN 'clicked only'
        ELSE r.type
    END AS type,
    substr(r.first_at, 1, 13) AS hour,
    count(*) AS people
FROM broadcast AS b
CROSS JOIN reaction AS r
CROSS JOIN subscriber AS s
CROSS JOIN delivery AS d
CROSS JOIN chunk AS c
LEFT JOIN mailbox AS m ON m.domain = {s.domain}
WHERE
    b.id IN (SELECT CAST(value AS INTEGER) FROM json_each(:broadcasts)) AND b.tracking = 'consented'
    AND r.broadcast = b.id AND s.id = r.subscriber
    AND d.broadcast = r.broadcast AND d.subscriber = r.subscriber
    AND c.broadcast = d.broadcast AND c.number = d.chunk AND c.state = 'accepted'
    AND r.type IN ('opened', 'clicked')
    AND r.subscriber > :after AND r.subscriber <= :until
    AND s.tracking_consented_at <> '' AND s.tracking_consented_at <= b.created_at
GROUP BY 1, 2, 3, 4, 5, 6;

-- name: troubles(broadcasts, after, until)
-- Return how many emails came to trouble, by the same groups and by what happened to them. `bounced` and `blocked` are
-- the causes of the last such event after a space, or empty if there was none.
SELECT
    t.broadcast,
    c.variant,
    coalesce(s.language, '') AS language,
    CASE WHEN s.id IS NULL THEN '' ELSE coalesce(m.provider, 'other') END AS mailbox,
    d.is_delivered,
    substr(t.bounced, 21) AS bounced,
    substr(t.blocked, 21) AS blocked,
    t.is_dropped,
    t.is_deferred,
    t.is_complaint,
    count(*) AS people
FROM (
    SELECT
        e.broadcast,
        e.subscriber,
        max(CASE WHEN e.type = 'bounced' THEN e.at || '=' || e.cause ELSE '' END) AS bounced,
        max(CASE WHEN e.type = 'blocked' THEN e.at || '=' || e.cause ELSE '' END) AS blocked,
        max(CASE WHEN e.type = 'dropped' THEN 1 ELSE 0 END) AS is_dropped,
        max(CASE WHEN e.type = 'deferred' THEN 1 ELSE 0 END) AS is_deferred,
        max(CASE WHEN e.type = 'complained' THEN 1 ELSE 0 END) AS is_complaint
    FROM event AS e
    WHERE
        e.broadcast IN (SELECT CAST(value AS INTEGER) FROM json_each(:broadcasts))
        AND e.subscriber > :after AND e.subscriber <= :until
        AND e.type IN ('bounced', 'blocked', 'dropped', 'deferred', 'complained', 'unsubscribed')
    GROUP BY e.broadcast, e.subscriber
) AS t
JOIN delivery AS d ON d.broadcast = t.broadcast AND d.subscriber = t.subscriber
JOIN chunk AS c ON c.broadcast = d.broadcast AND c.number = d.chunk AND c.state = 'accepted'
LEFT JOIN subscriber AS s ON s.id = t.subscriber
LEFT JOIN mailbox AS m ON m.domain = {s.domain}
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10;

-- name: leavers(broadcasts, since, until)
-- Return how many recipients left between two times, by the same groups, with the hour. Everyone counts once, at the
-- first time. People who were erased, or returned later, have left too.
SELECT
    d.broadcast,
    c.variant,
    coalesce(s.language, '') AS language,
    CASE WHEN s.id IS NULL THEN '' ELSE coalesce(m.provider, 'other') END AS mailbox,
    substr(l.at, 1, 13) AS hour,
    count(*) AS people
FROM (
    SELECT subscriber, min(at) AS at
    FROM (
        SELECT s.id AS subscriber, p.created_at AS at
        FROM suppression AS p
        JOIN subscriber AS s ON s.person = p.person
        WHERE p.topic = '' AND p.reason = 'unsubscribed' AND p.created_at >= :since AND p.created_at < :until
        UNION ALL
        SELECT s.id, p.created_at
        FROM past_suppression AS p
        JOIN subscriber AS s ON s.person = p.person
        WHERE p.topic = '' AND p.reason = 'unsubscribed' AND p.created_at >= :since AND p.created_at < :until
        UNION ALL
        SELECT f.subscriber, f.created_at
        FROM forgotten AS f
        WHERE
            f.subscriber IS NOT NULL AND f.reason IN ('unsubscribed', 'forgotten')
            AND f.created_at >= :since AND f.created_at < :until
        UNION ALL
        SELECT e.subscriber, e.at
        FROM event AS e
        WHERE
            e.broadcast IN (SELECT CAST(value AS INTEGER) FROM json_each(:broadcasts))
            AND e.type IN ('bounced', 'blocked', 'dropped', 'deferred', 'complained', 'unsubscribed')
            AND e.type = 'unsubscribed' AND e.subscriber <> 0
    ) AS leaving
    GROUP BY subscriber
) AS l
CROSS JOIN delivery AS d
JOIN chunk AS c ON c.broadcast = d.broadcast AND c.number = d.chunk AND c.state = 'accepted'
LEFT JOIN subscriber AS s ON s.id = l.subscriber
LEFT JOIN mailbox AS m ON m.domain = {s.domain}
WHERE d.broadcast IN (SELECT CAST(value AS INTEGER) FROM json_each(:broadcasts)) AND d.subscriber = l.subscriber
GROUP BY 1, 2, 3, 4, 5;

-- name: links(broadcasts, settled)
-- Return how many people clicked each link, and how often, up to a time. Of people who ended tracking, nothing counts.
SELECT e.url, count(DISTINCT e.subscriber) AS people, count(*) AS clicks
FROM event AS e
JOIN broadcast AS b ON b.id = e.broadcast AND b.tracking = 'consented'
JOIN subscriber AS s ON s.id = e.subscriber
WHERE
    e.broadcast IN (SELECT CAST(value AS INTEGER) FROM json_each(:broadcasts))
    AND e.type = 'clicked' AND e.verdict IN ('', 'proxy') AND e.url <> '' AND e.at < :settled
    AND s.tracking_consented_at <> '' AND s.tracking_consented_at <= b.created_at
GROUP BY e.url
ORDER BY people DESC, e.url;

-- name: sections(broadcasts, sections, settled)
-- Return how many people clicked in each section. `sections` is a JSON list of texts such as `3=https://example.org/`:
-- the number of the section and the address of a link in it.
WITH place (section, url) AS MATERIALIZED (
    SELECT CAST(substr(value, 1, instr(value, '=') - 1) AS INTEGER), substr(value, instr(value, '=') + 1)
    FROM json_each(:sections)
)
SELECT p.section, count(DISTINCT e.subscriber) AS people
FROM event AS e
JOIN place AS p ON p.url = e.url
JOIN broadcast AS b ON b.id = e.broadcast AND b.tracking = 'consented'
JOIN subscriber AS s ON s.id = e.subscriber
WHERE
    e.broadcast IN (SELECT CAST(value AS INTEGER) FROM json_each(:broadcasts))
    AND e.type = 'clicked' AND e.verdict IN ('', 'proxy') AND e.at < :settled
    AND s.tracking_consented_at <> '' AND s.tracking_consented_at <= b.created_at
GROUP BY p.section;

-- name: machines(broadcasts, settled)
-- Return how often machines opened and clicked, by how they were recognized.
SELECT CASE WHEN e.type = 'clicked' THEN 1 ELSE 0 END AS is_click, e.verdict AS judged, count(*) AS events
FROM event AS e
WHERE
    e.broadcast IN (SELECT CAST(value AS INTEGER) FROM json_each(:broadcasts))
    AND e.verdict NOT IN ('', 'proxy') AND e.type IN ('opened', 'clicked') AND e.at < :settled
GROUP BY e.type, e.verdict
ORDER BY e.type, e.verdict;

-- name: only_machines(broadcasts)$
-- Return how many people may have opened, because their app loads every picture unseen, and did nothing else.
SELECT count(*)
FROM (
    SELECT DISTINCT e.broadcast, e.subscriber
    FROM event AS e
    WHERE
        e.broadcast IN (SELECT CAST(value AS INTEGER) FROM json_each(:broadcasts))
        AND e.verdict NOT IN ('', 'proxy') AND e.type = 'opened'
) AS m
JOIN broadcast AS b ON b.id = m.broadcast AND b.tracking = 'consented'
JOIN subscriber AS s ON s.id = m.subscriber
WHERE
    s.tracking_consented_at <> '' AND s.tracking_consented_at <= b.created_at
    AND NOT EXISTS (
        SELECT 1
        FROM reaction AS r
        WHERE r.broadcast = m.broadcast AND r.subscriber = m.subscriber AND r.type IN ('opened', 'clicked')
    );

-- name: totals(broadcasts)
-- Return what was counted of opens and clicks that are not saved for each person.
SELECT
    CASE WHEN type = 'clicked' THEN 1 ELSE 0 END AS is_click, url, verdict AS judged, CAST(sum(events) AS INTEGER) AS events
FROM event_total
WHERE
    broadcast IN (SELECT CAST(value AS INTEGER) FROM json_each(:broadcasts)) AND type IN ('opened', 'clicked')
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3;

-- name: sent_between(broadcasts)
-- Return when the first and the last chunk of each broadcast was accepted.
SELECT broadcast, min(changed_at) AS first_at, max(changed_at) AS last_at
FROM chunk
WHERE broadcast IN (SELECT CAST(value AS INTEGER) FROM json_each(:broadcasts)) AND state = 'accepted' AND size > 0
GROUP BY broadcast;

-- name: targets(broadcasts)
-- Return where the tracked links lead.
SELECT broadcast, number, target
FROM tracked_link
WHERE broadcast IN (SELECT CAST(value AS INTEGER) FROM json_each(:broadcasts)) AND target <> ''
ORDER BY broadcast, number;

-- name: warnings(broadcasts)
-- Return for each of these broadcasts how many people complained, and how many emails bounced, if there were any.
SELECT
    e.broadcast,
    count(DISTINCT CASE WHEN e.type = 'complained' THEN e.subscriber END) AS complaints,
    count(DISTINCT CASE WHEN e.type = 'bounced' THEN e.subscriber END) AS bounces
FROM event AS e
WHERE
    e.broadcast IN (SELECT CAST(value AS INTEGER) FROM json_each(:broadcasts))
    AND e.type IN ('bounced', 'blocked', 'dropped', 'deferred', 'complained', 'unsubscribed')
    AND e.type IN ('complained', 'bounced') AND e.subscriber <> 0
GROUP BY e.broadcast
ORDER BY e.broadcast;

-- name: may_complain(broadcast)$
-- Return how many recipients have a mailbox that reports complaints. Gmail's do not.
SELECT count(*)
FROM delivery AS d
JOIN chunk AS c ON c.broadcast = d.broadcast AND c.number = d.chunk AND c.state = 'accepted'
JOIN subscriber AS s ON s.id = d.subscriber
WHERE d.broadcast = :broadcast AND s.person NOT LIKE '%@gmail.com' AND s.person NOT LIKE '%@googlemail.com';

-- name: state_of(broadcasts)$
-- Return what the outcomes of broadcasts are counted from, as numbers that change whenever it does.
SELECT
    (
        SELECT coalesce(sum(c.size), 0)
        FROM chunk AS c
        WHERE
            c.broadcast IN (SELECT CAST(value AS INTEGER) FROM json_each(:broadcasts)) AND c.state = 'accepted'
    ) || ' ' || (
        SELECT coalesce(sum(d.is_delivered), 0)
        FROM delivery AS d
        WHERE d.broadcast IN (SELECT CAST(value AS INTEGER) FROM json_each(:broadcasts))
    ) || ' ' || (
        SELECT count(*)
        FROM reaction AS r
        WHERE r.broadcast IN (SELECT CAST(value AS INTEGER) FROM json_each(:broadcasts))
    ) || ' ' || (
        SELECT count(*)
        FROM event AS e
        WHERE
            e.broadcast IN (SELECT CAST(value AS INTEGER) FROM json_each(:broadcasts))
            AND e.type IN ('bounced', 'blocked', 'dropped', 'deferred', 'complained', 'unsubscribed')
    ) || ' ' || (SELECT coalesce(max(at), '') FROM tracking_choice) || ' ' || (SELECT count(*) FROM forgotten)
    AS state;

-- name: kept(issue, state, since)?
-- Return the outcomes of an issue, if they were counted since a time from the same state.
SELECT content FROM kept_outcome WHERE issue = :issue AND state = :state AND counted_at >= :since;

-- name: keep(issue, state, now, content)!
-- Save the outcomes of an issue.
INSERT INTO kept_outcome (issue, state, counted_at, content)
VALUES (:issue, :state, :now, :content)
ON CONFLICT (issue) DO UPDATE SET
    state = excluded.state, counted_at = excluded.counted_at, content = excluded.content;
