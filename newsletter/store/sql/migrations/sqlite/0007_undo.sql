-- The last import of a list can be undone. Until the next one, everything that it changed is recorded, except for people
-- whom it added with new ids: their ids are a range.
ALTER TABLE import ADD COLUMN added_after INTEGER NOT NULL DEFAULT 0;  -- the highest id before the import
ALTER TABLE import ADD COLUMN added_until INTEGER NOT NULL DEFAULT 0;  -- the highest id after it
ALTER TABLE import ADD COLUMN is_undoable INTEGER NOT NULL DEFAULT 0;
ALTER TABLE import ADD COLUMN undone_at TEXT NOT NULL DEFAULT '';

-- The cells of a subscriber before the import changed them.
CREATE TABLE import_change (
    subscriber INTEGER NOT NULL PRIMARY KEY,
    updated_at TEXT NOT NULL,
    cells TEXT NOT NULL             -- all cells, with the character U+001F between them
) STRICT;

-- A suppression before the import added, changed or lifted it. The reason is empty if there was none.
CREATE TABLE import_suppression (
    person TEXT NOT NULL,
    topic TEXT NOT NULL,
    email TEXT NOT NULL,
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    created_at TEXT NOT NULL,
    repeated_at TEXT NOT NULL,
    handed_over_at TEXT NOT NULL,
    consent_on_record TEXT NOT NULL,
    is_lifted INTEGER NOT NULL,          -- whether the import lifted it
    PRIMARY KEY (person, topic)
) STRICT, WITHOUT ROWID;

-- A person who was forgotten, and whom the import let return.
CREATE TABLE import_return (
    person TEXT NOT NULL PRIMARY KEY,
    digest BLOB NOT NULL,
    subscriber INTEGER,                  -- NULL if they had never been on the list
    reason TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- People who left since the import, according to a report that is not part of it. The topic is empty for all email.
CREATE TABLE left_since_import (
    person TEXT NOT NULL,
    topic TEXT NOT NULL,
    PRIMARY KEY (person, topic)
) STRICT, WITHOUT ROWID;
