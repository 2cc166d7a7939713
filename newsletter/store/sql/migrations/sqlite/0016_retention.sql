-- When old data was last deleted: one row, or none.
CREATE TABLE last_purge (
    at TEXT NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;
