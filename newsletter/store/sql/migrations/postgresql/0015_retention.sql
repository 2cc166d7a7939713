-- When old data was last deleted: one row, or none.
CREATE TABLE last_purge (
    at TEXT COLLATE "C" NOT NULL PRIMARY KEY
);
