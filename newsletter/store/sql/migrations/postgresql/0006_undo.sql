-- The last import of a list can be undone. Until the next one, everything that it changed is recorded, except for people
-- whom it added with new ids: their ids are a range.
ALTER TABLE import ADD COLUMN added_after INTEGER NOT NULL DEFAULT 0;  -- the highest id before the import
ALTER TABLE import ADD COLUMN added_until INTEGER NOT NULL DEFAULT 0;  -- the highest id after it
ALTER TABLE import ADD COLUMN is_undoable INTEGER NOT NULL DEFAULT 0;
ALTER TABLE import ADD COLUMN undone_at TEXT COLLATE "C" NOT NULL DEFAULT '';

-- The cells of a subscriber before the import changed them.
CREATE TABLE import_change (
    subscriber INTEGER NOT NULL PRIMARY KEY,
    updated_at TEXT COLLATE "C" NOT NULL,
    cells TEXT COLLATE "C" NOT NULL             -- all cells, with the character U+001F between them
);

-- A suppression before the import added, changed or lifted it. The reason is empty if there was none.
CREATE TABLE import_suppression (
    person TEXT COLLATE "C" NOT NULL,
    topic TEXT COLLATE "C" NOT NULL,
    email TEXT COLLATE "C" NOT NULL,
    reason TEXT COLLATE "C" NOT NULL,
    detail TEXT COLLATE "C" NOT NULL,
    created_at TEXT COLLATE "C" NOT NULL,
    repeated_at TEXT COLLATE "C" NOT NULL,
    handed_over_at TEXT COLLATE "C" NOT NULL,
    consent_on_record TEXT COLLATE "C" NOT NULL,
    is_lifted INTEGER NOT NULL,          -- whether the import lifted it
    PRIMARY KEY (person, topic)
);

-- A person who was forgotten, and whom the import let return.
CREATE TABLE import_return (
    person TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    digest BYTEA NOT NULL,
    subscriber INTEGER,                  -- NULL if they had never been on the list
    reason TEXT COLLATE "C" NOT NULL,
    created_at TEXT COLLATE "C" NOT NULL
);

-- People who left since the import, according to a report that is not part of it. The topic is empty for all email.
CREATE TABLE left_since_import (
    person TEXT COLLATE "C" NOT NULL,
    topic TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (person, topic)
);
