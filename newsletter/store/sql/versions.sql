-- The versions of an issue that are compared: what came back about each, and which one the rest gets.

-- name: counts(broadcast)
-- Return, for each version, how many people got it first, of how many of them we may know what they open and click, and
-- how many of those did. Only people's opens and clicks count, and a click shows that it was opened.
SELECT
    w.value AS version,
    count(*) AS sent,
    count(s.id) AS known,
    count(CASE WHEN o.subscriber IS NOT NULL OR k.subscriber IS NOT NULL THEN s.id END) AS opened,
    count(CASE WHEN k.subscriber IS NOT NULL THEN s.id END) AS clicked
FROM drawn AS w
JOIN broadcast AS b ON b.id = w.broadcast
JOIN delivery AS d ON d.broadcast = w.broadcast AND d.subscriber = w.subscriber
JOIN chunk AS c ON c.broadcast = d.broadcast AND c.number = d.chunk AND c.state = 'accepted'
LEFT JOIN subscriber AS s
    ON s.id = w.subscriber
    AND b.tracking = 'consented'
    AND s.tracking_consented_at <> ''
    AND s.tracking_consented_at <= b.created_at
LEFT JOIN reaction AS o ON o.broadcast = w.broadcast AND o.type = 'opened' AND o.subscriber = w.subscriber
LEFT JOIN reaction AS k ON k.broadcast = w.broadcast AND k.type = 'clicked' AND k.subscriber = w.subscriber
WHERE w.broadcast = :broadcast AND w.value <> ''
GROUP BY w.value
ORDER BY w.value;

-- name: totals(broadcast)
-- Return how often each version was opened and its links were followed, by people, if only totals are known.
SELECT version, type, CAST(sum(events) AS INTEGER) AS events
FROM version_total
WHERE broadcast = :broadcast AND verdict IN ('', 'proxy')
GROUP BY version, type
ORDER BY version, type;

-- name: recent(most)
-- Return the last tracked broadcasts of issues, and when their first emails were accepted.
SELECT b.id AS broadcast, min(c.changed_at) AS begun_at
FROM broadcast AS b
JOIN chunk AS c ON c.broadcast = b.id AND c.state = 'accepted'
WHERE b.kind = 'issue' AND b.tracking = 'consented' AND b.provider <> 'outbox'
GROUP BY b.id
ORDER BY b.id DESC
LIMIT :most;

-- name: usual(broadcast, until)$
-- Return of how many people who were sent a broadcast we may know what they open and click, and how many of them had done
-- so by a time.
SELECT
    count(*) AS known,
    count(CASE WHEN o.subscriber IS NOT NULL OR k.subscriber IS NOT NULL THEN 1 END) AS opened,
    count(k.subscriber) AS clicked
FROM broadcast AS b
JOIN delivery AS d ON d.broadcast = b.id
JOIN chunk AS c ON c.broadcast = d.broadcast AND c.number = d.chunk AND c.state = 'accepted'
JOIN subscriber AS s
    ON s.id = d.subscriber AND s.tracking_consented_at <> '' AND s.tracking_consented_at <= b.created_at
LEFT JOIN reaction AS o
    ON o.broadcast = b.id AND o.type = 'opened' AND o.subscriber = d.subscriber AND o.last_at <= :until
LEFT JOIN reaction AS k
    ON k.broadcast = b.id AND k.type = 'clicked' AND k.subscriber = d.subscriber AND k.last_at <= :until
WHERE b.id = :broadcast;

-- name: set_variant(broadcast, variant, version)!
-- Give the rest of a broadcast another variant.
UPDATE chunk SET variant = :version WHERE broadcast = :broadcast AND wave = 2 AND variant = :variant;

-- name: set_chosen(broadcast, version, because, figures, now)!
-- Save which version the rest gets, unless that is decided already.
UPDATE watch
SET chosen = :version, chosen_at = :now, chosen_because = :because, chosen_from = :figures
WHERE broadcast = :broadcast AND chosen = '';

-- name: all_chosen()
-- Return each issue of which a version was chosen, and the version, in the order in which they were chosen.
SELECT b.issue, w.chosen AS version
FROM watch AS w
JOIN broadcast AS b ON b.id = w.broadcast
WHERE b.kind = 'issue' AND w.chosen <> ''
ORDER BY w.chosen_at, w.broadcast;

-- name: of_subscriber(issue, subscriber)?
-- Return the version of an issue that someone was sent, or will be: the one that was drawn for them, or else the one that
-- was chosen for the rest. It is empty if it is not decided yet.
SELECT coalesce(w.value, h.chosen, '') AS version
FROM delivery AS d
JOIN broadcast AS b ON b.id = d.broadcast AND b.issue = :issue AND b.kind = 'issue'
JOIN watch AS h ON h.broadcast = b.id
LEFT JOIN drawn AS w ON w.broadcast = b.id AND w.subscriber = d.subscriber
WHERE d.subscriber = :subscriber AND d.chunk IS NOT NULL
ORDER BY b.id DESC
LIMIT 1;
