-- Statistics of the audience. Each query reads the list, or a part of it, once, and returns only a few rows.

-- name: facts()^
-- Return the number of people on the list, and how many of them have each proof of consent or basis.
SELECT
    count(*) AS people,
    coalesce(sum(CASE WHEN consented_at = '' THEN 0 ELSE 1 END), 0) AS consents,
    coalesce(sum(CASE WHEN consented_at <> '' AND consent_source = '' THEN 1 ELSE 0 END), 0) AS consents_without_source,
    coalesce(sum(CASE WHEN consented_at <> '' AND consent_confirmed_at = '' THEN 1 ELSE 0 END), 0)
        AS consents_without_confirmation,
    coalesce(sum(CASE WHEN consented_at = '' AND consent_basis <> '' THEN 1 ELSE 0 END), 0) AS on_stated_basis
FROM subscriber;

-- name: suppressed()
-- Return the number of suppressed people on the list for each reason, the most common first.
SELECT p.reason AS name, count(*) AS people
FROM suppression AS p
JOIN subscriber AS s ON s.person = p.person
WHERE p.topic = ''
GROUP BY p.reason
ORDER BY people DESC, p.reason;

-- name: count_without_consent()$
-- Return the number of people without a recorded consent or basis who are not suppressed.
SELECT count(*)
FROM subscriber AS s
WHERE
    s.consented_at = '' AND s.consent_basis = ''
    AND NOT EXISTS (SELECT 1 FROM suppression AS p WHERE p.person = s.person AND p.topic = '');

-- name: count_paused(at)$
-- Return the number of people who could be emailed, but have paused until after a time.
SELECT count(*)
FROM subscriber AS s
WHERE
    s.paused_until <> '' AND s.paused_until > :at
    AND (s.consented_at <> '' OR s.consent_basis <> '')
    AND NOT EXISTS (SELECT 1 FROM suppression AS p WHERE p.person = s.person AND p.topic = '');

-- name: topics_left()
-- Return the number of people who left each topic but still receive other email.
SELECT p.topic AS name, count(*) AS people
FROM suppression AS p
JOIN subscriber AS s ON s.person = p.person
WHERE
    p.topic <> ''
    AND NOT EXISTS (SELECT 1 FROM suppression AS w WHERE w.person = p.person AND w.topic = '')
GROUP BY p.topic
ORDER BY people DESC, p.topic;

-- name: joined(since)
-- Return the number of people who joined in each month.
SELECT substr(joined_at, 1, 7) AS name, count(*) AS people
FROM subscriber
WHERE joined_at >= :since
GROUP BY 1;

-- name: returned(since)
-- Return the number of people whose suppression was lifted in each month.
SELECT substr(p.lifted_at, 1, 7) AS name, count(*) AS people
FROM past_suppression AS p
JOIN subscriber AS s ON s.person = p.person
WHERE p.topic = '' AND p.lifted_at >= :since AND p.lifted_at > s.joined_at
GROUP BY 1;

-- name: left_list(since)
-- Return the number of people who left in each month, by reason. No one can leave before they joined: a person who was
-- already suppressed counts as leaving in the month in which they joined.
SELECT month, reason, count(*) AS people
FROM (
    SELECT
        substr(CASE WHEN p.created_at < s.joined_at THEN s.joined_at ELSE p.created_at END, 1, 7) AS month,
        p.reason AS reason
    FROM suppression AS p
    JOIN subscriber AS s ON s.person = p.person
    WHERE p.topic = '' AND (p.created_at >= :since OR s.joined_at >= :since)
    UNION ALL
    SELECT
        substr(CASE WHEN p.created_at < s.joined_at THEN s.joined_at ELSE p.created_at END, 1, 7) AS month,
        p.reason AS reason
    FROM past_suppression AS p
    JOIN subscriber AS s ON s.person = p.person
    WHERE p.topic = '' AND p.lifted_at > s.joined_at AND (p.created_at >= :since OR s.joined_at >= :since)
    UNION ALL
    -- `forgotten` is the stored reason of people without another one.
    SELECT substr(created_at, 1, 7) AS month, CASE WHEN reason = 'forgotten' THEN 'erased' ELSE reason END AS reason
    FROM forgotten
    WHERE subscriber IS NOT NULL AND created_at >= :since
) AS departure
GROUP BY month, reason;

