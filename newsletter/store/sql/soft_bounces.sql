-- name: add(person, at, detail)*!
-- Save a soft bounce, unless it is already saved. Nothing is saved about people who are not on the list.
INSERT INTO soft_bounce (person, at, detail)
SELECT person, :at, :detail FROM subscriber WHERE person = :person
ON CONFLICT (person, at) DO NOTHING;

-- name: repeated(bounces, is_for_any, causes, not_theirs)
-- Return the soft bounces of people who may be emailed, by person and time. Only bounces after the person's consent,
-- and after the last lifted suppression, count. People with fewer than `:bounces` of them are left out. Bounces for any
-- cause count, or only those for the causes in the JSON list `:causes`; those for the causes in `:not_theirs` never do.
WITH bounce (subscriber, at) AS (
    SELECT s.id, b.at
    FROM soft_bounce AS b
    JOIN subscriber AS s ON s.person = b.person
    WHERE :is_for_any = 1
    UNION
    SELECT e.subscriber, e.at
    FROM event AS e
    WHERE
        e.type = 'blocked' AND (:is_for_any = 1 OR e.cause IN (SELECT value FROM json_each(:causes)))
        AND e.cause NOT IN (SELECT value FROM json_each(:not_theirs))
),
counted (subscriber, email, at) AS (
    SELECT b.subscriber, s.email, b.at
    FROM bounce AS b
    JOIN subscriber AS s ON s.id = b.subscriber
    WHERE
        b.at > s.consented_at
        AND NOT EXISTS (SELECT 1 FROM suppression AS p WHERE p.person = s.person AND p.topic = '')
        AND NOT EXISTS (
            SELECT 1 FROM past_suppression AS l WHERE l.person = s.person AND l.topic = '' AND l.lifted_at >= b.at
        )
)
SELECT subscriber, email, at
FROM counted
WHERE subscriber IN (SELECT subscriber FROM counted GROUP BY subscriber HAVING count(*) >= :bounces)
ORDER BY subscriber, at;

-- name: last_signs(subscribers, since)
-- Return the time of the last sign of life, since a given time, of each person in a JSON list of ids. An email that was
-- delivered is none if it bounced later: some servers accept an email first.
SELECT e.subscriber, max(e.at) AS at
FROM event AS e
WHERE
    e.at >= :since
    AND e.subscriber IN (SELECT CAST(value AS INTEGER) FROM json_each(:subscribers))
    AND e.type IN ('delivered', 'opened', 'clicked') AND e.verdict IN ('', 'proxy')
    AND NOT EXISTS (
        SELECT 1
        FROM event AS b
        WHERE
            e.type = 'delivered' AND b.type = 'blocked' AND b.subscriber = e.subscriber AND b.broadcast = e.broadcast
            AND b.at >= e.at
    )
GROUP BY e.subscriber;
