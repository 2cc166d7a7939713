-- What the readers of each broadcast were told about events, and on which clocks.

-- name: add_event(broadcast, variant, event, ends_at, facts)*!
-- Save what a variant tells about an event.
INSERT INTO told_event (broadcast, variant, event, ends_at, facts)
VALUES (:broadcast, :variant, :event, :ends_at, :facts)
ON CONFLICT (broadcast, variant, event) DO NOTHING;

-- name: keep_clocks(broadcast, zones_version, content)!
-- Save the clocks by which a broadcast tells local times, or replace them with more.
INSERT INTO told_clock (broadcast, zones_version, looked_with, content)
VALUES (:broadcast, :zones_version, :zones_version, :content)
ON CONFLICT (broadcast) DO UPDATE SET content = excluded.content;

-- name: clocks(broadcast)^
-- Return the clocks of a broadcast.
SELECT content FROM told_clock WHERE broadcast = :broadcast;

-- name: add_zones(broadcast, chunk, attempt, zones)!
-- Save the zones of the people in a chunk that is about to be sent.
INSERT INTO told_zone (broadcast, chunk, attempt, zones)
VALUES (:broadcast, :chunk, :attempt, :zones)
ON CONFLICT (broadcast, chunk, attempt) DO UPDATE SET zones = excluded.zones;

-- name: tellings(event, zones_version)
-- Return what the variants of all broadcasts tell about an event, in the order of the broadcasts, and whether they tell it
-- on the clocks of another version of the time zone database.
SELECT
    t.broadcast,
    t.variant,
    b.kind = 'correction' AS is_correction,
    k.broadcast IS NOT NULL AND k.zones_version <> :zones_version AS has_other_clocks,
    t.facts
FROM told_event AS t
JOIN broadcast AS b ON b.id = t.broadcast
LEFT JOIN told_clock AS k ON k.broadcast = t.broadcast
WHERE t.event = :event
ORDER BY t.broadcast, t.variant;

-- name: last_telling(event)$
-- Return the latest broadcast that tells about an event, or 0.
SELECT coalesce(max(broadcast), 0) FROM told_event WHERE event = :event;

-- name: zones(broadcast)
-- Return the zones of the people of a broadcast, chunk by chunk, in the order in which they were sent.
SELECT zones FROM told_zone WHERE broadcast = :broadcast ORDER BY attempt, chunk;

-- name: told_people(broadcast)
-- Return the people who got an email of a broadcast, may have got it, or are still to get it, and the variant.
SELECT d.subscriber, c.variant, c.state IN ('accepted', 'unknown', 'inflight') AS is_sent
FROM delivery AS d
JOIN chunk AS c ON c.broadcast = d.broadcast AND c.number = d.chunk
WHERE d.broadcast = :broadcast AND c.state IN ('accepted', 'unknown', 'inflight', 'ready', 'deferred');

-- name: to_look_at(now, zones_version)
-- Return the events to come that were told by another version of the time zone database, with each way they were told.
SELECT DISTINCT t.broadcast, t.event, b.issue, t.facts
FROM told_event AS t
JOIN told_clock AS k ON k.broadcast = t.broadcast
JOIN broadcast AS b ON b.id = t.broadcast
WHERE t.ends_at > :now AND k.zones_version <> :zones_version AND b.state <> 'cancelled'
ORDER BY t.broadcast, t.event;

-- name: is_new(zones_version)$
-- Return whether any clocks have not been compared with this version yet.
SELECT EXISTS (SELECT 1 FROM told_clock WHERE looked_with <> :zones_version AND zones_version <> :zones_version);

-- name: say_looked(zones_version)!
-- Note that all clocks have been compared with a version.
UPDATE told_clock SET looked_with = :zones_version WHERE looked_with <> :zones_version;

-- name: scheduled(now)
-- Return what broadcasts that have not been sent yet tell about events to come.
SELECT DISTINCT t.broadcast, t.event, b.issue, t.facts
FROM told_event AS t
JOIN broadcast AS b ON b.id = t.broadcast
WHERE t.ends_at > :now AND b.state = 'scheduled'
ORDER BY t.broadcast, t.event;