-- name: sources(most)
-- Return the largest sources of consent, how many of their people have left, and the number of all sources. The row for
-- an unknown source comes first.
SELECT h.name, h.people, coalesce(g.people, 0) AS suppressed, count(*) OVER () AS kinds
FROM (SELECT consent_source AS name, count(*) AS people FROM subscriber GROUP BY consent_source) AS h
LEFT JOIN (
    SELECT s.consent_source AS name, count(*) AS people
    FROM suppression AS p
    JOIN subscriber AS s ON s.person = p.person
    WHERE p.topic = ''
    GROUP BY s.consent_source
) AS g ON g.name = h.name
ORDER BY CASE WHEN h.name = '' THEN 0 ELSE 1 END, h.people DESC, h.name
LIMIT :most;

-- name: languages(most)
-- Return the most common languages and the number of all languages. The row for an unknown language comes first.
SELECT language AS name, count(*) AS people, count(*) OVER () AS kinds
FROM subscriber
GROUP BY language
ORDER BY CASE WHEN language = '' THEN 0 ELSE 1 END, people DESC, language
LIMIT :most;

-- name: zones(most)
-- Return the most common time zones and the number of all time zones. The row for an unknown zone comes first.
SELECT timezone AS name, count(*) AS people, count(*) OVER () AS kinds
FROM subscriber
GROUP BY timezone
ORDER BY CASE WHEN timezone = '' THEN 0 ELSE 1 END, people DESC, timezone
LIMIT :most;

-- name: domains(known, most)
-- Return the domains in a JSON list, then the largest others, and the number of all domains. A domain is the text after
-- the last @. Finding the last @ costs twice as much as finding the first, and most addresses have only one. So all
-- addresses are first grouped by the text after the first @, and the last @ is then found only once per group.
WITH after_first (rest, people) AS (
    SELECT substr(person, instr(person, '@') + 1), count(*)
    FROM subscriber
    GROUP BY 1
),
domain (name, people) AS (
    SELECT substr(rest, length(rtrim(rest, replace(rest, '@', ''))) + 1), CAST(sum(people) AS INTEGER)
    FROM after_first
    GROUP BY 1
)
SELECT d.name, d.people, count(*) OVER () AS kinds
FROM domain AS d
ORDER BY
    CASE WHEN d.name IN (SELECT value FROM json_each(CAST(:known AS TEXT))) THEN 0 ELSE 1 END, d.people DESC, d.name
LIMIT :most;

-- name: engagement(since)^
-- Return how many people on the list were sent something since a time, how many clicked, and how many opened it without
-- clicking. `depth` is 2 for a click and 1 for an open.
SELECT
    count(*) AS received,
    coalesce(sum(CASE WHEN r.depth = 2 THEN 1 ELSE 0 END), 0) AS clicked,
    coalesce(sum(CASE WHEN r.depth = 1 THEN 1 ELSE 0 END), 0) AS opened
FROM subscriber AS s
LEFT JOIN (
    SELECT subscriber, max(CASE WHEN type = 'clicked' THEN 2 ELSE 1 END) AS depth
    FROM event
    WHERE type IN ('opened', 'clicked') AND verdict IN ('', 'proxy') AND at >= :since
    GROUP BY subscriber
) AS r ON r.subscriber = s.id
WHERE EXISTS (
    SELECT 1
    FROM delivery AS d
    JOIN chunk AS c ON c.broadcast = d.broadcast AND c.number = d.chunk
    WHERE
        d.broadcast IN (SELECT broadcast FROM chunk WHERE state = 'accepted' AND changed_at >= :since)
        AND d.subscriber = s.id AND c.state = 'accepted' AND c.changed_at >= :since
);

-- name: first_reaction()$
-- Return the time of the first open or click that was reported.
SELECT min(at) AS at
FROM (
    SELECT min(at) AS at FROM event WHERE type = 'opened'
    UNION ALL
    SELECT min(at) AS at FROM event WHERE type = 'clicked'
) AS reaction;

-- name: sent_issues(most)
-- Return when the first chunk of each of the newest issues was accepted, newest first.
SELECT min(c.changed_at) AS sent_at
FROM chunk AS c
JOIN broadcast AS b ON b.id = c.broadcast
WHERE c.state = 'accepted'
GROUP BY b.issue
ORDER BY sent_at DESC
LIMIT :most;
