-- name: create_arrived()!
-- Create the table of events that are saved together.
CREATE TEMPORARY TABLE arrived (
    at TEXT /*+ COLLATE "C" */ NOT NULL,
    digest /*+ BYTEA */ NOT NULL,
    type TEXT /*+ COLLATE "C" */ NOT NULL,
    broadcast INTEGER NOT NULL,
    chunk INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    subscriber INTEGER NOT NULL,
    detail TEXT NOT NULL,
    url TEXT NOT NULL,
    url_offset INTEGER NOT NULL,
    cause TEXT NOT NULL,
    verdict TEXT NOT NULL
);

-- name: drop_arrived()!
-- Drop the temporary table at the end of the step.
DROP TABLE arrived;

-- name: add()!
-- Save the events, in the order in which the table stores them. Ignore those that are already saved. Texts are kept only
-- if the person is still on the list, because servers repeat addresses, and links are personal.
INSERT INTO event (
    at, digest, type, broadcast, chunk, attempt, subscriber, detail, url, url_offset, cause, verdict
)
SELECT
    a.at, a.digest, a.type, a.broadcast, a.chunk, a.attempt, a.subscriber,
    CASE WHEN s.id IS NULL THEN '' ELSE a.detail END,
    CASE WHEN s.id IS NULL THEN '' ELSE a.url END,
    a.url_offset, a.cause, a.verdict
FROM arrived AS a
LEFT JOIN subscriber AS s ON s.id = a.subscriber
WHERE TRUE
ORDER BY a.at, a.digest
ON CONFLICT (at, digest) DO NOTHING;

-- name: react()!
-- Save who opened or clicked a broadcast, and the latest time. Machines do not count. A repeated or older report changes
-- nothing.
INSERT INTO reaction (broadcast, type, subscriber, last_at)
SELECT a.broadcast, a.type, a.subscriber, max(a.at)
FROM arrived AS a
WHERE a.type IN ('opened', 'clicked') AND a.verdict = ''
GROUP BY a.broadcast, a.type, a.subscriber
ORDER BY a.broadcast, a.type, a.subscriber
ON CONFLICT (broadcast, type, subscriber) DO UPDATE SET last_at = excluded.last_at
WHERE excluded.last_at > reaction.last_at;

-- name: evidence(broadcast)
-- Return the attempts of unknown chunks for which events were reported, and the types of these events.
SELECT DISTINCT e.chunk, e.attempt, e.type
FROM event AS e
JOIN chunk AS c ON c.broadcast = e.broadcast AND c.number = e.chunk AND c.attempt = e.attempt
WHERE e.broadcast = :broadcast AND c.state = 'unknown'
ORDER BY e.chunk, e.attempt, e.type;

-- name: add_total(broadcast, type, url, verdict, events)*!
-- Count events that are not saved for each person.
INSERT INTO event_total (broadcast, type, url, verdict, events)
VALUES (:broadcast, :type, :url, :verdict, :events)
ON CONFLICT (broadcast, type, url, verdict) DO UPDATE SET events = event_total.events + excluded.events;

-- name: own(broadcasts)
-- Return the broadcasts of this database among the numbers in a JSON list, with their nonces.
SELECT id AS broadcast, nonce FROM broadcast WHERE id IN (SELECT CAST(value AS INTEGER) FROM json_each(:broadcasts));

-- name: unknown(broadcasts)
-- Return the attempts of the unknown chunks of the broadcasts in a JSON list.
SELECT broadcast, number AS chunk, attempt
FROM chunk
WHERE broadcast IN (SELECT CAST(value AS INTEGER) FROM json_each(:broadcasts)) AND state = 'unknown';

-- name: addresses(subscribers)
-- Return the people in a JSON list who are on the list, with their addresses.
SELECT id, email FROM subscriber WHERE id IN (SELECT CAST(value AS INTEGER) FROM json_each(:subscribers));
