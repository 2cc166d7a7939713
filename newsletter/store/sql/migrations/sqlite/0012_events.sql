-- Events get a new key. The provider's id was no key, because a report that is sent again may have a new id. The key
-- begins with the second, so that new events are written at the end; the digest tells apart what happened in it.
ALTER TABLE event RENAME TO earlier_event;
DROP INDEX event_blocked;

CREATE TABLE event (
    at TEXT NOT NULL,
    digest BLOB NOT NULL,  -- of the type, broadcast, chunk, attempt, person, link and message
    type TEXT NOT NULL,
    broadcast INTEGER NOT NULL,           -- 0 if it is about no broadcast that is known
    chunk INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    subscriber INTEGER NOT NULL,
    detail TEXT NOT NULL,  -- the message of the server or the provider
    url TEXT NOT NULL,  -- the link that was clicked
    url_offset INTEGER NOT NULL,          -- which of the links with this address it was; -1 if it is not known
    cause TEXT NOT NULL,  -- why a server refused the email, or empty
    verdict TEXT NOT NULL,  -- how it was recognized as a machine's, or empty
    PRIMARY KEY (at, digest)
) STRICT, WITHOUT ROWID;

-- Events that were already saved keep their ids in the place of the digest.
INSERT INTO event (at, digest, type, broadcast, chunk, attempt, subscriber, detail, url, url_offset, cause, verdict)
SELECT
    at, CAST(id AS BLOB), type, broadcast, chunk, attempt, subscriber,
    CASE WHEN type = 'clicked' THEN '' ELSE detail END, CASE WHEN type = 'clicked' THEN detail ELSE '' END, -1, '', ''
FROM earlier_event;

DROP TABLE earlier_event;

-- Soft bounces that were reported as events of our own messages. Only a few of the very many events are of this type.
CREATE INDEX event_blocked ON event (subscriber, at, cause) WHERE type = 'blocked';

-- How often something happened that is not saved for each person: opens and clicks of people who have not consented to
-- tracking. Machines are counted apart.
CREATE TABLE event_total (
    broadcast INTEGER NOT NULL,
    type TEXT NOT NULL,
    url TEXT NOT NULL,
    verdict TEXT NOT NULL,
    events INTEGER NOT NULL,
    PRIMARY KEY (broadcast, type, url, verdict)
) STRICT, WITHOUT ROWID;

-- What a provider posted, without what identifies people beyond the numbers of our deliveries. It is saved before it is
-- answered, and interpreted afterwards.
CREATE TABLE post (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    received_at TEXT NOT NULL,
    provider TEXT NOT NULL,
    digest BLOB NOT NULL UNIQUE,  -- of the body as it was posted, so that the same body counts once
    content BLOB NOT NULL,        -- compressed JSON
    interpreted_at TEXT NOT NULL,  -- a time, or empty
    failure TEXT NOT NULL  -- why it could not be interpreted, or empty
) STRICT;

CREATE INDEX post_waiting ON post (id) WHERE interpreted_at = '';

CREATE INDEX post_received ON post (received_at);
