-- What the audience looks like. Each query reads the list, or a part of it, once, and returns few rows.

-- name: facts()^
-- Everybody on the list, and on what ground they may be mailed.
SELECT
    count(*) AS people,
    coalesce(sum(CASE WHEN consented_at = '' THEN 0 ELSE 1 END), 0) AS consents,
    coalesce(sum(CASE WHEN consented_at <> '' AND consent_source = '' THEN 1 ELSE 0 END), 0) AS consents_without_source,
    coalesce(sum(CASE WHEN consented_at <> '' AND consent_confirmed_at = '' THEN 1 ELSE 0 END), 0)
        AS consents_without_confirmation,
    coalesce(sum(CASE WHEN consented_at = '' AND consent_basis <> '' THEN 1 ELSE 0 END), 0) AS on_stated_basis
FROM subscriber;

-- name: suppressed()
-- How many of the list are suppressed, by reason, the most frequent first.
SELECT p.reason AS name, count(*) AS people
FROM suppression AS p
JOIN subscriber AS s ON s.person = p.person
WHERE p.topic = ''
GROUP BY p.reason
ORDER BY people DESC, p.reason;

-- name: count_without_consent()$
-- How many whom nothing on record allows to mail, beside those who are suppressed.
SELECT count(*)
FROM subscriber AS s
WHERE
    s.consented_at = '' AND s.consent_basis = ''
    AND NOT EXISTS (SELECT 1 FROM suppression AS p WHERE p.person = s.person AND p.topic = '');

-- name: topics_left()
-- How many left each topic and are otherwise mailed.
SELECT p.topic AS name, count(*) AS people
FROM suppression AS p
JOIN subscriber AS s ON s.person = p.person
WHERE
    p.topic <> ''
    AND NOT EXISTS (SELECT 1 FROM suppression AS w WHERE w.person = p.person AND w.topic = '')
GROUP BY p.topic
ORDER BY people DESC, p.topic;

-- name: joined(since)
-- How many joined in each month.
SELECT substr(joined_at, 1, 7) AS name, count(*) AS people
FROM subscriber
WHERE joined_at >= :since
GROUP BY 1;

-- name: returned(since)
-- How many had their suppression lifted in each month.
SELECT substr(p.lifted_at, 1, 7) AS name, count(*) AS people
FROM past_suppression AS p
JOIN subscriber AS s ON s.person = p.person
WHERE p.topic = '' AND p.lifted_at >= :since AND p.lifted_at > s.joined_at
GROUP BY 1;

-- name: left_list(since)
-- How many left in each month, and why. Nobody leaves before they joined: who was suppressed already left as they came.
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
    SELECT substr(created_at, 1, 7) AS month, reason
    FROM forgotten
    WHERE subscriber IS NOT NULL AND created_at >= :since
) AS departure
GROUP BY month, reason;

-- name: sources(most)
-- Where people said yes: nothing known first, then the largest; how many have left since; how many sources there are.
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
-- Which languages people read: nothing known first, then the largest; how many there are.
SELECT language AS name, count(*) AS people, count(*) OVER () AS kinds
FROM subscriber
GROUP BY language
ORDER BY CASE WHEN language = '' THEN 0 ELSE 1 END, people DESC, language
LIMIT :most;

-- name: zones(most)
-- In which time zones people live: nothing known first, then the largest; how many there are.
SELECT timezone AS name, count(*) AS people, count(*) OVER () AS kinds
FROM subscriber
GROUP BY timezone
ORDER BY CASE WHEN timezone = '' THEN 0 ELSE 1 END, people DESC, timezone
LIMIT :most;

-- name: domains(known, most)
-- Where people's mailboxes are: first the domains of a JSON list, then the largest; how many there are. A domain is what
-- stands after the last @. To part the whole list there costs twice as much as to part it at the first, which most
-- addresses have alone; so the first is for everybody, and the last for what is left, group by group.
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
-- Of the list, how many were sent something since then, clicked something, and opened something without a click.
SELECT
    count(*) AS received,
    coalesce(sum(CASE WHEN r.depth = 2 THEN 1 ELSE 0 END), 0) AS clicked,
    coalesce(sum(CASE WHEN r.depth = 1 THEN 1 ELSE 0 END), 0) AS opened
FROM subscriber AS s
LEFT JOIN (
    SELECT subscriber, max(CASE WHEN type = 'clicked' THEN 2 ELSE 1 END) AS depth
    FROM event
    WHERE type IN ('opened', 'clicked') AND at >= :since
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
-- When the first opening or click was reported.
SELECT min(at) AS at
FROM (
    SELECT min(at) AS at FROM event WHERE type = 'opened'
    UNION ALL
    SELECT min(at) AS at FROM event WHERE type = 'clicked'
) AS reaction;

-- name: sent_issues(most)
-- When each of the newest issues began to leave, the newest first.
SELECT min(c.changed_at) AS sent_at
FROM chunk AS c
JOIN broadcast AS b ON b.id = c.broadcast
WHERE c.state = 'accepted'
GROUP BY b.issue
ORDER BY sent_at DESC
LIMIT :most;
