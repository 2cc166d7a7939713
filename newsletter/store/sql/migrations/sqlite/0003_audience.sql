-- One person on the list, as far as a row of a list can say it. What a segment asks most stands first. Tags stand in the
-- row, each between bars: `|member|teacher|`. A table of them costs an import as much again as the people themselves.
CREATE TABLE person_on_list (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    person TEXT NOT NULL,                -- the address in the form that decides who is the same person
    language TEXT NOT NULL,
    timezone TEXT NOT NULL,
    tags TEXT NOT NULL,
    joined_at TEXT NOT NULL,             -- when the person joined: as a list says, or when they were first imported
    consented_at TEXT NOT NULL,          -- a moment, or empty
    consent_source TEXT NOT NULL,        -- where they said yes
    consent_wording TEXT NOT NULL,       -- the version of the words that they said yes to
    consent_confirmed_at TEXT NOT NULL,  -- when they confirmed it from their mailbox, or empty
    consent_basis TEXT NOT NULL,         -- what an import stated for all of its rows, where no consent is known
    email TEXT NOT NULL,                 -- the address as given
    first_name TEXT NOT NULL,
    last_name TEXT NOT NULL,
    attributes TEXT NOT NULL,            -- a JSON object of text values
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

-- An id is never given twice, not even that of somebody who was removed. Where everybody was, nothing was inserted above,
-- and the new table has no sequence yet.
DELETE FROM sqlite_sequence WHERE name = 'person_on_list';
INSERT INTO sqlite_sequence (name, seq) SELECT 'person_on_list', seq FROM sqlite_sequence WHERE name = 'subscriber';

-- The names that tags have had, so that a misspelt one is noticed.
CREATE TABLE tag_name (
    name TEXT NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;

INSERT INTO tag_name (name) SELECT DISTINCT tag FROM tag;

DROP TABLE tag;
DROP TABLE subscriber;
ALTER TABLE tag_name RENAME TO tag;
ALTER TABLE person_on_list RENAME TO subscriber;

CREATE UNIQUE INDEX subscriber_person ON subscriber (person);

-- Whom nothing on record allows to mail; as a rule nobody.
CREATE INDEX subscriber_without_consent ON subscriber (id) WHERE consented_at = '' AND consent_basis = '';

-- A consent that a newer one replaced.
CREATE TABLE past_consent (
    subscriber INTEGER NOT NULL,
    replaced_at TEXT NOT NULL,
    consented_at TEXT NOT NULL,
    source TEXT NOT NULL,
    wording TEXT NOT NULL,
    confirmed_at TEXT NOT NULL,
    PRIMARY KEY (subscriber, replaced_at, consented_at)
) STRICT, WITHOUT ROWID;

-- What each import brought, and on which ground its people may be mailed.
CREATE TABLE import (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    file TEXT NOT NULL,                  -- its name alone
    added INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    unchanged INTEGER NOT NULL,
    rejected INTEGER NOT NULL,
    basis TEXT NOT NULL,                 -- as it was stated, or empty
    tags TEXT NOT NULL                   -- given to everybody in it
) STRICT;

-- An address that must not be mailed: at all, where the topic is empty, or about one topic.
CREATE TABLE suppressed (
    person TEXT NOT NULL,
    topic TEXT NOT NULL,
    email TEXT NOT NULL,
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,                -- what is known besides: a server's words, where it came from
    created_at TEXT NOT NULL,
    repeated_at TEXT NOT NULL DEFAULT '',  -- when it was last said again: a consent from before then lifts nothing
    handed_over_at TEXT NOT NULL DEFAULT '',  -- when we put it on a list of the provider, whose entry says no more
    PRIMARY KEY (person, topic)
) STRICT, WITHOUT ROWID;

INSERT INTO suppressed (person, topic, email, reason, detail, created_at)
SELECT person, '', email, reason, '', created_at FROM suppression;

DROP TABLE suppression;
ALTER TABLE suppressed RENAME TO suppression;

-- Who left which topic; those who are not mailed at all are not in it.
CREATE INDEX suppression_of_topic ON suppression (topic, person) WHERE topic <> '';

-- A suppression that was lifted, and why.
CREATE TABLE past_suppression (
    person TEXT NOT NULL,
    topic TEXT NOT NULL,
    reason TEXT NOT NULL,
    created_at TEXT NOT NULL,
    lifted_at TEXT NOT NULL,
    because TEXT NOT NULL,
    PRIMARY KEY (person, topic, lifted_at)
) STRICT, WITHOUT ROWID;

-- Mail that an address could not take for now; many of them in a row suppress it.
CREATE TABLE soft_bounce (
    person TEXT NOT NULL,
    at TEXT NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (person, at)
) STRICT, WITHOUT ROWID;

-- The same among the events, as it was reported of our own mail: few of very many.
CREATE INDEX event_blocked ON event (subscriber, at) WHERE type = 'blocked';

-- Who asked to be forgotten: never mailed again, though the address itself is gone. Should they join again, they get
-- their id again, and with it what the ledger knows of them.
DROP TABLE former_subscriber;
CREATE TABLE forgotten (
    digest BLOB NOT NULL PRIMARY KEY,    -- of the person, made with a key that is not kept here
    subscriber INTEGER,                  -- NULL for somebody who was never on the list
    reason TEXT NOT NULL,                -- why they are not mailed
    created_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- By which the key of those digests is known again: a digest of nobody.
CREATE TABLE forgotten_key (
    digest BLOB NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- What a broadcast is about; whoever left all of it is excluded.
CREATE TABLE broadcast_topic (
    broadcast INTEGER NOT NULL REFERENCES broadcast (id),
    topic TEXT NOT NULL,
    PRIMARY KEY (broadcast, topic)
) STRICT, WITHOUT ROWID;

-- Who opened and clicked what, and when last: what segments ask of the events, in the order of the people, which makes
-- them quick. An index of the events would be as large as they are, and be written all over by every report.
CREATE TABLE reaction (
    broadcast INTEGER NOT NULL,
    type TEXT NOT NULL,                  -- opened or clicked
    subscriber INTEGER NOT NULL,
    last_at TEXT NOT NULL,
    PRIMARY KEY (broadcast, type, subscriber)
) STRICT, WITHOUT ROWID;

INSERT INTO reaction (broadcast, type, subscriber, last_at)
SELECT broadcast, type, subscriber, max(at)
FROM event
WHERE type IN ('opened', 'clicked')
GROUP BY broadcast, type, subscriber;
