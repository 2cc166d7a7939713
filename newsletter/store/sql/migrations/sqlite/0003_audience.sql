-- One subscriber, with the columns that a list can have. The columns that segments use most come first. Tags are stored
-- in the row, each between bars: `|member|teacher|`. A separate table of tags would double the time of an import.
CREATE TABLE person_on_list (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    person TEXT NOT NULL,                -- the form of the address that identifies the person
    language TEXT NOT NULL,
    timezone TEXT NOT NULL,
    tags TEXT NOT NULL,
    joined_at TEXT NOT NULL,             -- when the person joined: the date in the list, or the first import
    consented_at TEXT NOT NULL,          -- a time, or empty
    consent_source TEXT NOT NULL,        -- where they gave their consent
    consent_wording TEXT NOT NULL,       -- the version of the wording that they consented to
    consent_confirmed_at TEXT NOT NULL,  -- when they confirmed it by email, or empty
    consent_basis TEXT NOT NULL,         -- the basis that an import stated for all rows without a consent
    email TEXT NOT NULL,                 -- the address as given
    first_name TEXT NOT NULL,
    last_name TEXT NOT NULL,
    attributes TEXT NOT NULL,            -- a JSON object whose values are texts
    token TEXT NOT NULL,                 -- the unguessable part of the unsubscribe link
    updated_at TEXT NOT NULL
) STRICT;

INSERT INTO person_on_list (
    id, person, language, timezone, tags, joined_at, consented_at, consent_source, consent_wording,
    consent_confirmed_at, consent_basis, email, first_name, last_name, attributes, token, updated_at
)
SELECT
    s.id, s.person, s.language, s.timezone,
    coalesce((SELECT '|' || group_concat(t.tag, '|') || '|' FROM tag AS t WHERE t.subscriber = s.id), ''),
    s.created_at, s.consented_at, s.consent_source, '',
    '', '', s.email, s.first_name, s.last_name, s.attributes, s.token, s.updated_at
FROM subscriber AS s;

-- No id may be used twice, not even that of a person who was removed. If everyone was removed, nothing was inserted
-- above, and the new table has no sequence yet.
DELETE FROM sqlite_sequence WHERE name = 'person_on_list';
INSERT INTO sqlite_sequence (name, seq) SELECT 'person_on_list', seq FROM sqlite_sequence WHERE name = 'subscriber';

-- All names that tags have ever had, so that a misspelled one is noticed.
CREATE TABLE tag_name (
    name TEXT NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;

INSERT INTO tag_name (name) SELECT DISTINCT tag FROM tag;

DROP TABLE tag;
DROP TABLE subscriber;
ALTER TABLE tag_name RENAME TO tag;
ALTER TABLE person_on_list RENAME TO subscriber;

CREATE UNIQUE INDEX subscriber_person ON subscriber (person);

-- People without a recorded consent or basis. Usually there are none.
CREATE INDEX subscriber_without_consent ON subscriber (id) WHERE consented_at = '' AND consent_basis = '';

-- Consent that newer consent has replaced.
CREATE TABLE past_consent (
    subscriber INTEGER NOT NULL,
    replaced_at TEXT NOT NULL,
    consented_at TEXT NOT NULL,
    source TEXT NOT NULL,
    wording TEXT NOT NULL,
    confirmed_at TEXT NOT NULL,
    PRIMARY KEY (subscriber, replaced_at, consented_at)
) STRICT, WITHOUT ROWID;

-- The results of each import, and the basis that was stated for emailing its people.
CREATE TABLE import (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    file TEXT NOT NULL,                  -- only its name
    added INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    unchanged INTEGER NOT NULL,
    rejected INTEGER NOT NULL,
    basis TEXT NOT NULL,                 -- the basis that was stated, or empty
    tags TEXT NOT NULL                   -- the tags that were added to everyone in it
) STRICT;

-- An address that must not be emailed: about one topic, or not at all if the topic is empty.
CREATE TABLE suppressed (
    person TEXT NOT NULL,
    topic TEXT NOT NULL,
    email TEXT NOT NULL,
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,                -- further details: a server's message, or where it came from
    created_at TEXT NOT NULL,
    repeated_at TEXT NOT NULL DEFAULT '',  -- when it was last repeated; an earlier consent does not lift it
    handed_over_at TEXT NOT NULL DEFAULT '',  -- when we put it on the provider's list; that entry is then no news
    PRIMARY KEY (person, topic)
) STRICT, WITHOUT ROWID;

INSERT INTO suppressed (person, topic, email, reason, detail, created_at)
SELECT person, '', email, reason, '', created_at FROM suppression;

DROP TABLE suppression;
ALTER TABLE suppressed RENAME TO suppression;

-- Who left which topic. Suppressions from all email are not in it.
CREATE INDEX suppression_of_topic ON suppression (topic, person) WHERE topic <> '';

-- A suppression that was lifted, with the reason.
CREATE TABLE past_suppression (
    person TEXT NOT NULL,
    topic TEXT NOT NULL,
    reason TEXT NOT NULL,
    created_at TEXT NOT NULL,
    lifted_at TEXT NOT NULL,
    because TEXT NOT NULL,
    PRIMARY KEY (person, topic, lifted_at)
) STRICT, WITHOUT ROWID;

-- A soft bounce: the mailbox refused an email for the time being. Many in a row suppress the address.
CREATE TABLE soft_bounce (
    person TEXT NOT NULL,
    at TEXT NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (person, at)
) STRICT, WITHOUT ROWID;

-- Soft bounces that were reported as events of our own messages. Only a few of the very many events are of this type.
CREATE INDEX event_blocked ON event (subscriber, at) WHERE type = 'blocked';

-- People who asked to be forgotten. They are never emailed again, although the address itself is gone. If they join
-- again, they get their old id again, and with it their history in the ledger.
DROP TABLE former_subscriber;
CREATE TABLE forgotten (
    digest BLOB NOT NULL PRIMARY KEY,    -- a digest of the person, made with a key that is not stored here
    subscriber INTEGER,                  -- NULL if they were never on the list
    reason TEXT NOT NULL,                -- why they are not emailed
    created_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The digest of an empty address, by which the key of these digests is recognized.
CREATE TABLE forgotten_key (
    digest BLOB NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- The topics of a broadcast. People who left all of them are excluded.
CREATE TABLE broadcast_topic (
    broadcast INTEGER NOT NULL REFERENCES broadcast (id),
    topic TEXT NOT NULL,
    PRIMARY KEY (broadcast, topic)
) STRICT, WITHOUT ROWID;

-- Who opened or clicked which broadcast, and when they last did. Segments query this table instead of the events,
-- because its rows are in the order of the people. An index of the events would be as large as the events themselves,
-- and each new event would write to a random place in it.
CREATE TABLE reaction (
    broadcast INTEGER NOT NULL,
    type TEXT NOT NULL,                  -- `opened` or `clicked`
    subscriber INTEGER NOT NULL,
    last_at TEXT NOT NULL,
    PRIMARY KEY (broadcast, type, subscriber)
) STRICT, WITHOUT ROWID;

INSERT INTO reaction (broadcast, type, subscriber, last_at)
SELECT broadcast, type, subscriber, max(at)
FROM event
WHERE type IN ('opened', 'clicked')
GROUP BY broadcast, type, subscriber;
