-- One person on the list. AUTOINCREMENT: the ledger knows people by id, so an id is never given twice.
CREATE TABLE subscriber (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    person TEXT NOT NULL UNIQUE,       -- the address in the form that decides who is the same person
    email TEXT NOT NULL,               -- the address as given
    first_name TEXT NOT NULL,
    last_name TEXT NOT NULL,
    language TEXT NOT NULL,
    timezone TEXT NOT NULL,
    consented_at TEXT NOT NULL,        -- a moment, or empty
    consent_source TEXT NOT NULL,
    attributes TEXT NOT NULL,          -- a JSON object of text values
    token TEXT NOT NULL,               -- the unguessable part of the unsubscribe link
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT;

CREATE TABLE tag (
    subscriber INTEGER NOT NULL REFERENCES subscriber (id) ON DELETE CASCADE,
    tag TEXT NOT NULL,
    PRIMARY KEY (subscriber, tag)
) STRICT, WITHOUT ROWID;

-- The names that attributes have had, so that a misspelt one is noticed.
CREATE TABLE attribute (
    name TEXT NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- Who was removed: should they come back, they get their id again, and with it what the ledger knows of them.
CREATE TABLE former_subscriber (
    digest BLOB NOT NULL PRIMARY KEY,  -- of the person, so that the address itself is gone
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
    expression TEXT NOT NULL,          -- what the segment meant at that time
    provider TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    nonce TEXT NOT NULL,
    envelope TEXT NOT NULL,            -- JSON
    waivers TEXT NOT NULL,             -- JSON
    frozen INTEGER NOT NULL,           -- how many deliveries
    created_at TEXT NOT NULL,
    finished_at TEXT
) STRICT;

CREATE INDEX broadcast_of_issue ON broadcast (issue);

-- The content that was frozen, so that an edit of the files changes nothing of a broadcast under way.
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
    size INTEGER NOT NULL CHECK (size >= 0),  -- how many deliveries are in it
    first_subscriber INTEGER NOT NULL,        -- where in `delivery` its part begins
    attempt INTEGER NOT NULL DEFAULT 0,
    runner TEXT NOT NULL DEFAULT '',
    reason TEXT NOT NULL DEFAULT '',
    message_id TEXT NOT NULL DEFAULT '',
    changed_at TEXT NOT NULL,
    PRIMARY KEY (broadcast, number)
) STRICT, WITHOUT ROWID;

-- Why deliveries were taken out of the chunks one by one: excluded or invalid, and the reason.
CREATE TABLE settlement (
    broadcast INTEGER NOT NULL REFERENCES broadcast (id),
    number INTEGER NOT NULL,
    status TEXT NOT NULL,
    reason TEXT NOT NULL,
    size INTEGER NOT NULL CHECK (size >= 0),  -- how many deliveries it holds for
    changed_at TEXT NOT NULL,
    PRIMARY KEY (broadcast, number),
    UNIQUE (broadcast, status, reason)
) STRICT, WITHOUT ROWID;

-- One message to one subscriber: in exactly one chunk, or settled by itself. Small integers only, for there may be
-- millions; and no foreign keys, which would cost as much again at every freeze. A subscriber may be removed later.
CREATE TABLE delivery (
    broadcast INTEGER NOT NULL,
    subscriber INTEGER NOT NULL,
    chunk INTEGER,
    settlement INTEGER,
    PRIMARY KEY (broadcast, subscriber),
    CHECK ((chunk IS NULL) <> (settlement IS NULL))
) STRICT, WITHOUT ROWID;
