-- One subscriber. AUTOINCREMENT, because the ledger refers to people by id, and no id may ever be used twice.
CREATE TABLE subscriber (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    person TEXT NOT NULL UNIQUE,       -- the form of the address that identifies the person
    email TEXT NOT NULL,               -- the address as given
    first_name TEXT NOT NULL,
    last_name TEXT NOT NULL,
    language TEXT NOT NULL,
    timezone TEXT NOT NULL,
    consented_at TEXT NOT NULL,        -- a time, or empty
    consent_source TEXT NOT NULL,
    attributes TEXT NOT NULL,          -- a JSON object whose values are texts
    token TEXT NOT NULL,               -- the unguessable part of the unsubscribe link
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT;

CREATE TABLE tag (
    subscriber INTEGER NOT NULL REFERENCES subscriber (id) ON DELETE CASCADE,
    tag TEXT NOT NULL,
    PRIMARY KEY (subscriber, tag)
) STRICT, WITHOUT ROWID;

-- All names that attributes have ever had, so that a misspelled one is noticed.
CREATE TABLE attribute (
    name TEXT NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- People who were removed. If they return, they get their old id again, and with it their history in the ledger.
CREATE TABLE former_subscriber (
    digest BLOB NOT NULL PRIMARY KEY,  -- a digest of the person, so that the address itself is gone
    subscriber INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE suppression (
    person TEXT NOT NULL PRIMARY KEY,
    email TEXT NOT NULL,
    reason TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE broadcast (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    issue TEXT NOT NULL,
    segment TEXT NOT NULL,
    expression TEXT NOT NULL,          -- the meaning of the segment at that time
    provider TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    nonce TEXT NOT NULL,
    envelope TEXT NOT NULL,            -- JSON
    waivers TEXT NOT NULL,             -- JSON
    frozen INTEGER NOT NULL,           -- the number of deliveries
    created_at TEXT NOT NULL,
    finished_at TEXT
) STRICT;

CREATE INDEX broadcast_of_issue ON broadcast (issue);

-- The frozen content, so that an edit of the files does not change a broadcast that has begun.
CREATE TABLE variant (
    broadcast INTEGER NOT NULL REFERENCES broadcast (id),
    number INTEGER NOT NULL,
    content BLOB NOT NULL,             -- compressed JSON
    PRIMARY KEY (broadcast, number)
) STRICT;

CREATE TABLE picture (
    broadcast INTEGER NOT NULL REFERENCES broadcast (id),
    name TEXT NOT NULL,
    content_type TEXT NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (broadcast, name)
) STRICT;

CREATE TABLE chunk (
    broadcast INTEGER NOT NULL REFERENCES broadcast (id),
    number INTEGER NOT NULL,
    variant INTEGER NOT NULL,
    state TEXT NOT NULL,
    size INTEGER NOT NULL CHECK (size >= 0),  -- the number of deliveries in it
    first_subscriber INTEGER NOT NULL,        -- where its rows in `delivery` begin
    attempt INTEGER NOT NULL DEFAULT 0,
    runner TEXT NOT NULL DEFAULT '',
    reason TEXT NOT NULL DEFAULT '',
    message_id TEXT NOT NULL DEFAULT '',
    changed_at TEXT NOT NULL,
    PRIMARY KEY (broadcast, number)
) STRICT, WITHOUT ROWID;

-- Deliveries that were settled individually, outside of chunks: excluded or invalid, with the reason.
CREATE TABLE settlement (
    broadcast INTEGER NOT NULL REFERENCES broadcast (id),
    number INTEGER NOT NULL,
    status TEXT NOT NULL,
    reason TEXT NOT NULL,
    size INTEGER NOT NULL CHECK (size >= 0),  -- the number of deliveries that have it
    changed_at TEXT NOT NULL,
    PRIMARY KEY (broadcast, number),
    UNIQUE (broadcast, status, reason)
) STRICT, WITHOUT ROWID;

-- One message to one subscriber. It is either in exactly one chunk, or in a settlement. All columns are small integers,
-- because there may be millions of rows. There are no foreign keys, because they would double the time of a freeze, and
-- because a subscriber may be removed later.
CREATE TABLE delivery (
    broadcast INTEGER NOT NULL,
    subscriber INTEGER NOT NULL,
    chunk INTEGER,
    settlement INTEGER,
    PRIMARY KEY (broadcast, subscriber),
    CHECK ((chunk IS NULL) <> (settlement IS NULL))
) STRICT, WITHOUT ROWID;
