-- What each variant of a broadcast tells of an event: its facts as JSON. `ends_at` is when it is over, under the rules
-- of that day.
CREATE TABLE told_event (
    broadcast INTEGER NOT NULL REFERENCES broadcast (id),
    variant INTEGER NOT NULL,
    event TEXT COLLATE "C" NOT NULL,
    ends_at TEXT COLLATE "C" NOT NULL,
    facts TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (broadcast, variant, event)
);

CREATE INDEX told_event_of ON told_event (event);
CREATE INDEX told_event_ends ON told_event (ends_at);

-- The clocks by which a broadcast tells local times: compressed JSON with the difference from UTC in every zone at every
-- moment that an event names, and the version of the time zone database that it was made from. `looked_with` is the last
-- version with which they were compared.
CREATE TABLE told_clock (
    broadcast INTEGER PRIMARY KEY REFERENCES broadcast (id),
    zones_version TEXT COLLATE "C" NOT NULL,
    looked_with TEXT COLLATE "C" NOT NULL,
    content BYTEA NOT NULL
);

-- The time zones of the people in a chunk when it was sent: a JSON object of lists of subscribers, by zone.
CREATE TABLE told_zone (
    broadcast INTEGER NOT NULL REFERENCES broadcast (id),
    chunk INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    zones TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (broadcast, chunk, attempt)
);
