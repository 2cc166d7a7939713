-- name: add_minute(minute)*!
-- Save that emails were delivered, opened or clicked in a minute, so that this is judged later. See `unjudged` in tracking.sql.
INSERT INTO unjudged_minute (minute) VALUES (:minute) ON CONFLICT (minute) DO NOTHING;

-- name: tracked(subscribers)
-- Return the people in a JSON list who are on the list, and since when they have agreed to tracking. The time is empty
-- if they have not.
SELECT id, tracking_consented_at AS since
FROM subscriber
WHERE id IN (SELECT CAST(value AS INTEGER) FROM json_each(:subscribers));

-- name: evidence(broadcast)
-- Return the attempts of unknown chunks for which events were reported, and the types of these events. Earlier events
-- than on the day of the first attempt are not read, because there may be very many.
SELECT DISTINCT e.chunk, e.attempt, e.type
FROM event AS e
JOIN chunk AS c ON c.broadcast = e.broadcast AND c.number = e.chunk AND c.attempt = e.attempt
WHERE
    e.broadcast = :broadcast AND c.state = 'unknown'
    AND e.at >= (
        SELECT substr(min(u.claimed_at), 1, 10) FROM chunk AS u WHERE u.broadcast = :broadcast AND u.state = 'unknown'
    )
ORDER BY e.chunk, e.attempt, e.type;

-- name: add_total(broadcast, type, url, verdict, events)*!
-- Count events that are not saved for each person.
INSERT INTO event_total (broadcast, type, url, verdict, events)
VALUES (:broadcast, :type, :url, :verdict, :events)
ON CONFLICT (broadcast, type, url, verdict) DO UPDATE SET events = event_total.events + excluded.events;

-- name: add_version_total(broadcast, version, type, verdict, events)*!
-- Count the same events for a version of the issue.
INSERT INTO version_total (broadcast, version, type, verdict, events)
VALUES (:broadcast, :version, :type, :verdict, :events)
ON CONFLICT (broadcast, version, type, verdict) DO UPDATE SET events = version_total.events + excluded.events;

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

-- name: doubted()
-- Return the broadcasts that have unknown chunks.
SELECT DISTINCT broadcast FROM chunk WHERE state = 'unknown' ORDER BY broadcast;
